"""What `dse nvsim --details` says of each block, beside NVSim's own report (tests/reference/reports)."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dse.cli import main
from dse.cli.nvsim_details import Details, details_of
from dse.objectives.array.evaluation.details import BlockDetail
from dse.objectives.array.evaluation.nvsim import TARGETS
from dse.objectives.cache.baselines.nvsim import search_cache
from dse.objectives.cache.nvsim_files.configuration import read_configuration
from dse.objectives.cache.specification import DATA, TAG, spec_from_configuration

REPORTS = Path(__file__).parents[1] / "reference" / "reports"
NAMES = sorted(path.stem for path in REPORTS.glob("*.txt"))
UNITS = {
    "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "ps": 1e-12, "J": 1.0, "nJ": 1e-9, "pJ": 1e-12, "uW": 1e-6,
    "mW": 1e-3, "W": 1.0, "pW": 1e-12, "nW": 1e-9, "um^2": 1e-12, "mm^2": 1e-6, "TB/s": 1e12, "GB/s": 1e9,
    "MB/s": 1e6,
}
"""NVSim's units."""
ACCESSES = {"Read": "read", "Write": "write", "RESET": "reset", "SET": "set"}
BLOCKS = {
    "H-Tree": "H-tree", "Non-H-Tree": "bus", "Mat": "mat", "Predecoder": "predecoders", "Subarray": "subarray",
    "Row Decoder": "row decoder", "Senseamp": "sense amplifiers", "Mux Decoder": "mux decoders", "Mux": "muxes",
    "Precharge": "precharger", "Bitline": "bitlines", "Bitline & Cell Read": "cells", "Bitline & Cell Write": "cells",
    "Cell RESET": "cells", "Cell SET": "cells", "Comparator": "comparators", "Charge": "charge", "Charger": "charge",
}
"""Our names of blocks by NVSim's."""
OF_WRITES = ("row decoder", "mux decoders", "muxes")
"""Blocks of which we give the figures of a write only."""
AS_WRITES = ("Predecoder", "Subarray")
"""Energies of which NVSim prints those of a write though it says SET or RESET."""
LINE = re.compile(r"^[\s|-]*(?P<name>[A-Za-z& -]+?)\s*=\s*(?P<value>[\d.]+)(?P<unit>[a-zA-Z/]+(?:\^2)?)(?P<more>.*)$")


@cache
def details(name: str) -> dict[str, Details]:
    """The winner that a report is about, array by array."""
    configuration = read_configuration(REPORTS / f"{name}.cfg")
    spec = spec_from_configuration(configuration)
    return {one.array: one for one in details_of(spec, search_cache(spec), [configuration.target])}


def reported(name: str) -> Iterator[tuple[str, str, float, float]]:
    """Figures of NVSim's report: array, name of our block and quantity, value [SI], and what its digits resolve."""
    text = (REPORTS / f"{name}.txt").read_text()
    parts = re.split(r"CACHE (DATA|TAG) ARRAY", text)
    for array, part in zip(parts[1::2], parts[2::2], strict=True) if len(parts) > 1 else [("DATA", text)]:
        access = ""
        for line in part.partition("RESULT")[2].splitlines():
            found = LINE.match(line)
            if found is None or "Area" in found["name"]:
                continue
            words = re.sub(r" ?(Latency|Dynamic Energy|Energy|Leakage Power|Pulse Duration)$", "", found["name"])
            value, unit = float(found["value"]) * UNITS[found["unit"]], UNITS[found["unit"]]
            access = ACCESSES.get(words, access) if line.startswith(" - ") else access
            yield array.lower(), f"{access}|{words}|{found['name'].rpartition(' ')[2]}", value, 0.6e-3 * unit


def ours(one: Details, blocks: dict[str, BlockDetail], key: str) -> float | None:
    """Our figure for a line of NVSim's report; None where the line says something else."""
    access, words, kind = key.split("|")
    if kind == "Bandwidth":
        return one.bandwidth[words.split()[0].lower()]
    if kind == "Duration":
        return None  # a pulse of the cell: NVSim prints the RESET's where a write takes the longer one
    quantity = {"Latency": f"{access}_latency", "Energy": f"{access}_energy", "Power": "leakage"}[kind]
    if words in ACCESSES or words == "Leakage":
        return blocks["array"].figures[quantity]
    if words not in BLOCKS:
        return None
    if access in ("set", "reset") and (BLOCKS[words] in OF_WRITES or (kind == "Energy" and words in AS_WRITES)):
        return None
    block = blocks.get(BLOCKS[words])
    found = 0.0 if block is None else block.figures.get(quantity, 0.0)
    if words == "Predecoder" and kind == "Energy" and "comparators" in blocks:
        return found + blocks["comparators"].figures[quantity]  # NVSim prints what subarrays leave
    return blocks["charge"].figures["write_latency"] if words in ("Charge", "Charger") else found


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_of_nvsims_report(name: str) -> None:
    compared = 0
    for array, key, value, resolved in reported(name):
        one = details(name)[array]
        found = ours(one, {block.name: block for block in one.blocks}, key)
        if found is not None:
            assert found == pytest.approx(value, rel=1e-3, abs=resolved), (array, key)
            compared += 1
    assert compared >= 25 * len(details(name))


