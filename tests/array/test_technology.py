"""Technology files and their interpolation, against values NVSim computes (commit 6334d00)."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from math import inf, sqrt
from pathlib import Path

import pytest

from dse.errors import InputError
from dse.objectives.array.given import technology as module
from dse.objectives.array.given import technology_file
from dse.objectives.array.given.quirks import NVSIM
from dse.objectives.array.given.technology import (
    NODES,
    ROADMAPS,
    WIRE_TYPES,
    Technology,
    load_technology,
    load_wire_geometry,
    packaged_technologies,
    technology_tables,
)
from dse.objectives.array.given.technology_names import technology_from_text

PACKAGED = Path(module.__file__).parent / "data" / "technology"
ABSENT = object()

NVSIM_VALUES = {
    (22, "HP", 355): {
        "feature_size": 2.2000000000000002e-08,
        "overlap_cap": 7.6600000000000012e-11,
        "sidewall_cap": 1.9888412093872968e-10,
        "current_on_nmos": 1920.5999999999999,
        "current_on_pmos": 970.125,
        "current_off_nmos": 1.5739650000000003,
        "current_off_pmos": 1.5739650000000003,
    },
    (28, "LSTP", 350): {
        "vdd": 0.92000000000000004,
        "vth": 0.52737000000000001,
        "overlap_cap": 8.5000000000000004e-11,
        "vdsat_nmos": 0.037006547893270091,
        "vdsat_pmos": 0.20063466066127547,
        "current_on_nmos": 593.75999999999999,
        "current_on_pmos": 446.29999999999995,
        "current_off_nmos": 0.00013965222301660102,
    },
    (40, "HP", 333): {
        "vdd": 0.96153846153846156,
        "gate_length": 1.646153846153846e-08,
        "ideal_gate_cap": 6.6415384615384612e-10,
        "overlap_cap": 1.2839999999999999e-10,
        "junction_cap": 0.00069532084276265256,
        "sidewall_cap": 1.9668999635179357e-10,
        "drain_to_channel_cap": 3.9337999270358715e-11,
        "effective_resistance_multiplier": 1.5023076923076923,
        "current_on_nmos": 1759.7353846153846,
        "current_on_pmos": 1578.9838461538461,
        "current_off_nmos": 0.6326070174728724,
        "current_off_pmos": 0.6326070174728724,
    },
    (130, "LOP", 387): {
        "vdd": 1.0333333333333334,
        "vth": 0.33550000000000002,
        "oxide_cap": 0.013666666666666667,
        "electron_mobility": 0.029869166666666669,
        "hole_mobility": 0.0068774999999999999,
        "current_on_pmos": 231.98333333333335,
        "current_off_nmos": 0.0009860181590792608,
        "current_off_pmos": 0.0022018187770345378,
    },
    (190, "HP", 313): {
        "vdd": 1.5499999999999998,
        "gate_length": 1.0914999999999999e-07,
        "current_on_nmos": 717.65666666666664,
        "current_off_nmos": 0.0066149745333063253,
    },
}


def user_file(folder: Path, **changes: object) -> Path:
    """Write the 22 nm file as a 16 nm one, replacing lines by `changes` (key: new value, or ABSENT)."""
    lines = (PACKAGED / "22nm.toml").read_text(encoding="utf-8").splitlines()
    for key, value in {"node_nm": 16, **changes}.items():
        if value is ABSENT:
            lines = [line for line in lines if not line.startswith(f"{key} =")]
        else:
            lines = [f"{key} = {value}" if line.startswith(f"{key} =") else line for line in lines]
    path = folder / "mine.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def scaled(values: Technology, other: Technology, name: str, weight: float) -> float:
    """Return the quantity `name` at `weight` of the way from `values` to `other`, by closed form."""
    return float(getattr(values, name) * (1 - weight) + getattr(other, name) * weight)


@pytest.mark.parametrize("temperature", [300, 305, 350, 400])
@pytest.mark.parametrize("roadmap", ROADMAPS)
@pytest.mark.parametrize("node", NODES)
def test_packaged_files_load(node: int, roadmap: str, temperature: int) -> None:
    technology = load_technology(node, roadmap, temperature)
    assert technology.name == f"{node}nm-{roadmap.lower()}"
    assert (technology.node, technology.roadmap, technology.temperature) == (node, roadmap, temperature)
    for field in fields(technology):
        value = getattr(technology, field.name)
        if isinstance(value, float) and field.name != "polywire_cap":
            assert 0 < value < inf, field.name


def test_every_packaged_file_is_known_by_its_name() -> None:
    nodes = {f"{node}nm" for node in (*NODES, 16)}
    packaged = packaged_technologies()
    assert {path.stem for path in PACKAGED.iterdir()} == set(packaged)
    assert nodes <= set(packaged)
    for name in packaged.keys() - nodes:  # calibrated ones, which never take the place of a node
        assert "label" in technology_tables(name).tables


@pytest.mark.parametrize(("node", "roadmap", "temperature"), NVSIM_VALUES)
def test_agrees_with_nvsim(node: int, roadmap: str, temperature: int) -> None:
    technology = load_technology(node, roadmap, temperature)
    for name, expected in NVSIM_VALUES[node, roadmap, temperature].items():
        assert getattr(technology, name) == pytest.approx(expected, rel=1e-15, abs=0), name


@pytest.mark.parametrize("roadmap", ROADMAPS)
@pytest.mark.parametrize("node", NODES)
def test_a_tabulated_node_is_its_own_file(node: int, roadmap: str) -> None:
    path = PACKAGED / f"{node}nm.toml"
    assert load_technology(node, roadmap, 347) == load_technology(node, roadmap, 347, path=path)


@pytest.mark.parametrize("roadmap", ROADMAPS)
def test_interpolation_between_nodes(roadmap: str) -> None:
    below, between, above = (load_technology(node, roadmap, 360) for node in (22, 27, 32))
    for name in ("vdd", "vth", "gate_length", "oxide_cap", "current_on_nmos", "pn_size_ratio"):
        assert getattr(between, name) == pytest.approx(scaled(below, above, name, 0.5), rel=1e-14, abs=0)
    for name in ("current_off_nmos", "current_off_pmos"):
        mean = sqrt(getattr(below, name) * getattr(above, name))
        assert getattr(between, name) == pytest.approx(mean, rel=1e-14, abs=0)


def test_interpolation_in_temperature() -> None:
    cool, between, warm = (load_technology(45, "HP", temperature) for temperature in (340, 347, 350))
    for name in ("current_on_nmos", "current_on_pmos", "current_off_nmos", "current_off_pmos"):
        assert getattr(between, name) == pytest.approx(scaled(cool, warm, name, 0.7), rel=1e-14, abs=0)


def test_overlap_cap_without_quirk() -> None:
    corrected = load_technology(40, "HP", 350, quirks=NVSIM.without("overlap_cap_of_lower_node"))
    assert corrected.overlap_cap == pytest.approx(0.2 * corrected.ideal_gate_cap, rel=1e-15, abs=0)
    nvsim = load_technology(40, "HP", 350)
    assert nvsim.overlap_cap == load_technology(32, "HP", 350).overlap_cap
    assert replace(corrected, overlap_cap=nvsim.overlap_cap) == nvsim


def test_nodes_above_120_nm_without_quirk() -> None:
    corrected = NVSIM.without("interpolation_above_120nm_over_60nm")
    below, middle, above = (load_technology(node, "LOP", 350, quirks=corrected) for node in (120, 160, 200))
    assert middle.vth == pytest.approx((below.vth + above.vth) / 2, rel=1e-14, abs=0)
    assert below.vth < load_technology(199, "LOP", 350, quirks=corrected).vth < above.vth
    assert load_technology(180, "LOP", 350).vth == above.vth


def test_technology_is_hashable_and_frozen() -> None:
    technology = load_technology(22, "HP", 350)
    assert {technology: 1}[load_technology(22, "HP", 350)] == 1
    with pytest.raises(FrozenInstanceError):
        technology.vdd = 1.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("load", "words"),
    [
        (lambda: load_technology(14, "HP", 350), "ProcessNode 14 nm: below NVSim's smallest node, 22 nm"),
        (lambda: load_technology(201, "HP", 350), "ProcessNode 201 nm: above NVSim's largest node, 200 nm"),
        (lambda: load_technology(22.5, "HP", 350), "ProcessNode 22.5: not an integer"),  # type: ignore[arg-type]
        (lambda: load_technology(22, "HP", 299), "Temperature 299 K: .* 300 to 400 K"),
        (lambda: load_technology(22, "HP", 401), "Temperature 401 K: .* 300 to 400 K"),
        (lambda: load_technology(22, "HP", 350.0), "Temperature 350.0: not an integer"),  # type: ignore[arg-type]
        (lambda: load_technology(22, "hp", 350), "DeviceRoadmap 'hp': unknown; choose HP, LSTP or LOP"),
        (lambda: load_wire_geometry(22, "Local"), "WireType 'Local': unknown; choose LocalAggressive"),
        (lambda: load_wire_geometry(0, "LocalAggressive"), "ProcessNode 0 nm: no wires; give 1 to 200 nm"),
        (lambda: load_wire_geometry(201, "LocalAggressive"), "ProcessNode 201 nm: no wires"),
    ],
)
def test_bad_choices(load: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        load()


def test_wires_against_nvsim() -> None:
    local = load_wire_geometry(28, "LocalConservative")
    assert local == module.WireGeometry(
        node=32,
        wire_type="LocalConservative",
        barrier_thickness=2.6000000000000001e-09,
        horizontal_dielectric=3.1600000000000001,
        pitch=6.4000000000000004e-08,
        aspect_ratio=1.8,
        ild_thickness=5.7600000000000006e-08,
        resistivity=5e-8,
    )
    assert load_wire_geometry(130, "GlobalConservative") == module.WireGeometry(
        node=200,
        wire_type="GlobalConservative",
        barrier_thickness=1.2800000000000002e-08,
        horizontal_dielectric=4.2054263565891468,
        pitch=9.4499999999999995e-07,
        aspect_ratio=1.7111111111111115,
        ild_thickness=2.2000000000000001e-06,
        resistivity=2.2e-8,
    )


@pytest.mark.parametrize("wire_type", WIRE_TYPES)
def test_wires_take_the_next_larger_table(wire_type: str) -> None:
    tables = {node: load_wire_geometry(node, wire_type).node for node in range(1, 201)}
    for node, table in tables.items():
        tabulated = [node] if node == 16 else [larger for larger in NODES if larger >= node]
        assert table == min(tabulated)


def test_user_file_is_used(tmp_path: Path) -> None:
    path = user_file(tmp_path, vdd=0.7, resistivity=1e-7)
    technology = load_technology(16, "LOP", 333, path=path)
    assert (technology.name, technology.vdd) == ("16nm-lop", 0.7)
    assert technology.feature_size == pytest.approx(16e-9, rel=1e-15, abs=0)
    assert technology.current_off_nmos == load_technology(22, "LOP", 333).current_off_nmos
    wire = load_wire_geometry(16, "SemiAggressive", path=path)
    assert (wire.node, wire.resistivity) == (16, 1e-7)


def test_user_file_for_another_node(tmp_path: Path) -> None:
    path = user_file(tmp_path)
    for load in (
        lambda: load_technology(14, "HP", 350, path=path),
        lambda: load_wire_geometry(14, "LocalAggressive", path=path),
    ):
        with pytest.raises(InputError, match=r"mine\.toml: node_nm: 16 nm, but ProcessNode is 14 nm"):
            load()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("node_nm", ABSENT, r"node_nm: missing; give a positive integer \[nm\]"),
        ("node_nm", 16.0, "node_nm: found 16.0; give a positive integer"),
        ("vdd", ABSENT, r"hp\.vdd: missing; give a positive number \[V\]"),
        ("vdd", '"high"', r"hp\.vdd: found 'high'; give a positive number"),
        ("vdd", "true", r"hp\.vdd: found True"),
        ("vdd", "nan", r"hp\.vdd: found nan"),
        ("vdd", "inf", r"hp\.vdd: found inf"),
        ("oxide_cap", 0, r"hp\.oxide_cap: found 0; give a positive number \[F/m2\]"),
        ("fringe_cap", -1e-10, r"hp\.fringe_cap: found -1e-10; give a non-negative number"),
        ("vth", 0.95, r"hp\.vth: 0\.95 V, but vdd is 0\.9 V"),
        ("gate_length", "1e-8 m", "not TOML: .*line"),
    ],
)
def test_broken_user_file(tmp_path: Path, key: str, value: object, words: str) -> None:
    path = user_file(tmp_path, **{key: value})
    with pytest.raises(InputError, match=words) as caught:
        load_technology(16, "HP", 350, path=path)
    assert caught.value.file == str(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("node_nm = 16", r"\[hp\]: missing; give this table"),
        ("node_nm = 16\nhp = 3", r"\[hp\]: found 3; give this table"),
    ],
)
def test_user_file_without_table(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        load_technology(16, "HP", 350, path=path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    2029.9, ", "    ", r"hp\.current_on_nmos: 10 values; give 11 currents \[A/m\]"),
        ("    2029.9, ", "    0, ", r"hp\.current_on_nmos: found 0; give a positive number \[A/m\]"),
        ("current_on_nmos = [", "current_on_nmso = [", r"'hp\.current_on_nmso', the nearest .* hp\.curr.*nmos"),
    ],
)
def test_broken_currents(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = user_file(tmp_path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=words):
        load_technology(16, "HP", 350, path=path)


def test_broken_wires(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"wire\.LocalAggressive\.pitch: missing"):
        load_wire_geometry(16, "LocalAggressive", path=user_file(tmp_path, pitch=ABSENT))
    with pytest.raises(InputError, match=r"wire\.LocalAggressive\.barrier_thickness: 2e-08 m leaves no"):
        load_wire_geometry(16, "LocalAggressive", path=user_file(tmp_path, barrier_thickness=2e-8))


def test_unreadable_user_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.toml: cannot be read: No such file or directory"):
        load_technology(16, "HP", 350, path=tmp_path / "none.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"binary\.toml:1: not UTF-8 text"):
        load_technology(16, "HP", 350, path=binary)


def based(folder: Path, text: str, name: str = "mine") -> Path:
    """Write a file that changes a packaged technology."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[hp]\nvhd = 0.3", "unknown key or table 'hp.vhd', the nearest valid one is hp.v[dt][dh]"),
        ("[hp]\nvht = 0.3", "unknown key or table 'hp.vht', the nearest valid one is hp.vth"),
        ("[wires.LocalAggressive]\npitch = 9e-9", "unknown key or table 'wires', the nearest valid one is wire"),
        ("[wire.Local]\npitch = 9e-9", "unknown key or table 'wire.Local', the nearest valid one is wire.Local"),
        ("[wire.LocalAggressive]\npitches = 9e-9", "'wire.LocalAggressive.pitches', the nearest valid one is wire"),
        ("[converter]\nleak = 1", "'converter.leak', the nearest valid one is converter.leakage"),
        ("[lstp]\nvdd = 'high'", r"lstp.vdd: found 'high'; give a positive number \[V\]"),
        ("[hp]\ncurrent_on_nmos = 3", r"hp.current_on_nmos: found 3; give 11 currents"),
        ("[hp]\nvdd = [1]", "hp.vdd: found a list"),
        ("[hp]\nvdd = 1e200", r"hp.vdd: found 1e\+200; give a positive number"),
        ("wire = 3", r"\[wire\]: found 3"),
        ("hp = [1]", r"\[hp\]: found a list; give this table"),
        ("wire.LocalAggressive = 1", r"\[wire.LocalAggressive\]: found 1; give this table"),
        ("label = 3", "label: found 3; give a word"),
        ("label = 'a b'", "label: found 'a b'; give a word"),
        ("label = '16nm'", "label: '16nm' is that of its base, 16nm"),
        ("node_nm = 1" + "0" * 400, "node_nm: a whole number of more than 19 digits"),
        ("node_nm = 0x1" + "f" * 5000, "node_nm: a whole number of more than 19 digits"),
        ("node_nm = 1" + "0" * 5000, "not TOML"),
        ("feature_size = '1'", "feature_size: found '1'; give a positive number"),
        ("source = 2026-13-45", "not TOML"),
        ("source = " + "[" * 5000, "not TOML"),
        ("label = '\\u001b'", "label: found"),
    ],
)
def test_slips_in_a_changed_technology(tmp_path: Path, text: str, words: str) -> None:
    path = based(tmp_path, f"base = '16nm'\n{text}\n")
    for load in (lambda: load_technology(16, "HP", 350, path=path), lambda: technology_tables(str(path))):
        with pytest.raises(InputError, match=words) as caught:
            load()
        assert str(caught.value).startswith(f"{path}:")
        assert str(caught.value).isprintable()


