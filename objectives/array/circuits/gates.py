"""Static CMOS gates: inverters and NAND gates of any transistor width.

Equations: NVSim formula.cpp (CalculateGateArea, CalculateGateCapacitance, CalculateGateLeakage).
"""

from dataclasses import dataclass

import numpy as np

from dse.batch import Floats
from dse.objectives.array.circuits.transistor import (
    CONTACT_SIZE,
    GAP_CONTACT_TO_POLY,
    GAP_P_TO_N_DIFFUSIONS,
    GAP_POLY_TO_POLY,
    POWER_RAIL_WIDTH,
    Folding,
    Width,
    contacted_width,
    drain_cap_parts,
    fold,
    gate_cap,
)
from dse.objectives.array.given.technology import Technology

NAND2_LEAKAGE_RATIO = 0.48
NAND3_LEAKAGE_RATIO = 0.31
"""Average leakage of a NAND over that of its parallel transistors (NVSim constant.h, AVG_RATIO_LEAK_*)."""


@dataclass(frozen=True, slots=True)
class GateCap:
    """Input capacitance of one pin and output capacitance of a gate [F]."""

    input: Floats
    output: Floats


def _fold_pair(
    nmos: Floats | float, pmos: Floats | float, region: Floats | float, technology: Technology
) -> tuple[Folding, Folding]:
    """Fold the two transistors [m] of a gate that share a `region` h [m] in proportion to their widths.

    PMOS up to (h - gap) w_p / (w_p + w_n), NMOS up to the rest of h - gap.
    """
    ratio = pmos / (pmos + nmos)
    pmos_limit = ratio * (region - GAP_P_TO_N_DIFFUSIONS * technology.feature_size)
    nmos_limit = pmos_limit / ratio * (1 - ratio)
    return fold(nmos, nmos_limit, technology), fold(pmos, pmos_limit, technology)


def _fingers(folding: Folding, technology: Technology) -> Floats:
    """Width [m] of the gate fingers and of the gaps between them."""
    return folding.count * technology.feature_size + folding.gaps


def _height(nmos: Folding, pmos: Folding, technology: Technology) -> Floats:
    """Height [m] of a gate: both diffusions, the gap between them and the power rails."""
    feature = technology.feature_size
    return nmos.height + pmos.height + feature * GAP_P_TO_N_DIFFUSIONS + 2 * feature * POWER_RAIL_WIDTH


def inverter_layout(
    nmos: Floats | float, pmos: Floats | float, region: float, technology: Technology
) -> tuple[Floats, Floats]:
    """Height and width [m] of an inverter of widths `nmos`, `pmos` [m] in a `region` [m] (CalculateGateArea, INV).

    Width: the wider of both rows of fingers, n F + gaps, with a contact at either end.
    """
    folded_nmos, folded_pmos = _fold_pair(nmos, pmos, region, technology)
    ends = 2 * technology.feature_size * (CONTACT_SIZE + GAP_CONTACT_TO_POLY * 2)
    width = np.maximum(ends + _fingers(folded_nmos, technology), ends + _fingers(folded_pmos, technology))
    return _height(folded_nmos, folded_pmos, technology), width


def nand_layout(
    inputs: int, nmos: Floats | float, pmos: Floats | float, region: float, technology: Technology
) -> tuple[Floats, Floats]:
    """Height and width [m] of a NAND gate of k inputs (CalculateGateArea, NAND).

    The wider of k rows of fingers with gate gaps between (NMOS, in series) and with contacts between (PMOS, parallel).
    """
    feature = technology.feature_size
    folded_nmos, folded_pmos = _fold_pair(nmos, pmos, region, technology)
    contact = CONTACT_SIZE + GAP_CONTACT_TO_POLY * 2
    series = (
        2 * feature * contact
        + _fingers(folded_nmos, technology) * inputs
        + (inputs - 1) * feature * GAP_POLY_TO_POLY
    )
    parallel = (
        2 * feature * contact + _fingers(folded_pmos, technology) * inputs + (inputs - 1) * feature * contact
    )
    return _height(folded_nmos, folded_pmos, technology), np.maximum(series, parallel)


def _output_cap(
    nmos_width: Floats, nmos: Folding, pmos_width: Floats, pmos: Folding, technology: Technology
) -> Floats:
    """Output capacitance [F] of a gate: C_drain,n + C_drain,p, summed part by part as NVSim does."""
    bottom_n, sidewall_n, edge_n = drain_cap_parts(nmos_width, nmos, technology)
    bottom_p, sidewall_p, edge_p = drain_cap_parts(pmos_width, pmos, technology)
    return bottom_n + bottom_p + sidewall_n + sidewall_p + edge_n + edge_p


def inverter_cap(nmos: Width, pmos: Width, region: float, technology: Technology) -> GateCap:
    """Capacitances [F] of an inverter: C_gate,n + C_gate,p, C_drain,n + C_drain,p (CalculateGateCapacitance, INV)."""
    folded_nmos, folded_pmos = _fold_pair(nmos, pmos, region, technology)
    contact = contacted_width(technology)
    output = _output_cap(
        contact + folded_nmos.gaps, folded_nmos, contact + folded_pmos.gaps, folded_pmos, technology
    )
    return GateCap(np.asarray(gate_cap(nmos, technology) + gate_cap(pmos, technology)), output)


def nand_cap(inputs: int, nmos: Width, pmos: Width, region: float, technology: Technology) -> GateCap:
    """Capacitance [F] of one input, C_gate,n + C_gate,p, and of the output of a NAND gate of k inputs.

    The output has the drains of a series stack of k NMOS and of k PMOS side by side (CalculateGateCapacitance, NAND).
    """
    folded_nmos, folded_pmos = _fold_pair(nmos, pmos, region, technology)
    contact = contacted_width(technology)
    series = contact + folded_nmos.gaps * inputs + (inputs - 1) * technology.feature_size * GAP_POLY_TO_POLY
    parallel = (contact + folded_pmos.gaps) * inputs
    output = _output_cap(series, folded_nmos, parallel, folded_pmos, technology)
    return GateCap(np.asarray(gate_cap(nmos, technology) + gate_cap(pmos, technology)), output)


def inverter_leakage(nmos: Floats | float, pmos: Floats | float, technology: Technology) -> Floats:
    """Off-current [A] of an inverter: max(w_n I_off,n, w_p I_off,p) (CalculateGateLeakage, INV)."""
    return np.maximum(nmos * technology.current_off_nmos, pmos * technology.current_off_pmos)


def nand_leakage(inputs: int, pmos: Width, technology: Technology) -> Width:
    """Average off-current [A] of a NAND gate of k inputs: ratio k w_p I_off,p (CalculateGateLeakage, NAND)."""
    ratio = NAND2_LEAKAGE_RATIO if inputs == 2 else NAND3_LEAKAGE_RATIO
    return ratio * (pmos * technology.current_off_pmos * inputs)
