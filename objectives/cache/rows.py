"""Designs of a cache's arrays as columns of tables, and read back from them."""

from collections.abc import Mapping
from typing import Any

from dse.errors import InputError
from dse.objectives.array.evaluation.design import ArrayDesign
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS
from dse.spaces.array.wires import WireChoice


def design_from_row(array: str, row: Mapping[str, Any]) -> ArrayDesign:
    """The design of an array from its columns in a row, prefixed by its name.

    Raises InputError where a column is missing or says something that is no design.
    """
    try:
        *counts, buffer = (row[f"{array}_{name}"] for name in ORGANIZATION_COLUMNS)
        local, global_ = (_wire(row, f"{array}_{side}") for side in ("local", "global"))
        return ArrayDesign(
            (*(int(count) for count in counts), BUFFER_DESIGNS.index(str(buffer))), local, global_
        )
    except KeyError as error:
        raise InputError(f"column {error.args[0]} is missing") from None
    except (TypeError, ValueError) as error:
        raise InputError(f"the {array} array is no design: {error}") from None


def _wire(row: Mapping[str, Any], side: str) -> WireChoice:
    """A wire from its three columns."""
    low_swing = row[f"{side}_low_swing"] == "Yes"
    return WireChoice(str(row[f"{side}_wire_type"]), str(row[f"{side}_repeater"]), low_swing)
