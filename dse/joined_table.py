"""Tables whose rows share much of what they say, kept without repeating it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dse.batch import Ints

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class JoinedTable:
    """A table of records side by side: first `shared` ones, with the place of the one that each row has.

    Then columns of each row's `own`, at least one.
    """

    shared: tuple[tuple["pd.DataFrame", Ints], ...]
    own: "pd.DataFrame"

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.own)

    @property
    def columns(self) -> list[str]:
        """Names of all columns."""
        return [name for part in (*(records for records, _ in self.shared), self.own) for name in part.columns]

    def frame(self) -> "pd.DataFrame":
        """All rows, each with everything it says."""
        import pandas as pd

        parts = [records.take(place).reset_index(drop=True) for records, place in self.shared]
        return pd.concat([*parts, self.own.reset_index(drop=True)], axis=1)
