"""Profiler files in every form, written from the tools' documented formats, and what is wrong with others."""

from pathlib import Path

import pytest

from dse.errors import InputError
from dse.objectives.gpu.profiler import (
    CACHE_CONTROL,
    ProfiledCounts,
    ProfiledRun,
    ScaledDram,
    profiled_workload,
    read_profile,
    read_run,
    write_run,
)
from dse.objectives.gpu.traffic import workload_of

FILES = Path(__file__).parents[1] / "profiles"
NSIGHT = (18_711_607, 649_877, 8_888_888, 212_468)
"""L2 reads, L2 writes, DRAM reads, DRAM writes, added up by hand: atomics and reductions count as both."""
COUNTS = {
    "ncu-12-columns.csv": ("Nsight Compute", 2, *NSIGHT),
    "ncu-15-columns.csv": ("Nsight Compute", 2, *NSIGHT),
    "ncu-raw-page.csv": ("Nsight Compute", 2, *NSIGHT),
    "nvprof-summary.csv": ("nvprof", 11, 3_222_226, 383_337, 1_411_112, 282_227),
    "nvprof-trace.csv": ("nvprof", 3, 944_447, 75_002, 338_890, 67_781),
}


@pytest.mark.parametrize("name", COUNTS)
def test_every_form(name: str) -> None:
    found = read_profile(FILES / name)
    assert (found.tool, found.kernels, found.l2_reads, found.l2_writes, found.dram_reads, found.dram_writes) \
        == COUNTS[name]
    assert (CACHE_CONTROL in found.warnings) == name.startswith("ncu")
    assert any("two halves" in warning for warning in found.warnings) == (name == "ncu-15-columns.csv")


def test_the_sums_are_the_files() -> None:
    """Added up here from the trace by plain text handling."""
    rows = [line.split(",") for line in (FILES / "nvprof-trace.csv").read_text().splitlines() if "1080 Ti" in line]
    assert sum(int(row[-4]) for row in rows) == COUNTS["nvprof-trace.csv"][2]


def changed(tmp_path: Path, name: str, old: str, new: str) -> Path:
    text = (FILES / name).read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / name
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "old", "new", "said"), [
    ("ncu-12-columns.csv", "lts__t_sectors_op_red.sum", "something", "metric lts__t_sectors_op_red.sum is missing"),
    ("ncu-12-columns.csv", '"9,876,543"', '"n/a"', "'n/a' is not a count"),
    ("ncu-12-columns.csv", '"9,876,543"', '"-3"', "'-3' is not a count"),
    ("ncu-12-columns.csv", '"sector","9,876,543"', '"byte","9,876,543"', "unit 'byte' is not one of"),
    ("ncu-12-columns.csv", ',"sector","9,876,543"', "", "10 fields where the header has 12"),
    ("ncu-12-columns.csv", '"Metric Value"', '"Value"', "no column of memory traffic"),
    ("ncu-raw-page.csv", "lts__t_sectors_op_atom.sum", "other", "metric lts__t_sectors_op_atom.sum is missing"),
    ("ncu-raw-page.csv", '"8,765,432"', '""', "'' is not a count"),
    ("nvprof-summary.csv", '"dram_read_transactions"', '"flop_count_sp"', "metric dram_read_transactions is missing"),
    ("nvprof-summary.csv", '"Avg"', '"Mean"', "column Avg is missing"),
    ("nvprof-trace.csv", "l2_write_transactions", "x", "metric l2_write_transactions is missing"),
    ("nvprof-trace.csv", "16667", "many", "'many' is not a count"),
])
def test_wrong_files(tmp_path: Path, name: str, old: str, new: str, said: str) -> None:
    path = changed(tmp_path, name, old, new)
    with pytest.raises(InputError) as caught:
        read_profile(path)
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(path))


def test_some_kernels_lack_a_metric(tmp_path: Path) -> None:
    text = (FILES / "ncu-12-columns.csv").read_text().splitlines(keepends=True)
    path = tmp_path / "cut.csv"
    path.write_text("".join(text[:-1]))
    with pytest.raises(InputError, match="is there for 1 of 2 kernels"):
        read_profile(path)


@pytest.mark.parametrize(("text", "said"), [
    ("", "no table of a profiler"), ("==PROF== Connected\n", "no table of a profiler"),
    ("a,b,c\n1,2,3\n", "no table of a profiler"), ('"ID","Kernel Name","Metric Name","Metric Value"\n', "no metric"),
])
def test_no_profile(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        read_profile(tmp_path / "x.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_profile(tmp_path / "nothing.csv")


def test_rounded_units_are_said_to_be(tmp_path: Path) -> None:
    path = changed(tmp_path, "ncu-12-columns.csv", '"sector","9,876,543"', '"Ksector","9876.5435"')
    found = read_profile(path)
    assert any("rounded" in warning for warning in found.warnings)


RUN = ProfiledRun("alexnet", "inference", 4, "a GPU", 3 << 20, ProfiledCounts("nvprof", 5, 1000, 100, 400, 50, ("w",)))


def test_counts_replace_the_model(tmp_path: Path) -> None:
    path = tmp_path / "run.counts.json"
    path.write_text(write_run(RUN))
    assert read_run(path) == RUN
    workload = profiled_workload(RUN)
    assert (workload.reads, workload.writes, workload.counts) == (1000, 100, "profiled (nvprof, a GPU)")
    assert workload.dram.transactions(3 << 20) == 450
    model = workload_of("alexnet", "inference", 4).dram
    expected = 450 * model.transactions(7 << 20) / model.transactions(3 << 20)
    assert workload.dram.transactions(7 << 20) == round(expected)
    assert isinstance(workload.dram, ScaledDram)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"counts": 3}', write_run(RUN).replace("1000", "-1"),
                                  write_run(RUN).replace("1000", '"many"'), write_run(RUN).replace("gpu", "card")])
def test_wrong_counts(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.counts.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"write (one|the file) with dse import-profile"):
        read_run(path)
