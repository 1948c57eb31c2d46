"""Permutation importance: how much worse a regression of an answer becomes where one parameter is shuffled."""

from dataclasses import dataclass

import numpy as np

from dse.batch import Floats

REPEATS = 10
HELD_OUT = 0.3
"""Share of the draws that the regression is judged on."""


@dataclass(frozen=True, slots=True)
class Importance:
    """Loss of R² (parameters,) on held-out draws where a parameter is shuffled, and the R² with none shuffled."""

    loss: Floats
    score: float


def permutation_importance(draws: Floats, answer: Floats, seed: int) -> Importance:
    """Importance of the columns of draws (n, parameters) for an answer (n,), by a quadratic regression."""
    from sklearn.inspection import permutation_importance as shuffle
    from sklearn.linear_model import RidgeCV
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    known, other, known_answer, other_answer = train_test_split(draws, answer, test_size=HELD_OUT, random_state=seed)
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), RidgeCV(np.logspace(-4, 2, 13)))
    model.fit(known, known_answer)
    found = shuffle(model, other, other_answer, n_repeats=REPEATS, random_state=seed)
    return Importance(np.asarray(found.importances_mean), float(model.score(other, other_answer)))
