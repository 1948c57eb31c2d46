"""Numbers of the paper that follow from its other numbers, and those that cannot all be true.

Each function's docstring holds the argument; nothing of our model is used.
"""

from dse.objectives.memory_centric.choices import load_choices
from dse.objectives.memory_centric.parts import constants, dimm_capacity, dimm_names, part_value
from dse.objectives.memory_centric.system import point, system_of
from dse.studies.reproduction import Item

DATA_SPEEDUP, MODEL_SPEEDUP, MEAN_SPEEDUP, L_OF_B = 3.5, 2.1, 2.8, 0.96
SCALING_OF_8, HOST_ALONE = 2.7, 16e9
GIGABYTE = 1 << 30
CONVEX = "(3) T_DC is convex in the time of a byte"
TABLE_4 = {"8gb": (29, 2.8), "16gb": (66, 2.4), "32gb": (87, 3.7), "64gb": (102, 6.3), "128gb": (127, 10.1)}
"""Table IV: TDP of a memory node [W] and GB/W by module."""


def harmonic_of_two(one: float, other: float) -> float:
    """2 / (1/a + 1/b): the harmonic mean, which the paper says all its averages are."""
    return 2 / (1 / one + 1 / other)


def least_hc_speedup(l_of_b: float) -> float:
    """HC-DLA has half of L's links in its rings and as many to its store, so T_HC <= 2 T_L.

    Hence T_DC / T_HC >= T_DC / T_B x T_B / T_L / 2 in each case: 3.5 x 0.96 / 2 where L keeps 0.96 of B throughout.
    """
    return DATA_SPEEDUP * l_of_b / 2


def least_hc_speedup_at_worst(speedup: float = DATA_SPEEDUP, l_of_b: float = L_OF_B) -> float:
    """As `least_hc_speedup`, if all that L loses fell where it hurts most.

    Over 16 cases Σ (T_L / T_B - 1) = 16 (1 / 0.96 - 1). T_B <= T_DC, so that over the 8 data parallel ones
    Σ T_L / T_DC <= 8 / 3.5 + 16 (1 / 0.96 - 1), and T_HC <= 2 T_L.
    """
    lost = 16 * (1 / l_of_b - 1)
    return 8 / (8 / speedup + lost) / 2


def least_gen4_gain(speedup: float) -> float:
    """T_DC is convex in the time t of a byte over PCIe: a longest path, so a maximum of sums linear in t.

    Hence T(t/2) <= (T(t) + T(0)) / 2, and T(0) <= T_B, for no transfer is slower than B's. Averaged harmonically,
    T(t) / T(t/2) >= 2 / (1 + 1 / speedup).
    """
    return 2 / (1 + 1 / speedup) - 1


def host_bandwidth_of_cut(cut: float) -> float:
    """HC-DLA moves the same bytes at 75 GB/s: a cut of 88 % means DC-DLA moves them at (1 - 0.88) 75 GB/s [B/s]."""
    return (1 - cut) * system_of(point("hc-dla"), load_choices()).store_bandwidth


def most_host_bandwidth_of_scaling(scaling: float = SCALING_OF_8) -> float:
    """One device moves all bytes V at 16 GB/s at best, of eight each V / 8 at b: V/16 / (V / 8 b) = 2.7 [B/s].

    Where transfers bound both; b = 2.7 x 16 / 8 GB/s.
    """
    return scaling * HOST_ALONE / 8


def least_b_over_hc(used: float = 0.915, s_most: float = 0.245) -> float:
    """T_B / T_HC, if HC-DLA uses 92 % of 300 GB/s (at least 91.5 %) and S loses at most 24 % (24.5 %) against B.

    V / 75 = 0.915 T_HC and T_S >= V / 50, so that T_B >= (1 - 0.245) T_S >= 0.755 x 1.5 x 0.915 T_HC: B slower than
    HC, against figure 13.
    """
    return (1 - s_most) * 75 / 50 * used


def contradictions() -> list[Item]:
    """Printed numbers beside what others of them imply."""
    return [
        _item("average of 3.5 and 2.1 is harmonic", 2.8, harmonic_of_two(DATA_SPEEDUP, MODEL_SPEEDUP), "(1) "
              "harmonic_of_two: 2.8 is the arithmetic mean, while all averages are said to be harmonic"),
        _item("HC over DC, data-parallel, at least, if L keeps 0.96 throughout", 1.32, least_hc_speedup(L_OF_B),
              "(2) T_HC <= 2 T_L"),
        _item("HC over DC, data-parallel, at least, at worst", 1.32, least_hc_speedup_at_worst(),
              "(2) T_HC <= 2 T_L, all of L's loss in the one case where B gains nothing; 1.30 where 3.5 and 0.96 are "
              "rounded up"),
        _item("DC with PCIe gen4, increase, at least", 0.38,
              least_gen4_gain(harmonic_of_two(DATA_SPEEDUP, MODEL_SPEEDUP)), CONVEX),
        _item("DC with PCIe gen4, increase, at least, from 2.8", 0.38, least_gen4_gain(MEAN_SPEEDUP), CONVEX),
        _item("PCIe bandwidth per device that a cut of 88 % means [GB/s]", float("nan"),
              host_bandwidth_of_cut(0.88) / 1e9, "(4) at least 8.6 where 88 % is rounded down"),
        _item("PCIe bandwidth per device that scaling by 2.7 allows [GB/s]", float("nan"),
              most_host_bandwidth_of_scaling() / 1e9, "(4) less than what a cut of 88 % means"),
        _item("T_B over T_HC, at least, if 92 % is of 300 GB/s", float("nan"), least_b_over_hc(),
              "(5) more than 1: B would be slower than HC"),
    ]


def derived() -> list[Item]:
    """Printed numbers that follow from others."""
    dimms = constants()["dimms"]
    items = []
    for name in dimm_names():
        power = dimms * part_value(f"dimm-{name}", "power")
        published = TABLE_4[name]
        items += [
            _item(f"memory node's TDP, {name.upper()} modules [W]", published[0], power, "table IV"),
            _item(f"memory node's GB/W, {name.upper()} modules", published[1],
                  dimms * dimm_capacity(name) / GIGABYTE / power, "table IV"),
        ]
    systems = {name: system_of(point("mc-dla-b", dimm=name), load_choices()).power.value for name in ("8gb", "128gb")}
    base = system_of(point("dc-dla"), load_choices()).power.value
    small, large = (systems[name] / base - 1 for name in ("8gb", "128gb"))
    return [
        *items, _item("system power with 8 GB modules, increase", 0.07, small, "232 W of 3200 W"),
        _item("system power with 128 GB modules, increase", 0.31, large, "1016 W of 3200 W, 31.75 %, truncated"),
        _item("performance per watt, 128 GB modules", 2.1, MEAN_SPEEDUP / (1 + large), "2.8 over the increase"),
        _item("performance per watt, 8 GB modules", 2.6, MEAN_SPEEDUP / (1 + small), "2.8 over the increase"),
        _item("memory added with 128 GB modules [TB]", 10.4, 8 * dimms * dimm_capacity("128gb") / GIGABYTE / 1000,
              "8 x 10 x 128 GB, of which the paper makes 8 x 1.3 TB"),
        _item("bandwidth to memory nodes of eight devices [GB/s]", 1200,
              8 * system_of(point("mc-dla-b"), load_choices()).store_bandwidth / 1e9, "8 x 150 GB/s"),
    ]


def _item(name: str, published: float, ours: float, note: str) -> Item:
    """A derived row."""
    return Item(name, published, ours, "derived", {"note": note})
