"""Every packaged example is written, never over what is there, and the commands that it names work on it.

They stand in pages of the documentation as well, which run them; the slow test runs all from the example alone.
"""

import re
from pathlib import Path

import pytest
import shell
from pages import blocks, page_names

from dse.cli import main
from dse.examples import DATA, examples

SLOW = {"calibration", "sensitivity"}
"""What no page runs in the quick tests."""


@pytest.mark.parametrize("name", sorted(set(examples()) - SLOW))
def test_commands_stand_in_pages(name: str) -> None:
    run = {
        part.strip() for page in page_names() for block in blocks(page) if block.run and not block.slow
        for command in block.commands() for part in command.text.partition("  #")[0].split("&&")
    }
    assert set(examples()[name].commands) <= run


@pytest.mark.slow
@pytest.mark.parametrize("name", examples())
def test_commands_work(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["examples", name, "--output", str(tmp_path / "here")]) == 0
    printed = capsys.readouterr().out
    with shell.scratch(tmp_path / "here", {}) as site:
        for command in examples()[name].commands:
            assert f"  {command}\n" in printed
            ran = shell.run(command, site)
            assert ran.status == 0, f"{command}\n{ran.err}"
            written = re.search(r"--output (\S+)", command)
            assert Path(written[1]).exists() if written else ran.out or "pip install" in command


def test_each_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    folders = {entry.name for entry in DATA.iterdir() if not entry.is_file()}
    assert folders == set(examples())
    assert main(["examples"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[: len(folders)]] == list(examples())


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "my.cfg"
    mine.write_text("mine")
    assert main(["examples", "configuration", "--output", str(tmp_path)]) == 2
    assert mine.read_text() == "mine" and list(tmp_path.iterdir()) == [mine]
    assert capsys.readouterr().err == f"dse: {mine}: is there already: give another folder with --output\n"


def test_a_wrong_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["examples", "cel"]) == 2
    assert "nearest is cell" in capsys.readouterr().err
