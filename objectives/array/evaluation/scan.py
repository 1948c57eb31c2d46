"""Scans of all designs of one array with all its wires, sieved on the way.

Figures without global wires bound those with any wire from below, and figures under the cheapest wire at every
level bound them more closely, so that most designs are discarded before their mats are evaluated and their wires
chosen.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from dse.batch import Floats, Ints
from dse.objectives.array.choice import ArrayChoice
from dse.objectives.array.circuits.wire import FreeWire, GlobalWire, Wire, cheapest_wire
from dse.objectives.array.evaluation.blocks import ArrayDesigns, Pairs, join_pairs
from dse.objectives.array.evaluation.design import ArrayDesign, organizations, reached
from dse.objectives.array.evaluation.flat import Flat, Keeps, Met, Styled, flatten, lower_ends, pairs_in_full, parts_of
from dse.objectives.array.evaluation.handed import HandedUp, bank_figures
from dse.objectives.array.evaluation.library import MatLibraries
from dse.objectives.array.evaluation.wired import met_with_wires
from dse.objectives.array.hierarchy.array import bankable_mat, join
from dse.objectives.array.hierarchy.bank import Bank
from dse.parts import Candidates, Range, Sieve, join_candidates
from dse.spaces.array.wires import WireChoice, WireRange

BATCH = 1 << 14
"""Designs whose wires are tried together."""


class ArrayScan:
    """All designs of one array with all its wires, by what it hands up."""

    def __init__(self, choice: ArrayChoice, handed: HandedUp, libraries: MatLibraries) -> None:
        self.choice = choice
        self.evaluations = 0
        self._handed = handed
        self._libraries = libraries
        self._enumeration = libraries.enumeration(choice)
        self._locals = choice.local_wires.effective_inside_mats()
        self._globals = list(choice.global_wires)
        self._wires = tuple(choice.fabric.wire(one) for one in self._globals)

    @property
    def single_wire(self) -> bool:
        """True where no wire is open."""
        return len(self._locals) == len(self._globals) == 1

    def with_basic_wires(self) -> "ArrayScan":
        """The same array with NVSim's basic wires only."""
        return self.with_wires(self.choice.basic_local, self.choice.basic_global)

    def with_wires(self, local: WireChoice, global_: WireChoice) -> "ArrayScan":
        """The same array with one pair of wires only."""
        pinned = replace(self.choice, local_wires=WireRange.only(local), global_wires=WireRange.only(global_))
        return ArrayScan(pinned, self._handed, self._libraries)

    def wires(self, local: int, global_: int) -> tuple[WireChoice, WireChoice]:
        """Wires of the given numbers."""
        return self._locals[local], self._globals[global_]

    def wire_numbers(self, local: WireChoice, global_: WireChoice) -> tuple[int, int]:
        """Numbers of wires; of a local wire only the type matters."""
        return [wire.type for wire in self._locals].index(local.type), self._globals.index(global_)

    def number(self, design: ArrayDesign) -> int:
        """Number of a design: its wires, then its organization in loop order."""
        local, global_ = self.wire_numbers(design.local, design.global_)
        code = self._enumeration.code_of(design.organization)
        return (local * len(self._globals) + global_) * self._enumeration.combinations + code

    def decode(self, number: Ints) -> tuple[Ints, dict[str, Ints]]:
        """Numbers of pairs of wires, and columns of the organizations, of designs of numbers."""
        wires, code = np.divmod(number, self._enumeration.combinations)
        banks, mats = self._enumeration.designs(code)
        return wires, {**banks.to_columns(), **mats.to_columns()}

    def split_wires(self, wires: Ints) -> tuple[Ints, Ints]:
        """Numbers of local and of global wires of numbers of pairs."""
        return np.divmod(wires, len(self._globals))

    def design(self, number: int) -> ArrayDesign:
        """The design of a number."""
        wires, code = divmod(number, self._enumeration.combinations)
        organization = organizations(*self._enumeration.designs(np.array([code])))[0]
        return ArrayDesign(organization, *self.wires(*divmod(wires, len(self._globals))))

    def with_each_wire(self, design: ArrayDesign) -> Candidates:
        """One legal organization with every pair of wires with which it is valid.

        Its mats are evaluated once for each local wire.
        """
        shape, routing, geometry = reached(self.choice, [design.organization])
        code = np.array([self._enumeration.code_of(design.organization)])
        found = []
        for place, local in enumerate(self._locals):
            circuit = self.choice.fabric.circuit(self.choice.spec, local)
            mat, _ = bankable_mat(geometry, circuit)
            for number, wire in enumerate(self._wires, place * len(self._globals)):
                bank = join(shape, routing, mat, wire, circuit)
                figures = _pick(self._handed.of(bank_figures(bank, mat)), np.flatnonzero(bank.legal))
                found.append(self._candidates(figures, number, code[bank.legal]))
        return join_candidates(found, len(self._handed.figures))

    def range(self, *, lower_ends_only: bool) -> Range:
        """Bounds of every figure over all valid designs; loose ones where only the lower ends are asked for."""
        if lower_ends_only and self._bounded:
            return self._lower_ends()
        low, high = np.full(len(self._handed.figures), np.inf), np.zeros(len(self._handed.figures))
        for local in self._locals:
            for wire in self._wires:
                for block in self._designs(local, wire).blocks():
                    _widen(low, high, self._handed.of(bank_figures(block.bank, block.mat)))
        return low[:, None], high[:, None]

    def _lower_ends(self) -> Range:
        """Lower bounds of every figure, without global wires, and no upper ones."""
        low = np.full(len(self._handed.figures), np.inf)
        for local in self._locals:
            designs = self._designs(local, FreeWire())
            flat = flatten(designs)
            if flat is not None:
                low = np.minimum(low, lower_ends(flat, self._handed.of))
                continue
            for block in designs.blocks():
                figures = self._handed.of(bank_figures(block.bank, block.mat))
                low = np.minimum(low, [float(np.min(figure)) for figure in figures])
        return low[:, None], np.full((len(low), 1), np.inf)

    def _promising(self, sieve: Sieve, designs: ArrayDesigns) -> Iterator[Pairs] | None:
        """Designs that a sieve may keep by lower bounds, some at a time; None where bounds do not hold.

        The sieve may learn from those that were taken before the next are chosen.
        """
        flat = flatten(designs) if sieve.by_bounds else None
        return None if flat is None else self._chosen(sieve, designs, flat)

    def _chosen(self, sieve: Sieve, designs: ArrayDesigns, flat: Flat) -> Iterator[Pairs]:
        """Designs that a sieve may keep by lower bounds."""
        styled, found = flat.pairs_by_group(self._by_figures(sieve, flat))
        yield from self._batched(designs, styled, map(flat.members, found))

    def _wired(self, sieve: Sieve, designs: ArrayDesigns, flat: Flat) -> Iterator[Pairs]:
        """Designs that a sieve may keep by lower bounds with the cheapest global wires of any make, some at a time.

        Wires with repeaters, of low swing and plain ones each have a cheapest: that of all would be as fast as one of
        them and take as little energy as another.
        """
        keeps = self._by_figures(sieve, flat)
        styled, (both,) = flat.surviving([keeps])
        cheapest = [cheapest_wire(wires) for wires in self._by_make()]
        yield from self._batched(designs, styled, met_with_wires(styled, both, keeps, cheapest))

    def _by_make(self) -> list[list[Wire]]:
        """Global wires with repeaters, of low swing, and plain ones, as far as there are any."""
        makes: dict[tuple[bool, bool], list[Wire]] = {}
        for wire in self._wires:
            makes.setdefault((wire.repeated, wire.choice.low_swing), []).append(wire)
        return list(makes.values())

    def _by_figures(self, sieve: Sieve, flat: Flat) -> Keeps:
        """Which designs a sieve may keep by lower bounds of the figures of a flat array."""
        self.evaluations += len(flat.banks.group) + len(flat.mat_group)
        return lambda figure: sieve.keeps(self._handed.of(figure))

    def _batched(self, designs: ArrayDesigns, styled: Styled, found: Iterable[Met]) -> Iterator[Pairs]:
        """Pairs evaluated in full, many at a time."""
        waiting: list[Met] = []
        for met in found:
            waiting.append(met)
            if sum(len(banks) for banks, _ in waiting) > BATCH:
                yield from self._in_full(designs, styled, waiting)
                waiting = []
        yield from self._in_full(designs, styled, waiting)

    def _in_full(self, designs: ArrayDesigns, styled: Styled, met: Sequence[Met]) -> Iterator[Pairs]:
        """Pairs evaluated in full."""
        if met:
            one, other = zip(*met, strict=True)
            for part in parts_of((np.concatenate(one), np.concatenate(other))):
                yield pairs_in_full(designs, styled, part)

    def sift(self, sieve: Sieve) -> Candidates:
        """Valid designs that a sieve keeps."""
        found: list[Candidates] = []
        for place, local in enumerate(self._locals):
            first = place * len(self._globals)
            if sieve.by_bounds and self._bounded and len(self._wires) > 1:
                found.extend(self._sift_together(sieve, local, first))
            else:
                for number, wire in enumerate(self._wires):
                    found.extend(self._sift(sieve, local, wire, first + number))
        return sieve.thin(join_candidates(found, len(self._handed.figures)))

    @property
    def _bounded(self) -> bool:
        """True where cheapest wires bound all wires.

        Bitlines that run to the bank's edge need one kind of wire; low swing wires that take area may get
        faster with length, since their drivers grow in steps.
        """
        swinging = any(wire.choice.low_swing and wire.area_pitch > 0 for wire in self._wires)
        return self.choice.fabric.internal_sensing and not swinging

    def _designs(self, local: WireChoice, wire: GlobalWire) -> ArrayDesigns:
        """All organizations with one pair of wires."""
        return ArrayDesigns(self.choice, local, wire, self._libraries)

    def _sift(self, sieve: Sieve, local: WireChoice, wire: GlobalWire, number: int) -> Iterator[Candidates]:
        """Promising designs with one pair of wires."""
        designs = self._designs(local, wire)
        promising = self._promising(sieve, designs)
        if promising is None:
            yield from self._sift_blocks(sieve, designs, number)
            return
        for pairs in promising:
            self.evaluations += len(pairs)
            bank = join(pairs.shape, pairs.routing, pairs.mat, wire, designs.circuit)
            yield from self._kept(sieve, bank, pairs, number)

    def _sift_blocks(self, sieve: Sieve, designs: ArrayDesigns, number: int) -> Iterator[Candidates]:
        """Promising designs with one pair of wires, all evaluated."""
        for block in designs.blocks():
            self.evaluations += block.bank.legal.size
            figures = self._handed.of(bank_figures(block.bank, block.mat))
            row, column = np.nonzero(sieve.keeps(figures) & block.bank.legal)
            if len(row):
                yield sieve.thin(self._candidates(_pick(figures, row, column), number, block.code(row, column)))

    def _kept(self, sieve: Sieve, bank: Bank, pairs: Pairs, number: int) -> Iterator[Candidates]:
        """Those of some designs that a sieve keeps."""
        figures = self._handed.of(bank_figures(bank, pairs.mat))
        chosen = np.flatnonzero(sieve.keeps(figures) & bank.legal)
        if len(chosen):
            yield sieve.thin(self._candidates(_pick(figures, chosen), number, pairs.code[chosen]))

    def _sift_together(self, sieve: Sieve, local: WireChoice, first: int) -> Iterator[Candidates]:
        """Promising designs with any global wire: sifted without wires, with the cheapest, then with each."""
        designs = self._designs(local, FreeWire())
        flat = flatten(designs)
        waiting: list[Pairs] = []
        for pairs in self._without_wires(sieve, designs) if flat is None else self._wired(sieve, designs, flat):
            waiting.append(pairs)
            if sum(map(len, waiting)) > BATCH:
                yield from self._with_each_global(sieve, local, first, join_pairs(waiting))
                waiting = []
        if waiting:
            yield from self._with_each_global(sieve, local, first, join_pairs(waiting))

    def _without_wires(self, sieve: Sieve, designs: ArrayDesigns) -> Iterator[Pairs]:
        """Designs that a sieve keeps without global wires, all evaluated."""
        for block in designs.blocks():
            self.evaluations += block.bank.legal.size
            figures = self._handed.of(bank_figures(block.bank, block.mat))
            row, column = np.nonzero(np.broadcast_to(sieve.keeps(figures), block.bank.legal.shape))
            if len(row):
                yield block.pairs(row, column)

    def _with_each_global(
        self, sieve: Sieve, local: WireChoice, first: int, pairs: Pairs
    ) -> Iterator[Candidates]:
        """Promising ones of some designs, with every global wire."""
        circuit = self.choice.fabric.circuit(self.choice.spec, local)

        def joined(some: Pairs, wire: GlobalWire) -> Bank:
            return join(some.shape, some.routing, some.mat, wire, circuit)

        def promising(some: Pairs, wires: list[int]) -> Pairs:
            bound = joined(some, cheapest_wire([self._wires[number] for number in wires]))
            return some.take(np.flatnonzero(sieve.keeps(self._handed.of(bank_figures(bound, some.mat)))))

        pairs = promising(pairs, list(range(len(self._wires))))
        for wires in self._alike() if len(pairs) else ():
            part = promising(pairs, wires) if len(wires) > 1 else pairs
            for number in wires if len(part) else ():
                self.evaluations += len(part)
                yield from self._kept(sieve, joined(part, self._wires[number]), part, first + number)

    def _alike(self) -> list[list[int]]:
        """Global wires by type and by having repeaters: what bounds all of such a kind bounds each closely."""
        kinds: dict[tuple[str, bool, bool], list[int]] = {}
        for number, wire in enumerate(self._wires):
            choice = wire.choice
            kinds.setdefault((choice.type, wire.unit is not None, choice.low_swing), []).append(number)
        return list(kinds.values())

    def _candidates(self, parts: Floats, wires: int, code: Ints) -> Candidates:
        """Candidates that share their wires."""
        return Candidates(parts, wires * self._enumeration.combinations + code)


def _widen(low: Floats, high: Floats, side: Sequence[Floats]) -> None:
    """Extend bounds of every figure to cover designs."""
    for place, figure in enumerate(side):
        low[place] = min(low[place], figure.min())
        high[place] = max(high[place], figure.max())


def _pick(side: Sequence[Floats], *where: Ints) -> Floats:
    """Figures (parts, n) of the designs at the given positions."""
    shape = np.broadcast_shapes(*(figure.shape for figure in side))
    return np.stack([np.broadcast_to(figure, shape)[where] for figure in side])
