"""`dse worker` and `dse optimize` on a real PostgreSQL, and where passwords do not go."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from postgres import PASSWORD, Postgres

from dse.cli import main
from dse.errors import InputError
from dse.search.storage import open_storage, sole_user
from dse.search.storage_url import has_password, masked, postgresql_url

SMALL = ["--memory", "sot", "--capacity", "16KB", "--access", "normal", "--no-certificate", "--seed", "1"]
SECRET = "p4ss"


def password_file(postgres: Postgres, folder: Path) -> Path:
    path = folder / "pgpass"
    path.write_text(f"127.0.0.1:{postgres.port}:*:dse:{PASSWORD}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


def test_optimize_makes_a_study_that_workers_join(
    postgres: Postgres, study: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first finds 60 designs by itself; of 150 two processes share the rest; another has nothing to do."""
    monkeypatch.setenv("PGPASSFILE", str(password_file(postgres, tmp_path)))
    asked = ["optimize", *SMALL, "--method", "random", "--storage", postgres.open_url, "--study-name", study]
    assert main([*asked, "--n-trials", "60", "--output", str(tmp_path / "run")]) == 0
    assert main([*asked, "--n-trials", "60"]) == 2
    assert "give --resume" in capfd.readouterr().err
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    first = subprocess.Popen(
        [sys.executable, "-m", "dse", *asked, "--n-trials", "150", "--resume", "--format", "json"], env=environment,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    limit = time.monotonic() + 60
    names = open_storage(postgres.url)
    number = names.get_study_id_from_name(study)
    while "n_trials = 150" not in str(names.get_study_user_attrs(number)) and time.monotonic() < limit:
        time.sleep(0.05)
    assert main(["worker", study, "--storage", postgres.open_url]) == 0
    _, complaint = first.communicate(timeout=120)
    assert first.returncode == 0, complaint
    assert main(["worker", study, "--storage", postgres.open_url]) == 0
    told = re.findall(r"150 of 150 designs, (\d+) by this worker; best edap", capfd.readouterr().out)
    assert len(told) == 2 and told[1] == "0"
    trials = names.get_all_trials(number)
    assert len(trials) == 150 == len({tuple(trial.params.values()) for trial in trials})
    assert main(["verify", str(tmp_path / "run")]) == 0


def test_no_password_is_told(
    postgres: Postgres, study: str, tmp_path: Path, capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in any file, on any stream, or in the study, whether the URL is right or wrong."""
    monkeypatch.chdir(tmp_path)
    asked = ["optimize", *SMALL, "--method", "random", "--n-trials", "5", "--study-name", study]
    assert main([*asked, "--storage", postgres.url, "--output", "run"]) == 0
    assert "PGPASSFILE" in caplog.text, "a password on the command line is warned of"
    assert main(["worker", study, "--storage", postgres.url]) == 0
    monkeypatch.setenv("OPTUNA_STORAGE", postgres.url)
    assert main([*asked, "--resume", "--n-trials", "6", "--output", "other"]) == 0
    assert main([*asked]) == 2
    assert main(["worker", "no-such-study"]) == 2
    host = f"127.0.0.1:{postgres.port}"
    for url in (
        f"postgresql+psycopg://dse:{PASSWORD}x@{host}/postgres", f"postgresql+psycopg://dse:{PASSWORD}@{host}/none",
        f"postgresql+psycopg://dse:{PASSWORD}@127.0.0.1:1/postgres", f"postgresql+psycopg://dse:a/{PASSWORD}@{host}/x",
        f"postgresql+psycopg://dse:a@{PASSWORD}@{host}/x", f"postgresql+psycopg://dse:{PASSWORD}",
        f"postgresql+psycopg://dse@{host}/postgres?password={PASSWORD}x", f"mysql+none://dse:{PASSWORD}@{host}/x",
        f"postgresql+psycopg://dse:{PASSWORD}@{host}/postgres?nonsense=1", f"nonsense://dse:{PASSWORD}@{host}",
    ):
        assert main([*asked, "--storage", url]) in (1, 2), masked(url)
        assert main(["worker", study, "--storage", url]) in (1, 2), masked(url)
    printed = capfd.readouterr()
    assert "Traceback" not in printed.err
    facts = open_storage(postgres.url).get_all_studies()
    kept = [str((one.user_attrs, one.system_attrs)) for one in facts if one.study_name == study]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 10 and len(kept) == 1
    for text in (printed.out, printed.err, caplog.text, *kept):
        assert PASSWORD not in text
    assert not any(PASSWORD.encode() in data for data in files)


def test_a_file_is_for_one_process(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    url = f"sqlite:///{tmp_path}/s.db"
    asked = ["optimize", *SMALL, "--method", "random", "--n-trials", "5", "--storage", url]
    with sole_user(url):
        code = f"from dse.cli import main; raise SystemExit(main({asked!r}))"
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
        second = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )
    assert second.returncode == 2
    assert second.stderr.count("\n") == 1 and "another process searches in it" in second.stderr
    assert "postgresql+psycopg://" in second.stderr
    assert main(asked) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["s.db"]
    assert main(["worker", "s", "--storage", url]) == 2
    assert "is for one process" in capfd.readouterr().err


def test_braces_in_a_name(tmp_path: Path) -> None:
    name = tmp_path / "{0}{study}.db"
    open_storage(str(name))
    assert [path.name for path in tmp_path.iterdir()] == [name.name]


def test_a_worker_needs_a_study(postgres: Postgres, study: str, capfd: pytest.CaptureFixture[str]) -> None:
    optuna.create_study(storage=open_storage(postgres.url), study_name=study)
    assert main(["worker", study, "--storage", postgres.url]) == 2
    assert "does not say what it asks" in capfd.readouterr().err
    assert main(["worker", study + "x", "--storage", postgres.url]) == 2
    assert study in capfd.readouterr().err, "known studies are named"


def test_a_worker_needs_a_storage(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPTUNA_STORAGE", raising=False)
    assert main(["worker", "s"]) == 2
    assert "OPTUNA_STORAGE" in capfd.readouterr().err


@pytest.mark.parametrize(("url", "told"), [
    (f"postgresql+psycopg://u:{SECRET}@h/d", "postgresql+psycopg://u:***@h/d"),
    (f"postgresql://u:{SECRET}@h:5432/d?sslmode=require", "postgresql://u:***@h:5432/d?sslmode=require"),
    (f"mysql://u:a@{SECRET}@h/d", "mysql://u:***@h/d"),
    (f"mysql://u:a/{SECRET}@h/d", "mysql://u:***@h/d"),
    (f"postgresql://:{SECRET}@h/d", "postgresql://:***@h/d"),
    (f"postgresql://u@h/d?password={SECRET}", "postgresql://u@h/d?password=***"),
    (f"postgresql://u@h/d?a=1&sslpassword={SECRET}&b=2", "postgresql://u@h/d?a=1&sslpassword=***&b=2"),
    (f"postgresql://u:{SECRET}", "postgresql://u:***"),
    ("postgresql://u@h:5432/d", None), ("postgresql://h:5432", None), ("sqlite:////a:b/c.db", None),
    ("journal:///a.log", None), ("study.db", None), ("postgresql://u@[::1]:5432/d", None),
])
def test_masked(url: str, told: str | None) -> None:
    assert masked(url) == (told or url)
    assert has_password(url) == (told is not None)


def test_a_password_with_signs_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(InputError, match="%40"):
        postgresql_url(f"postgresql://u:a@{SECRET}@h/d")
    assert postgresql_url("postgresql+psycopg2://u:a%40b@h/d") == "postgresql+psycopg://u:a%40b@h/d"
    assert postgresql_url("postgres://u@h/d") == "postgresql+psycopg://u@h/d"


