"""What the planner of tiers gains over the paper's rule of stashing every product's output."""

from dataclasses import replace

from dse.objectives.memory_centric.choices import load_choices
from dse.objectives.memory_centric.planned import planned_stash
from dse.objectives.memory_centric.problem import division_of
from dse.objectives.memory_centric.simulation import columns_of, simulate
from dse.objectives.memory_centric.training import training_work
from dse.objectives.network.catalog import load_network
from dse.spaces.memory_centric.systems import DATA_PARALLEL
from dse.studies.memory_centric.grid import BATCH, CNNS, DC, DEVICES, B, paper_systems
from dse.studies.reproduction import Item

FRACTIONS = (0.25, 0.5, 1.0)


def planner_items() -> list[Item]:
    """Times under the paper's rule over times under the plan, by network, fraction of the peak and system."""
    choices = load_choices()
    systems = paper_systems((DC, B))
    columns = columns_of(list(systems.values()), choices)
    items = []
    for name in CNNS:
        network = load_network(name)
        rule = division_of(choices, parallel=DATA_PARALLEL, devices=DEVICES, samples=BATCH)
        before = simulate(training_work(network, rule), columns, choices.window)
        for fraction in FRACTIONS:
            plan = planned_stash(network, BATCH // DEVICES, fraction)
            after = simulate(training_work(network, replace(rule, kept=plan.kept)), columns, choices.window)
            at = f"{name}, device memory {fraction:.0%} of the peak"
            items += [
                Item(f"{system} planned over the paper's rule, {at}", float("nan"),
                     float(before.timeline.total[place] / after.timeline.total[place]), "predicted",
                     {"note": f"speedup; duality gap of the plan {plan.gap:.1e}"})
                for place, system in enumerate(systems)
            ]
            items.append(Item(f"stashed bytes planned over the paper's rule, {at}", float("nan"),
                              float(after.stashed[0] / before.stashed[0]), "predicted",
                              {"note": f"tier 1 of {plan.capacity / 2**20:.0f} MiB per device"}))
    return items
