"""Counts that a profiler took on a GPU: Nsight Compute (``ncu --csv``) and nvprof (``nvprof --csv``).

Sources: Nsight Compute's command line documentation (``--csv``, ``--page raw``, ``--print-units``), nvprof's
(``--metrics``, ``--print-gpu-trace``). Both profilers count L2 transactions in sectors of 32 B. Columns are found by
their names; sums are exact integers.
"""

import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

from dse.errors import InputError
from dse.objectives.gpu.traffic import Below, Workload, load_model, workload_of
from dse.reading import read_json, read_text
from dse.text import quoted, shown

NSIGHT, NVPROF = "Nsight Compute", "nvprof"

_ATOMIC = ("lts__t_sectors_op_atom.sum", "lts__t_sectors_op_red.sum")
METRICS: dict[str, dict[str, tuple[str, ...]]] = {
    NSIGHT: {
        "l2_reads": ("lts__t_sectors_op_read.sum", *_ATOMIC),
        "l2_writes": ("lts__t_sectors_op_write.sum", *_ATOMIC),
        "dram_reads": ("dram__sectors_read.sum",),
        "dram_writes": ("dram__sectors_write.sum",),
    },
    NVPROF: {
        "l2_reads": ("l2_read_transactions",),
        "l2_writes": ("l2_write_transactions",),
        "dram_reads": ("dram_read_transactions",),
        "dram_writes": ("dram_write_transactions",),
    },
}
"""Which metrics of a profiler add up to which count; an atomic or a reduction reads and writes."""
_TOOL_OF = {name: tool for tool, counts in METRICS.items() for names in counts.values() for name in names}

_UNITS = {
    "": 1, "sector": 1, "sectors": 1, "Ksector": 10**3, "Msector": 10**6, "Gsector": 10**9, "Tsector": 10**12,
    "K": 10**3, "M": 10**6, "G": 10**9,
}
_COUNT = re.compile(r"[-+]?[0-9,]{1,30}(?:\.[0-9]{0,30})?(?:[eE][-+]?[0-9]{1,2})?")
"""A count as profilers print it, with separators of thousands; exact numbers, so that powers of ten are bounded."""
_FABRIC = ("A100", "H100", "H200", "A800", "H800", "compute capability 8.0", "compute capability 9.0")
"""GPUs whose L2 cache has two halves, by what a profile may say of the device."""
CACHE_CONTROL = (
    "Nsight Compute flushes all caches before every kernel unless it is run with --cache-control none: "
    "DRAM transactions are too many then"
)


