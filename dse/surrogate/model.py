"""Surrogates: what metrics designs have, learned from a table of them.

The metrics of a cache are put together from the figures of its two arrays, each of which has a model of its own; any
other metric is learned as it is. A model is a Gaussian process on the logarithm of a figure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Bools, Floats
from dse.errors import InputError
from dse.objectives.cache.metrics import CACHE_METRICS, NAMED_OBJECTIVES, DataSide, TagSide, cache_metrics
from dse.objectives.cache.organization import DATA_FIGURES, TAG_FIGURES
from dse.surrogate.designs import NAMES
from dse.surrogate.encoding import Encoding, encode, numbers_of
from dse.surrogate.process import Process, fit_process

if TYPE_CHECKING:
    import pandas as pd

LEAST = 10
"""Designs below which nothing is learned."""
ARRAYS = {"data": DATA_FIGURES, "tag": TAG_FIGURES}
FIGURES = (*CACHE_METRICS, *DATA_FIGURES, *TAG_FIGURES, *NAMED_OBJECTIVES, "feasible")
"""Columns of a table of designs that tell what follows from physics."""
FIGURES_OF = {
    "read_latency": ("data_early", "data_late", "tag_read_latency"),
    "miss_latency": ("tag_read_latency",),
    "miss_energy": ("data_read_energy", "tag_read_energy"),
}
"""Figures of arrays that make a metric of the cache; others are made of the figures of the same name."""
WHOLE = "cache"
"""What a metric belongs to that is not a figure of one array."""


@dataclass(frozen=True, slots=True)
class Model:
    """One figure: of the array `part`, or of the cache; its logarithm has `mean` and `spread` in training.

    `zero_for`: access types in which the figure is zero, as is the time a sequential cache's data take before the tag.
    """

    figure: str
    part: str
    mean: float
    spread: float
    zero_for: tuple[str, ...]
    process: Process


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Predicts `metrics` of designs.

    `training`: the table learned from, in the order that `seed` shuffled it to; `encodings` by array, or of the whole
    cache. `errors`: held-out errors, one row per metric and kind, empty until `tested`.
    """

    metrics: tuple[str, ...]
    seed: int
    training: "pd.DataFrame"
    encodings: Mapping[str, Encoding]
    models: tuple[Model, ...]
    errors: "pd.DataFrame"

    def predict(self, table: "pd.DataFrame") -> "pd.DataFrame":
        """Metrics [SI] of designs, one row each, with the index of `table`.

        Raises InputError where a column is missing, or has words that were not trained with.
        """
        import pandas as pd

        figures = self.figures(table)
        whole = {} if self._direct else self._caches(table, figures)
        return pd.DataFrame({name: (figures | whole)[name] for name in self.metrics}, index=table.index)

    @property
    def _direct(self) -> bool:
        """Whether all metrics have models of their own."""
        return set(self.metrics) <= {model.figure for model in self.models}

    def figures(self, table: "pd.DataFrame") -> dict[str, Floats]:
        """What each model predicts [SI], by the name of its figure."""
        inputs = {part: encoding.matrix(table) for part, encoding in self.encodings.items()}
        trained = {part: encoding.matrix(self.training) for part, encoding in self.encodings.items()}
        found = {}
        for model in self.models:
            standard = model.process.predict(trained[model.part], inputs[model.part])
            figure = np.exp(model.mean + model.spread * standard)
            found[model.figure] = np.where(_access_in(table, model.zero_for), 0.0, figure)
        return found

    def _caches(self, table: "pd.DataFrame", figures: Mapping[str, Floats]) -> dict[str, Floats]:
        """Metrics of caches put together from figures of their arrays; a RAM has no tags."""
        none = np.zeros(len(table))
        found: dict[str, Floats] = {name: np.zeros(len(table)) for name in CACHE_METRICS}
        sides = [np.array([figures.get(name, none) for name in names]) for names in ARRAYS.values()]
        for access in table["access"].unique():
            rows = np.flatnonzero(table["access"] == access)
            data, tag = (side[:, rows] for side in sides)
            for name, values in cache_metrics(DataSide(*data), TagSide(*tag), str(access)).items():
                found[name][rows] = values
        return found

    def tested(self, errors: "pd.DataFrame") -> "Surrogate":
        """The surrogate with held-out errors to be kept with it (see `dse.surrogate.held_out_errors`)."""
        return replace(self, errors=errors)

    def save(self, folder: str | Path) -> None:
        """Write a folder of plain tables and text; see `dse.surrogate.file`."""
        from dse.surrogate.file import save

        save(self, Path(folder))


