"""A scratchpad of STT-MRAM whose writes may fail: a metric that is exactly zero over a quarter of the space.

The switching probability is the thermally averaged macrospin's in the precessional regime (Butler et al., IEEE Trans.
Magnetics 48(12), 2012, equation 10; Khvalkovskiy et al., J. Phys. D 46, 2013): a bit stays unswitched with
``1 - exp(-pi^2/4 * D * (i - 1) / (i * exp(2 (i - 1) t) - 1))``, D the thermal stability, i the overdrive (current over
critical current), t the pulse in units of the relaxation time. What is around it is made up, but has the shape of the
real thing: bits that are protected by coding cost energy and time, the rest harm the accuracy as they fail.
"""

from collections.abc import Mapping

import numpy as np

from dse.batch import Floats
from dse.formula import parse_formula
from dse.problem import Columns, Constraint, Metric, Objective, Sign
from dse.spaces.product import ProductSpace
from dse.spaces.space import Axis, Scale
from dse.testing.toys import Chosen, ClosedForm

STABILITY = tuple(float(level) for level in range(20, 75, 5))
OVERDRIVE = tuple(float(level) for level in np.round(np.geomspace(1.2, 6.0, 14), 3))
PULSE = tuple(float(level) for level in np.round(np.geomspace(0.5, 40.0, 16), 3))
PROTECTED = tuple(range(17))
DATAFLOWS = ("row stationary", "output stationary", "input stationary", "weight stationary")
TRAFFIC = {"weight stationary": 3.1e6, "input stationary": 2.6e6, "row stationary": 1.4e6, "output stationary": 1.9e6}
"""Bytes between the scratchpad and DRAM, by dataflow."""
CODE_BITS = 5
"""Check bits per word with a protected bit."""
WORD = 16
HARM = 1e3
"""Accuracy that failing bits cost, as they are valued in a word."""
RELAXATION = 1e-9
"""Relaxation time of the free layer [s]."""
UNIT_ENERGY = 1.2e-15
"""Energy of a bit at the critical current and stability 1, for a relaxation time [J]."""

WANTED = "write_energy*dram_bytes*latency*(1 + 1e3*error_rate)"
OPTIMUM = 1.5644570624668055e-13
"""Least value of what is wanted, by trying all designs."""

METRICS: Mapping[str, Metric] = {
    "write_energy": Metric("J"), "error_rate": Metric("", Sign.NOT_NEGATIVE),
    "accuracy_drop": Metric("", Sign.NOT_NEGATIVE), "dram_bytes": Metric("B"), "latency": Metric("s"),
}


def unswitched(stability: Floats, overdrive: Floats, pulse: Floats) -> Floats:
    """Probability that a bit stays unswitched after a pulse [relaxation times]; 0 where doubles resolve none.

    Computed as one minus the probability to switch, as a simulation's result would be: below 1e-16 it is zero.
    """
    exponent = np.pi**2 / 4 * stability * (overdrive - 1) / (overdrive * np.exp(2 * (overdrive - 1) * pulse) - 1)
    rate: Floats = 1.0 - np.exp(-exponent)
    return rate


def _model(chosen: Chosen) -> Columns:
    """Metrics of what is chosen."""
    stability, overdrive, pulse = (chosen[name].astype(float) for name in ("stability", "overdrive", "pulse"))
    protected = chosen["protected_bits"].astype(float)
    raw = unswitched(stability, overdrive, pulse)
    # a protected bit fails only together with another of its word
    error = np.minimum(raw * (1 - protected / WORD) + raw**2 * protected, 1.0)
    weights = 2.0 ** -np.arange(1, WORD + 1)
    exposed = np.where(np.arange(WORD) >= protected[:, None], weights, 0.0).sum(axis=1)
    drop = 1 - np.exp(-HARM * (raw * exposed + raw**2 * protected))
    bits = 1 + CODE_BITS * (protected > 0) / WORD + 0.2 * protected / WORD
    traffic = np.array([TRAFFIC[str(word)] for word in chosen["dataflow"]])
    write = bits * UNIT_ENERGY * stability * overdrive**2 * pulse * WORD
    return {
        "write_energy": write, "error_rate": error, "accuracy_drop": drop, "dram_bytes": traffic * bits,
        "latency": RELAXATION * pulse * (1 + 0.02 * protected) + 3e-9,
    }


def write_error_toy() -> ClosedForm:
    """Least energy and traffic at hardly any errors; the optimum is that of all designs (see the tests)."""
    axes = (
        Axis("stability", STABILITY), Axis("overdrive", OVERDRIVE, Scale.LOGARITHMIC),
        Axis("pulse", PULSE, Scale.LOGARITHMIC, ""), Axis("protected_bits", PROTECTED),
        Axis("dataflow", DATAFLOWS, Scale.WORDS),
    )
    known = set(METRICS)
    return ClosedForm(
        name="write error", space=ProductSpace(axes), metrics=METRICS,
        objectives=(Objective(WANTED, parse_formula(WANTED, known)),),
        constraints=(
            Constraint("error_rate<=0.0001", parse_formula("error_rate", known), "<=", 1e-4),
            Constraint("accuracy_drop<=0.001", parse_formula("accuracy_drop", known), "<=", 1e-3),
        ),
        model=_model, optimum=OPTIMUM,
    )
