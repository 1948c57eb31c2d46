"""Studies of scratchpads: comparisons hold together, and mixes carry what buffers do to bits."""

from dataclasses import replace

import pandas as pd
import pytest
from small import OPTIONS

from dse.objectives.scratchpad.system import energy_ratio
from dse.studies.scratchpad import heterogeneous, scratchpad
from dse.studies.scratchpad.systems import compare, solve

SMALL = replace(
    OPTIONS, batch="1", systolic_array="16x16", dataflow="output", pace="1,2", split="2:2:2:2", stability="60",
    error_rate="1e-12", pulse="1", protection="none", accumulator_memory="sram,stt",
)


@pytest.mark.parametrize("area", [False, True])
def test_the_ratio_follows_from_shares_and_ratios(area):
    """The bound is no bound but an identity, with all of its terms."""
    options = replace(SMALL, capacity="256KB,512KB") if area else SMALL
    found = compare(options, area=area)
    row = found.row()
    shares = (row["leakage_share"], row["dynamic_share"], row["dram_share"])
    assert sum(shares) == pytest.approx(1, rel=1e-9)
    by_shares = energy_ratio(shares, row["leakage_ratio"], row["dynamic_ratio"], row["dram_ratio"], row["slowdown"])
    assert by_shares == pytest.approx(row["ratio"], rel=1e-9)
    if area:
        assert row["other_area"] <= row["sram_area"] * (1 + 1e-9)
    assert {one.memory for one in found.other.buffers[:-1]} == {"stt"}
    assert {one.memory for one in found.sram.buffers} == {"sram"}


def test_a_mix_has_what_its_buffers_do_to_bits():
    found = solve(replace(SMALL, memory="stt", error_rate="1e-4", protection="pulse-exponent"))
    mix = heterogeneous.mix_of(found.buffers)
    assert set(mix) == {"activation", "weight", "error", "gradient"}
    rates = {(one.kind, one.group): one.probability for one in mix["weight"]}
    assert rates["stale", "exponent"] == pytest.approx(1e-12)
    assert rates["stale", "sign-mantissa"] == pytest.approx(1e-4)


def test_cells_of_sram_have_no_mix():
    found = solve(replace(SMALL, memory="sram"))
    assert all(not faults for faults in heterogeneous.mix_of(found.buffers).values())


def test_the_page_of_the_study():
    """Text and figure from rows as they come, those without an answer among them."""
    case = scratchpad.Case(technology="22nm", network="resnet-18", array="32x32", capacity="32MB", scenario="area",
                           latency="4ns")
    assert (case.options.capacity, case.options.latency) == ("32MB,64MB", "4ns")
    row = {**compare(SMALL).row(), "technology": "22nm", "network": "squeezenet", "systolic_array": "16x16",
           "capacity": "256KB", "array_saving": 2.5, "array_saving_exponent_protected": 1.4, "latency": "10ns"}
    empty = {"technology": "22nm", "network": "squeezenet", "systolic_array": "8x8", "capacity": "8MB",
               "scenario": "capacity", "latency": "10ns"}
    table = pd.DataFrame([
        {**row, "scenario": "capacity"}, {**row, "scenario": "area"}, empty,
        {**row, "scenario": "capacity", "latency": "4ns", "ratio": 1.25, "leakage_ratio": 60.0},
    ])
    text = scratchpad.answer_text(table)
    assert f"at equal capacity {row['ratio']:.2f} to {row['ratio']:.2f}" in text
    assert "60.00 to 60.00 times STT-MRAM's" in text and "the energy ratio 1.25 to 1.25 instead of" in text
    assert "0.933 (λ = inf), 0.943 (λ = 97), 0.992 (λ = 17)" in text
    assert scratchpad.draw(table).axes
