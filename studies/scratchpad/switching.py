"""How a bit of STT-MRAM switches: what pulses, currents and stabilities cost in energy and in failed writes."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from dse.batch import Floats
from dse.objectives.array.given.cell import load_cell
from dse.objectives.array.given.technology import load_technology
from dse.objectives.array.hierarchy.array import Fabric
from dse.objectives.reliability.approximations import butler_error_rate
from dse.objectives.reliability.link import SwitchingLink
from dse.objectives.reliability.optimum import cheapest_current, relative_energy
from dse.objectives.reliability.switching import required_pulse, write_error_rate
from dse.objectives.scratchpad.buffers import BufferMemory, BufferShape, buffer_arrays, buffer_memory
from dse.objectives.scratchpad.savings import array_saving, word_saving
from dse.report.plot import COLORS
from dse.studies.study import Findings, Study

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RATES = (1e-12, 1e-9, 1e-6, 1e-4, 1e-3, 1e-2)
STABILITIES = (30.0, 40.0, 50.0, 60.0)
PULSES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
STATED, RELAXED = 1e-12, 1e-4
WORD_BITS, LATENCY_LIMIT = 256, 4e-9
CAPACITIES = (1 << 20, 4 << 20)
PROTECTED = (0.0, 0.5)
NODE, ROADMAP, TEMPERATURE = 22, "HP", 350


def run(jobs: int) -> Findings:
    """Energies at every error rate, stability and pulse, the optimum, and what is saved in cell, word and array."""
    import pandas as pd

    fabric = Fabric(load_technology(NODE, ROADMAP, TEMPERATURE), load_cell("stt"))
    memory = buffer_memory("stt", fabric)
    assert memory.link is not None
    pulses, optima = pulse_rows(memory.link), optimum_rows(memory.link)
    savings = saving_rows(memory, memory.link)
    table = pd.concat([pulses, optima, savings], ignore_index=True)
    return Findings(_answer(optima, savings), table, _figure(memory.link), _notes(memory.link), savings)


def pulse_rows(link: SwitchingLink) -> "pd.DataFrame":
    """Mean energy of a written bit [J], and its SET current [A], at each error rate, stability and pulse."""
    import pandas as pd

    rate, stability, pulse = (
        one.ravel() for one in np.meshgrid(RATES, STABILITIES, PULSES, indexing="ij")
    )
    writes = link.writes(rate, stability, pulse)
    return pd.DataFrame({
        "part": "pulse", "error_rate": rate, "stability": stability, "pulse": writes.set_pulse,
        "set_current": writes.set_current, "energy": writes.mean_energy,
    }).replace(np.inf, np.nan)


def optimum_energy(link: SwitchingLink, rate: ArrayLike, stability: ArrayLike) -> Floats:
    """Mean energy [J] of a write of a bit in the cheapest pulse, by diameter: E_file·s·(i²τ)/(i²τ of the file)."""
    exponent = link.parameters.energy_exponent
    least = relative_energy(cheapest_current(rate, stability, exponent), rate, stability, exponent)
    time = link.parameters.switching_time
    per_unit = [one.energy / (one.ratio**exponent * one.pulse / time) for one in (link.set, link.reset)]
    return np.asarray(np.mean(per_unit) * least * np.asarray(stability) / link.parameters.stability)


def optimum_rows(link: SwitchingLink) -> "pd.DataFrame":
    """Cheapest current, pulse and energy at each error rate and stability."""
    import pandas as pd

    rate, stability = (one.ravel() for one in np.meshgrid(RATES, STABILITIES, indexing="ij"))
    exponent = link.parameters.energy_exponent
    current = cheapest_current(rate, stability, exponent)
    return pd.DataFrame({
        "part": "optimum", "error_rate": rate, "stability": stability, "current_ratio": current,
        "pulse": required_pulse(current, rate, stability) * link.parameters.switching_time,
        "relative_energy": relative_energy(current, rate, stability, exponent),
        "energy": optimum_energy(link, rate, stability),
    })


def cheapest_of_pulses(link: SwitchingLink, rate: float, stability: float) -> float:
    """Least mean energy [J] of a write over the pulses, at most twice the file's."""
    return float(link.writes(rate, stability, np.linspace(0.25, 2.0, 36)).mean_energy.min())


