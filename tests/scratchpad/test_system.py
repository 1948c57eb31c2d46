"""Time, pace and the bound of a system's energy, by hand and operation by operation."""

import numpy as np
import pytest

from dse.objectives.scratchpad.system import (
    BufferDemand,
    SystemRates,
    energy_ratio,
    least_leakage_share,
    step_demand,
)
from dse.objectives.systolic.traffic import BufferTraffic, Movement

MB = 1 << 20


@pytest.mark.parametrize(("ratio", "leakage_ratio", "share"), [
    (15, np.inf, 0.9333), (15, 97, 0.9430), (15, 17, 0.9917), (22, 17, 1.014),
])
def test_least_leakage_share(ratio, leakage_ratio, share):
    assert least_leakage_share(ratio, leakage_ratio) == pytest.approx(share, rel=1e-3)


def test_the_bound_is_met_by_a_system_with_no_other_savings():
    share = least_leakage_share(15, 97)
    assert energy_ratio((share, (1 - share) / 2, (1 - share) / 2), 97) == pytest.approx(15, rel=1e-12)
    assert energy_ratio((share, 1 - share, 0), 97, dynamic_ratio=0.5) < 15
    assert energy_ratio((share, 1 - share, 0), 97, slowdown=2) < 15


def test_the_ratio_is_that_of_energies():
    random = np.random.default_rng(0)
    leakage, dynamic, dram, time = random.uniform(1, 2, (2, 4)).T[:, :, None]
    one, other = (leakage[row] * time[row] + dynamic[row] + dram[row] for row in (0, 1))
    shares = tuple(float((part / one)[0]) for part in (leakage[0] * time[0], dynamic[0], dram[0]))
    found = energy_ratio(shares, float((leakage[0] / leakage[1])[0]), float((dynamic[0] / dynamic[1])[0]),
                         float((dram[0] / dram[1])[0]), float((time[1] / time[0])[0]))
    assert found == pytest.approx(float((one / other)[0]), rel=1e-12)


def moved():
    return Movement(
        cycles=np.array([1000.0, 500.0, 100.0]), dram_bytes=np.array([1000.0, 9e5, 0.0]),
        buffers={"weight": BufferTraffic(read=np.array([6400.0, 640, 64]), written=np.array([0.0, 640, 6400]))},
    )


def test_time_and_energy_of_a_step():
    """By hand: 1 us of the array, 1 us of DRAM at 900 GB/s, 0.1 us of the array; all twice as long at pace 2."""
    rates = SystemRates(clock=1e9, bandwidth=900e9, dram_energy=8 * 3.9e-12, mac_energy=1e-12)
    demand = step_demand(moved(), 1000.0, rates, 2.0, 64)
    assert demand.time == pytest.approx(2 * 2.1e-6)
    assert demand.dram_energy == pytest.approx(901000 * 31.2e-12)
    assert demand.energy - demand.dram_energy == pytest.approx(1e-9)
    assert demand.buffers["weight"].total_reads == pytest.approx(111)
    assert demand.longest == pytest.approx(2e-6)
    busy = {"weight": np.array([3e-6, 0.5e-6, 0.05e-6])}
    assert demand.limited_time(busy) == pytest.approx(3e-6 + 1e-6 + 0.1e-6)


def test_pace_is_kept_where_every_operation_keeps_it():
    random = np.random.default_rng(1)
    for _ in range(200):
        count = int(random.integers(1, 8))
        demand = BufferDemand(*(random.integers(0, 5, count).astype(float) for _ in range(2)),
                              pace=random.uniform(1, 3, count))
        read, write, banks = random.uniform(0, 4, (3, 20))
        slow = [(demand.reads * r + demand.writes * w > b * demand.pace).any()
                for r, w, b in zip(read, write, banks, strict=True)]
        assert demand.keeps(read, write, banks).tolist() == [not one for one in slow]
