"""A RAM asked for by option is the one that an NVSim configuration asks for."""

from pathlib import Path

import pytest

from dse.errors import InputError
from dse.objectives.cache.nvsim_files.configuration import read_configuration
from dse.objectives.cache.options import CacheOptions, cache_specs
from dse.objectives.cache.specification import spec_from_configuration
from dse.registry import load_family
from dse.search.result import optimize
from dse.vocabulary import parse_objectives

CONFIGURATION = Path(__file__).parents[1] / "reference" / "sram_ram_4mb.cfg"
FAMILY = load_family("cache")


def test_the_array_is_that_of_a_configuration() -> None:
    configured = spec_from_configuration(read_configuration(CONFIGURATION))
    ((asked,),) = cache_specs(CacheOptions(
        memory="sram", capacity="4MB", line=32, technology="22nm", designs="ram", ways=16, access=CacheOptions().access
    ))
    assert (asked.access, asked.capacity, len(asked.arrays)) == (configured.access, configured.capacity, 1)
    assert asked.data.spec == configured.data.spec
    assert asked.data.ranges == configured.data.ranges


def test_a_ram_is_found_exactly() -> None:
    options = FAMILY.options(memory="sram", capacity="16KB", designs="ram")
    (problem,) = FAMILY.problems(options, parse_objectives(["read_latency*area"], FAMILY.vocabulary(options)), [])
    result = optimize(problem)
    assert result.certificate.startswith("proven") and result.value > 0
    assert "miss_latency" not in result.metrics


@pytest.mark.parametrize("options", [{"access": "fast"}, {"ways": 8}, {"config": CONFIGURATION}])
def test_options_without_effect_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=r"RAM|ram"):
        cache_specs(CacheOptions(designs="ram", **options))  # type: ignore[arg-type]
