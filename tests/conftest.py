"""How all tests run: hypothesis times nothing and repeats what it tried, so that a result does not depend on luck."""

from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
