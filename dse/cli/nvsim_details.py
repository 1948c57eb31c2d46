"""``dse nvsim --details``: what the figures of NVSim's winners are made of, block by block, as NVSim's own report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from dse.cli.console import Page
from dse.objectives.array.evaluation.design import EvaluatedDesign
from dse.objectives.array.evaluation.details import BlockDetail, Figures, array_blocks, bandwidths, cell_shares
from dse.objectives.array.hierarchy.array import METRIC_UNITS
from dse.objectives.cache.baselines.nvsim import CacheSearch
from dse.objectives.cache.presentation import organization_text
from dse.objectives.cache.specification import CacheSpec
from dse.units import format_quantity

ACCESSES = ("read", "write", "set", "reset")
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Details:
    """The winner of a target among the designs of one array, with its blocks."""

    target: str
    array: str
    design: EvaluatedDesign
    blocks: Sequence[BlockDetail]
    shares: Figures
    bandwidth: Figures


def details_of(spec: CacheSpec, searched: CacheSearch, targets: Sequence[str]) -> list[Details]:
    """Details of the winners of some targets, of all arrays."""
    found = []
    for target in targets:
        for name, choice in spec.arrays:
            design = searched[name].winners[target]
            blocks = array_blocks(choice, design)
            found.append(Details(
                target=target, array=name, design=design, blocks=blocks,
                shares=cell_shares(choice, design, blocks), bandwidth=bandwidths(design),
            ))
    return found


def details_json(details: Sequence[Details]) -> dict[str, Any]:
    """Details for scripts, by target and array."""
    found: dict[str, Any] = {}
    for one in details:
        found.setdefault(one.target, {})[one.array] = {
            "blocks": [
                {"name": block.name, "depth": block.depth, "count": block.count, "active": block.active,
                 **block.figures}
                for block in one.blocks
            ],
            "cell_share": dict(one.shares), "bandwidth": dict(one.bandwidth),
        }
    return found


def detail_rows(details: Sequence[Details]) -> Iterator[dict[str, Any]]:
    """Details as rows of a table, one for each block."""
    for one in details:
        for block in one.blocks:
            yield {
                "target": one.target, "array": one.array, "block": block.name, "depth": block.depth,
                "count": block.count, "active": block.active, **block.figures,
            }


def print_details(page: Page, details: Sequence[Details]) -> None:
    """Print details for a person."""
    for one in details:
        organization = organization_text(one.design).replace("\n", ", ")
        page.print(f"\n{one.target}, {one.array} array: {organization}", markup=False)
        page.print(_accesses_table(one, "latency", "Latency, of each block"))
        page.print(_accesses_table(one, "energy", "Energy, of a mat, an active subarray and its blocks"))
        page.print(_standing_table(one))
        read, write = (format_quantity(one.bandwidth[access], "B/s") for access in ("read", "write"))
        page.print(f"bandwidth of one array: {read} read, {write} written", markup=False)


def _table(title: str, headings: Sequence[str]) -> Table:
    """An empty table of blocks."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _name(block: BlockDetail) -> str:
    """A block with how many there are, inside the one before it."""
    many = f" ({block.active} of {block.count} active)" if block.count > 1 else ""
    return f"{INDENT * block.depth}{block.name}{many}"


def _accesses_table(one: Details, kind: str, title: str) -> Table:
    """A quantity of all accesses, by block."""
    accesses = [access for access in ACCESSES if f"{access}_{kind}" in one.blocks[0].figures]
    table = _table(title, [access.upper() if access in ("set", "reset") else access for access in accesses])
    for block in one.blocks:
        figures = [block.figures.get(f"{access}_{kind}", 0.0) for access in accesses]
        if any(figures):
            table.add_row(_name(block), *(_figure(value, METRIC_UNITS[f"read_{kind}"]) for value in figures))
    return table


def _standing_table(one: Details) -> Table:
    """Leakage, area and size by block, and how much of the area is cells."""
    table = _table("Leakage and area, of each block", ("leakage", "area", "height", "width", "cells"))
    for block in one.blocks:
        figures = [block.figures.get(name, 0.0) for name in ("leakage", "area", "height", "width")]
        if any(figures):
            share = one.shares.get(block.name)
            shown = (_figure(value, unit) for value, unit in zip(figures, ("W", "m2", "m", "m"), strict=True))
            table.add_row(_name(block), *shown, "" if share is None else f"{share:.1%}")
    return table


def _figure(value: float, unit: str) -> str:
    """A figure; nothing where a block adds nothing."""
    return format_quantity(value, unit) if value else ""