def saving_rows(memory: BufferMemory, link: SwitchingLink) -> "pd.DataFrame":
    """What an error rate of 1e-4 saves against the file's write, and against the cheapest that fails as rarely."""
    import pandas as pd

    stability = link.parameters.stability
    file_energy = (link.set.energy + link.reset.energy) / 2
    stated, relaxed = optimum_energy(link, (STATED, RELAXED), stability).tolist()
    baselines = {
        "the file's pulses": (file_energy, relaxed),
        "the cheapest at 1e-12": (stated, relaxed),
        "the cheapest at 1e-12, pulses up to twice the file's": (
            cheapest_of_pulses(link, STATED, stability), cheapest_of_pulses(link, RELAXED, stability)
        ),
    }
    rows = []
    for capacity in CAPACITIES:
        periphery = write_periphery(memory, capacity)
        for name, (before, after) in baselines.items():
            share = before * WORD_BITS / (before * WORD_BITS + periphery)
            rows += [
                {
                    "part": "saving", "against": name, "capacity": capacity, "cells_share": share,
                    "protected": protected, "cell": before / after,
                    "word": float(word_saving(before / after, protected)),
                    "array": float(array_saving(before / after, protected, share)),
                }
                for protected in PROTECTED
            ]
    return pd.DataFrame(rows)


def write_periphery(memory: BufferMemory, capacity: int) -> float:
    """Energy [J] of a write beside its cells, in the array of least energy·latency of a read and a write."""
    arrays = buffer_arrays(memory, BufferShape(capacity, WORD_BITS, LATENCY_LIMIT), banks=(1,))
    energy = arrays.read_energy + arrays.periphery_write_energy
    best = int((energy * (arrays.read_latency + arrays.periphery_write_latency)).argmin())
    return float(arrays.periphery_write_energy[best])


def _answer(optima: "pd.DataFrame", savings: "pd.DataFrame") -> str:
    """Where the optimum lies and what is saved."""
    at_60 = optima[optima.stability == 60.0]
    strict, loose = (at_60[at_60.error_rate == rate].iloc[0] for rate in (STATED, RELAXED))
    strictly = optima[optima.error_rate == STATED]
    fewer = dict(zip(strictly.stability, strictly.energy, strict=True))
    one = savings[(savings.capacity == CAPACITIES[0]) & (savings.against == "the file's pulses")]
    bare, half = one[one.protected == 0.0].iloc[0], one[one.protected == 0.5].iloc[0]
    return (
        f"The cheapest write at Δ = 60 is {strict.current_ratio:.2f} I_c0 for"
        f" {strict.pulse * 1e9:.1f} ns at a write error rate of 1e-12, {loose.current_ratio:.2f} I_c0 for"
        f" {loose.pulse * 1e9:.1f} ns at 1e-4, which costs {strict.energy / loose.energy:.2f} times less. A bit of"
        f" Δ = 40 costs {fewer[60.0] / fewer[40.0]:.2f} times less at 1e-12, one of Δ = 30"
        f" {fewer[60.0] / fewer[30.0]:.2f} times. Against the file's own pulses an error rate of 1e-4 saves"
        f" {bare.cell:.2f}x in a cell and {bare['array']:.2f}x in a mean write of an array of 1 MB, of which cells are"
        f" {100 * bare.cells_share:.0f} %; with the exponent protected, {half.word:.2f}x in a word and"
        f" {half['array']:.2f}x in the array: half of the bits protected, twofold is out of reach."
    )


