"""Finished trials as rows of Optuna's tables in PostgreSQL (optuna/storages/_rdb/models.py of Optuna 5.0)."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from optuna.distributions import distribution_to_json

if TYPE_CHECKING:
    import psycopg
    from optuna.trial import FrozenTrial

NUMBER = "select coalesce(max(number) + 1, 0) from trials where study_id = %s"
TRIALS = """
insert into trials(number, study_id, state, datetime_start, datetime_complete)
select %s + place - 1, %s, state::trialstate, now() at time zone 'utc', now() at time zone 'utc'
from unnest(%s::text[]) with ordinality given(state, place) order by place returning number, trial_id
"""
INFINITE = {float("inf"): "INF_POS", float("-inf"): "INF_NEG"}
Row = tuple[Any, ...]


def write_trials(connection: "psycopg.Connection[Any]", study: int, trials: "Sequence[FrozenTrial]") -> list[int]:
    """Add trials to a study whose row is locked; returns their ids, in order."""
    counted = connection.execute(NUMBER, (study,)).fetchone()
    first = 0 if counted is None else counted[0]
    states = [trial.state.name for trial in trials]
    made = connection.execute(TRIALS, (first, study, states)).fetchall()
    numbers = [number for _, number in sorted(made)]
    rows = list(zip(numbers, trials, strict=True))
    for table, columns, lines in (
        ("trial_values", "objective, value, value_type", _values),
        ("trial_params", "param_name, param_value, distribution_json", _parameters),
        ("trial_user_attributes", "key, value_json", _user_attributes),
        ("trial_system_attributes", "key, value_json", _system_attributes),
    ):
        with connection.cursor() as cursor, cursor.copy(f"copy {table}(trial_id, {columns}) from stdin") as copy:
            for number, trial in rows:
                for line in lines(trial):
                    copy.write_row((number, *line))
    return numbers


def _values(trial: "FrozenTrial") -> Iterator[Row]:
    """Objectives; infinite ones by a word."""
    for place, value in enumerate(trial.values or ()):
        word = INFINITE.get(value)
        yield (place, value, "FINITE") if word is None else (place, None, word)


def _parameters(trial: "FrozenTrial") -> Iterator[Row]:
    """Parameters as their distributions store them."""
    for name, value in trial.params.items():
        distribution = trial.distributions[name]
        yield name, float(distribution.to_internal_repr(value)), distribution_to_json(distribution)


def _user_attributes(trial: "FrozenTrial") -> Iterator[Row]:
    """Figures of the design."""
    for name, value in trial.user_attrs.items():
        yield name, json.dumps(value)


def _system_attributes(trial: "FrozenTrial") -> Iterator[Row]:
    """What Optuna keeps for itself: constraints."""
    for name, value in trial.system_attrs.items():
        yield name, json.dumps(value)
