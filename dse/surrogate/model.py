"""Surrogates: what metrics designs have, learned from a table of them.

Where designs are put together from parts, the figures of parts are learned and put together as the problem does; any
other metric is learned as it is. A model is a Gaussian process on a scale on which the figure is even.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.batch import Bools, Floats
from dse.errors import InputError
from dse.problem import Problem, Sign
from dse.search.scaling import FittedScale
from dse.spaces.space import Scale
from dse.surrogate.designs import feature_names
from dse.surrogate.encoding import Encoding, encode, numbers_of
from dse.surrogate.joining import Joining
from dse.surrogate.process import Process, fit_process
from dse.text import quoted

if TYPE_CHECKING:
    import pandas as pd

LEAST = 10
"""Designs below which nothing is learned."""
WHOLE = "design"
"""What a metric belongs to that is not a figure of one part."""


@dataclass(frozen=True, slots=True)
class LearnedFigure:
    """One figure: of a `part`, or of the whole design; on its `scale` it has `mean` and `spread` in training.

    `zero_for`: columns with the words for which the figure is zero, as is the time a sequential cache's data take
    before the tag. A figure that does not vary has the mean everywhere.
    """

    figure: str
    part: str
    sign: Sign
    scale: FittedScale
    mean: float
    spread: float
    zero_for: tuple[tuple[str, str], ...]
    process: Process

    def predict(self, table: "pd.DataFrame", trained: Floats, inputs: Floats) -> Floats:
        """The figure (n,) of designs with `inputs` (n, d), from those `trained` with."""
        standard = self.process.predict(trained, inputs) if self.process.weights.any() else np.zeros(len(inputs))
        figure = self.scale.back(self.mean + self.spread * standard)
        if self.sign is not Sign.ANY:
            figure = np.maximum(figure, 0.0)
        return np.where(_with_words(table, self.zero_for), 0.0, figure)


@dataclass(frozen=True, slots=True)
class Surrogate:
    """Predicts `metrics` of designs.

    `training`: the table learned from, in the order that `seed` shuffled it to; `encodings` by part, or of the whole
    design; `joining`: how figures of parts make metrics. `errors`: held-out errors, one row per metric and kind, empty
    until `tested`.
    """

    metrics: tuple[str, ...]
    seed: int
    training: "pd.DataFrame"
    encodings: Mapping[str, Encoding]
    models: tuple[LearnedFigure, ...]
    joining: Joining | None
    errors: "pd.DataFrame"

    def predict(self, table: "pd.DataFrame") -> "pd.DataFrame":
        """Metrics [SI] of designs, one row each, with the index of `table`.

        Raises InputError where a column is missing, or has words that were not trained with.
        """
        import pandas as pd

        figures = self.figures(table)
        found = {name: figures[name] for name in self.metrics if name in figures}
        if self.joined:
            if self.joining is None:
                raise TypeError("figures of parts are put together by the problem that the surrogate was made with")
            found |= self.joining.columns(table, figures, self.joined)
        return pd.DataFrame({name: found[name] for name in self.metrics}, index=table.index)

    @property
    def joined(self) -> tuple[str, ...]:
        """Metrics that are put together from figures of parts."""
        own = {model.figure for model in self.models}
        return tuple(name for name in self.metrics if name not in own)

    def figures(self, table: "pd.DataFrame") -> dict[str, Floats]:
        """What each model predicts [SI], by the name of its figure."""
        inputs = {part: encoding.matrix(table) for part, encoding in self.encodings.items()}
        trained = {part: encoding.matrix(self.training) for part, encoding in self.encodings.items()}
        return {
            model.figure: model.predict(table, trained[model.part], inputs[model.part]) for model in self.models
        }

    def tested(self, errors: "pd.DataFrame") -> "Surrogate":
        """The surrogate with held-out errors to be kept with it (see `dse.surrogate.held_out_errors`)."""
        return replace(self, errors=errors)

    def save(self, folder: str | Path) -> None:
        """Write a folder of plain tables and text; see `dse.surrogate.file`."""
        from dse.surrogate.file import save

        save(self, Path(folder))


def fit(
    table: "pd.DataFrame", metrics: Sequence[str], problem: Problem | None = None, *, features: Sequence[str] = (),
    seed: int = 0,
) -> Surrogate:
    """Learn metrics of designs from a table with one row per design, such as `sampled_designs` gives.

    The `problem` says what describes its designs, and how they are put together where the table has the figures of
    their parts; it must have all kinds of designs of the table. Without one, `features` names the columns that
    describe designs. Rows with an unknown metric are left out. Raises InputError for metrics that the table lacks or
    whose values have not the sign that the problem says, for features without a value, and for fewer than `LEAST`
    designs.
    """
    import pandas as pd

    joining = None if problem is None else Joining.of(problem)
    wanted = _wanted(table, metrics, joining)
    known = table.dropna(subset=list(dict.fromkeys((*metrics, *wanted))))
    if len(known) < LEAST:
        raise InputError(f"{len(known)} designs have all metrics: give at least {LEAST}")
    columns = feature_columns(table, metrics, problem, features)
    top = () if joining is None else tuple(axis.name for axis in joining.top if axis.name in table)
    order = np.random.default_rng(seed).permutation(len(known))
    kept = dict.fromkeys((*columns, *top, *metrics, *wanted))
    training = known.iloc[order][list(kept)].reset_index(drop=True)
    scales = {} if problem is None else {axis.name: axis.scale for axis in problem.space.axes}
    encodings = {
        part: encode(training, [name for name in columns if _belongs(name, part, joining)], scales)
        for part in dict.fromkeys(wanted.values())
    }
    inputs = {part: encoding.matrix(training) for part, encoding in encodings.items()}
    words = _word_columns(training, columns, scales, joining)
    models = [
        _learn(training, figure, part, inputs[part], _sign(figure, problem), words) for figure, part in wanted.items()
    ]
    return Surrogate(
        metrics=tuple(metrics), seed=seed, training=training, encodings=encodings, models=tuple(models),
        joining=joining, errors=pd.DataFrame(),
    )


def feature_columns(
    table: "pd.DataFrame", metrics: Sequence[str], problem: Problem | None, features: Sequence[str] = ()
) -> list[str]:
    """Columns of a table that describe designs; what is learned is none of them."""
    if problem is not None:
        return [name for name in feature_names(problem, table) if name not in metrics]
    if not features:
        raise InputError("give the problem that the designs are of, or features: the columns that describe designs")
    for name in features:
        if name not in table:
            raise InputError(f"no column {quoted(name)} in the table")
        if name in metrics:
            raise InputError(f"{quoted(name)} is to be learned: it is no feature")
    return list(features)


def _wanted(table: "pd.DataFrame", metrics: Sequence[str], joining: Joining | None) -> dict[str, str]:
    """Figures to learn, and the part each belongs to, for metrics that are asked for."""
    if not metrics:
        raise InputError("no metric is given to learn")
    wanted: dict[str, str] = {}
    for name in metrics:
        if name not in table:
            known = ", ".join(str(column) for column in table.columns if table[column].dtype.kind == "f")
            raise InputError(f"no metric {quoted(name)} in the table: columns of numbers are {known or 'none'}")
        for figure in _figures_of(table, name, joining):
            part = None if joining is None else joining.part_of(figure)
            wanted[figure] = part or WHOLE
    return wanted


def _figures_of(table: "pd.DataFrame", metric: str, joining: Joining | None) -> tuple[str, ...]:
    """Figures of parts that make a metric where the table has them, or the metric itself."""
    figures = () if joining is None else joining.figures_of(metric)
    return figures if figures and all(name in table for name in figures) else (metric,)


def _belongs(column: str, part: str, joining: Joining | None) -> bool:
    """Whether a feature says something of a part: it is not one of another's."""
    others = () if joining is None or part == WHOLE else [name for name in joining.parts if name != part]
    return not any(column.startswith((f"{name}_", f"{name}.")) for name in others)


