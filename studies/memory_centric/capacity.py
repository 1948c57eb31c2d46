"""How much larger a batch or deeper a network a memory-centric system trains (section V-E: no published numbers)."""

from dse.objectives.memory_centric.choices import load_choices
from dse.objectives.memory_centric.parts import load_device
from dse.objectives.memory_centric.problem import division_of
from dse.objectives.memory_centric.simulation import WEIGHT_COPIES
from dse.objectives.memory_centric.system import point, system_of
from dse.objectives.memory_centric.training import training_work
from dse.objectives.network.catalog import load_network
from dse.spaces.memory_centric.systems import DATA_PARALLEL
from dse.studies.memory_centric.grid import DC, DEVICES, B
from dse.studies.reproduction import Item

SAMPLE_NETWORKS = ("vgg-19", "resnet-34")


def largest_batch(network: str, capacity: float) -> int:
    """Most samples whose stashed outputs fit beside the weights of all devices."""
    choices = load_choices()
    work = training_work(load_network(network), division_of(choices, parallel=DATA_PARALLEL, devices=DEVICES,
                                                            samples=DEVICES))
    weights = DEVICES * WEIGHT_COPIES * work.weights * choices.width
    per_sample = float(work.stashed.sum()) * choices.width
    return int((capacity - weights) // per_sample)


def capacity_items() -> list[Item]:
    """Largest batch, and what depth of equal layers the paper's batch allows, with devices alone, host and nodes."""
    alone = DEVICES * load_device("paper").memory
    choices = load_choices()
    capacities = {"devices alone": alone, **{name: system_of(point(name), choices).capacity for name in (DC, B)}}
    items = []
    for network in SAMPLE_NETWORKS:
        batches = {name: largest_batch(network, capacity) for name, capacity in capacities.items()}
        items += [
            Item(f"largest batch, {network}, {name}", float("nan"), batch, "predicted", {"section": "V-E"})
            for name, batch in batches.items()
        ]
        items.append(Item(f"times deeper than {DC} at its largest batch, {network}, {B}", float("nan"),
                          batches[B] / batches[DC], "predicted", {"section": "V-E"}))
    return items
