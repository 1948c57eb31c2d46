"""What all commands share: --quiet and --verbose anywhere, colors, help in groups, and completion by the shell."""

import io
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup

from dse import progress
from dse.cli import main
from dse.cli.console import make_console
from dse.cli.program import program
from dse.cli.verbosity import remarks_from, without_verbosity
from dse.errors import InputError
from dse.notice import detail, notice, stage
from dse.parallel import in_parallel

SMALL = ("--memory", "sot", "--capacity", "64KB", "--access", "normal", "--jobs", "1")
LATE = ("optimize", *SMALL, "--method", "random", "--n-trials", "20", "--no-certificate")
CACHE_GROUPS = [
    "Options", "Caches", "Designs to choose from", "Settings and files", "Workloads", "Search", "Output",
]
"""Of options of commands that ask about caches."""
COLOR = re.compile(r"\x1b\[[0-9;]*(?:3[0-79]|9[0-7]|38;[0-9;]+)m")
"""What sets a color of text on a terminal (ECMA-48, SGR)."""


class Terminal(io.StringIO):
    """A terminal as far as programs ask."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing of colors."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return monkeypatch


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(list(arguments))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def without_seconds(text: str) -> str:
    return re.sub(r"seconds.*", "", text)


def test_quiet_before_and_behind_the_command_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capfd, *LATE)
    for arguments in (("--quiet", *LATE), (*LATE, "-q"), (LATE[0], "--quiet", *LATE[1:])):
        quiet_status, quiet_out, err = run(capfd, *arguments)
        assert (quiet_status, without_seconds(quiet_out), err) == (status, without_seconds(out), "")


def test_what_quiet_takes_away(capfd: pytest.CaptureFixture[str]) -> None:
    with remarks_from(logging.WARNING):
        notice("one remark of this test")
    assert capfd.readouterr().err == "dse: one remark of this test\n"
    with remarks_from(logging.ERROR):
        notice("another remark of this test")
        print("progress", file=sys.stderr)
        assert list(in_parallel(_says, [1, 2], 2)) == [1, 2]
    assert capfd.readouterr().err == ""
    print("as before", file=sys.stderr)
    assert capfd.readouterr().err == "as before\n"


def _says(number: int) -> int:
    print(f"worker {number}", file=sys.stderr, flush=True)
    detail(f"detail {number}")
    return number


def test_quiet_keeps_errors(capfd: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capfd, "optimize", "--quiet", "--objective", "edpa")
    assert (status, out) == (2, "") and err.count("\n") == 1 and "edpa" in err


def test_verbose_says_sizes_bounds_and_seconds(capfd: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capfd, "optimize", *SMALL, "--verbose")
    assert status == 0 and "detail" not in out
    lines = err.splitlines()
    assert all(line.startswith("dse: ") for line in lines)
    size = re.search(r"sot 64KB: ([\d.e+]+) designs in (\d+) open axes", err)
    assert size is not None and float(size[1]) > 1000 and int(size[2]) > 10
    found = re.findall(r"optimum of .*: found ([\d.e-]+), no less than ([\d.e-]+)", err)
    assert found and float(found[-1][0]) == float(found[-1][1]) >= float(found[0][1])
    assert re.search(r"optimum of .*, exact search: [\d.]+ s", err)
    assert re.search(r"baseline algorithm1 of .*: [\d.]+ s", err)


def test_verbose_says_which_answers_were_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DSE_RESULTS", str(tmp_path))
    first = run(capfd, "-v", "optimize", *SMALL)
    second = run(capfd, "-v", "optimize", *SMALL)
    assert "exact search: " in first[2] and ": kept, took" not in first[2]
    assert "exact search: " not in second[2] and re.search(r"optimum of .*: kept, took [\d.]+ s before", second[2])


def test_details_of_workers_are_told(capfd: pytest.CaptureFixture[str]) -> None:
    with remarks_from(logging.INFO), stage("both"):
        assert list(in_parallel(_says, [1, 2], 2)) == [1, 2]
    err = capfd.readouterr().err
    assert {"dse: detail 1", "dse: detail 2"} < set(err.splitlines()) and re.search(r"dse: both: [\d.]+ s\n", err)


def test_where_quiet_and_verbose_are_options() -> None:
    assert without_verbosity(["verify", "-q", "RUN"]) == (["verify", "RUN"], logging.ERROR)
    assert without_verbosity(["verify", "--", "-q"]) == (["verify", "--", "-q"], logging.WARNING)
    assert without_verbosity(["-v", "verify", "RUN", "--verbose"]) == (["verify", "RUN"], logging.INFO)
    with pytest.raises(InputError, match="exclude"):
        without_verbosity(["-q", "verify", "RUN", "-v"])


def test_a_problem_file_may_follow_quiet(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "problem.toml"
    file.write_text('family = "cache"\n[options]\nmemory = "sot"\ncapacity = "64KB"\naccess = "normal"\n')
    for arguments in (("optimize", "-q", str(file), *LATE[7:]), ("-q", "optimize", str(file), *LATE[7:])):
        status, out, err = run(capfd, *arguments)
        assert (status, err) == (0, "") and "sot" in out


@pytest.mark.parametrize(("environment", "colored"), [
    ({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ({"TERM": "dumb"}, False),
])
def test_colors_of_a_terminal(environment: dict[str, str], colored: bool, plain: pytest.MonkeyPatch) -> None:
    for name, value in environment.items():
        plain.setenv(name, value)
    plain.setattr(sys, "stdout", Terminal())
    console = make_console()
    console.print("[red]red[/]")
    assert (COLOR.search(sys.stdout.getvalue()) is not None) is colored  # type: ignore[attr-defined]


@pytest.mark.parametrize("arguments", [
    ("--help",), ("optimize", "--help"), LATE, ("problem", "show", "tiers"), ("workload", "list"), ("study", "list"),
    ("workload", "show", "alexnet"), ("workload", "lifetimes", "alexnet"), ("technology", "show", "22nm"),
])
def test_no_color_where_output_is_piped_or_unwanted(
    arguments: tuple[str, ...], plain: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, *arguments)
    assert status == 0 and out and "\x1b" not in out + err
    plain.setenv("NO_COLOR", "1")
    plain.setattr(sys, "stdout", Terminal())
    plain.setattr(sys, "stderr", Terminal())
    assert main(list(arguments)) == 0
    text = sys.stdout.getvalue() + sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert COLOR.search(text) is None


def test_force_color_colors_a_pipe(plain: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plain.setenv("FORCE_COLOR", "1")
    make_console().print("[red]red[/]")
    assert COLOR.search(capsys.readouterr().out) is not None


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands with their names."""
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, TyperGroup):
            yield from commands(command, (*path, name))


