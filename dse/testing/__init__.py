"""Suites that any problem and any searcher must pass, and problems to try searchers on.

::

    from dse.testing import check_problem, check_searcher

    def test_my_problem() -> None:
        check_problem(my_problem())
        check_searcher("surrogate", my_problem())

A suite runs all of its checks and raises one BrokenRulesError that names every rule that is broken.
"""

from dse.testing.problems import check_problem
from dse.testing.rules import BrokenRulesError
from dse.testing.searchers import check_searcher

__all__ = ["BrokenRulesError", "check_problem", "check_searcher"]
