"""A design's iteration as events: what each engine runs from when to when; as a trace that Perfetto opens.

Format: Google, Trace Event Format: complete events ("ph": "X") with microseconds.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from dse.objectives.memory_centric.engines import COLLECTIVE, COMPUTE, ENGINES, TRANSFER
from dse.objectives.memory_centric.simulation import StepOutcome
from dse.objectives.memory_centric.work import Work

MICROSECONDS = 1e6


@dataclass(frozen=True, slots=True)
class Event:
    """What an engine runs: its name, its kind (forward, …; send, fetch, exchange), when it begins and ends [s]."""

    engine: str
    name: str
    kind: str
    begin: float
    end: float


def events_of(work: Work, outcome: StepOutcome, design: int = 0) -> list[Event]:
    """All events of one design, in the order they begin."""
    return sorted(_events(work, outcome, design), key=lambda event: (event.begin, event.engine))


def _events(work: Work, outcome: StepOutcome, design: int) -> Iterator[Event]:
    """Events engine by engine."""
    timeline, durations = outcome.timeline, outcome.durations
    item = exchange = 0
    for number, task in enumerate(work.tasks):
        yield Event(engine=COMPUTE, name=task.name, kind=task.kind, begin=float(timeline.begins[number, design]),
                    end=float(timeline.ends[number, design]))
        for _ in task.exchanges:
            end = float(timeline.exchange_ends[exchange, design])
            yield Event(engine=COLLECTIVE, name=task.name, kind="exchange",
                        begin=end - float(durations.exchanges[exchange, design]), end=end)
            exchange += 1
        if task.stash:
            duration = float(durations.items[item, design])
            for kind, ends in (("send", timeline.send_ends), ("fetch", timeline.fetch_ends)):
                end = float(ends[item, design])
                if duration and end:
                    yield Event(engine=TRANSFER, name=task.name, kind=kind, begin=end - duration, end=end)
            item += 1


def chrome_trace(events: list[Event]) -> str:
    """The events as a Chrome trace (JSON), one thread per engine."""
    names = [
        {"name": "thread_name", "ph": "M", "pid": 0, "tid": place, "args": {"name": engine}}
        for place, engine in enumerate(ENGINES)
    ]
    rows = [
        {"name": event.name, "cat": event.kind, "ph": "X", "pid": 0, "tid": ENGINES.index(event.engine),
         "ts": event.begin * MICROSECONDS, "dur": (event.end - event.begin) * MICROSECONDS}
        for event in events
    ]
    return json.dumps({"traceEvents": [*names, *rows], "displayTimeUnit": "ms"})
