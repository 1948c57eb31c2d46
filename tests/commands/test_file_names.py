"""Names of files that a terminal obeys, that are no UTF-8, or that spreadsheets compute: one line, nothing written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dse.errors import InputError, check_name, check_words
from dse.objectives.array.given.cell import packaged_cells


@pytest.mark.parametrize("output", [["--format", "csv"], ["--output", "run"], ["--output", "o.json"]])
@pytest.mark.parametrize("name", [b"st\xff.cell", b"st\x1b[31m.cell"])
def test_a_harmful_name_of_a_cell(name: bytes, output: list[str], tmp_path: Path) -> None:
    cell = next(iter(packaged_cells().values()))
    shutil.copy(cell, os.path.join(os.fsencode(tmp_path), name))
    asked = [sys.executable, "-m", "dse", "optimize", "--capacity", "16KB", "--memory", name, *output]
    ended = subprocess.run(asked, capture_output=True, cwd=tmp_path, check=False)
    assert ended.returncode == 2 and ended.stdout == b""
    assert len(ended.stderr.splitlines()) == 1 and b"rename the file" in ended.stderr and b"\x1b" not in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == [os.fsdecode(name)]


@pytest.mark.parametrize("name", ["=cmd.cell", "@sum.cell", "+1.cell", "-1.cell"])
def test_a_name_that_a_spreadsheet_would_compute(name: str) -> None:
    with pytest.raises(InputError, match="begins like a formula"):
        check_name(name, "--memory")
    check_name(f"./{name}", "--memory")


def test_what_is_written_in_other_letters_is_no_harm() -> None:
    check_words(["größe.cell", "area<=1.2mm²", "名.cell", "a\tb\nc"])
