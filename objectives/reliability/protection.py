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
    """P[more than `errors` of `bits` wrong] = Σ_{k>e} C(n, k)pᵏ(1 − p)ⁿ⁻ᵏ, by terms that are all ≥ 0."""
    rate = np.asarray(error_rate, dtype=float)
    with np.errstate(divide="ignore"):
        log_wrong, log_right = np.log(rate), np.log1p(-rate)
    total = np.zeros(rate.shape)
    log_ways = 0.0
    for count in range(bits + 1):
        if count > errors:
            with np.errstate(invalid="ignore"):
                exponent = log_ways + count * log_wrong + np.where(count == bits, 0.0, (bits - count) * log_right)
            total = total + np.exp(exponent)
        log_ways += np.log((bits - count) / (count + 1)) if count < bits else 0.0
    return np.asarray(np.minimum(total, 1.0))
