"""What a plan keeps in tier 1 over each gap, and what it therefore moves."""

from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.placement.gaps import Gaps


@dataclass(frozen=True, slots=True)
class Prices:
    """What moving a page costs: `read` from the tier below and `write` to it, in any one unit (bytes by default)."""

    read: float = 1.0
    write: float = 1.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """Pages that cross between the tiers in a step: `read` up into tier 1, `written` down to the tier below."""

    read: float
    written: float

    @property
    def pages(self) -> float:
        """Both directions together."""
        return self.read + self.written

    def priced(self, prices: Prices) -> float:
        """What it costs."""
        return prices.read * self.read + prices.write * self.written


@dataclass(frozen=True, slots=True)
class Plan:
    """Pages `kept` (gaps,) in tier 1 over each gap; the rest leaves and is read back when the gap ends.

    `bound`: a lower bound of the cost of any plan of its kind, where one is known.
    """

    gaps: Gaps
    kept: Floats
    bound: float | None = None

    @property
    def evicted(self) -> Floats:
        """Pages (gaps,) that leave."""
        evicted: Floats = self.gaps.pages - self.kept
        return evicted

    @property
    def written(self) -> Floats:
        """Pages (versions,) that are written to the tier below, once: w_v = max_j (s - x_j) of dirty versions."""
        written = np.zeros(len(self.gaps.dirty))
        np.maximum.at(written, self.gaps.version, self.evicted)
        return np.where(self.gaps.dirty, written, 0.0)

    @property
    def traffic(self) -> Traffic:
        """Pages that cross in a step."""
        return Traffic(read=float(self.evicted.sum()), written=float(self.written.sum()))

    def in_pages(self) -> "Plan":
        """The plan in whole pages: what is kept is rounded down, so that it fits where the plan fits."""
        kept = np.floor(self.kept + 1e-6)
        return Plan(gaps=self.gaps, kept=np.minimum(kept, self.gaps.pages), bound=self.bound)

    def fits(self, capacity: int, tolerance: float = 1e-6) -> bool:
        """Whether operands and what is kept never exceed tier 1's capacity [pages]."""
        full = self.gaps.occupied(np.asarray(self.kept, dtype=float)) + self.gaps.operands
        return bool((full <= capacity * (1 + tolerance) + tolerance).all())


def move_all(gaps: Gaps) -> Plan:
    """Everything leaves between accesses; only gaps in which nothing runs are kept."""
    return Plan(gaps=gaps, kept=np.where(gaps.adjacent, gaps.pages, 0).astype(float))


def kept_by_choice(gaps: Gaps, keep: Ints) -> Plan:
    """The plan that keeps the gaps of some choices whole."""
    kept = gaps.adjacent | np.isin(gaps.choice, keep)
    return Plan(gaps=gaps, kept=np.where(kept, gaps.pages, 0).astype(float))
