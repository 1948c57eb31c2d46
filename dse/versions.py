"""Versions of installed packages."""

from importlib.metadata import PackageNotFoundError, version

PACKAGE = "nvm-dse"
"""Name of this distribution."""


def installed_version(name: str) -> str | None:
    """Version of a distribution; None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
