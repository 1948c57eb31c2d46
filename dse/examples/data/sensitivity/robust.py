"""How EDAP of an STT-MRAM cache of 32 KB answers to spreads.toml: built now, or designed anew for each draw."""

from pathlib import Path

import numpy as np

import dse
from dse.uncertainty.response import respond
from dse.uncertainty.shortlist import Effort, make_shortlist
from dse.uncertainty.variation_file import read_variation

problem = dse.caches("stt", "32KB", objectives=["edap"], access="normal")
variation = read_variation(Path("spreads.toml"), problem)
made = make_shortlist(problem, variation.sample(20, seed=1), Effort(searched=4, agreeing=2, most=100))
response = respond(made.shortlist, variation.sample(200, seed=2))
print(f"shortlist of {len(made.shortlist.designs)} designs")
for name, values in (("built now", response.kept), ("designed anew", response.reoptimized)):
    low, median, high = np.quantile(values, (0.05, 0.5, 0.95))
    print(f"EDAP {name}: median {median:.3g} J s m2, 5 % below {low:.3g}, 5 % above {high:.3g}")