@dataclass(frozen=True, slots=True)
class ProfiledCounts:
    """Sums over all kernels of a profile [sectors of 32 B], and what is to be known about them."""

    tool: str
    kernels: int
    l2_reads: int
    l2_writes: int
    dram_reads: int
    dram_writes: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A metric of one kernel launch, or of several equal ones: `number` is their sum."""

    kernel: str
    launches: int
    metric: str
    number: Fraction
    device: str


Row = Mapping[str, str]


def read_profile(path: Path) -> ProfiledCounts:
    """Counts of a profiler's CSV file, in any of its forms. Raises InputError naming line and what would be right."""
    header, rows = _table(path)
    read = _form(header, path)
    samples = list(read(header, rows, path))
    tools = {_TOOL_OF[sample.metric] for sample in samples}
    if len(tools) != 1:
        wanted = "; ".join(f"{tool}: {', '.join(_wanted(tool))}" for tool in METRICS)
        raise InputError(f"no metric of memory traffic in it, profile again with these ({wanted})", file=shown(path))
    return _sum(tools.pop(), samples, path)


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Header and numbered rows of a CSV file between the lines that a profiler prints besides."""
    text = read_text(path, give="give the profiler's CSV output")
    header: list[str] = []
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("=="):
            continue
        try:
            fields = [field.strip() for field in next(csv.reader([line], strict=True))]
        except csv.Error as problem:
            if not header:
                continue
            raise InputError(f"is not CSV: {problem}", file=shown(path), line=number) from None
        if not header:
            header = fields if _is_header(fields) else []
        elif fields != header:
            if len(fields) != len(header):
                message = f"{len(fields)} fields where the header has {len(header)}: is the file cut off?"
                raise InputError(message, file=shown(path), line=number)
            rows.append((number, fields))
    if not header:
        raise InputError("no table of a profiler in it: give the output of ncu --csv or nvprof --csv",
                         file=shown(path))
    return header, rows


def _is_header(fields: Sequence[str]) -> bool:
    """Whether a line names the columns of a table of kernels."""
    return any(name in fields for name in ("Metric Name", "Kernel Name", "Kernel", "Name")) and len(fields) > 2


Reader = Callable[[Sequence[str], Iterable[tuple[int, list[str]]], Path], Iterator[Sample]]


def _form(header: Sequence[str], path: Path) -> Reader:
    """How a table is to be read."""
    if "Invocations" in header and "Metric Name" in header:
        return _read_summary
    if "Metric Name" in header and "Metric Value" in header:
        return _read_long
    if any(name in _TOOL_OF for name in header):
        return _read_wide
    raise InputError(
        "no column of memory traffic in it: profile with "
        f"--metrics {','.join(_wanted(NSIGHT))} (ncu) or --metrics {','.join(_wanted(NVPROF))} (nvprof)",
        file=shown(path),
    )


def _wanted(tool: str) -> list[str]:
    """All metrics of a profiler that are needed."""
    return sorted({name for names in METRICS[tool].values() for name in names})


def _read_summary(header: Sequence[str], rows: Iterable[tuple[int, list[str]]], path: Path) -> Iterator[Sample]:
    """Nvprof's summary: one row per kernel and metric; the sum is invocations times their average."""
    for column in ("Kernel", "Avg"):
        if column not in header:
            raise InputError(f"column {column} is missing from nvprof's summary", file=shown(path))
    for line, fields in rows:
        row = dict(zip(header, fields, strict=True))
        if row["Metric Name"] in _TOOL_OF:
            launches = _number(row["Invocations"], "", path, line)
            total = launches * _number(row["Avg"], "", path, line)
            yield Sample(row["Kernel"], int(launches), row["Metric Name"], total, row.get("Device", ""))


def _read_long(header: Sequence[str], rows: Iterable[tuple[int, list[str]]], path: Path) -> Iterator[Sample]:
    """Nsight Compute's default: one row per kernel launch and metric, its unit beside it."""
    for line, fields in rows:
        row = dict(zip(header, fields, strict=True))
        if row["Metric Name"] in _TOOL_OF:
            number = _number(row["Metric Value"], row.get("Metric Unit", ""), path, line)
            yield Sample(row.get("ID", ""), 1, row["Metric Name"], number, _device(row))


def _read_wide(header: Sequence[str], rows: Iterable[tuple[int, list[str]]], path: Path) -> Iterator[Sample]:
    """A column per metric: Nsight Compute's ``--page raw`` with a row of units, and nvprof's trace of launches."""
    metrics = [(place, name) for place, name in enumerate(header) if name in _TOOL_OF]
    units: Sequence[str] = [""] * len(header)
    for count, (line, fields) in enumerate(rows):
        if count == 0 and not any(_is_number(fields[place]) for place, _ in metrics):
            units = fields
            continue
        row = dict(zip(header, fields, strict=True))
        for place, name in metrics:
            yield Sample(str(line), 1, name, _number(fields[place], units[place], path, line), _device(row))


def _device(row: Row) -> str:
    """The GPU, where a row names it."""
    names = [row.get(name, "") for name in ("Device", "Device Name", "device__attribute_display_name")]
    return " ".join([*names, f"compute capability {row.get('CC', '')}"])


def _is_number(text: str) -> bool:
    """Whether a field holds a number."""
    return _COUNT.fullmatch(text) is not None


def _number(text: str, unit: str, path: Path, line: int) -> Fraction:
    """A count with thousands separators and a scaled unit."""
    if not _is_number(text) or text.startswith("-"):
        message = f"{quoted(text)} is not a count: the metric was not collected, profile again"
        raise InputError(message, file=shown(path), line=line)
    if unit not in _UNITS:
        known = ", ".join(name for name in _UNITS if name)
        raise InputError(f"unit {quoted(unit)} is not one of {known}", file=shown(path), line=line)
    return Fraction(text.replace(",", "")) * _UNITS[unit]


