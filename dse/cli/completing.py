"""Words that a shell completes: names from registries and packaged files, which are read only then.

Of a list with commas the last item is completed. What cannot be read completes to nothing: a shell shows no errors.
"""

from collections.abc import Callable, Iterable

import typer

from dse.errors import DseError

Completer = Callable[[str], list[str]]
"""From what is typed so far to what it may become."""


def completer(names: Callable[[], Iterable[str]]) -> Completer:
    """Completes an item of a list with commas to one of some names."""

    def complete(incomplete: str) -> list[str]:
        return _completed(incomplete, names)

    return complete


def _completed(incomplete: str, names: Callable[[], Iterable[str]]) -> list[str]:
    """What is typed so far with its last item complete, for each name that begins like it."""
    before, comma, last = incomplete.rpartition(",")
    taken = set(before.split(","))
    try:
        return [f"{before}{comma}{name}" for name in names() if name.startswith(last) and name not in taken]
    except (DseError, OSError):
        return []


def _families() -> list[str]:
    """Families of problems."""
    from dse.registry import family_names

    return list(family_names())


def _methods() -> list[str]:
    """Methods of search but for baselines."""
    from dse.search.certificate import EXACT
    from dse.search.searchers import METHODS

    return [EXACT, *METHODS]


def _technologies() -> list[str]:
    """Packaged technologies."""
    from dse.objectives.array.given.technology_file import packaged_technologies

    return list(packaged_technologies())


def _studies() -> list[str]:
    """Studies and groups of them."""
    from dse.studies import GROUPS, study_modules

    return [*study_modules(), *GROUPS]


def _workloads() -> list[str]:
    """Packaged workloads."""
    from dse.objectives.gpu.traffic import workload_names

    return workload_names()


def _profiles() -> list[str]:
    """How layers become kernels."""
    from dse.objectives.gpu.profiles import profiles

    return list(profiles())


def _gpus() -> list[str]:
    """GPUs whose data come with the package."""
    from dse.objectives.gpu.machine import gpu_names

    return list(gpu_names())


def _targets() -> list[str]:
    """NVSim's optimization targets."""
    from dse.objectives.array.evaluation.nvsim import TARGETS

    return list(TARGETS)


def _examples() -> list[str]:
    """Examples that come with the package."""
    from dse.examples import examples

    return list(examples())


families, methods, technologies, studies, workloads, profiles, gpus, targets, examples = map(
    completer, (_families, _methods, _technologies, _studies, _workloads, _profiles, _gpus, _targets, _examples)
)


def objectives(ctx: typer.Context, incomplete: str) -> list[str]:
    """Named objectives and metrics of the family that is asked about."""
    return _completed(incomplete, lambda: _objectives(ctx))


def _objectives(ctx: typer.Context) -> list[str]:
    """Named objectives and metrics."""
    vocabulary = ctx.obj.question.vocabulary()
    return [*vocabulary.named, *vocabulary.metrics]


def constraints(ctx: typer.Context, incomplete: str) -> list[str]:
    """What may be limited: named objectives and metrics."""
    return [] if "," in incomplete else objectives(ctx, incomplete)


def starts(ctx: typer.Context, incomplete: str) -> list[str]:
    """Where an explanation may start: baselines of the family, and targets of NVSim's search."""
    return _completed(incomplete, lambda: [*_targets(), *ctx.obj.question.load().baselines])
