"""The paper's numbers: bands, orderings, contradictions, and how fast it goes."""

import time

import pytest

from dse.errors import InputError
from dse.objectives.memory_centric.choices import (
    choice_infos,
    choice_names,
    load_choices,
    model_set_names,
    with_choices,
)
from dse.studies.memory_centric import contradictions
from dse.studies.memory_centric.grid import NETWORKS, POINTS, grid_of, harmonic_mean, paper_systems
from dse.studies.memory_centric.headlines import BANDED, banded_values, free_values, orderings_broken


@pytest.mark.parametrize("name", model_set_names())
def test_every_model_set_meets_every_band(name):
    values = banded_values(load_choices(name))
    assert {line.item: values[line.item] for line in BANDED if not line.met(values[line.item])} == {}


@pytest.mark.parametrize("name", [name for name in model_set_names() if not load_choices(name).shared_links])
def test_points_are_ordered_on_all_cases(name):
    assert set(orderings_broken(grid_of(load_choices(name), paper_systems())).values()) == {0}


def test_112_simulations_take_less_than_2_seconds():
    choices = load_choices()
    systems = {**paper_systems(), "gen4": paper_systems(("dc-dla",), host_bus="pcie4")["dc-dla"]}
    start = time.process_time()
    grid = grid_of(choices, systems)
    assert sum(len(outcome.timeline.total) for outcome in grid.outcomes.values()) == 112
    assert time.process_time() - start < 2


def test_scaling_is_what_host_sharing_was_fitted_to():
    values = free_values(load_choices(), grid_of(load_choices(), paper_systems()))
    assert values["DC scaling to 4 devices, CNNs"] == pytest.approx(1.3, rel=0.1)
    assert values["DC scaling to 8 devices, CNNs"] == pytest.approx(2.7, rel=0.1)
    assert values["oracle scaling to 8 devices, CNNs"] == pytest.approx(8, rel=0.05)


def test_harmonic_mean():
    assert harmonic_mean([3.5, 2.1]) == pytest.approx(2.625)


def test_contradictions_are_those_of_the_printed_numbers():
    rows = {item.item: item for item in contradictions.contradictions()}
    assert rows["average of 3.5 and 2.1 is harmonic"].ours == pytest.approx(2.625)
    assert rows["HC over DC, data-parallel, at least, if L keeps 0.96 throughout"].ours == pytest.approx(1.68)
    assert rows["HC over DC, data-parallel, at least, at worst"].ours > 1.32
    assert rows["DC with PCIe gen4, increase, at least"].ours > 0.44
    assert rows["PCIe bandwidth per device that a cut of 88 % means [GB/s]"].ours == pytest.approx(9.0)
    assert contradictions.host_bandwidth_of_cut(0.885) == pytest.approx(8.625e9)
    assert rows["PCIe bandwidth per device that scaling by 2.7 allows [GB/s]"].ours == pytest.approx(5.4)
    assert rows["T_B over T_HC, at least, if 92 % is of 300 GB/s"].ours == pytest.approx(1.036, abs=5e-4)


def test_bounds_of_the_contradictions_hold_in_the_model():
    grid = grid_of(load_choices(), paper_systems())
    assert (grid.times("hc-dla") <= 2 * grid.times("mc-dla-l") * (1 + 1e-12)).all()
    half = grid_of(load_choices(), paper_systems(("dc-dla",), host_bus="pcie4")).times("dc-dla")
    assert (half <= (grid.times("dc-dla") + grid.times("oracle")) / 2 * (1 + 1e-12)).all()


def test_derived_numbers_are_the_printed_ones():
    for item in contradictions.derived():
        assert item.ours == pytest.approx(item.published, rel=0.04), item.item


def test_every_choice_has_an_entry_and_a_default_among_its_levels():
    assert set(choice_infos()) == set(choice_names())
    for name, info in choice_infos().items():
        assert info.default in info.levels, name
        assert info.role in ("fitted", "assumed")
        assert info.source
        assert info.help


@pytest.mark.parametrize(("text", "message"), [
    ("hop", "NAME=VALUE"), ("hup=1", "hop"), ("hop=x", "not a number"), ("hop=1", "from 0 to 5e-06"),
    ("window=1.5", "whole number"), ("samples=some", "total, each"), ("shared_links=maybe", "false, true"),
])
def test_wrong_choices_are_one_line(text, message):
    with pytest.raises(InputError, match=message) as error:
        with_choices(load_choices(), text)
    assert "\n" not in str(error.value)


def test_choices_change_by_text():
    changed = with_choices(load_choices(), "hop=0.5e-6, window=8,shared_links=true")
    assert (changed.hop, changed.window, changed.shared_links) == (0.5e-6, 8, True)


def test_points_and_networks_are_all_there():
    assert len(NETWORKS) == 8
    assert len(POINTS) == 6