@pytest.mark.parametrize("base", ["3", "['16nm']", "{a = 1}", "'nowhere'"])
def test_a_base_that_is_none(tmp_path: Path, base: str) -> None:
    with pytest.raises(InputError, match=r"base: found .*; give one of 120nm, "):
        technology_tables(str(based(tmp_path, f"base = {base}")))


def test_a_changed_technology_has_a_label_of_its_own(tmp_path: Path) -> None:
    path = based(tmp_path, "base = '16nm-deepnvmpp'\n[hp]\nvdd = 0.7\nsource = 'a slide'", "my fab")
    assert load_technology(16, "HP", 350, path=path).name == "my_fab-hp"
    path = based(tmp_path, "base = '16nm-deepnvmpp'\nlabel = 'fab1'")
    assert load_technology(16, "HP", 350, path=path).name == "fab1-hp"


def test_wires_kept_from_another_node_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    text = "base = '16nm'\nnode_nm = 12\n"
    path = based(tmp_path, text)
    for _ in range(2):
        load_technology(12, "HP", 350, path=path)
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: node_nm is 12, but wires are those of its base, 16 nm"
    ]
    caplog.clear()
    some = based(tmp_path, text + "".join(f"[wire.{name}]\npitch = 3e-8\n" for name in WIRE_TYPES[1:]), "some")
    load_technology(12, "HP", 350, path=some)
    assert "but wires LocalAggressive are those of its base, 16 nm" in caplog.text
    caplog.clear()
    load_technology(16, "HP", 350, path=based(tmp_path, "base = '16nm'", "same"))
    assert caplog.records == []


def test_a_node_is_added_by_adding_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seven = user_file(tmp_path, node_nm=7, vdd=0.65).rename(tmp_path / "7nm.toml")
    for place in (module, technology_file):
        monkeypatch.setattr(place, "packaged_technologies", lambda: {**packaged_technologies(), "7nm": seven})
    technology, path = technology_from_text("7nm", 350)
    assert (technology.name, technology.vdd, path) == ("7nm-hp", 0.65, None)
    assert load_wire_geometry(7, "LocalAggressive").node == 7
    assert load_wire_geometry(8, "LocalAggressive").node == 22
