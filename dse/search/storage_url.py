"""URLs of storages: told without their passwords, and told apart by what several processes may do with them."""

import re

from dse.errors import InputError

MASK = "***"
SCHEME = "postgresql+psycopg"
"""How databases of PostgreSQL are reached, whatever driver a URL names."""
_POSTGRESQL = re.compile(r"postgres(?:ql)?(?:\+\w+)?(?=://)")
_USER_AND_PASSWORD = re.compile(r"://([^:/@]*):(.*)@")
_UNFINISHED = re.compile(r"://([^:/@?\[]*):(?!\d+(?:[/?]|$))[^/?]+")
_IN_QUERY = re.compile(r"([?&][a-z_]*pass(?:word|phrase)?=)([^&]*)", re.IGNORECASE)
_MUST_BE_ESCAPED = re.compile(r"[@/?#\[\]:\s]")


def masked(url: str) -> str:
    """A URL without its passwords, also where it is none that can be read.

    >>> masked("postgresql+psycopg://dse:secret@host/db")
    'postgresql+psycopg://dse:***@host/db'
    """
    if _USER_AND_PASSWORD.search(url):
        url = _USER_AND_PASSWORD.sub(rf"://\1:{MASK}@", url)
    elif url.partition(":")[0] not in ("sqlite", "journal"):
        url = _UNFINISHED.sub(rf"://\1:{MASK}", url)
    return _IN_QUERY.sub(rf"\g<1>{MASK}", url)


def has_password(url: str) -> bool:
    """Whether a URL has a password in it."""
    return masked(url) != url


def is_shared(url: str) -> bool:
    """Whether a URL is that of a database which several processes may search in together."""
    return _POSTGRESQL.match(url) is not None


def postgresql_url(url: str) -> str:
    """A URL of PostgreSQL with the driver that is used here.

    Raises InputError where user or password have a character in them that means something else in a URL: the rest
    of a password would be taken for a host, and told in errors.
    """
    found = _USER_AND_PASSWORD.search(url)
    if found is not None and _MUST_BE_ESCAPED.search(found[2]):
        raise InputError(
            f"--storage {masked(url)}: its password has one of @ / ? # [ ] : in it, which a URL has as %40 %2F %3F "
            "%23 %5B %5D %3A"
        )
    return _POSTGRESQL.sub(SCHEME, url, count=1)


def without_templates(url: str) -> str:
    """A URL whose braces Optuna leaves as they are: it takes URLs for format strings."""
    return url.replace("{", "{{").replace("}", "}}")
