"""The sweep files of the documentation are understood, and the first one works as printed."""

import re
from pathlib import Path

import pandas as pd
import pytest

from dse.cli import main
from dse.sweeps.file import read_sweep

PAGE = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text(encoding="utf-8")
FILES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [
    line.split("#")[0].split() for line in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[0].splitlines()
]


def test_files_are_understood(tmp_path: Path) -> None:
    numbers = []
    for place, text in enumerate(FILES):
        path = tmp_path / f"{place}.toml"
        path.write_text(text)
        sweep = read_sweep(path)
        numbers.append(len(sweep))
        for case in list(sweep.cases.values())[::5]:
            assert case.question.problems()
    assert numbers == [24, 15, 4]
    assert f"# {numbers[0]} cases" in PAGE


@pytest.mark.slow
def test_the_first_file_works_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("caches.toml").write_text(FILES[0])
    assert len(COMMANDS) == 5
    for program, *arguments in COMMANDS:
        assert program == "dse" and main(arguments) == 0
    table = pd.read_csv("caches.csv")
    assert len(table) == 24 and table["error"].isna().all() and (table["certificate"] == "proven by bounds").all()
    assert Path("caches.pdf").stat().st_size > 5000 and Path("latency.pdf").stat().st_size > 5000
