"""Exact EDAP optima of the three memories under some assumption: what the studies of DeepNVM++ compare.

Answers are kept on disk by content (dse.search.kept), so that no study searches what another has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache

from dse.objectives.array.given.cell import Cell, load_cell
from dse.objectives.array.given.technology import Technology
from dse.objectives.array.given.technology_names import technology_from_text
from dse.objectives.cache.baselines.algorithm1 import algorithm1
from dse.objectives.cache.family import cache_vocabulary
from dse.objectives.cache.named_settings import named_settings
from dse.objectives.cache.problem import CacheProblem
from dse.objectives.cache.specification import specs_by_access
from dse.parallel import in_parallel
from dse.progress import report
from dse.search.kept import Form, kept
from dse.search.result import Result, optimize
from dse.spaces.array.organization import FREE
from dse.spaces.array.spec import ACCESS_TYPES, NORMAL
from dse.spaces.space import values
from dse.studies.calibrated import MEGABYTE, TEMPERATURE
from dse.vocabulary import parse_objective

Key = tuple[str, int]
"""Memory and capacity [MB]."""


@dataclass(frozen=True, slots=True)
class Assumption:
    """What is assumed of how the paper's caches were made.

    `technology` and `cells` that were inferred; `organization` of the data array; types of `access` to choose from;
    the share of reads in EDAP.
    """

    name: str
    technology: str
    cells: str
    organization: str = FREE
    access: tuple[str, ...] = ACCESS_TYPES
    read_fraction: float = 0.5

    def cell(self, memory: str) -> Cell:
        """The cell of a memory."""
        return load_cell(f"{memory}_{self.cells}")


def assumption_of(name: str) -> Assumption:
    """A named setting of the cache family."""
    options = named_settings()[name].options
    return Assumption(
        name=name, technology=options["technology"], cells=options["cells"], organization=options["organization"],
        access=tuple(options["access"].split(",")), read_fraction=options["read_fraction"],
    )


PAPER = assumption_of("deepnvmpp")
"""How the caches of DeepNVM++ are reproduced."""
READS_OF_WORKLOADS = 0.83
"""Share of reads among transactions, of which the paper says that 17 % are writes (section IV-A)."""
ASSUMPTIONS = (
    PAPER,
    replace(PAPER, name="normal access only", access=(NORMAL,)),
    replace(PAPER, name="83 % reads in EDAP", read_fraction=READS_OF_WORKLOADS),
    replace(PAPER, name="organization free", organization=FREE),
)
"""Assumptions that studies compare, the paper's setting first; the technology is the one inferred under it."""
EARLIER = Assumption(
    name="inferred and searched with every organization", technology="16nm-deepnvmpp", cells="deepnvmpp"
)
"""The technology that was inferred without CACTI's assumption, searched without it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A cache to search: memory, capacity [MB], assumption, and what differs from its cell and technology.

    `area_f2` and `feature_size` [m] replace those of the inferred cell and technology.

    `fins`: of the read and the write transistor where an SOT-MRAM cell has paths of their own; the inferred cell has
    one transistor of their mean width.
    """

    memory: str
    megabytes: int
    assumption: Assumption = PAPER
    area_f2: float | None = None
    feature_size: float | None = None
    fins: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class FoundCache:
    """An exact optimum: its cost, figures [SI], and levels by axis."""

    cost: float
    metrics: Mapping[str, float]
    levels: Mapping[str, str | int]

    @property
    def access(self) -> str:
        """How it is accessed."""
        return str(self.levels["access"])


FOUND: Form[FoundCache] = Form(asdict, lambda data: FoundCache(**data))
METRICS: Form[dict[str, float]] = Form(dict, dict)


def question(wanted: Wanted) -> CacheProblem:
    """The cache of least EDAP over organizations, buffers and access types, with NVSim's basic wires."""
    assumption = wanted.assumption
    technology, path = technology_from_text(assumption.technology, TEMPERATURE)
    technology, cell = altered(technology, assumption.cell(wanted.memory), wanted)
    specs = specs_by_access(
        memory=wanted.memory, capacity=wanted.megabytes * MEGABYTE, technology=technology, cell=cell,
        access=assumption.access, organization=assumption.organization, technology_path=path,
    )
    vocabulary = cache_vocabulary(read_fraction=assumption.read_fraction)
    return CacheProblem(specs, [parse_objective("edap", vocabulary)])


def optimum(wanted: Wanted) -> FoundCache:
    """The best cache."""
    problem = question(wanted)
    return kept(
        f"optimum of {problem!r} and its figures", ("found cache", problem), FOUND,
        lambda: found_cache(optimize(problem)),
    )


def algorithm1_choice(wanted: Wanted) -> dict[str, float]:
    """Figures [SI] of the cache that Algorithm 1 chooses; none where it finds none."""
    problem = question(wanted)

    def chosen() -> dict[str, float]:
        found = algorithm1(problem)
        return {} if found is None else {name: float(value) for name, value in found.metrics.items()}

    return kept(f"Algorithm 1's choice of {problem!r}", ("Algorithm 1", problem), METRICS, chosen)


def found_cache(result: Result) -> FoundCache:
    """What is kept of a search; not the problem, which holds everything that was evaluated for it."""
    levels = values(result.problem.space.axes, result.design)
    return FoundCache(
        cost=result.value, metrics=dict(result.metrics),
        levels={name: level if isinstance(level, str) else int(level) for name, level in levels.items()},
    )


def altered(technology: Technology, cell: Cell, wanted: Wanted) -> tuple[Technology, Cell]:
    """Technology and cell with what differs."""
    if wanted.feature_size is not None:
        technology = replace(technology, feature_size=wanted.feature_size)
    if wanted.area_f2 is not None:
        cell = replace(cell, area_f2=wanted.area_f2)
    if wanted.fins is not None:
        read, write = wanted.fins
        fin = 2 * cell.access_width_f / (read + write)
        cell = replace(
            cell, separate_paths=True, access_width_f=read * fin, write_access_width_f=write * fin
        )
    return technology, cell


@cache
def _found() -> dict[Wanted, FoundCache]:
    """Optima that one study has found and another may ask for."""
    return {}


def optima(wanted: Sequence[Wanted], jobs: int) -> list[FoundCache]:
    """Several optima, in the order asked for; each is searched once while the program runs."""
    found = _found()
    missing = [one for one in dict.fromkeys(wanted) if one not in found]
    results = report(in_parallel(optimum, missing, jobs), len(missing), "exact searches")
    found |= dict(zip(missing, results, strict=True))
    return [found[one] for one in wanted]


def optima_by_key(
    keys: Sequence[Key], jobs: int, assumption: Assumption = PAPER
) -> dict[Key, Mapping[str, float]]:
    """Metrics of the optima of memories and capacities [MB]."""
    results = optima([Wanted(*key, assumption) for key in keys], jobs)
    return {key: result.metrics for key, result in zip(keys, results, strict=True)}


def chosen_by_key(
    keys: Sequence[Key], jobs: int, assumption: Assumption = PAPER
) -> dict[Key, Mapping[str, float]]:
    """Metrics of what Algorithm 1 chooses, where it finds something."""
    chosen = report(
        in_parallel(algorithm1_choice, [Wanted(*key, assumption) for key in keys], jobs), len(keys),
        "choices of Algorithm 1",
    )
    return {key: metrics for key, metrics in zip(keys, chosen, strict=True) if metrics}
