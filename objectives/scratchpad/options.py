"""What a user may say of scratchpads, with defaults and help, and the choices that follow."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from dse.errors import InputError
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import Technology
from dse.objectives.array.given.technology_names import technology_from_text
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.network.training import INFERENCE, SEQUENCE_PHASES, TRAINING
from dse.objectives.scratchpad.buffers import BANKS, BufferMemory, buffer_memory
from dse.objectives.scratchpad.system import SystemRates
from dse.objectives.scratchpad.tolerances import ToleranceTable, load_tolerances, tolerance_names
from dse.objectives.scratchpad.writes import ERROR_RATES, PULSES, SCHEMES, WriteLevels
from dse.objectives.systolic.folds import DATAFLOWS, DRAINS, HIDDEN, Shape
from dse.options import listed, option, typed, words
from dse.spaces.scratchpad.buffers import BufferChoices
from dse.spaces.scratchpad.scratchpads import SEPARATOR, OuterChoices, all_splits, parse_split, usual_split
from dse.text import quoted
from dse.units import parse_capacity, parse_quantity

AUTO, ALL = "auto", "all"
PHASES = (TRAINING, INFERENCE, *SEQUENCE_PHASES)
BUFFERS_GROUP, SYSTEM_GROUP = "Buffers", "System"
COPY, IN_PLACE = "copy", "in-place"
IN_WORD, IN_BANK = "word", "bank"
EVERY, CHANGED = "every", "changed"
BITS = 8


@dataclass(frozen=True, slots=True)
class ScratchpadOptions:
    """What runs, on which systolic arrays, and the memories to choose buffers from."""

    network: str = option("resnet-18", "Network: packaged, a layer table, or a model configuration.")
    phase: str = option(TRAINING, "What runs.", PHASES)
    batch: str = option("32", "Comma-separated: samples per step.")
    precision: str = option("bf16", "As bf16 or int8.")
    optimizer: str = option("momentum", "sgd, momentum or adam; its states stay in DRAM.")
    systolic_array: str = option("32x32,128x128", "Comma-separated: rows x columns.")
    dataflow: str = option(",".join(DATAFLOWS), "Comma-separated: what stays in the processing elements.")
    drain: str = option(HIDDEN, "Whether results leave behind the next fold, or before it.", DRAINS)
    pace: str = option("1", "Comma-separated, 1 to 4: how much longer than the array alone an operation may take.")
    memory: str = option("sram,stt", "Memories of buffers: sram, stt, sot, packaged cells.", group=BUFFERS_GROUP)
    cell: str = option("", "Further memories: paths of .cell files, comma-separated.", group=BUFFERS_GROUP)
    accumulator_memory: str = option(
        "", "Memories of the accumulator, comma-separated: those of buffers unless given.", group=BUFFERS_GROUP
    )
    technology: str = option("22nm", "As 22nm, 32nm-lstp, 16nm-deepnvmpp, or a .toml file.", group=BUFFERS_GROUP)
    temperature: int = option(350, "Kelvin, 300 to 400.", group=BUFFERS_GROUP)
    capacity: str = option("8MB", "Comma-separated: all buffers but the accumulator together.", group=BUFFERS_GROUP)
    split: str = option(AUTO, "Eighths of each class, as 3:2:2:1; comma-separated; or all.", group=BUFFERS_GROUP)
    accumulator: str = option("1MB", "Comma-separated: capacity for partial sums.", group=BUFFERS_GROUP)
    banks: str = option("8,16,32", "Comma-separated, 1 to 64.", group=BUFFERS_GROUP)
    line: int = option(64, "Bytes of an access.", group=BUFFERS_GROUP)
    latency: str = option("10ns", "Longest read of a bank, and longest write but for its pulse.", group=BUFFERS_GROUP)
    stability: str = option("40,60", "Comma-separated, 20 to 60: thermal stability of STT-MRAM.", group=BUFFERS_GROUP)
    error_rate: str = option(
        AUTO, "Comma-separated: how often a write may fail. auto: 1e-12, or 1e-12 to 1e-2 by half decades where a "
        "network's tolerance is known.", group=BUFFERS_GROUP,
    )
    pulse: str = option(",".join(f"{one:g}" for one in PULSES), "Pulses over the file's.", group=BUFFERS_GROUP)
    protection: str = option(
        "none,pulse-exponent,SECDED-exponent", f"Of {', '.join(one.name for one in SCHEMES)}.", group=BUFFERS_GROUP
    )
    tolerance_of: str = option("", "Network whose measured tolerance stands for this one's.", group=BUFFERS_GROUP)
    saturate: bool = option(False, "Whether reads are clipped to the range of their class.", group=BUFFERS_GROUP)
    resize: bool = option(
        False, "Whether access transistors are as wide as the largest write current asks for, not as in the file.",
        group=BUFFERS_GROUP,
    )
    weights: str = option(
        COPY, "Whether weights are copies of a master (fp32) in DRAM, or the only ones.", (COPY, IN_PLACE),
        group=BUFFERS_GROUP,
    )
    check_bits: str = option(
        IN_WORD, "Whether check bits lengthen words, or have banks of their own.", (IN_WORD, IN_BANK),
        group=BUFFERS_GROUP,
    )
    writes: str = option(
        EVERY, "Which bits a write pulses: every one, or those that changed, which it reads first.", (EVERY, CHANGED),
        group=BUFFERS_GROUP,
    )
    residence: str = option("1d", "How long weights that stay are kept before they are loaded again.",
                            group=BUFFERS_GROUP)
    iso_area: str = option("", "Limit the area to that of the best SRAM buffers of a capacity, as 8MB.",
                           group=BUFFERS_GROUP)
    clock: str = option("1GHz", "Clock of the systolic array.", group=SYSTEM_GROUP)
    bandwidth: str = option("900GB/s", "Of DRAM.", group=SYSTEM_GROUP)
    dram_energy: str = option("3.9pJ", "Energy per bit of DRAM; published ones are 2 to 20 pJ.", group=SYSTEM_GROUP)
    mac_energy: str = option("0J", "Energy of a multiply-accumulate.", group=SYSTEM_GROUP)


def numbers(text: str, name: str, kind: Callable[[str], float], low: float, high: float) -> tuple[float, ...]:
    """Numbers of an option in ascending order, within bounds."""
    found = []
    for item, value in typed(text, name, kind):
        if not low <= value <= high:
            raise InputError(f"--{name} {item}: give {low:g} to {high:g}")
        found.append(value)
    return tuple(sorted(set(found)))


def quantity(text: str, name: str, unit: str) -> float:
    """A quantity of an option, from 0."""
    try:
        value = parse_quantity(text, unit)
    except InputError as error:
        raise InputError(f"--{name} {error.message}") from None
    if not 0 <= value < float("inf"):
        raise InputError(f"--{name} {text}: give 0 or more")
    return value


def shape_of(text: str) -> Shape:
    """A systolic array, as 128x128."""
    rows, times, columns = text.lower().partition("x")
    if times and rows.isdigit() and columns.isdigit() and 1 <= int(rows) <= 4096 and 1 <= int(columns) <= 4096:
        return Shape(int(rows), int(columns))
    raise InputError(f"--systolic-array {quoted(text)}: give rows x columns of 1 to 4096, as 128x128")


def outer_choices(options: ScratchpadOptions, classes: Sequence[str]) -> OuterChoices:
    """Levels of the axes at the top, for the classes that the network has."""
    for text in listed(options.systolic_array, "systolic-array"):
        shape_of(text)
    return OuterChoices(
        array=tuple(text.lower() for text in listed(options.systolic_array, "systolic-array")),
        dataflow=words(options.dataflow, "dataflow", DATAFLOWS),
        batch=tuple(int(one) for one in numbers(options.batch, "batch", int, 1, 1 << 16)),
        capacity=capacities(options.capacity, "capacity"), split=_splits(options.split, classes),
        accumulator=capacities(options.accumulator, "accumulator"),
        pace=numbers(options.pace, "pace", float, 1, 4),
    )


def capacities(text: str, name: str) -> tuple[int, ...]:
    """Capacities [B] in ascending order: small multiples of powers of two, which arrays can have."""
    found = sorted({parse_capacity(item) for item in listed(text, name)})
    for one in found:
        if not 1 << 14 <= one <= 1 << 30 or one & (one - 1):
            raise InputError(f"--{name}: {one} bytes; give powers of two from 16KB to 1GB")
    return tuple(found)


def _splits(text: str, classes: Sequence[str]) -> tuple[str, ...]:
    """Divisions of the capacity."""
    if text == AUTO:
        usual = {SEPARATOR.join(map(str, usual_split(len(classes)))): None}
        return tuple({**usual, **({"3:2:2:1": None} if len(classes) == 4 else {})})
    if text == ALL:
        return tuple(all_splits(len(classes)))
    for item in listed(text, "split"):
        parse_split(item, classes)
    return tuple(listed(text, "split"))


def tolerance_of(options: ScratchpadOptions) -> ToleranceTable | None:
    """What the network tolerates in training; None where that is not known and not borrowed."""
    if options.phase != TRAINING:
        if options.tolerance_of:
            raise InputError(f"--tolerance-of {options.tolerance_of}: tolerance is measured in training, not in "
                             f"--phase {options.phase}")
        return None
    if options.tolerance_of:
        return load_tolerances(options.network, options.tolerance_of)
    return load_tolerances(options.network) if options.network in tolerance_names() else None


def buffer_choices(options: ScratchpadOptions, memories: Sequence[str], *, tolerant: bool) -> BufferChoices:
    """Levels of each buffer's axes."""
    rates: tuple[float, ...] = tuple(ERROR_RATES) if tolerant else ERROR_RATES[:1]
    if options.error_rate != AUTO:
        rates = numbers(options.error_rate, "error-rate", float, 1e-15, 0.5)
    banks = numbers(options.banks, "banks", int, 1, BANKS[-1])
    for count in banks:
        if count not in BANKS:
            raise InputError(f"--banks {count:g}: give some of {', '.join(map(str, BANKS))}")
    return BufferChoices(
        memory=tuple(memories), stability=numbers(options.stability, "stability", float, 20, 60), error_rate=rates,
        pulse=numbers(options.pulse, "pulse", float, 0.1, 4),
        protection=words(options.protection, "protection", [one.name for one in SCHEMES]),
        banks=tuple(int(one) for one in banks),
    )


