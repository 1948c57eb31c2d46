"""Codes that correct errors in words: check bits, and how often a word holds more errors than they correct.

Codes are shortened and extended BCH codes: t errors are corrected with t·m bits, m such that 2ᵐ − 1 bits fit, and one
more bit of parity detects one error more. Source: S. Lin, D. J. Costello, Error Control Coding, 2nd ed., chapters 4
and 6; W. Hsiao, IBM J. Res. Dev. 14, 395 (1970).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Floats
from dse.errors import InputError
from dse.text import nearest, quoted


@dataclass(frozen=True, slots=True)
class ProtectionCode:
    """A code that corrects `corrects` errors per word and detects one more where it has an overall `parity` bit."""

    name: str
    corrects: int
    parity: bool

    def check_bits(self, data_bits: int) -> int:
        """Check bits t·m + 1 of a word of `data_bits`: the least m with 2ᵐ − 1 ≥ data bits + t·m."""
        if self.corrects == 0:
            return 0
        order = 1
        while (1 << order) - 1 < data_bits + self.corrects * order:
            order += 1
        return self.corrects * order + int(self.parity)

    def word_error_rate(self, data_bits: int, error_rate: ArrayLike) -> Floats:
        """Probability that a word has more than t errors, of independent errors of its bits, check bits included."""
        return more_than(self.corrects, data_bits + self.check_bits(data_bits), error_rate)

    def bit_error_rate(self, data_bits: int, error_rate: ArrayLike) -> Floats:
        """Probability of an error in a bit after decoding: a word beyond repair keeps its errors.

        ≈ Σ_{k>t} (k/n)·P[k of n errors]: what is left where the decoder passes a word that it detects as broken.
        """
        rate = np.asarray(error_rate, dtype=float)
        if self.corrects == 0:
            return rate
        bits = data_bits + self.check_bits(data_bits)
        # Given an error in one bit, t or more of the others complete a word beyond repair.
        return np.asarray(rate * more_than(self.corrects - 1, bits - 1, rate))


NO_CODE = ProtectionCode("none", 0, False)
SECDED = ProtectionCode("SECDED", 1, True)
DECTED = ProtectionCode("DECTED", 2, True)
BCH_3 = ProtectionCode("BCH-3", 3, False)
CODES = {code.name: code for code in (NO_CODE, SECDED, DECTED, BCH_3)}


def code_of(name: str) -> ProtectionCode:
    """Code of a name; InputError where there is none."""
    if name not in CODES:
        raise InputError(
            f"protection {quoted(name)} is unknown, expected one of {', '.join(CODES)};"
            f" the nearest is {nearest(name, list(CODES))}"
        )
    return CODES[name]


def more_than(errors: int, bits: int, error_rate: ArrayLike) -> Floats:
    """P[more than `errors` of `bits` wrong] = Σ_{k>e} C(n, k)pᵏ(1 − p)ⁿ⁻ᵏ = I_p(e + 1, n − e), the incomplete beta.

    Source: NIST Digital Library of Mathematical Functions, 8.17.5.
    """
    from scipy.special import betainc

    rate = np.asarray(error_rate, dtype=float)
    return np.asarray(betainc(errors + 1, bits - errors, rate) if errors < bits else np.zeros(rate.shape))
