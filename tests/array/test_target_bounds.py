"""Winners by bounds are those of NVSim's loops over every design, whatever the circuit; bounds are below the model."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sampling import one_in

from dse.batch import Bools
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.circuits.circuit import BUS
from dse.objectives.array.circuits.wire import FreeWire, cheapest_wire
from dse.objectives.array.evaluation.blocks import ArrayDesigns
from dse.objectives.array.evaluation.design import ArrayDesign, EvaluatedDesign, evaluate_designs
from dse.objectives.array.evaluation.flat import flatten, together
from dse.objectives.array.evaluation.handed import Figure, bank_figures
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.nvsim import TARGET_VALUES, array_winners, search_array, search_every_design
from dse.objectives.array.evaluation.refinement import refined_wires
from dse.objectives.array.evaluation.scan import ArrayScan
from dse.objectives.array.evaluation.wired import met_with_wires
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology_names import technology_from_text
from dse.objectives.array.hierarchy.bank_sums import BanksByMats
from dse.objectives.cache.metrics import SHARED, tag_handed_up
from dse.objectives.cache.specification import specs_by_access
from dse.spaces.array.wires import WireChoice, WireRange

SLACK = 1e-12
CASES = (
    ("sram", "22nm", 350, "64KB", "normal"), ("stt_deepnvmpp", "16nm-deepnvmpp", 350, "128KB", "sequential"),
    ("sot_deepnvmpp", "16nm-deepnvmpp", 330, "128KB", "fast"), ("stt", "45nm-lstp", 300, "64KB", "normal"),
    ("sram", "90nm-lop", 380, "48KB", "sequential"), ("sot", "32nm", 310, "96KB", "normal"),
)


def arrays(
    cell: str, technology: str, temperature: int, capacity: str, access: str, **fabric: Any
) -> list[ArrayChoice]:
    """Both arrays of a small cache."""
    node, path = technology_from_text(technology, temperature)
    (spec,) = specs_by_access(
        memory="m", capacity=int(capacity.removesuffix("KB")) << 10, technology=node, cell=load_cell(cell),
        access=[access], technology_path=path, ways=4,
    )
    return [replace(array, fabric=replace(array.fabric, **fabric)) for _, array in spec.arrays]


@pytest.mark.parametrize("place", one_in(2, range(len(CASES))))
def test_winners_are_those_of_all_designs(place: int) -> None:
    for array in arrays(*CASES[place]):
        every = search_every_design(array)
        assert array_winners(array, MatLibraries()) == every.winners
        assert search_array(array) == every


@pytest.mark.parametrize("fabric", [{"routing": BUS}, {"internal_sensing": False, "routing": BUS}])
def test_where_bounds_do_not_hold(fabric: dict[str, Any]) -> None:
    for array in arrays("stt", "22nm", 350, "64KB", "normal", **fabric):
        wire = array.fabric.wire(array.basic_global)
        assert flatten(ArrayDesigns(array, array.basic_local, wire, MatLibraries())) is None
        assert array_winners(array, MatLibraries()) == search_array(array).winners


@pytest.mark.parametrize("case", CASES[:3], ids=["0", "1", "2"])
def test_bounds_are_below_the_model(case: tuple[str, str, int, str, str]) -> None:
    names = (*SHARED, "read_latency", "mat_read_latency", "column_decoder_latency")
    for array in arrays(*case):
        designs = ArrayDesigns(array, array.basic_local, array.fabric.wire(array.basic_global), MatLibraries())
        flat = flatten(designs)
        assert flat is not None
        styled = flat.in_styles(np.arange(len(flat.mat_group)))
        by_key = {group.key: number for number, group in enumerate(flat.groups)}
        for block in designs.blocks():
            own = np.flatnonzero(styled.group == by_key[block.group.key])
            assert np.array_equal(styled.mats.position[own], block.mat_position)
            mats, in_any = styled.mats.mat.take(own), flat.least.mat.take(styled.mats.cut[own])
            classes = [int(np.flatnonzero(flat.banks.position == bank)[0]) for bank in block.group.banks[block.rows]]
            number = np.empty(len(flat.banks.members), np.int64)
            number[flat.banks.members] = np.repeat(
                np.arange(len(flat.banks.group)), np.diff(np.append(flat.banks.first_member, len(flat.banks.members)))
            )
            sums = flat.banks.sums.take(number[classes]).columns()
            bound, least = flat.figures(sums, mats), flat.figures(sums, in_any)
            true = bank_figures(block.bank, block.mat)
            for name in names:
                assert np.all(least(name) <= bound(name)), name
                assert np.all(bound(name) <= true(name) * (1 + SLACK)), name


def test_lower_ends_are_below_every_design() -> None:
    array = arrays(*CASES[0])[1]
    scan = ArrayScan(array, tag_handed_up("tag_"), MatLibraries())
    low, _ = scan.range(lower_ends_only=True)
    exact, _ = scan.range(lower_ends_only=False)
    assert np.all(low <= exact * (1 + SLACK))


def test_one_organization_is_found() -> None:
    """Pinned wires, low swing: no closed form, the same answer."""
    array = arrays(*CASES[1])[0]
    pinned = replace(array, global_wires=WireRange.only(WireChoice("GlobalAggressive", low_swing=True)))
    assert array_winners(pinned, MatLibraries()) == search_array(pinned).winners


def test_no_pair_is_lost_under_the_cheapest_wires() -> None:
    """Every valid design of some wire that meets a limit is among the pairs that bounds leave.

    Those under the cheapest wire of each make are among those under the cheapest of all, and fewer.
    """
    array = arrays(*CASES[0])[0]
    wires = tuple(array.fabric.wire(one) for one in WireRange(("GlobalAggressive",), ("RepeatedNone", "RepeatedOpt"), (
        False, True,
    )))
    libraries = MatLibraries()
    names = ("read_latency", "read_energy")
    true = []
    for wire in wires:
        for block in ArrayDesigns(array, array.basic_local, wire, libraries).blocks():
            row, column = np.nonzero(block.bank.legal)
            figures = {name: getattr(block.bank, name)[row, column] for name in names}
            true.append((block.group.banks[block.rows[row]], block.mat_position[column], figures))
    product = np.concatenate([figures["read_latency"] * figures["read_energy"] for *_, figures in true])
    limit = np.quantile(product, 0.002)
    flat = flatten(ArrayDesigns(array, array.basic_local, FreeWire(), libraries))
    assert flat is not None

    def keeps(figure: Figure) -> Bools:
        return np.asarray(figure("read_latency") * figure("read_energy") <= limit * (1 + SLACK))

    styled, (both,) = flat.surviving([keeps])
    makes = [[wire for wire in wires if wire.choice.low_swing is low] for low in (False, True)]
    left, of_makes = (
        {
            pair
            for banks, mats in met_with_wires(styled, both, keeps, [cheapest_wire(some) for some in bounds])
            for pair in zip(flat.banks.position[banks].tolist(), styled.mats.position[mats].tolist(), strict=True)
        }
        for bounds in ([wires], makes)
    )
    wanted = {
        pair
        for banks, mats, figures in true
        for chosen in [figures["read_latency"] * figures["read_energy"] <= limit]
        for pair in zip(banks[chosen].tolist(), mats[chosen].tolist(), strict=True)
    }
    assert wanted
    assert wanted <= of_makes < left
    assert len(left) < len(product) / len(wires)


def test_every_bank_by_every_mat() -> None:
    """Products of matrices are the figures of pairs, up to rounding, and pairs meet the same at once as by group."""
    array = arrays(*CASES[0])[1]
    designs = ArrayDesigns(array, array.basic_local, array.fabric.wire(array.basic_global), MatLibraries())
    flat = flatten(designs)
    assert flat is not None
    styled = flat.in_styles(np.arange(0, len(flat.mat_group), 1 + len(flat.mat_group) // 300))
    classes, mats = styled.every_pair(np.arange(len(flat.banks.group)), np.arange(len(styled.group)))
    assert np.array_equal(flat.banks.group[classes], styled.group[mats])
    assert len(classes) == (np.bincount(flat.banks.group)[styled.group]).sum()
    pair = styled.of_pairs((classes, mats))
    products = BanksByMats(flat.banks.sums, styled.mats.mat, flat.circuit).figures(slice(None), slice(None))
    for name in (*SHARED, "read_latency", "mat_read_latency", "column_decoder_latency"):
        found = np.broadcast_to(products(name), (len(flat.banks.group), len(styled.group)))[classes, mats]
        assert found == pytest.approx(pair(name), rel=1e-13, abs=0), name
    limit = np.quantile(pair("read_latency"), 0.3)

    def keeps(figure: Figure) -> Bools:
        return np.asarray(figure("read_latency") <= limit)

    everything = np.arange(len(flat.banks.group)), np.arange(len(styled.group))
    found, one_by_one = styled.met_at_once(*everything, keeps), together(styled.met(*everything, keeps))
    assert sorted(zip(*found, strict=True)) == sorted(zip(*one_by_one, strict=True))
    assert 0 < len(found[0]) < len(classes)


def test_wires_are_refined_one_after_the_other() -> None:
    """All local wires with the winner's global one, then all global wires with the local one, evaluated in full."""
    array = replace(
        arrays(*CASES[3])[1], local_wires=WireRange(("LocalAggressive", "SemiAggressive")),
        global_wires=WireRange(("SemiAggressive", "GlobalAggressive"), ("RepeatedNone", "RepeatedOpt"), (False, True)),
    )
    basic = search_array(array).basic
    refined = refined_wires(array, {target: one.design for target, one in basic.items()}, TARGET_VALUES)
    for target, winner in basic.items():
        best = winner
        for trials in (
            [replace(winner.design, local=local) for local in array.local_wires.effective_inside_mats()],
            list(array.global_wires),
        ):
            designs = [one if isinstance(one, ArrayDesign) else replace(best.design, global_=one) for one in trials]
            for trial in evaluate_designs(array, designs):
                if value(trial, target) < value(best, target):
                    best = trial
        assert refined[target] == best.design, target
    assert any(refined[target] != winner.design for target, winner in basic.items())


def value(design: EvaluatedDesign, target: str) -> float:
    """Value of a target for a valid design."""
    factors = TARGET_VALUES[target].factors
    return math.prod(design.metrics[factor] for factor in factors) if design.valid else np.inf
