"""Studies: questions answered with spaces, objectives and searchers, each with a figure and a table."""

from collections.abc import Sequence
from importlib import import_module

from dse.errors import InputError
from dse.studies.study import Study

STUDIES: dict[str, str] = {
    "regret": "How far each searcher is from the exact optimum, after how many evaluations",
    "table1": "DeepNVM++: the bitcells of Table I, and what Table II lets one infer of them and of the technology",
    "table2": "DeepNVM++: the caches of Table II, fitted at 3 MB and predicted in the area of SRAM",
    "fig9": "DeepNVM++: area, latency and energy of the three memories from 1 to 32 MB",
    "fig3": "DeepNVM++: dynamic and leakage energy of the ten workloads at 3 MB",
    "fig4": "DeepNVM++: energy, and EDP with DRAM, of the ten workloads at 3 MB",
    "fig5": "DeepNVM++: EDP of AlexNet against the batch size",
    "fig6": "DeepNVM++: DRAM accesses against the L2 capacity",
    "fig7": "DeepNVM++: dynamic and leakage energy in the area of 3 MB of SRAM",
    "fig8": "DeepNVM++: EDP in the area of 3 MB of SRAM, without and with DRAM",
    "fig10": "DeepNVM++: energy, latency and EDP from 1 to 32 MB",
    "headline": "DeepNVM++: every number of the abstract and of sections IV and V",
    "robust": "Which cache to build where parameters are uncertain, what it costs, and how far each may move",
    "surrogate": "How well a surrogate learns the metrics of caches, from how many designs, and where it fails",
    "sensitivity": "Which parameters of technology and cell decide EDAP, with the organization fixed or chosen anew",
    "transfer": "How many evaluations known designs of other memories, nodes or capacities save",
    "why": "Why the least EDAP wins: from NVSim's default, decision by decision, and what near-optimal caches share",
    "algorithm1-gap": "How far Algorithm 1 is from the exact EDAP optimum, and which of its steps loses it",
}
"""What each study asks, by name; study ``algorithm1-gap`` stands in a module ``algorithm1_gap``."""

ROOMS: dict[str, Sequence[str]] = {
    "search": ("regret", "surrogate", "transfer"),
    "cache": ("algorithm1-gap", "robust", "sensitivity", "why"),
}
"""Folders of studies; all others stand in ``deepnvmpp``."""

GROUPS: dict[str, Sequence[str]] = {
    "deepnvm": ("table1", "table2", "fig9", "fig3", "fig4", "fig5", "fig6", "fig7", "fig8", "fig10", "headline"),
    "designer": ("why", "sensitivity", "robust", "surrogate", "transfer"),
}
"""Studies that are run together, by the name of the group."""


def load_study(name: str) -> Study:
    """The study of a name; its module is imported now. Raises InputError where there is none."""
    if name not in STUDIES:
        known = ", ".join((*STUDIES, *GROUPS))
        raise InputError(f"study '{name}' is not known: known are {known}")
    room = next((room for room, names in ROOMS.items() if name in names), "deepnvmpp")
    study = import_module(f"dse.studies.{room}.{name.replace('-', '_')}").STUDY
    if not isinstance(study, Study):
        raise TypeError(f"dse.studies.{name} has no STUDY")
    return study
