"""How all tests run: hypothesis times nothing and repeats what it tried, so that a result does not depend on luck."""

import os

from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

# several test processes at a time: linear algebra that takes every core in each would slow all of them
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
