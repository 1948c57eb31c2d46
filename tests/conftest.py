"""How all tests run: hypothesis times nothing and repeats what it tried, so that a result does not depend on luck."""

import os

from hypothesis import settings

settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

# nothing a test finds stems from an earlier run; tests of kept answers name a folder of their own
os.environ["DSE_RESULTS"] = "off"

# several test processes at a time: linear algebra that takes every core in each would slow all of them
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")
