"""The switching of bits, for users of scratchpads: what `dse.objectives.reliability` offers."""

from dse.objectives.reliability.approximations import butler_error_rate, kramers_disturb
from dse.objectives.reliability.link import ANISOTROPY, DIAMETER, SwitchingLink, link_cell
from dse.objectives.reliability.optimum import cheapest_current, relative_energy
from dse.objectives.reliability.retention import retention_failure
from dse.objectives.reliability.switching import (
    read_disturb,
    required_current,
    required_pulse,
    write_error_rate,
)

__all__ = [
    "ANISOTROPY",
    "DIAMETER",
    "SwitchingLink",
    "butler_error_rate",
    "cheapest_current",
    "kramers_disturb",
    "link_cell",
    "read_disturb",
    "relative_energy",
    "required_current",
    "required_pulse",
    "retention_failure",
    "write_error_rate",
]
