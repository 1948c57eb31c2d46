"""DeepNVM++'s printed statements from Table II: cycles, ratios, EDP with DRAM, and the roofline time."""

import math
from statistics import fmean

import pytest

from dse.errors import InputError
from dse.objectives.cache.workload import (
    ROOFLINE,
    SERIAL,
    UNROUNDED,
    cost_of,
    dram_costs,
    kernel_time,
    load_dram_cost,
    load_machine,
    whole_cycles,
)
from dse.objectives.gpu.profiles import DEFAULT, SHIPPED
from dse.objectives.gpu.traffic import Workload, paper_workloads, workload_of
from dse.studies.deepnvmpp.comparison import (
    ISO_CAPACITY,
    RIVALS,
    CostBasis,
    over,
    printed_set,
    ratio,
    ratios,
    uniform_workload,
    with_constants,
)
from dse.studies.deepnvmpp.headline import single_share_items, the_fourteen
from dse.studies.deepnvmpp.printed import printed_caches, published_rows

CYCLES = {"sram-3MB": (5, 3), "stt-3MB": (5, 14), "sot-3MB": (6, 3), "stt-7MB": (7, 15), "sot-10MB": (10, 4)}
AT_17_PERCENT = {
    ("dynamic_increase", "iso-capacity"): (2.10, 1.29), ("leakage_reduction", "iso-capacity"): (6.15, 10.38),
    ("energy_reduction", "iso-capacity"): (5.12, 8.60), ("dynamic_increase", "iso-area"): (2.45, 1.42),
    ("leakage_reduction", "iso-area"): (2.10, 2.33), ("energy_reduction", "iso-area"): (1.97, 2.24),
    ("edp_reduction", "iso-area"): (1.10, 1.16), ("area_reduction", "iso-capacity"): (2.36, 2.84),
}
"""What the formulas give at a share of writes of 0.17: specification, section 1 (STT, SOT)."""


@pytest.mark.parametrize("name", CYCLES)
def test_cycles(name: str) -> None:
    cache, clock = printed_caches()[name], load_machine().clock
    assert (whole_cycles(cache.read_latency, clock), whole_cycles(cache.write_latency, clock)) == CYCLES[name]


@pytest.mark.parametrize(("quantity", "scenario"), AT_17_PERCENT)
def test_ratios_at_17_percent(quantity: str, scenario: str) -> None:
    """To three digits as printed there."""
    for memory, expected in zip(RIVALS, AT_17_PERCENT[quantity, scenario], strict=True):
        found = ratio(quantity, printed_set(), scenario, memory, uniform_workload(0.17), CostBasis())
        assert found == pytest.approx(expected, abs=0.0051)


def test_the_fourteen_statements() -> None:
    """All within 4.5 % of the paper, 2 % on average."""
    errors = [item.relative_error for item in the_fourteen(single_share_items())]
    assert len(errors) == 14
    assert max(map(abs, errors)) <= 0.045
    assert fmean(map(abs, errors)) <= 0.02
    assert fmean(abs(math.log1p(error)) for error in errors) == pytest.approx(0.016, abs=0.0005)


@pytest.mark.parametrize(("share", "stt", "sot"), [
    (0.321, 2.3, 7.60), (0.101, 4.6, 7.18), (0.055, 5.4, 7.10), (0.135, 4.1, 7.24),
])
def test_shares_behind_fig_5(share: float, stt: float, sot: float) -> None:
    """Specification, section 1: the share of writes that a printed STT value pins gives the printed SOT value."""
    found = [ratio("edp_reduction", printed_set(), ISO_CAPACITY, memory, uniform_workload(share), CostBasis())
             for memory in RIVALS]
    assert found[0] == pytest.approx(stt, rel=0.01)
    assert found[1] == pytest.approx(sot, abs=0.005)


@pytest.mark.parametrize("row", published_rows("fig5"), ids=lambda row: f"{row['phase']}-{row['memory']}-{row['end']}")
def test_ends_of_fig_5(row: dict[str, str]) -> None:
    """Default profile: within 10 % (STT) and 3 % (SOT) of the paper."""
    workload = workload_of("alexnet", row["phase"], int(row["batch"]), DEFAULT)
    found = ratio("edp_reduction", printed_set(), ISO_CAPACITY, row["memory"], workload, CostBasis())
    assert found == pytest.approx(float(row["published"]), rel=0.10 if row["memory"] == "stt" else 0.03)


