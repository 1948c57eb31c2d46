"""The comparison of studies' tables finds what changed; a study run twice is the same to the last digit."""

from pathlib import Path

import pytest
from compare_studies import compare, main

from dse.studies import load_study
from dse.studies.study import write_findings

BEFORE = "memory,edap,seconds\nstt,1.5e-27,3.1\nsot,2e-27,4\n"


def written(folder: Path, text: str, name: str = "study.csv") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(("after", "said"), [
    (BEFORE, []), (BEFORE.replace("3.1", "9"), []),
    (BEFORE.replace("2e-27", "2.0000000000000004e-27"),
     ["line 3, edap: 2e-27 before, 2.0000000000000004e-27 after (+2.2e-16)"]),
    (BEFORE.replace("stt,", "sram,"), ["line 2, memory: stt before, sram after"]),
    (BEFORE.replace("sot,2e-27,4\n", ""), ["2 rows before, 1 after"]),
    (BEFORE.replace("edap", "edp"), ["columns differ: edap gone, edp new"]),
])
def test_differences(after: str, said: list[str], tmp_path: Path) -> None:
    one, other = written(tmp_path / "before", BEFORE), written(tmp_path / "after", after)
    assert compare(one, other, {"seconds"}) == {"study.csv": said}
    assert main([str(one), str(other)]) == bool(said)


def test_columns_may_be_left_out_and_tables_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = written(written(tmp_path / "before", BEFORE), BEFORE, "other.csv")
    other = written(tmp_path / "after", BEFORE.replace("1.5e-27", "1.6e-27"))
    assert main([str(one), str(other), "--ignore", "edap"]) == 0
    assert capsys.readouterr().out == "study.csv: the same\nother.csv: not run again\n"
    new = written(tmp_path / "after", BEFORE, "new.csv")
    assert compare(one, new, ())["new.csv"] == ["no such table before"]


@pytest.mark.slow
def test_a_study_is_the_same_each_time(tmp_path: Path) -> None:
    """The one that is done in seconds."""
    study = load_study("fig6")
    for folder in ("before", "after"):
        write_findings(study, study.run(1), tmp_path / folder)
    assert compare(tmp_path / "before", tmp_path / "after", ()) == {"fig6.csv": []}
