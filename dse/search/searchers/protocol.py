"""What a searcher is: it asks for designs and is told what they cost."""

from typing import Protocol

from dse.batch import Ints
from dse.search.evaluation import Evaluations


class Searcher(Protocol):
    """Chooses designs: `ask` for some, then `tell` what they cost."""

    def ask(self, count: int) -> Ints:
        """Designs (n, axes), 1 <= n, that are legal; about `count`, as the searcher sees fit; none when done."""

    def tell(self, designs: Ints, evaluations: Evaluations) -> None:
        """Learn what designs cost: those asked for, in order, or others that are known from elsewhere."""
