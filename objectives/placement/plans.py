"""What a plan keeps in tier 1 over each gap, and what it therefore moves."""

from dataclasses import dataclass

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.placement.gaps import Gaps, sums


@dataclass(frozen=True, slots=True)
class Prices:
    """What moving a page costs: `read` from the tier below and `write` to it, in any one unit (bytes by default)."""

    read: float = 1.0
    write: float = 1.0


@dataclass(frozen=True, slots=True)
class Traffic:
    """Pages (pieces,) that cross between the tiers in a step.

    `read`: up into tier 1, for the piece that needs them. `written`: down, after the piece that used them last.
    """

    read: Floats
    written: Floats

    @property
    def pages(self) -> float:
        """Both directions together, over the step."""
        return float(self.read.sum() + self.written.sum())

    def priced(self, prices: Prices) -> float:
        """What it costs."""
        return float(prices.read * self.read.sum() + prices.write * self.written.sum())


@dataclass(frozen=True, slots=True)
class PlacementPlan:
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
        """Pages (gaps,) that are written down as each gap begins: what leaves for the first time since the version.

        Pages leave from the tail, so that a dirty version writes w_v = max_j (s - x_j) in all.
        """
        order = self._in_time
        version, evicted = self.gaps.version[order], self.evicted[order]
        size = float(self.gaps.pages.max(initial=0)) + 1
        deepest = np.maximum.accumulate(evicted + version * size) - version * size
        begins = np.append(True, version[1:] != version[:-1])[: len(version)]
        before = np.where(begins, 0.0, np.append(0.0, deepest[:-1])[: len(version)])
        written = np.zeros(len(evicted))
        written[order] = np.where(self.gaps.dirty[version], deepest - before, 0.0)
        return written

    @property
    def traffic(self) -> Traffic:
        """Pages that cross in a step."""
        pieces = self.gaps.pieces
        return Traffic(
            read=sums(self.gaps.stop, self.evicted, pieces), written=sums(self.gaps.start, self.written, pieces),
        )

    @property
    def _in_time(self) -> Ints:
        """Gaps by version, and in the order that they come in after the version begins."""
        since = (self.gaps.start - self.gaps.version_start[self.gaps.version]) % self.gaps.pieces
        return np.lexsort((since, self.gaps.version))

    def in_pages(self) -> "PlacementPlan":
        """The plan in whole pages: what is kept is rounded down, so that it fits where the plan fits."""
        kept = np.floor(self.kept + 1e-6)
        return PlacementPlan(gaps=self.gaps, kept=np.minimum(kept, self.gaps.pages), bound=self.bound)

    def fits(self, capacity: int, tolerance: float = 1e-6) -> bool:
        """Whether operands and what is kept never exceed tier 1's capacity [pages]."""
        full = self.gaps.occupied(np.asarray(self.kept, dtype=float)) + self.gaps.operands
        return bool((full <= capacity * (1 + tolerance) + tolerance).all())


def move_all(gaps: Gaps) -> PlacementPlan:
    """Everything leaves between accesses; only gaps in which nothing runs are kept."""
    return PlacementPlan(gaps=gaps, kept=np.where(gaps.adjacent, gaps.pages, 0).astype(float))


def kept_by_choice(gaps: Gaps, keep: Ints) -> PlacementPlan:
    """The plan that keeps the gaps of some choices whole."""
    kept = gaps.adjacent | np.isin(gaps.choice, keep)
    return PlacementPlan(gaps=gaps, kept=np.where(kept, gaps.pages, 0).astype(float))
