"""What a user may say of memory tiers, with defaults and help, and the choices that follow."""

from collections.abc import Callable
from dataclasses import dataclass

from dse.errors import InputError
from dse.objectives.gpu.machine import gpu_names, load_gpu
from dse.objectives.network.catalog import load_network, network_names
from dse.objectives.network.precision import load_precision, states_of
from dse.objectives.placement.policies import POLICIES
from dse.objectives.tiers.technology import load_memory, technology_names
from dse.options import listed, option, typed, words
from dse.spaces.tiers.space import (
    ARRANGEMENTS,
    NO_MIDDLE,
    RECOMPUTES,
    VERTICAL,
    TierChoices,
)
from dse.units import parse_capacity

STEP, TIERS, PLACEMENT, MONEY = "Training step", "Memories", "Placement", "Cost and energy"
"""Groups of options."""
BYTES, ENERGY, TIME = "bytes", "energy", "time"
WEIGHINGS = (BYTES, ENERGY, TIME)


@dataclass(frozen=True, slots=True)
class TierOptions:
    """A training step, the memories and policies to choose from, and what energy costs."""

    network: str = option(
        "gpt2", "Network to train: packaged, a layer table, or a model configuration.", group=STEP, names=network_names
    )
    batch: str = option("4", "Comma-separated: samples per step.", group=STEP)
    precision: str = option("fp32", "Comma-separated, as fp32 or bf16.", group=STEP)
    optimizer: str = option("adam", "sgd, momentum or adam.", group=STEP)
    dropout: bool = option(False, "Whether dropout layers run.", group=STEP)
    recompute: str = option(
        "none", f"Comma-separated: {', '.join(RECOMPUTES)}; planned chooses layer by layer.",
        group=STEP, names=lambda: RECOMPUTES,
    )
    machine: str = option(
        "a100-sxm-40gb", "GPU that computes: its peak bounds the time of each operation.", group=STEP, names=gpu_names
    )
    fraction: str = option("0.125,0.25,0.5,1", "Capacity of tier 1, in parts of the step's peak.", group=TIERS)
    fast: str = option(
        "hbm2e", "Memories of tier 1: packaged ones, .toml files, or macro files of dse optimize.",
        group=TIERS, names=technology_names,
    )
    fast_devices: str = option("1", "Devices of tier 1 side by side: bandwidth.", group=TIERS)
    middle: str = option(
        NO_MIDDLE, "Memories of a tier between the two, none for no such tier.", group=TIERS, names=technology_names
    )
    middle_fraction: str = option("0.25", "Capacity of the middle tier, in parts of the step's peak.", group=TIERS)
    slow: str = option(
        "ddr5,cxl-dram,z-nand,tlc-nvme4", "Memories of the lower tier.", group=TIERS, names=technology_names
    )
    slow_devices: str = option("1", "Devices of the lower tier side by side: bandwidth.", group=TIERS)
    slow_fraction: str = option(
        "1", "Capacity of the lower tier, in parts of the step's peak: spare capacity wears.", group=TIERS
    )
    arrangement: str = option(
        VERTICAL, f"Comma-separated: {', '.join(ARRANGEMENTS)}, or operands used below.",
        group=TIERS, names=lambda: ARRANGEMENTS,
    )
    policy: str = option(
        "split-lp", f"How tensors are placed: {', '.join(POLICIES)}.", group=PLACEMENT, names=lambda: POLICIES
    )
    page: str = option("64KB", "Bytes that move together.", group=PLACEMENT)
    window: str = option("0,8", "Pieces that a transfer may be early or late: 0 hides nothing.", group=PLACEMENT)
    weighing: str = option(
        BYTES, "What plans minimize: bytes, or energy or time of the lower tier.", WEIGHINGS, group=PLACEMENT
    )
    compute_energy: float | None = option(
        None, "J per multiply-accumulate; Horowitz (ISSCC 2014) for the precision unless given.", group=MONEY
    )
    electricity: float = option(0.1, "$ per kWh.", group=MONEY)
    usage_effectiveness: float = option(1.2, "Power of the site over power of the machine.", group=MONEY)
    years: float = option(3.0, "Time over which ownership is paid for.", group=MONEY)


def tier_choices(options: TierOptions) -> TierChoices:
    """Levels of all axes, each checked."""
    for name in ("fast", "slow"):
        for memory in listed(getattr(options, name), name):
            load_memory(memory)
    for memory in listed(options.middle, "middle"):
        if memory != NO_MIDDLE:
            load_memory(memory)
    for precision in listed(options.precision, "precision"):
        load_precision(precision)
    _check_others(options)
    return TierChoices(
        fraction=_numbers(options.fraction, "fraction", float, 0, 1),
        fast=tuple(listed(options.fast, "fast")),
        fast_devices=_numbers(options.fast_devices, "fast-devices", int, 0, 1 << 20),
        middle=tuple(listed(options.middle, "middle")),
        middle_fraction=_numbers(options.middle_fraction, "middle-fraction", float, 0, 1),
        slow=tuple(listed(options.slow, "slow")),
        slow_devices=_numbers(options.slow_devices, "slow-devices", int, 0, 1 << 20),
        slow_fraction=_numbers(options.slow_fraction, "slow-fraction", float, 0, 1 << 20),
        arrangement=words(options.arrangement, "arrangement", ARRANGEMENTS),
        policy=words(options.policy, "policy", tuple(POLICIES)),
        page=_pages(options),
        window=_numbers(options.window, "window", int, -1, 1 << 20),
        batch=_numbers(options.batch, "batch", int, 0, 1 << 20),
        recompute=words(options.recompute, "recompute", RECOMPUTES),
        precision=tuple(listed(options.precision, "precision")),
    )


def _check_others(options: TierOptions) -> None:
    """What is no axis."""
    load_network(options.network)
    load_gpu(options.machine)
    states_of(options.optimizer)
    amounts = (("electricity", options.electricity), ("usage-effectiveness", options.usage_effectiveness),
               ("years", options.years), ("compute-energy", options.compute_energy or 0.0))
    for name, value in amounts:
        if not 0 <= value < 1e9:
            raise InputError(f"--{name} {value:g}: give 0 or more")


def _numbers(text: str, name: str, kind: Callable[[str], float], above: float, most: float) -> tuple[float, ...]:
    """Numbers of an option in ascending order, above one bound and up to another."""
    found = []
    for item, value in typed(text, name, kind):
        if not above < value <= most:
            raise InputError(f"--{name} {item}: give more than {above:g} and up to {most:g}")
        found.append(value)
    return tuple(sorted(set(found)))


def _pages(options: TierOptions) -> tuple[int, ...]:
    """Sizes of pages [bytes]."""
    return tuple(sorted({parse_capacity(item) for item in listed(options.page, "page")}))
