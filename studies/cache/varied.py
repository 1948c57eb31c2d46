"""What the studies `sensitivity` and `robust` share: caches, parameters that vary, and shortlists."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from dse.search.goal import make_goal

from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import technology_tables
from dse.objectives.cache.parameters.subject import Subject
from dse.parallel import in_parallel
from dse.progress import report
from dse.studies.calibrated import CELLS, TECHNOLOGY, TEMPERATURE
from dse.uncertainty.shortlist import Effort, Made, make_shortlist
from dse.uncertainty.variation import Variation, packaged_variation

GOAL = make_goal("edap", 0.5, [])


@dataclass(frozen=True, slots=True)
class Varied:
    """Caches of some memories at one capacity [bytes] whose shortlists are made at `draws` draws with an effort."""

    memories: tuple[str, ...]
    capacity: int
    draws: int = 100
    effort: Effort = field(default_factory=Effort)
    seed: int = 1


def nominal_subject(memories: Sequence[str]) -> Subject:
    """The calibrated 16 nm technology with the cells of some memories."""
    cells = {memory: load_cell(CELLS[memory]) for memory in memories}
    return Subject(technology_tables(TECHNOLOGY), "HP", TEMPERATURE, cells)


def variation(memories: Sequence[str]) -> Variation:
    """How the parameters of the technology and of the cells of some memories vary, by the packaged assumptions."""
    return packaged_variation(nominal_subject(memories))


def own_parameters(varying: Variation, memory: str) -> Variation:
    """Only the parameters of the technology and of one memory's cell."""
    others = set(varying.subject.cells) - {memory}
    return varying.restricted([name for name in varying.names if name.partition(".")[0] not in others])


@cache
def _made() -> dict[tuple[Varied, str], Made]:
    """Shortlists that one study has made and another may ask for."""
    return {}


def shortlists(varied: Varied, jobs: int) -> dict[str, Made]:
    """Shortlists by memory; each is made once while the program runs."""
    found = _made()
    missing = [(varied, memory) for memory in varied.memories if (varied, memory) not in found]
    made = report(in_parallel(_make, missing, jobs), len(missing), "shortlists of caches")
    found |= dict(zip(missing, made, strict=True))
    return {memory: found[varied, memory] for memory in varied.memories}


def _make(task: tuple[Varied, str]) -> Made:
    """One shortlist."""
    varied, memory = task
    draws = variation(varied.memories).sample(varied.draws, varied.seed)
    return make_shortlist(draws, memory, varied.capacity, GOAL, varied.effort)
