"""Networks by name: those that come with the package, layer tables and model configurations of one's own."""

import json
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.objectives.network.configurations import network_from_configuration
from dse.objectives.network.layer_tables import csv_rows, network_from_rows, read_network
from dse.objectives.network.layers import Network
from dse.reading import read_json
from dse.text import nearest, quoted, shown

OWN_SUFFIXES = (".csv", ".json", ".onnx", ".py")


def _data(folder: str) -> Any:
    """Folder of the networks that come with the package: ``networks`` (tables) or ``configurations``."""
    return resources.files("dse.objectives.network").joinpath(f"data/{folder}")


@cache
def _files() -> dict[str, str]:
    """Folder of every network that comes with the package, by its name."""
    suffixes = {"networks": ".csv", "configurations": ".json"}
    return {
        item.name.removesuffix(suffix): folder
        for folder, suffix in suffixes.items() for item in _data(folder).iterdir() if item.name.endswith(suffix)
    }


@cache
def network_names() -> tuple[str, ...]:
    """Names of the networks that come with the package."""
    return tuple(sorted(_files()))


def load_network(name: str) -> Network:
    """Network by its name, or from a file of one's own as `read_own` takes it."""
    if name.endswith(OWN_SUFFIXES):
        return read_own(Path(name))
    if name not in network_names():
        raise InputError(f"workload {quoted(name)} is not known, the nearest is {nearest(name, network_names())}: "
                         f"known are {', '.join(network_names())}, layer tables (.csv, .json), model "
                         "configurations (config.json), ONNX files (.onnx) and PyTorch modules (.py)")
    return _packaged(name)


def read_own(path: Path) -> Network:
    """Network from a layer table, a configuration (JSON with a ``model_type``), an ONNX file or a Python file.

    A Python file is run: its function ``network`` makes a PyTorch module.
    """
    if path.suffix in _READERS:
        return _READERS[path.suffix](path)
    if path.suffix == ".json":
        configuration = _configuration(path)
        if configuration is not None:
            return network_from_configuration(_title(path), configuration, shown(path))
    return read_network(path)


def _read_onnx(path: Path) -> Network:
    """Network of an ONNX file; the importer is loaded where it is needed."""
    from dse.objectives.network.importers.onnx import read_onnx

    return read_onnx(path)


def _read_python(path: Path) -> Network:
    """Network of a Python file; the importer is loaded where it is needed."""
    from dse.objectives.network.importers.python_file import read_python

    return read_python(path)


_READERS = {".onnx": _read_onnx, ".py": _read_python}


def _configuration(path: Path) -> dict[str, Any] | None:
    """A configuration, if a file holds one."""
    found = read_json(path)
    return found if isinstance(found, dict) and "model_type" in found else None


def _title(path: Path) -> str:
    """Name of a configuration: its file's, or its folder's where all such files are named alike."""
    return path.resolve().parent.name if path.stem == "config" else path.stem


@cache
def _packaged(name: str) -> Network:
    """A network that comes with the package."""
    if _files()[name] == "configurations":
        text = _data("configurations").joinpath(f"{name}.json").read_text(encoding="utf-8")
        return network_from_configuration(name, json.loads(text), name)
    text = _data("networks").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    title = text.splitlines()[0].lstrip("# ").rstrip(".")
    return network_from_rows(name, title, csv_rows(text, name), name)
