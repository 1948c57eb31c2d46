"""Surrogates in files that run nothing when they are opened: a folder of two tables and a description.

``training.parquet`` has the designs learned from, ``weights.parquet`` the weight of each in every model, and
``surrogate.json`` all other numbers, the versions it was made with, fingerprints of both tables, and a probe: what was
predicted of some designs when it was saved.
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.errors import InputError
from dse.problem import Problem, Sign
from dse.reading import parse_parquet, read_bytes, read_json
from dse.search.scaling import FittedScale
from dse.surrogate.encoding import Encoding, Feature
from dse.surrogate.joining import Joining
from dse.surrogate.model import LearnedFigure, Surrogate, description
from dse.surrogate.process import Process
from dse.text import shown
from dse.versions import PACKAGE, installed_version
from dse.writing import write_text, write_whole

if TYPE_CHECKING:
    import pandas as pd

FORMAT = "nvm-dse surrogate 2"
DESCRIPTION, TRAINING, WEIGHTS = "surrogate.json", "training.parquet", "weights.parquet"
PROBED = 20
"""Designs of the training of which is kept what each model predicts."""
SAME = 1e-6
"""Relative difference from the probe that another computer's rounding may make."""
GIVE = "give the folder of a saved surrogate"
GIVE_PROBLEM = "give the problem beside the folder"
VERSIONS = (PACKAGE, "scikit-learn", "scipy", "numpy", "pandas")


def save(surrogate: Surrogate, folder: Path) -> None:
    """Write a surrogate into a folder, which is made where there is none; raises InputError where it cannot be."""
    import pandas as pd

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot be made: {error.strerror}; give a folder", file=folder) from None
    weights = pd.DataFrame({model.figure: model.process.weights for model in surrogate.models})
    tables = {TRAINING: surrogate.training, WEIGHTS: weights}
    for name, table in tables.items():
        write_whole(folder / name, lambda path, table=table: table.to_parquet(path, index=False))  # type: ignore[misc]
    document = {
        "format": FORMAT, "versions": {name: installed_version(name) for name in VERSIONS}, **description(surrogate),
        "sha256": {name: _digest((folder / name).read_bytes()) for name in tables},
        "probe": _probe(surrogate),
    }
    write_text(folder / DESCRIPTION, json.dumps(document, indent=1) + "\n")


def load(folder: str | Path, problem: Problem | None = None) -> Surrogate:
    """Read a surrogate; nothing in the folder is run.

    One that puts metrics together from figures of parts needs the `problem` that says how.
    Raises InputError where it is no surrogate, was changed after it was saved, or predicts otherwise than it did then.
    """
    folder = Path(folder)
    document = _document(folder / DESCRIPTION)
    try:
        tables = {name: _table(folder / name, document["sha256"][name]) for name in (TRAINING, WEIGHTS)}
        surrogate = _surrogate(document, tables, None if problem is None else Joining.of(problem))
        if surrogate.joined and surrogate.joining is None:
            raise InputError(f"puts {surrogate.joined[0]} together from figures of parts: {GIVE_PROBLEM}", file=folder)
        with np.errstate(all="ignore"):
            now, then = _probe(surrogate), document["probe"]
            differ = [name for name in then if not np.allclose(now[name], then[name], rtol=SAME, atol=0.0)]
    except InputError as error:
        if error.file is not None:
            raise
        raise InputError(f"does not fit its tables: {error.message}", file=folder / DESCRIPTION) from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise InputError(f"is damaged ({reason}); save the surrogate again", file=folder / DESCRIPTION) from None
    if differ:
        made = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
        raise InputError(
            f"predicts {differ[0]} otherwise than when it was saved (with {made}): train it again",
            file=folder / DESCRIPTION,
        )
    return surrogate


def _probe(surrogate: Surrogate) -> dict[str, list[float]]:
    """What is predicted of the first designs of the training."""
    some = surrogate.training.head(PROBED)
    metrics = surrogate.predict(some)
    return {
        **{name: figure.tolist() for name, figure in surrogate.figures(some).items()},
        **{name: metrics[name].tolist() for name in surrogate.joined},
    }


def _digest(data: bytes) -> str:
    """Fingerprint of a file."""
    return hashlib.sha256(data).hexdigest()


def _document(path: Path) -> dict[str, Any]:
    """The description of a surrogate."""
    document = read_json(path, give=GIVE)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"is no surrogate: expected the format '{FORMAT}'", file=path)
    return document


def _table(path: Path, digest: str) -> "pd.DataFrame":
    """A table whose fingerprint is known."""
    data = read_bytes(path, give=GIVE)
    if _digest(data) != digest:
        raise InputError("was changed after the surrogate was saved: train it again", file=path)
    return parse_parquet(data, shown(path))


def _surrogate(
    document: dict[str, Any], tables: dict[str, "pd.DataFrame"], joining: Joining | None
) -> Surrogate:
    """The surrogate that a description and its tables tell."""
    import pandas as pd

    encodings = {
        part: Encoding(tuple(Feature(**feature | {"words": tuple(feature["words"])}) for feature in features))
        for part, features in document["features"].items()
    }
    models = tuple(
        LearnedFigure(
            figure=one["figure"], part=one["part"], sign=Sign(one["sign"]), scale=FittedScale(**one["scale"]),
            mean=one["mean"], spread=one["spread"], zero_for=tuple((name, word) for name, word in one["zero_for"]),
            process=Process(np.array(one["theta"], dtype=float), tables[WEIGHTS][one["figure"]].to_numpy(float)),
        )
        for one in document["models"]
    )
    metrics, errors = tuple(document["metrics"]), pd.DataFrame(document["errors"])
    return Surrogate(
        metrics=metrics, seed=document["seed"], training=tables[TRAINING], encodings=encodings, models=models,
        joining=joining, errors=errors,
    )
