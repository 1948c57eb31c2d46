import itertools

import pytest

from dse.errors import InputError
from dse.objectives.memory_centric.topology import (
    alternating,
    disjoint_rings,
    load_topology,
    pair,
    topology_names,
)


@pytest.mark.parametrize(("name", "hops", "store", "nodes", "between"), [
    ("cube-mesh", (8, 8, 8), 0, 0, (24, 0, 0)), ("star", (8, 8, 24), 2, 1, (16, 16, 8)),
    ("folded", (8, 12, 20), 2, 1, (16, 16, 8)), ("ring", (16, 16, 16), 6, 2, (0, 48, 0)),
])
def test_topologies_are_those_of_figures_5_and_7(name, hops, store, nodes, between):
    topology = load_topology(name)
    assert topology.hops == hops
    assert topology.devices == 8
    assert topology.ports == 6
    assert (topology.store_links, topology.store_nodes) == (store, nodes)
    kinds = (("d", "d"), ("d", "m"), ("m", "m"))
    assert tuple(topology.links_between(*ends) for ends in kinds) == between


def test_cube_mesh_is_that_of_dgx_1v():
    doubled = {(0, 3), (0, 4), (1, 2), (1, 5), (2, 3), (4, 7), (5, 6), (6, 7)}
    single = {(0, 1), (0, 2), (1, 3), (2, 6), (3, 7), (4, 5), (4, 6), (5, 7)}
    expected = {(f"d{one}", f"d{other}"): 2 if (one, other) in doubled else 1 for one, other in doubled | single}
    assert dict(load_topology("cube-mesh").links) == expected


def test_rings_alternate_for_any_number_of_devices():
    assert alternating(8, 3).rings == load_topology("ring").rings
    assert alternating(4, 2).hops == (8, 8)


def test_disjoint_rings_of_small_graphs():
    complete = {pair(f"d{one}", f"d{other}"): 1 for one, other in itertools.combinations(range(5), 2)}
    assert disjoint_rings(complete, [f"d{n}" for n in range(5)]) == 2  # two Hamiltonian cycles cover ten edges
    assert disjoint_rings(complete, ["d0", "d1", "d2"]) == 1
    assert disjoint_rings(complete, ["d0", "d1"]) == 1
    assert disjoint_rings(complete, ["d0"]) == 0
    path = {pair("d0", "d1"): 1, pair("d1", "d2"): 1}
    assert disjoint_rings(path, ["d0", "d1", "d2"]) == 0


def test_own_topologies_are_files(tmp_path):
    file = tmp_path / "two.toml"
    file.write_text('help = "two devices"\nrings = ["d0 m0 d1 m1", "d0 m0 d1 m1"]\n')
    topology = load_topology(str(file))
    assert (topology.devices, topology.ports, topology.store_links, topology.longest) == (2, 4, 4, 4)


@pytest.mark.parametrize(("text", "message"), [
    ("rings = []", "rings: give a list"), ("rings = 3", "rings: give a list"),
    ('rings = ["d0 x1"]', "'x1' is no node"),
    ('rings = ["d0"]', "fewer than 2"), ('rings = ["d0 d1", "d0 m1"]', "misses 'd1'"),
    ('rings = ["d0 d0 d1"]', "to itself"), ('rings = ["d0 d1"]\nbeside = ["d0 m0 m1"]', "is no link"),
    ("rings = [", "not TOML"), ('rings = ["d0 d1"]\nbeside = 1', "beside: give a list"),
])
def test_errors_name_file_and_key(tmp_path, text, message):
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        load_topology(str(file))
    assert "own.toml" in str(error.value)
    assert "\n" not in str(error.value)


def test_unknown_names_are_hinted_at():
    with pytest.raises(InputError, match="folded"):
        load_topology("foldet")
    assert "ring" in topology_names()
