"""An array as a part of whatever joins it: a cache joins two of them, a scratchpad one for each class of tensors."""

from collections.abc import Mapping
from functools import cached_property
from typing import Self

import numpy as np

from dse.batch import Floats, Ints, distinct
from dse.errors import InputError
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.evaluation.design import ArrayDesign, EvaluatedDesign, evaluate_designs
from dse.objectives.array.evaluation.handed import HandedUp, design_figures
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.model import ArrayModel
from dse.objectives.array.evaluation.nvsim import array_winners
from dse.objectives.array.evaluation.scan import ArrayScan
from dse.parts import Candidates, Range, Sieve
from dse.problem import Metric, SharedRecords
from dse.spaces.array.array_space import ArraySpace, organization_levels
from dse.spaces.array.organization import BUFFER_DESIGNS, ORGANIZATION_COLUMNS
from dse.spaces.space import Axis, Level, levels_of

CELLS_MARGIN = 1e-9
"""Relative margin of the area of the cells alone as a bound of an array's, for rounding."""


class ArrayPart:
    """One array: its space, its figures, and its designs sifted without evaluating most of them.

    Numbers of designs count organizations in NVSim's loop order for one pair of wires after the other. Details are
    the wires. `array_axes` are the axes of organization and wires, which may have levels that this array lacks.
    """

    def __init__(
        self, name: str, choice: ArrayChoice, handed: HandedUp, array_axes: tuple[Axis, ...], first_axis: int,
        libraries: MatLibraries,
    ) -> None:
        self.name = name
        self.choice = choice
        self.handed = handed
        self.array_axes = array_axes
        self.axes = slice(first_axis, first_axis + len(array_axes))
        self._libraries = libraries

    @cached_property
    def _scan(self) -> ArrayScan:
        """Its designs with all wires."""
        return ArrayScan(self.choice, self.handed, self._libraries)

    @property
    def figures(self) -> Mapping[str, Metric]:
        """What the array hands up."""
        return self.handed.figures

    @cached_property
    def model(self) -> ArrayModel:
        """Figures of chosen designs."""
        return ArrayModel(self.choice, self.handed, self._libraries)

    @cached_property
    def space(self) -> ArraySpace:
        """Organizations and wires."""
        return ArraySpace(self._libraries.enumeration(self.choice), self.array_axes, self.model)

    @cached_property
    def winners(self) -> dict[str, EvaluatedDesign]:
        """NVSim's winners of all targets, wires refined; none where no design is valid."""
        return array_winners(self.choice, self._libraries)

    @property
    def least(self) -> Floats:
        """Bounds of the figures: the area of the cells of a data array alone, and zero."""
        spec, cell = self.choice.spec, self.choice.fabric.cell
        bits = 0 if spec.is_tag else spec.capacity_bits(spec.block_bits)
        area = bits * cell.area_f2 * self.choice.fabric.technology.feature_size**2 * (1 - CELLS_MARGIN)
        return np.array([
            float(np.ravel(figure)[0])
            for figure in self.handed.of(lambda name: np.array([area if name == "area" else 0.0]))
        ])

    @property
    def evaluations(self) -> int:
        """Designs, banks and mats evaluated or bounded so far."""
        return self._scan.evaluations

    @property
    def has_details(self) -> bool:
        """Whether wires are open."""
        return not self._scan.single_wire

    def evaluate(self, designs: Ints) -> Floats:
        """Figures (figures, n) of legal designs; NaN where one cannot be built.

        Where the space has not been asked for, each different design is evaluated rather than making it for them.
        """
        if "space" in self.__dict__:
            return self.model.figures(self.space.place(designs), designs[:, -2], designs[:, -1])
        different, place = distinct(*designs.T)
        found = evaluate_designs(self.choice, [self.design(levels) for levels in designs[different]])
        figures = np.stack(np.broadcast_arrays(*self.handed.of(design_figures(found)))).astype(float)
        return np.where([design.valid for design in found], figures, np.nan)[:, place]

    def sift(self, sieve: Sieve) -> Candidates:
        """Valid designs that a sieve keeps."""
        return self._scan.sift(sieve)

    def range(self, *, lower_ends_only: bool) -> Range:
        """Bounds of every figure over all valid designs; loose ones where only the lower ends are asked for."""
        return self._scan.range(lower_ends_only=lower_ends_only)

    def known(self) -> Candidates:
        """NVSim's winners of all targets, wires refined."""
        return self.candidates([design for design in self.winners.values() if design.valid])

    def candidates(self, designs: list[EvaluatedDesign]) -> Candidates:
        """Designs that were evaluated in full."""
        if not designs:
            return Candidates(np.zeros((len(self.figures), 0)), np.zeros(0, np.int64))
        figures = np.stack(np.broadcast_arrays(*self.handed.of(design_figures(designs))))
        return Candidates(figures.astype(float), np.array([self._scan.number(one.design) for one in designs]))

    def coarse(self) -> Self:
        """The same array with NVSim's basic wires; itself where no wire is open."""
        return self._with(self._scan.with_basic_wires()) if self.has_details else self

    def like(self, number: int) -> Self:
        """The same array with the wires of one design."""
        design = self._scan.design(number)
        return self._with(self._scan.with_wires(design.local, design.global_))

    def _with(self, scan: ArrayScan) -> Self:
        """The same array with the wires of a scan."""
        return type(self)(self.name, scan.choice, self.handed, self.array_axes, self.axes.start, self._libraries)

    def variants(self, number: int) -> Candidates:
        """One organization with every pair of wires."""
        return self._scan.with_each_wire(self._scan.design(number))

    def designs(self, number: Ints) -> Ints:
        """Levels (n, axes) of designs of numbers."""
        wires, organization = self._scan.decode(np.asarray(number, dtype=np.int64))
        levels = organization_levels(self.array_axes, organization)
        return np.concatenate([levels, np.stack(self._scan.split_wires(wires), axis=1)], axis=1)

    def levels(self, design: ArrayDesign) -> Ints:
        """Levels (axes,) of one design. Raises InputError where the axes have not its levels."""
        *counts, buffer = design.organization
        chosen: list[Level] = [*counts, BUFFER_DESIGNS[buffer]]
        organization = levels_of(
            self.array_axes[: len(ORGANIZATION_COLUMNS)], dict(zip(ORGANIZATION_COLUMNS, chosen, strict=True))
        )
        try:
            wires = self._scan.wire_numbers(design.local, design.global_)
        except ValueError:
            asked = f"{design.local.label} and {design.global_.label}"
            raise InputError(f"wires {asked} are not among those asked for") from None
        return np.array([*organization, *wires])

    def numbered(self, number: int) -> ArrayDesign:
        """The design of a number."""
        return self._scan.design(number)

    def design(self, levels: Ints) -> ArrayDesign:
        """The design of levels (axes,)."""
        organization = levels[: len(ORGANIZATION_COLUMNS)]
        *counts, buffer = (axis.levels[int(level)] for axis, level in zip(self.array_axes, organization, strict=False))
        whole = (*(int(count) for count in counts), BUFFER_DESIGNS.index(str(buffer)))
        return ArrayDesign(whole, *self._scan.wires(int(levels[-2]), int(levels[-1])))

    def in_full(self, levels: Ints) -> EvaluatedDesign:
        """Every figure of one design (axes,)."""
        return evaluate_designs(self.choice, [self.design(levels)])[0]

    def rows_in_full(self, levels: Ints) -> SharedRecords:
        """Rows of designs (n, axes), at least one, those that occur several times worked out once."""
        different, place = distinct(*levels.T)
        rows = [one.to_row() for one in evaluate_designs(self.choice, [self.design(one) for one in levels[different]])]
        columns = {}
        for name in rows[0]:
            column = np.empty(len(rows), object)
            column[:] = [row[name] for row in rows]
            columns[f"{self.name}_{name}"] = column
        return SharedRecords(columns, place)
