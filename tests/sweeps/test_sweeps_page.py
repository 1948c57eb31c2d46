"""The sweep files of the documentation are understood, and count as many cases as it says."""

import re
from pathlib import Path

from dse.sweeps.file import read_sweep

PAGE = (Path(__file__).parents[2] / "docs" / "sweeps.md").read_text(encoding="utf-8")
FILES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


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