def _sign(figure: str, problem: Problem | None) -> Sign:
    """What values a figure may have."""
    return problem.metrics[figure].sign if problem is not None and figure in problem.metrics else Sign.ANY


def _word_columns(
    training: "pd.DataFrame", columns: Sequence[str], scales: Mapping[str, Scale], joining: Joining | None
) -> list[str]:
    """Columns whose words may make a figure zero: those that tell kinds of designs apart, or all words."""
    if joining is not None:
        return [name for name in joining.words if name in training]
    return [name for name in columns if scales.get(name) is Scale.WORDS or training[name].dtype.kind not in "biuf"]


def _learn(
    training: "pd.DataFrame", figure: str, part: str, inputs: Floats, sign: Sign, words: Sequence[str]
) -> LearnedFigure:
    """Learn one figure from the designs for which it is not zero by a word."""
    values = numbers_of(training, figure)
    zero_for = _zero_for(training, values, words)
    rows = np.flatnonzero(~_with_words(training, zero_for))
    if (sign is not Sign.ANY and (values[rows] < 0).any()) or (sign is Sign.POSITIVE and (values[rows] == 0).any()):
        raise InputError(f"metric '{figure}' is not {sign.value} throughout, as its problem says")
    scale = FittedScale.of(values[rows], sign)
    scaled = scale(values[rows])
    weights, theta = np.zeros(len(training)), np.zeros(inputs.shape[1] + 2)
    mean, spread = (float(scaled.mean()), float(scaled.std())) if len(rows) else (0.0, 0.0)
    if len(rows) and np.ptp(values[rows]) > 0:
        process = fit_process(inputs[rows], (scaled - mean) / spread)
        theta, weights[rows] = process.theta, process.weights
    return LearnedFigure(
        figure=figure, part=part, sign=sign, scale=scale, mean=mean, spread=spread, zero_for=zero_for,
        process=Process(theta, weights),
    )


def _zero_for(training: "pd.DataFrame", values: Floats, columns: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Words of columns whose designs all have zero."""
    found = []
    for column in columns:
        texts = training[column].astype(str).to_numpy()
        found += [(column, str(text)) for text in np.unique(texts) if (values[texts == text] == 0).all()]
    return tuple(found)


def _with_words(table: "pd.DataFrame", words: Sequence[tuple[str, str]]) -> Bools:
    """Which designs have one of some words in its column."""
    found = np.zeros(len(table), np.bool_)
    for column, word in words:
        found |= (table[column].astype(str) == word).to_numpy(bool)
    return found


def description(surrogate: Surrogate) -> dict[str, Any]:
    """How a surrogate was made, in values that JSON has, but for its tables."""
    return {
        "metrics": list(surrogate.metrics), "seed": surrogate.seed, "designs": len(surrogate.training),
        "features": {
            part: [asdict(feature) for feature in encoding.features]
            for part, encoding in surrogate.encodings.items()
        },
        "models": [
            {
                "figure": model.figure, "part": model.part, "sign": model.sign.value, "scale": asdict(model.scale),
                "mean": model.mean, "spread": model.spread, "zero_for": [list(pair) for pair in model.zero_for],
                "theta": model.process.theta.tolist(),
            }
            for model in surrogate.models
        ],
        "errors": surrogate.errors.to_dict("records"),
    }