def write_levels(choices: BufferChoices) -> WriteLevels:
    """The same levels for ways to write."""
    schemes = {one.name: one for one in SCHEMES}
    return WriteLevels(choices.error_rate, choices.pulse, tuple(schemes[name] for name in choices.protection))


def names_of(options: ScratchpadOptions) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the memories of classes of tensors, cells of one's own last, and of those of partial sums."""
    own = listed(options.cell, "cell") if options.cell else []
    for item in own:
        if not item.endswith(".cell"):
            raise InputError(f"--cell {quoted(item)}: give paths of .cell files")
    names = [_name_of(item) for item in (*listed(options.memory, "memory"), *own)]
    doubled = {name for name in names if names.count(name) > 1}
    if doubled:
        raise InputError(f"memory '{sorted(doubled)[0]}' is given twice: give memories of different names")
    sums = listed(options.accumulator_memory, "accumulator-memory") if options.accumulator_memory else names
    return tuple(names), tuple(_name_of(item) for item in sums)


def _name_of(memory: str) -> str:
    """A memory's name: of a file its own without the ending."""
    return Path(memory).stem if memory.endswith(".cell") else memory


def memories_of(options: ScratchpadOptions) -> list[BufferMemory]:
    """Memories to choose from, in the order given, cells of one's own and those of partial sums alone last."""
    technology, path = technology_of(options)
    given = [*listed(options.memory, "memory")]
    for name, text in (("cell", options.cell), ("accumulator-memory", options.accumulator_memory)):
        given += listed(text, name) if text else []
    cells = {_name_of(item): item for item in reversed(given)}
    names = list(dict.fromkeys(_name_of(item) for item in given))
    return [
        buffer_memory(name, Fabric(technology, load_cell(cells[name]), technology_path=path)) for name in names
    ]


def sram_of(options: ScratchpadOptions) -> BufferMemory:
    """What protected bits of hybrid words lie in: SRAM of the same technology."""
    technology, path = technology_of(options)
    return buffer_memory("sram", Fabric(technology, load_cell("sram"), technology_path=path))


def technology_of(options: ScratchpadOptions) -> tuple[Technology, Path | None]:
    """Technology of all buffers."""
    if not 300 <= options.temperature <= 400:
        raise InputError(f"--temperature {options.temperature}: give 300 to 400")
    return technology_from_text(options.technology, options.temperature)


def rates_of(options: ScratchpadOptions) -> SystemRates:
    """What surrounds the buffers."""
    rates = SystemRates(
        clock=quantity(options.clock, "clock", "Hz"), bandwidth=quantity(options.bandwidth, "bandwidth", "B/s"),
        dram_energy=BITS * quantity(options.dram_energy, "dram-energy", "J"),
        mac_energy=quantity(options.mac_energy, "mac-energy", "J"),
    )
    for name in ("clock", "bandwidth"):
        if getattr(rates, name) == 0:
            raise InputError(f"--{name} 0: give more than 0")
    return rates