def _notes(link: SwitchingLink) -> tuple[str, ...]:
    """Limits."""
    assumed = ", ".join(link.parameters.assumed)
    return (
        f"Assumed, as the cell file does not say: {assumed or 'nothing'}.",
        "Cells' share of a write is that of the array of least energy times latency; in the array of the least write"
        " energy cells are more, and savings of arrays nearer to those of words.",
        "A macrospin: measured Δ stops growing with diameter above about 30 nm while I_c0 goes on (Sato et al., APL"
        " 105, 062403), so that the knob by diameter holds for Δ from 20 to 60.",
        "Energy follows the current's square (the drive voltage follows the current); with a fixed rail it follows"
        " the current, -EnergyExponent 1, and shorter pulses save more.",
    )


def _figure(link: SwitchingLink) -> "Figure":
    """Error rate over the pulse, energy over the pulse, and the optimum over the error rate."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.6), layout="constrained")
    failing, costs, least = figure.subplots(1, 3)
    _draw_failing(failing)
    _draw_costs(costs, link)
    _draw_least(least, link)
    for axes, letter in zip((failing, costs, least), "abc", strict=True):
        title = axes.get_title()
        axes.set_title("")
        axes.set_title(f"({letter}) {title}", fontsize=9, loc="left")
        axes.tick_params(labelsize=8)
        axes.xaxis.label.set_size(9)
        axes.yaxis.label.set_size(9)
    return figure


def _draw_failing(axes: "Axes") -> None:
    """Error rate over the pulse, by solver and closed form."""
    time = np.geomspace(0.5, 20, 120)
    for number, current in enumerate((1.5, 2.0, 3.0, 4.0)):
        axes.loglog(time, write_error_rate(current, time, 60.0), color=COLORS[number], label=f"{current:g} $I_{{c0}}$")
        axes.loglog(time, butler_error_rate(current, time, 60.0), ":", color="black", linewidth=0.9,
                    label="closed form (Butler)" if current == 4.0 else None)
    axes.set(ylim=(1e-15, 1.5), xlabel="pulse [$t_D$]", ylabel="write error rate", title="failed writes, Δ = 60")
    axes.legend(fontsize=7, frameon=False, loc="lower left")


def _draw_costs(axes: "Axes", link: SwitchingLink) -> None:
    """Energy over the pulse at some error rates, the cheapest pulse of each, and the file's own write."""
    pulse: Floats = np.linspace(0.25, 2.0, 71)
    for number, rate in enumerate((1e-12, 1e-6, 1e-4, 1e-2)):
        energy = link.writes(rate, link.parameters.stability, pulse).mean_energy * 1e12
        energy = np.where(np.isfinite(energy), energy, np.nan)
        axes.plot(pulse, energy, color=COLORS[number], label=f"{rate:.0e}")
        best = int(np.nanargmin(energy))
        axes.plot(pulse[best], energy[best], "o", ms=4, color=COLORS[number])
    axes.plot(1.0, (link.set.energy + link.reset.energy) / 2 * 1e12, "*", ms=9, color="black", label="as in the file")
    axes.set(xlabel="pulse over the file's", ylabel="mean energy of a bit [pJ]", ylim=(0, None),
             title="energy at one error rate (dots: least)")
    axes.legend(fontsize=7, frameon=False, title="write error rate", title_fontsize=7)


def _draw_least(axes: "Axes", link: SwitchingLink) -> None:
    """Energy in the cheapest pulse over the error rate."""
    rates = np.logspace(-12, -2, 11)
    energies = optimum_energy(link, rates[:, None], np.array(STABILITIES)) * 1e12
    for number, (stability, energy) in enumerate(zip(STABILITIES, energies.T, strict=True)):
        axes.semilogx(rates, energy, color=COLORS[number], label=f"Δ = {stability:g}")
    axes.set(xlabel="write error rate", ylabel="least mean energy of a bit [pJ]", ylim=(0, None),
             title="energy in the cheapest pulse")
    axes.legend(fontsize=7, frameon=False)


STUDY = Study(
    "switching", "What do failed writes buy: which pulse, voltage and stability, and how much energy is saved?", run
)
