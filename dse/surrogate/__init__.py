"""Surrogates: metrics of designs learned from some of them, with honest errors and files that are safe to open."""

from dse.surrogate.designs import describe_designs, sampled_designs
from dse.surrogate.errors import HeldOutSplit, by_design, held_out_errors, leave_one_out
from dse.surrogate.file import load
from dse.surrogate.model import Surrogate, fit

__all__ = [
    "HeldOutSplit", "Surrogate", "by_design", "describe_designs", "fit", "held_out_errors", "leave_one_out", "load",
    "sampled_designs",
]