def _sum(tool: str, samples: Sequence[Sample], path: Path) -> ProfiledCounts:
    """Totals; every launch must have every metric."""
    totals = dict.fromkeys(_wanted(tool), Fraction(0))
    launches = dict.fromkeys(_wanted(tool), 0)
    for sample in samples:
        totals[sample.metric] += sample.number
        launches[sample.metric] += sample.launches
    missing = [name for name, count in launches.items() if count == 0]
    if missing:
        raise InputError(f"metric {', '.join(missing)} is missing: profile again with it", file=shown(path))
    if len(set(launches.values())) > 1:
        least = min(launches, key=lambda name: launches[name])
        message = f"metric {least} is there for {launches[least]} of {max(launches.values())} kernels: profile again"
        raise InputError(message, file=shown(path))
    exact = all(total.denominator == 1 for total in totals.values())
    counts = {
        count: round(sum((totals[name] for name in names), Fraction(0))) for count, names in METRICS[tool].items()
    }
    devices = {sample.device for sample in samples}
    return ProfiledCounts(
        tool, max(launches.values()), counts["l2_reads"], counts["l2_writes"], counts["dram_reads"],
        counts["dram_writes"], tuple(_warnings(tool, exact, devices)),
    )


def _warnings(tool: str, exact: bool, devices: Iterable[str]) -> Iterator[str]:
    """What a user should know about a profile."""
    if tool == NSIGHT:
        yield CACHE_CONTROL
    if not exact:
        yield "averages or scaled units hide whole counts: sums are rounded (ncu --print-units base avoids it)"
    if any(name in device for device in devices for name in _FABRIC):
        yield "L2 counts of this GPU include sectors that pass between the two halves of its L2 cache"


@dataclass(frozen=True, slots=True)
class ProfiledRun:
    """A profile with what it was taken of: `capacity` is the GPU's L2 cache [bytes], `gpu` its name."""

    workload: str
    phase: str
    batch: int
    gpu: str
    capacity: int
    counts: ProfiledCounts


RUN_SUFFIX = ".counts.json"


def write_run(run: ProfiledRun) -> str:
    """Text of a file of counts."""
    return json.dumps(asdict(run), indent=1) + "\n"


def read_run(path: Path) -> ProfiledRun:
    """A file of counts that ``dse import-profile`` wrote."""
    found = read_json(path, give="write one with dse import-profile")
    try:
        counts = found.pop("counts")
        counts["warnings"] = tuple(counts["warnings"])
        run = ProfiledRun(**found, counts=ProfiledCounts(**counts))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InputError("is no file of counts: write one with dse import-profile", file=shown(path)) from None
    numbers = [run.batch, run.capacity, run.counts.l2_reads, run.counts.l2_writes, run.counts.dram_reads,
               run.counts.dram_writes]
    if not all(type(number) is int and number >= 0 for number in numbers) or run.counts.l2_reads == 0:
        raise InputError("counts are not whole numbers: write the file with dse import-profile", file=shown(path))
    return run


@dataclass(frozen=True, slots=True)
class ScaledDram:
    """DRAM transactions counted with one capacity; for others, the modelled curve scaled to meet that count."""

    counted: int
    capacity: int
    model: Below

    def transactions(self, capacity: int) -> int:
        """Sectors read and written."""
        if capacity == self.capacity:
            return self.counted
        return round(self.counted * self.model.transactions(capacity) / self.model.transactions(self.capacity))


def profiled_workload(run: ProfiledRun) -> Workload:
    """Workload with profiled counts in place of modelled ones; arithmetic is the modelled network's."""
    model = workload_of(load_model(run.workload), run.phase, run.batch)
    counted = run.counts.dram_reads + run.counts.dram_writes
    return Workload(
        run.workload, run.phase, run.batch, float(run.counts.l2_reads), float(run.counts.l2_writes),
        ScaledDram(counted, run.capacity, model.dram), model.kernel_sizes, f"profiled ({run.counts.tool}, {run.gpu})",
    )
