"""A small network and scratchpads of it, whose banks are made in a moment."""

from dataclasses import replace

import numpy as np

from dse.objectives.scratchpad.family import FAMILY
from dse.objectives.scratchpad.options import ScratchpadOptions
from dse.objectives.scratchpad.problem import ScratchpadProblem
from dse.objectives.scratchpad.setting import setting_of
from dse.spaces.scratchpad.buffers import BufferGroup
from dse.vocabulary import parse_constraint, parse_objectives

OPTIONS = ScratchpadOptions(
    network="squeezenet", batch="1,2", systolic_array="8x8,16x16", dataflow="output,weight", capacity="256KB",
    split="3:2:2:1,2:2:2:2", accumulator="64KB", banks="4,8", latency="2ns", stability="40,60",
    error_rate="1e-12,1e-6,1e-3", pulse="0.5,1", protection="none,pulse-exponent,SECDED-exponent", pace="1,2",
)


def problem_of(objectives=("energy",), constraints=(), **changed):
    options = replace(OPTIONS, **changed)
    vocabulary = FAMILY.vocabulary(options)
    (problem,) = FAMILY.problems(options, parse_objectives(objectives, vocabulary),
                                 [parse_constraint(text, vocabulary) for text in constraints])
    return problem


class Reduced(ScratchpadProblem):
    """A few buffers of each request, drawn at random, so that all scratchpads can be gone through."""

    def __init__(self, setting, objectives, constraints=(), seed=0, groups=2):
        super().__init__(setting, objectives, constraints)
        self._seed = seed
        self._count = groups

    def _like(self, setting, objectives, constraints):
        other = super()._like(setting, objectives, constraints)
        other._seed, other._count = self._seed, self._count
        return other

    def stocked(self, request):
        groups = super().stocked(request)
        self._random = np.random.default_rng((self._seed, *request.name.encode()))
        chosen = self._random.choice(len(groups), size=min(self._count, len(groups)), replace=False)
        return [self._thinned(groups[number]) for number in sorted(chosen)]

    def _thinned(self, group):
        ways, places = (
            np.sort(self._random.choice(len(rows), size=min(2, len(rows)), replace=False))
            for rows in (group.levels.writes, group.levels.places)
        )
        levels = BufferGroup(group.levels.writes[ways], group.levels.places[places])
        return replace(group, levels=levels, writes=group.writes.take(ways), arrays=group.arrays.take(places))


SETTINGS = {}


def setting(**changed):
    """A setting, made once."""
    key = tuple(sorted(changed.items()))
    if key not in SETTINGS:
        SETTINGS[key] = setting_of(replace(OPTIONS, **changed))
    return SETTINGS[key]