@pytest.mark.parametrize("name", NAMES)
def test_areas_and_shares_of_nvsims_report(name: str) -> None:
    pattern = (
        r"Total Area = \S+ x \S+ = ([\d.]+)um\^2\n.*Mat Area .* = ([\d.]+)um\^2 +\(([\d.]+)%\)\n"
        r".*Subarray Area .* = ([\d.]+)um\^2 +\(([\d.]+)%\)\n.*Efficiency = ([\d.]+)%"
    )
    reports = re.findall(pattern, (REPORTS / f"{name}.txt").read_text())
    assert len(reports) == len(details(name))
    for one, figures in zip(details(name).values(), reports, strict=True):
        areas = {block.name: block.figures["area"] for block in one.blocks if "area" in block.figures}
        whole, mat, mat_share, subarray, subarray_share, share = map(float, figures)
        found = [areas[of] * 1e12 for of in ("array", "mat", "subarray")]
        assert found == pytest.approx([whole, mat, subarray], rel=2e-5)
        expected = [share / 100, mat_share / 100, subarray_share / 100]
        assert [one.shares[of] for of in ("array", "mat", "subarray")] == pytest.approx(expected, rel=2e-4)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("quantity", ["read_energy", "write_energy", "leakage"])
def test_blocks_add_up(name: str, quantity: str) -> None:
    for one in details(name).values():
        blocks = {block.name: block for block in one.blocks}
        inner = [block.figures.get(quantity, 0.0) for block in one.blocks if block.depth == 3]
        mat, subarray = blocks["mat"], blocks["subarray"]
        assert sum(inner) == pytest.approx(subarray.figures[quantity], rel=1e-9)
        of_subarrays = subarray.figures[quantity] * (subarray.count if quantity == "leakage" else subarray.active)
        others = sum(blocks[of].figures.get(quantity, 0.0) for of in ("predecoders", "comparators") if of in blocks)
        assert of_subarrays + others == pytest.approx(mat.figures[quantity], rel=1e-9)
        of_mats = mat.figures[quantity] * (mat.count if quantity == "leakage" else mat.active)
        between = sum(blocks[of].figures.get(quantity, 0.0) for of in ("H-tree", "bus") if of in blocks)
        assert of_mats + between == pytest.approx(blocks["array"].figures[quantity], rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_times_along_a_read_add_up(name: str) -> None:
    for one in details(name).values():
        read = {block.name: block.figures.get("read_latency", 0.0) for block in one.blocks}
        inner = max(read["row decoder"], read.get("mux decoders", 0.0)) + read["bitlines"] + read.get("muxes", 0.0)
        assert inner + read["sense amplifiers"] == pytest.approx(read["subarray"], rel=1e-9)
        outer = read["predecoders"] + read["subarray"] + read.get("comparators", 0.0)
        assert outer == pytest.approx(read["mat"], rel=1e-9)


def test_cells_of_two_paths_add_up(tmp_path: Path) -> None:
    """A SOT cell with a path of its own for writes has the circuits of both."""
    text = (REPORTS / "sot_normal_64kb.cfg").read_text()
    packaged = Path(__file__).parents[2] / "objectives/array/given/data/cells/sot_deepnvmpp.cell"
    cell = packaged.read_text().replace("-WordLines: shared\n", "") + "-WriteAccessCMOSWidth (F): 4.5\n"
    (tmp_path / "two.cell").write_text(cell)
    path = tmp_path / "two.cfg"
    path.write_text(text.replace("../cells/sot_deepnvm.cell", "two.cell"))
    spec = spec_from_configuration(read_configuration(path))
    for one in details_of(spec, search_cache(spec), ["ReadEDP"]):
        whole = next(block for block in one.blocks if block.name == "subarray").figures
        for quantity in ("read_energy", "write_energy", "leakage"):
            inner = sum(block.figures.get(quantity, 0.0) for block in one.blocks if block.depth == 3)
            assert inner == pytest.approx(whole[quantity], rel=1e-9), quantity


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_details_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "nvsim", REPORTS / "sot_normal_64kb.cfg", "--details")
    assert (status, err) == (0, "")
    assert "ReadEDP, data array: 4x4 mats" in out and "ReadEDP, tag array" in out
    assert "1.454 ns" in out and "716.5 fJ" in out and "21.8%" in out  # 1.454ns, 0.716pJ and 21.821% in NVSim's
    assert {"row decoder", "muxes", "precharger", "write pulse"} <= {
        line.strip().split("  ")[0] for line in out.splitlines()
    }


def test_details_of_all_targets_in_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = REPORTS / "pcram_ram_64kb.cfg"
    table, record = tmp_path / "details.xlsx", tmp_path / "details.json"
    assert run(capsys, "nvsim", config, "--details", "--target", "all", "--output", table)[0] == 0
    found = pd.read_excel(table)
    assert set(found["target"]) == set(TARGETS) and set(found["array"]) == {DATA}
    assert run(capsys, "nvsim", config, "--details", "--target", "Area", "--output", record)[0] == 0
    stored: dict[str, Any] = json.loads(record.read_text())
    assert list(stored["details"]) == ["Area"] and TAG not in stored["details"]["Area"]
    [array] = [block for block in stored["details"]["Area"][DATA]["blocks"] if block["name"] == "array"]
    assert array["area"] == stored["best"]["Area"][DATA]["area"]
    [area] = found.loc[(found["target"] == "Area") & (found["block"] == "array"), "area [m2]"]
    assert area == pytest.approx(array["area"], rel=1e-15)


@pytest.mark.parametrize(("arguments", "words"), [
    (["--details", "--target", "ReadEPD"], ["ReadEPD", "ReadEDP"]), (["--target", "ReadEDP"], ["--details"]),
])
def test_bad_details(arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "nvsim", REPORTS / "pcram_ram_64kb.cfg", *arguments)
    assert (status, out, err.count("\n")) == (2, "", 1) and all(word in err for word in words)
