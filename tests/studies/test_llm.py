"""The study of language models on caches as printed in DeepNVM++'s Table II: no search is needed."""

import math

import pytest

from dse.studies.cache.llm import MODELS, PHASES, TIME_MODELS, answer, rows_of, spread, winners
from dse.studies.deepnvmpp.printed import printed_caches


@pytest.mark.slow
def test_winners_on_printed_caches() -> None:
    printed = printed_caches()
    keys = [("sram", 3), ("stt", 3), ("sot", 3)]
    rows = rows_of([printed[f"{memory}-{size}MB"] for memory, size in keys], keys)
    assert len(rows) == len(MODELS) * len(PHASES) * len(TIME_MODELS) * 3
    for row in rows:
        assert 0 < row.l2_share < 1
        assert math.isclose(row.cost.edp_with_dram, row.cost.energy_with_dram * row.cost.time_with_dram)
    for key, (best,) in winners(rows).items():
        chosen = [row for row in rows if (row.workload.name, row.workload.phase, row.time_model) == key]
        assert all(best.cost.edp_with_dram <= row.cost.edp_with_dram for row in chosen)
        worst = max(row.cost.edp_with_dram for row in chosen)
        assert spread(chosen) == pytest.approx(worst / best.cost.edp_with_dram - 1)
        assert f"{key[0]}, {key[1]}, {key[2]} time" in answer(rows)