def test_every_command_takes_the_options_of_the_program() -> None:
    found = dict(commands(program()))
    assert len(found) > 25
    for path, command in found.items():
        names = [parameter.name for parameter in command.params]
        assert names.count("quiet") == names.count("verbose") == 1, path


@pytest.mark.parametrize(("command", "groups"), [
    ("optimize", CACHE_GROUPS),
    ("pareto", CACHE_GROUPS),
    ("report", ["Options", "Front", "Design"]),
])
@pytest.mark.parametrize("width", ["80", "120"])
def test_help_is_in_groups(
    command: str, groups: list[str], width: str, plain: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain.setenv("COLUMNS", width)
    status, out, _ = run(capsys, command, "--help")
    assert status == 0
    assert re.findall(r"╭─ ([^─]+) ─", out)[1:] == groups
    assert max(map(len, out.splitlines())) <= int(width)


def test_no_help_is_cut(plain: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    plain.setenv("COLUMNS", "80")
    for path, _ in commands(program()):
        status, out, _ = run(capsys, *path, "--help")
        assert status == 0 and "--verbose" in out and "…" not in out, path


def test_help_shows_what_looks_like_markup(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "sweep", "run", "--help")
    assert "[grid]" in out and "[[cases]]" in out.replace("│", "")


def completed(words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What bash offers for the last word."""
    monkeypatch.setenv("_DSE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split(" ")) - 1))
    with pytest.raises(SystemExit) as ended:
        main([])
    captured = capsys.readouterr()
    assert (ended.value.code, captured.err) == (0, "")
    return captured.out.split()


@pytest.mark.parametrize(("words", "some"), [
    ("dse opt", {"optimize"}),
    ("dse optimize --me", {"--memory", "--method"}),
    ("dse optimize --qu", {"--quiet"}),
    ("dse optimize --memory st", {"stt", "stt_deepnvm"}),
    ("dse optimize --memory sram,so", {"sram,sot", "sram,sot_deepnvm"}),
    ("dse optimize --technology 22", {"22nm"}),
    ("dse optimize --objective ed", {"edap", "edp"}),
    ("dse pareto --objectives read_latency,ar", {"read_latency,area"}),
    ("dse optimize --method t", {"tpe"}),
    ("dse optimize --wires a", {"all"}),
    ("dse optimize --problem t", {"tiers"}),
    ("dse optimize --problem tiers --fast hbm", {"hbm2e"}),
    ("dse optimize --problem tiers --objective thr", {"throughput", "throughput_per_watt"}),
    ("dse why --start ReadE", {"ReadEDP"}),
    ("dse study run fig1", {"fig10"}),
    ("dse technology show 22", {"22nm"}),
    ("dse problem show cac", {"cache"}),
    ("dse workload show alex", {"alexnet"}),
    ("dse examples c", {"cell"}),
    ("dse workload show alexnet --gpu a100", {"a100-sxm-40gb"}),
])
def test_bash_completes_names(
    words: str, some: set[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    last = words.rpartition(" ")[2]
    found = completed(words, monkeypatch, capsys)
    assert some <= set(found) and all(word.startswith(last) for word in found)


@pytest.mark.parametrize("words", [
    "dse optimize absent.toml --memory qq", "dse optimize --problem absent --memory qq", "dse study run qq",
    "dse optimize --problem absent --objective qq",
])
def test_completion_of_nothing_is_silent(
    words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert completed(words, monkeypatch, capsys) == []


def test_bash_can_read_the_script(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    with pytest.raises(SystemExit):
        main(["--show-completion", "bash"])
    out = capsys.readouterr().out
    assert "complete -o default -F _dse_completion dse" in out and "_DSE_COMPLETE=complete_bash" in out


def test_bars_on_a_terminal_lines_elsewhere(plain: pytest.MonkeyPatch) -> None:
    """A pipe gets no bars, whatever the colors; a terminal that knows no cursor gets none either."""
    shown = {}
    tried: list[tuple[str, io.StringIO, dict[str, str]]] = [
        ("terminal", Terminal(), {}), ("pipe", io.StringIO(), {"FORCE_COLOR": "1"}),
        ("dumb", Terminal(), {"TERM": "dumb"}),
    ]
    for name, stream, environment in tried:
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in environment.items():
                patch.setenv(variable, value)
            patch.setattr(sys, "stderr", stream)
            patch.setattr("dse.progress.PATIENCE", -1.0)
            assert list(progress.report([1, 2], 2, "things")) == [1, 2]
            with progress.remaining(2, "others") as told:
                told(1)
                told(2)
        shown[name] = stream.getvalue()
    assert "\x1b[" in shown["terminal"] and "things" in shown["terminal"] and "2/2" in shown["terminal"]
    for name in ("pipe", "dumb"):
        assert "\x1b" not in shown[name] and "things: 1 of 2" in shown[name] and "others: 2 of 2" in shown[name]