def fit(table: "pd.DataFrame", metrics: Sequence[str], seed: int = 0) -> Surrogate:
    """Learn metrics of designs from a table with one row per design, such as `sampled_designs` gives.

    Every column that is no figure, metric or name (`NAMES`) is a feature. Where the table has the figures of the
    arrays, the metrics of a cache are put together from them. Rows with an unknown metric are left out. Raises
    InputError for metrics that the table lacks or that are not positive, for features without a value, and for fewer
    than `LEAST` designs.
    """
    import pandas as pd

    wanted = _wanted(table, metrics)
    known = table.dropna(subset=[*metrics, *wanted])
    if len(known) < LEAST:
        raise InputError(f"{len(known)} designs have all metrics: give at least {LEAST}")
    order = np.random.default_rng(seed).permutation(len(known))
    features = feature_columns(table, metrics)
    training = known.iloc[order][list(dict.fromkeys((*features, *metrics, *wanted)))].reset_index(drop=True)
    encodings = {
        part: encode(training, [name for name in features if _belongs(name, part)]) for part in set(wanted.values())
    }
    inputs = {part: encoding.matrix(training) for part, encoding in encodings.items()}
    models = [_fit_model(training, figure, part, inputs[part]) for figure, part in wanted.items()]
    return Surrogate(tuple(metrics), seed, training, encodings, tuple(models), pd.DataFrame())


def feature_columns(table: "pd.DataFrame", metrics: Sequence[str]) -> list[str]:
    """Columns of a table that describe designs."""
    return [str(name) for name in table.columns if name not in (*FIGURES, *NAMES, *metrics)]


def _wanted(table: "pd.DataFrame", metrics: Sequence[str]) -> dict[str, str]:
    """Figures to learn, and the array each belongs to, for metrics that are asked for."""
    if not metrics:
        raise InputError("no metric is given to learn")
    for name in metrics:
        if name not in table:
            known = [str(column) for column in table.columns if column in FIGURES]
            raise InputError(f"no metric '{name}' in the table: it has {', '.join(known) or 'none'}")
    wanted: dict[str, str] = {}
    for name in metrics:
        wanted |= {figure: _part_of(figure) for figure in _figures_of(table, name)}
    return wanted


def _figures_of(table: "pd.DataFrame", metric: str) -> tuple[str, ...]:
    """Figures of the arrays that make a metric where the table has them, or the metric itself; a RAM has no tags."""
    figures = FIGURES_OF.get(metric, (f"data_{metric}", f"tag_{metric}"))
    present = tuple(name for name in figures if name in table)
    if metric in CACHE_METRICS and "access" in table and any(name.startswith("data_") for name in present):
        return present
    return (metric,)


def _part_of(metric: str) -> str:
    """The array that a metric belongs to, or the whole cache."""
    return next((part for part, names in ARRAYS.items() if metric in names), WHOLE)


def _belongs(column: str, part: str) -> bool:
    """Whether a feature says something of an array: it is not one of the other's."""
    others = [name for name in ARRAYS if name != part] if part in ARRAYS else []
    return not any(column.startswith((f"{name}_", f"{name}.")) for name in others)


def _fit_model(training: "pd.DataFrame", figure: str, part: str, inputs: Floats) -> Model:
    """Learn one figure from the designs in which it is not zero."""
    values = numbers_of(training, figure)
    zero_for = _zero_for(training, values)
    rows = np.flatnonzero(~_access_in(training, zero_for))
    if (values[rows] <= 0).any():
        raise InputError(f"metric '{figure}' is not positive throughout: its logarithm cannot be learned")
    logs = np.log(values[rows])
    mean, spread = (float(logs.mean()), float(logs.std()) or 1.0) if len(rows) else (0.0, 1.0)
    weights = np.zeros(len(training))
    theta = np.zeros(inputs.shape[1] + 2)
    if len(rows):
        process = fit_process(inputs[rows], (logs - mean) / spread)
        theta, weights[rows] = process.theta, process.weights
    return Model(figure, part, mean, spread, zero_for, Process(theta, weights))


def _zero_for(training: "pd.DataFrame", values: Floats) -> tuple[str, ...]:
    """Access types whose designs all have zero."""
    if "access" not in training:
        return ()
    access = training["access"].astype(str).to_numpy()
    return tuple(str(one) for one in np.unique(access) if (values[access == one] == 0).all())


def _access_in(table: "pd.DataFrame", kinds: Sequence[str]) -> Bools:
    """Which designs have one of some access types."""
    if not kinds:
        return np.zeros(len(table), np.bool_)
    return np.asarray(table["access"].isin(list(kinds)), dtype=np.bool_)


def description(surrogate: Surrogate) -> dict[str, Any]:
    """How a surrogate was made, in values that JSON has, but for its tables."""
    from dataclasses import asdict

    return {
        "metrics": list(surrogate.metrics), "seed": surrogate.seed, "designs": len(surrogate.training),
        "features": {
            part: [asdict(feature) for feature in encoding.features]
            for part, encoding in surrogate.encodings.items()
        },
        "models": [
            {
                "figure": model.figure, "part": model.part, "mean": model.mean, "spread": model.spread,
                "zero_for": list(model.zero_for), "theta": model.process.theta.tolist(),
            }
            for model in surrogate.models
        ],
        "errors": surrogate.errors.to_dict("records"),
    }
