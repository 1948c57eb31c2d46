"""Whatever a file holds, reading it gives a value or one line of complaint, soon, and in little memory."""

import contextlib
import logging
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from forms import Form, binary_forms, text_forms
from mutation import mutated

from dse.cli import main
from dse.errors import DseError, InputError
from dse.reading import DEPTH_LIMIT, ROWS_LIMIT, TABLE_LIMIT, read_bytes, read_csv, read_json, read_parquet, read_toml

SECOND = 1.0
MEMORY = 500 << 20
"""What reading a file may take [s of a processor, bytes]."""
FORMS = (
    *("words", "cell", "configuration", "technology", "changed technology", "layer table", "layers in JSON"),
    *("model configuration", "profile", "counts", "design table", "any table", "calibration figures"),
    *("calibration setting", "variation", "problem", "sweep", "memory of a tier", "topology", "config.json of a run"),
    *("metrics.json of a run", "front.csv of a run", "problem.toml of a run", "surrogate"),
    *("ONNX", "Parquet", "designs of a run", "packed design table"),
)


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Form]:
    """All forms of files by name."""
    folder = tmp_path_factory.mktemp("forms")
    return {form.name: form for form in (*text_forms(folder), *binary_forms(folder))}


@pytest.fixture(autouse=True)
def _no_notices() -> Iterator[None]:
    """Notices of thousands of files are not kept."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def peak() -> int:
    """Most memory [bytes] that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def check(form: Form, folder: Path, inputs: Iterator[bytes]) -> None:
    """Read mutations of valid files, each for itself."""
    path = folder / form.file
    for number, content in enumerate(inputs):
        path.write_bytes(content)
        start, memory, complaint = time.process_time(), peak(), str(folder)
        try:
            form.read(path)
        except DseError as error:
            complaint = str(error)
        except Exception as error:
            error.add_note(f"{form.name} {number}: {content[:300]!r}")
            raise
        assert complaint.isprintable(), f"{form.name} {number}"
        assert len(complaint) < 2100, f"{form.name} {number}"
        assert str(folder) in complaint, f"{form.name} {number}: {complaint}"
        assert time.process_time() - start < SECOND, f"{form.name} {number}"
        assert peak() - memory < MEMORY, f"{form.name} {number}"


def test_every_form_is_tried(forms: dict[str, Form]) -> None:
    assert tuple(forms) == FORMS


@pytest.mark.parametrize("name", FORMS)
def test_valid_files_are_read(forms: dict[str, Form], name: str, tmp_path: Path) -> None:
    form = forms[name]
    for content in form.seeds:
        (tmp_path / form.file).write_bytes(content)
        form.read(tmp_path / form.file)


@pytest.mark.parametrize("name", FORMS)
def test_mutations(forms: dict[str, Form], name: str, tmp_path: Path) -> None:
    """The sample that always runs."""
    form = forms[name]
    binary = form.file.endswith((".onnx", ".parquet", ".gz")) or name == "surrogate"  # it holds tables of Parquet
    check(form, tmp_path, mutated(form.seeds, 500 if binary else 2000, 7))


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMS)
def test_many_mutations(forms: dict[str, Form], name: str, tmp_path: Path) -> None:
    form = forms[name]
    binary = form.file.endswith((".onnx", ".parquet", ".gz"))
    check(form, tmp_path, mutated(form.seeds, 10_000 if binary else 100_000, 11))


LONG = "x" * 200_000
LONG_NAMES = {
    "problem": f'family = "cache"\n{LONG} = 1\n',
    "sweep": f'family = "cache"\n[options]\n{LONG} = "22nm"\n[grid]\ntemperature = [300, 350]\n',
    "calibration setting": f'technology = "22nm"\n[cells]\n{LONG} = "sram.cell"\n[fixed]\n"{LONG}.y" = 1\n',
}


@pytest.mark.parametrize("name", LONG_NAMES)
def test_long_names_are_refused_soon(forms: dict[str, Form], name: str, tmp_path: Path) -> None:
    check(forms[name], tmp_path, [LONG_NAMES[name].encode()])
    with pytest.raises(InputError, match="xxx"):
        forms[name].read(tmp_path / forms[name].file)


def test_a_row_wider_than_the_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "designs.csv"
    path.write_text("problem,area\nsot 16KB," + "1," * 23_000 + "1\n")
    with pytest.raises(InputError, match=r":2: is no CSV table: 23,002 fields where the header has 2"):
        read_csv(path)


