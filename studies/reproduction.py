"""Published values beside ours: the table of a reproduction."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

ROLES = ("fitted", "predicted", "derived")
"""Used in a calibration, held out of it, or computed from printed values only."""


@dataclass(frozen=True, slots=True)
class Item:
    """One published value and ours, in the same unit; `more` holds further columns of the table."""

    item: str
    published: float
    ours: float
    role: str
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def relative_error(self) -> float:
        """Ours over the published value, less one."""
        return self.ours / self.published - 1


def reproduction_table(items: Iterable[Item]) -> "pd.DataFrame":
    """One row per item: ``item, published, ours, relative_error, role``, then further columns."""
    import pandas as pd

    rows = []
    for entry in items:
        if entry.role not in ROLES:
            raise ValueError(f"role {entry.role} is not one of {ROLES}")
        rows.append({
            "item": entry.item, "published": entry.published, "ours": entry.ours,
            "relative_error": entry.relative_error, "role": entry.role, **entry.more,
        })
    return pd.DataFrame(rows)