@pytest.mark.parametrize(("constants", "tolerance"), [("fitted", 0.05), ("eyeriss-ratio", 0.08)])
def test_edp_with_dram(constants: str, tolerance: float) -> None:
    """3.8 / 4.7 at most at 3 MB, 2.0 / 2.3 on average in the area of SRAM."""
    setting = with_constants(CostBasis(), constants)
    rows = [row for row in published_rows("headlines") if row["quantity"] == "edp_reduction_with_dram"]
    assert len(rows) == 4
    for row in rows:
        values = ratios(row["quantity"], printed_set(), row["scenario"], row["memory"], paper_workloads(), setting)
        assert over(values, row["over"]) == pytest.approx(float(row["published"]), rel=tolerance)


def test_roofline_takes_the_edge_off() -> None:
    """Serial time is 35 to 61 times a roofline; energy reductions fall to about 0.99 / 1.60 (specification 1.7)."""
    sram = printed_caches()["sram-3MB"]
    times = [
        cost_of(workload, sram, dram_transactions=0).time / kernel_time(workload, load_machine())
        for workload in paper_workloads()
    ]
    assert 30 <= min(times) <= max(times) <= 62
    for memory, expected in zip(RIVALS, (0.99, 1.60), strict=True):
        basis = CostBasis(ROOFLINE)
        values = ratios("energy_reduction", printed_set(), ISO_CAPACITY, memory, paper_workloads(), basis)
        assert fmean(values) == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("profile", SHIPPED)
def test_serial_energy_reduction_in_every_profile(profile: str) -> None:
    for memory, published in zip(RIVALS, (5.1, 8.6), strict=True):
        values = ratios("energy_reduction", printed_set(), ISO_CAPACITY, memory, paper_workloads(profile), CostBasis())
        assert fmean(values) == pytest.approx(published, rel=0.12)


class Below:
    """A fixed number of DRAM transactions."""

    def transactions(self, capacity: int) -> int:
        return 100


def test_costs_by_hand() -> None:
    """The formulas of the specification, section 1, on the printed STT cache."""
    workload = Workload("w", "inference", 1, 800.0, 200.0, Below(), ((1e6, 1000.0),))
    cost = cost_of(workload, printed_caches()["stt-3MB"], dram_cost=load_dram_cost("fitted"))
    time = (800 * 5 + 200 * 14) / 1481e6
    dynamic = 800 * 0.81e-9 + 200 * 0.31e-9
    assert cost.time == pytest.approx(time, rel=1e-12)
    assert cost.energy == pytest.approx(dynamic + 0.748 * time, rel=1e-12)
    assert cost.edp == pytest.approx((dynamic + 0.748 * time) * time, rel=1e-12)
    with_dram = (dynamic + 0.748 * time + 100 * 10.4e-9) * (time + 100 * 162e-9)
    assert cost.edp_with_dram == pytest.approx(with_dram, rel=1e-12)
    unrounded = cost_of(workload, printed_caches()["stt-3MB"], time_model=UNROUNDED)
    assert unrounded.time == pytest.approx(800 * 2.98e-9 + 200 * 9.31e-9, rel=1e-12)
    rate = 0.7 * 28 * 128 * 1481e6
    roofline = cost_of(workload, printed_caches()["stt-3MB"], time_model=ROOFLINE)
    assert roofline.time == roofline.time_with_dram == pytest.approx(1e6 / rate, rel=1e-12)


def test_constants_are_labelled() -> None:
    assert set(dram_costs()) == {"fitted", "eyeriss-ratio", "gddr5x-15pJ"}
    assert load_dram_cost("gddr5x-15pJ").energy == pytest.approx(15e-12 * 256, rel=1e-12)
    assert load_dram_cost("eyeriss-ratio").energy == pytest.approx(0.35e-9 * 200 / 6, rel=1e-12)
    assert load_dram_cost("eyeriss-ratio").latency == pytest.approx(220 / 1481e6, rel=1e-12)
    with pytest.raises(InputError, match="the nearest valid set is fitted"):
        load_dram_cost("fited")
    with pytest.raises(InputError, match="time model 'parallel' is not one of serial"):
        cost_of(uniform_workload(0.1), printed_caches()["sram-3MB"], time_model="parallel")
    assert SERIAL == "serial"
