"""NVSim's own search of a cache: of all its arrays, target by target."""

from collections.abc import Mapping

from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.nvsim import ArraySearch, Limits, search_array
from dse.objectives.cache.specification import DATA, CacheSpec

CacheSearch = Mapping[str, ArraySearch]
"""NVSim's searches of the arrays of a cache, by name."""


def search_cache(
    spec: CacheSpec, slacks: Limits | None = None, libraries: MatLibraries | None = None
) -> CacheSearch:
    """Search every array as NVSim does; constraints apply to the data array only."""
    libraries = libraries or MatLibraries()
    return {
        name: search_array(array, slacks if name == DATA else None, libraries)
        for name, array in reversed(spec.arrays)
    }