@pytest.mark.parametrize(("header", "complaint"), [
    ("problem,area,area", "column 'area' is there twice"),
    (",".join(map(str, range(20_000))), "has 20,000 columns: at most 10,000 are read"),
])
def test_columns_are_few_and_told_apart(tmp_path: Path, header: str, complaint: str) -> None:
    path = tmp_path / "designs.csv"
    path.write_text(f"{header}\n1,2,3\n")
    with pytest.raises(InputError, match=complaint):
        read_csv(path)


@pytest.mark.parametrize("name", ["cell", "technology", "layer table", "profile", "ONNX", "counts", "any table"])
def test_a_pipe_does_not_hang(forms: dict[str, Form], name: str, tmp_path: Path) -> None:
    path = tmp_path / forms[name].file
    os.mkfifo(path)
    with pytest.raises(InputError, match="is a pipe or a device"):
        forms[name].read(path)


def test_devices_folders_and_large_files_are_not_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a pipe or a device"):
        read_bytes(Path("/dev/zero"))
    with pytest.raises(InputError, match="Is a directory"):
        read_bytes(tmp_path)
    with open(tmp_path / "large.csv", "wb") as file:
        file.truncate(TABLE_LIMIT + 1)
    before = peak()
    with pytest.raises(InputError, match=r"large\.csv: more than 268,435,456 bytes"):
        read_csv(tmp_path / "large.csv")
    assert peak() - before < 50 << 20


@pytest.mark.parametrize(("name", "text", "said"), [
    ("x.json", "[" * 100_000, "nested too deeply"),
    ("x.json", "[" * (DEPTH_LIMIT + 2) + "]" * (DEPTH_LIMIT + 2), "more than 64 lists and tables"),
    ("x.json", '{"a": 1' + "0" * 30 + "}", "a whole number of 31 digits"),
    ("x.json", r'"\ud800"', "an escape that stands for no character"),
    ("x.toml", "a = " + "[" * 5000, "nested too deeply"),
    ("x.toml", "b = 1\n" + "a." * 100_000 + "a = 1", ":2: not TOML that can be read: a key of more than 64 parts"),
    ("x.toml", "a = 0x" + "f" * 30, "a: a whole number of more than 19 digits"),
])
def test_limits(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        (read_json if name.endswith("json") else read_toml)(tmp_path / name)
    assert said in str(caught.value)


def test_a_parquet_file_of_many_rows_is_refused_by_what_it_says(tmp_path: Path) -> None:
    """A column of one value takes next to nothing in the file, whatever its length."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    zeros = pa.array([0.0] * 1000)
    with pq.ParquetWriter(tmp_path / "x.parquet", pa.schema([("a", pa.float64())])) as writer:
        chunk = pa.Table.from_arrays([pa.chunked_array([zeros] * 100)], ["a"])
        for _ in range(ROWS_LIMIT // 100_000 + 1):
            writer.write_table(chunk)
    before = peak()
    with pytest.raises(InputError, match="rows of 1 columns: at most 8,388,608 rows"):
        read_parquet(tmp_path / "x.parquet")
    assert peak() - before < 50 << 20


def test_a_long_word_in_every_row_of_a_parquet_file_is_kept_once(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    word = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000), pa.array(["x" * 100_000]))
    pq.write_table(pa.table({"a": word}), tmp_path / "x.parquet")
    before = peak()
    assert len(read_parquet(tmp_path / "x.parquet")) == 20_000
    assert peak() - before < MEMORY


def test_columns_of_lists_are_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [[1], [2]]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="column 'a' holds list<"):
        read_parquet(tmp_path / "x.parquet")


def test_verify_quotes_nothing_of_a_file_that_a_run_names(
    forms: dict[str, Form], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run of somebody else may name any file as its cell."""
    secret = tmp_path / "secret.cell"
    secret.write_text("password of the house\n")
    form = forms["config.json of a run"]
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_bytes(form.seeds[0])
    with contextlib.suppress(InputError):
        form.read(folder / "config.json")  # brings the other files of the run
    problem = folder / "problem.toml"
    problem.write_text(problem.read_text().replace('memory = "sot"', f'memory = "{secret}"'))
    assert main(["verify", str(folder)]) == 2
    error = capsys.readouterr().err
    assert "password" not in error
    assert "secret.cell" in error
    assert len(error.splitlines()) == 1
