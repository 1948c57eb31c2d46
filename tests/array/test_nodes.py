"""Every node from 22 to 200 nm against the thresholds over nodes that stand in NVSim's source (commit 6334d00)."""

import numpy as np
import pytest

from dse.objectives.array.given.converter import converter_of
from dse.objectives.array.given.quirks import NVSIM
from dse.objectives.array.given.technology import load_technology, load_wire_geometry

EVERY_NODE = range(22, 201)

CONVERTERS = (
    (119e-9, (0.49e-9, 8.52e-14, 1.40e-8)),
    (89e-9, (0.53e-9, 8.72e-14, 1.87e-8)),
    (64e-9, (0.62e-9, 9.00e-14, 2.57e-8)),
    (44e-9, (0.80e-9, 10.26e-14, 4.41e-9)),
    (31e-9, (1.07e-9, 12.56e-14, 12.54e-8)),
    (0.0, (1.45e-9, 15e-14, 15e-8)),
)
"""SenseAmp.cpp, CalculateLatency and CalculatePower: feature size from which on, then delay, energy and leakage."""

TABLES = (200, 120, 90, 65, 45, 32, 22)
"""Technology.cpp, Technology::Initialize: the first of these that is not above the node is its own table."""

INTERPOLATION = ((120, 200, 60), (90, 120, 30), (65, 90, 25), (45, 65, 20))
"""main.cpp, main: above which node, towards which table, over how many nm; 32 and 22 nm reach down to themselves."""

WIRES = (22, 32, 45, 65, 90, 120, 200)
"""Wire.cpp, Wire::Initialize: the first of these that is not below the node has its wires."""


@pytest.mark.parametrize("node", EVERY_NODE)
def test_converter(node: int) -> None:
    technology = load_technology(node, "HP", 350)
    expected = next(figures for feature, figures in CONVERTERS if node * 1e-9 >= feature)
    found = converter_of(technology, NVSIM)
    assert (found.delay, found.energy, found.leakage) == expected


def weight(node: int) -> tuple[int, float]:
    """Table towards which a node is interpolated, and how far."""
    for above, towards, width in INTERPOLATION:
        if node > above:
            return towards, (node - above) / width
    return (45, (node - 32) / 13) if node >= 32 else (32, (node - 22) / 10)


@pytest.mark.parametrize("roadmap", ["HP", "LSTP", "LOP"])
def test_transistors_between_tables(roadmap: str) -> None:
    for node in EVERY_NODE:
        own = load_technology(next(table for table in TABLES if node >= table), roadmap, 350)
        towards, share = weight(node)
        high, found = load_technology(towards, roadmap, 350), load_technology(node, roadmap, 350)
        for name in ("vdd", "vth", "gate_length", "ideal_gate_cap", "fringe_cap", "oxide_cap", "pn_size_ratio",
                     "electron_mobility", "hole_mobility", "effective_resistance_multiplier", "current_on_nmos"):
            low = getattr(own, name)
            expected = low if own.node == node else (1 - share) * low + share * getattr(high, name)
            assert getattr(found, name) == pytest.approx(expected, rel=1e-14, abs=0), (node, name)
        expected = own.current_off_pmos ** (1 - share) * high.current_off_pmos**share
        expected = own.current_off_pmos if own.node == node else expected
        assert found.current_off_pmos == pytest.approx(expected, rel=1e-14, abs=0), node
        assert found.feature_size == node * 1e-9


def test_wires_of_the_next_larger_table() -> None:
    tables = [load_wire_geometry(node, "LocalAggressive").node for node in EVERY_NODE]
    np.testing.assert_array_equal(tables, [next(table for table in WIRES if node <= table) for node in EVERY_NODE])
