"""Short fingerprints of values, to tell whether they are the same."""

import hashlib
import os
import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

PACKAGE = "dse"
LIBRARIES = ("numpy", "scipy")
"""Packages whose version says enough: their sources are not read."""
_PLAIN = (type(None), bool, int, float, complex, bytes)


def digest(*things: object) -> str:
    """Short fingerprint of values that have a faithful `repr`."""
    return hashlib.sha256("\n".join(map(repr, things)).encode()).hexdigest()[:16]


class UnknownContentError(TypeError):
    """A value whose content cannot be told, such as a function without a name."""


def content_digest(*values: object) -> str:
    """Fingerprint of what values hold, and of the sources of every package that their types are of.

    The same in every process. A text or path that names a file stands for what is in the file as well. Raises
    UnknownContentError.
    """
    content = _Content()
    for value in values:
        content.add(value)
    return content.digest()


class _Content:
    """Takes in values, item by item."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._packages = {PACKAGE}
        self._within: list[int] = []

    def digest(self) -> str:
        """Fingerprint of everything taken in."""
        for package in sorted(self._packages):
            self._tell("package", package, sources_digest(package))
        return self._hash.hexdigest()[:32]

    def _tell(self, *words: str) -> None:
        """Take in words, each with its length, so that none runs into the next."""
        for word in words:
            data = word.encode(errors="surrogatepass")
            self._hash.update(b"%d:" % len(data) + data)

    def add(self, value: object) -> None:
        """Take in a value."""
        if id(value) in self._within:
            self._tell("within", str(len(self._within) - self._within.index(id(value))))
            return
        self._within.append(id(value))
        self._add(value)
        self._within.pop()

    def _add(self, value: Any) -> None:
        """Take in a value by what it is."""
        if isinstance(value, Enum):
            self._name(type(value))
            self._tell(value.name)
        elif isinstance(value, np.generic):
            self._add(value.item())
        elif isinstance(value, _PLAIN):
            self._tell(type(value).__name__, repr(value))
        elif isinstance(value, str | Path):
            self._text(str(value))
        elif isinstance(value, np.ndarray):
            self._array(value)
        elif isinstance(value, type | FunctionType | BuiltinFunctionType | np.ufunc):
            self._name(value)
        elif is_dataclass(value):
            self._items(type(value), [getattr(value, one.name) for one in fields(value) if one.compare])
        elif isinstance(value, partial):
            self._items(partial, [value.func, value.args, value.keywords])
        elif isinstance(value, Mapping):
            self._items(Mapping, [item for pair in value.items() for item in pair])
        elif isinstance(value, Set):
            self._items(Set, sorted(content_digest(item) for item in value))
        elif isinstance(value, Sequence):
            self._items(Sequence, value)
        else:
            self._object(value)

    def _items(self, kind: type, items: Sequence[object]) -> None:
        """Take in what something is made of."""
        self._name(kind)
        self._tell(str(len(items)))
        for item in items:
            self.add(item)

    def _array(self, value: np.ndarray) -> None:
        """Take in an array."""
        if value.dtype.hasobject:
            self._items(np.ndarray, [value.shape, *value.ravel().tolist()])
            return
        self._tell("array", value.dtype.str, repr(value.shape))
        self._hash.update(np.ascontiguousarray(value).tobytes())

    def _name(self, value: Any) -> None:
        """Take in the name of a type or function, whose source is that of its package."""
        module, name = getattr(value, "__module__", None) or "builtins", getattr(value, "__qualname__", value.__name__)
        if "<" in name:
            raise UnknownContentError(f"{module}.{name} has no name of its own")
        self._tell("name", module, name)
        package = module.partition(".")[0]
        if package not in sys.stdlib_module_names:
            self._packages.add(package)

    def _text(self, text: str) -> None:
        """Take in a text, and the files that it names, one or several with commas."""
        self._tell("text", text)
        for name in dict.fromkeys((text, *text.split(","))):
            if os.path.isfile(name):
                self._tell("file", hashlib.sha256(Path(name).read_bytes()).hexdigest())
            elif name and os.path.isdir(name):
                inside = sorted((one.name, one.stat()) for one in os.scandir(name) if one.is_file())
                self._tell("folder", repr([(own, stat.st_size, stat.st_mtime_ns) for own, stat in inside]))

    def _object(self, value: object) -> None:
        """Take in what would be carried to another process."""
        try:
            reduced = value.__reduce_ex__(2)
        except TypeError as error:
            raise UnknownContentError(str(error)) from None
        if isinstance(reduced, str):
            raise UnknownContentError(f"{type(value).__name__} is known by its name only")
        self._items(type(value), [*reduced[:3], *(list(items or ()) for items in reduced[3:5])])


@cache
def sources_digest(package: str) -> str:
    """Fingerprint of all files of an imported package, read once. Raises UnknownContentError where it has none."""
    module = sys.modules.get(package)
    if package in LIBRARIES:
        return str(getattr(module, "__version__", ""))
    file = getattr(module, "__file__", None)
    if file is None or package == "__main__":
        raise UnknownContentError(f"the source of {package} is not known")
    found = hashlib.sha256()
    for path in [Path(file)] if not hasattr(module, "__path__") else _files(Path(file).parent):
        found.update(f"{path.name}:".encode() + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _files(folder: Path) -> list[Path]:
    """Files of a folder and those within, links followed, but what Python compiled."""
    found: list[Path] = []
    for root, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        found += [Path(root, name) for name in sorted(names)]
    return found
