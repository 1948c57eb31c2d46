"""What a question asks for, taken apart and checked before anything runs: one task for each answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dse.notice import detail, told_in_detail
from dse.presentation import Presentation, presentation_of
from dse.problem import Family, Problem
from dse.question import Question
from dse.registry import load_family
from dse.search.asking import asking
from dse.search.exact import least_cost
from dse.search.relative import RelativeConstraint, split_constraints
from dse.vocabulary import parse_objective


@dataclass(frozen=True, slots=True)
class Task:
    """One problem to answer, what it is called among others, and its constraints relative to the best."""

    family_name: str
    label: str
    problem: Problem
    relative: tuple[RelativeConstraint, ...]

    @property
    def family(self) -> Family:
        """The problem's family."""
        return load_family(self.family_name)

    @property
    def presentation(self) -> Presentation:
        """How the family tells the problem."""
        return presentation_of(self.family)

    @property
    def seconds(self) -> float | None:
        """Predicted time of an exact search [s]."""
        return self.presentation.seconds(self.problem)

    def resolved(self) -> "Task":
        """The task with relative constraints replaced by the limits they stand for."""
        if not self.relative:
            return self
        limits = [constraint.resolve(self.problem) for constraint in self.relative]
        constraints = (*self.problem.constraints, *limits)
        return replace(self, problem=asking(self.problem, self.problem.objectives, constraints), relative=())

    def why_empty(self) -> str:
        """Why no design is feasible."""
        return self.family.why_empty(self.problem, least_cost)


def make_tasks(question: Question) -> list[Task]:
    """A task for each answer that is asked for; raises InputError for what cannot be meant."""
    family = question.load()
    question.search.check(family)
    vocabulary = question.vocabulary()
    for objective in question.objectives:
        parse_objective(objective, vocabulary)
    absolute, relative = split_constraints(question.constraints, vocabulary)
    problems = question.problems(absolute)
    presentation = presentation_of(family)
    labels = _distinct([presentation.label(problem) for problem in problems])
    tasks = [
        Task(family.name, label, problem, tuple(relative)) for label, problem in zip(labels, problems, strict=True)
    ]
    if told_in_detail():
        for task in tasks:
            detail(_size(task))
    return tasks


def _size(task: Task) -> str:
    """How many designs a task is about, and what an exact search takes where that is known."""
    space, seconds = task.problem.space, task.seconds
    predicted = "" if seconds is None else f"; exact search in about {seconds:.1f} s, predicted"
    open_axes = sum(len(axis) > 1 for axis in space.axes)
    return f"{task.label}: {float(space.size):.4g} designs in {open_axes} open axes{predicted}"


def _distinct(labels: Sequence[str]) -> list[str]:
    """Labels, numbered where one occurs several times."""
    counts = {label: labels.count(label) for label in labels}
    return [
        label if counts[label] == 1 else f"{label} ({labels[: place + 1].count(label)})"
        for place, label in enumerate(labels)
    ]
