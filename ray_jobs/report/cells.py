"""Columns and cells that know how they sort, and the two tables that every page has: costs and versions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ray_jobs.stages import Record
from ray_jobs.watching.costs import Cost, costs_of, sum_of

NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """What a cell shows, by what it sorts, and a smaller word behind it."""

    text: str
    sort: float | str
    aside: str = ""


@dataclass(frozen=True)
class Table:
    """A table for the page; `quiet` rows are set apart."""

    columns: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[Cell, ...], ...]
    quiet: tuple[bool, ...] = ()
    stacked: bool = False  # smaller words stand below, not behind


def cell(value: Any, aside: str = "") -> Cell:
    """A value of any type as a reader wants it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Cell(NOTHING, "")
    if isinstance(value, bool):
        return Cell("yes" if value else "no", int(value), aside)
    if isinstance(value, int):
        return Cell(f"{value:,}", value, aside)
    if isinstance(value, float):
        return Cell(f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}", value, aside)  # noqa: PLR2004
    return Cell(str(value), str(value).casefold(), aside)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Cell]], quiet: Iterable[bool] = (), stacked: bool = False
) -> Table:
    """A table whose numeric columns are those that hold a number and no words."""
    kept = tuple(tuple(row) for row in rows)
    numeric = tuple(_numeric(column) for column in zip(*kept, strict=True))
    return Table(tuple(columns), numeric or (False,) * len(columns), kept, tuple(quiet), stacked)


def _numeric(column: Sequence[Cell]) -> bool:
    filled = [cell for cell in column if cell.sort != ""]
    return bool(filled) and not any(isinstance(cell.sort, str) or cell.text[:1].isalpha() for cell in filled)


def stage_and_kind(record: Record) -> str:
    """The stage of a piece; kinds of model apart."""
    kind, dash, _ = str(record.meta["name"]).partition("-")
    stage = str(record.meta["stage"])
    return f"{stage}, {kind}" if dash else stage


def cost_table(records: Sequence[Record], stage_of: Callable[[Record], str] = stage_and_kind) -> Table:
    """What each stage took, in the order in which they began, and what all took together."""
    stages = costs_of(records, stage_of)
    rows = [_cost_row(cost.stage, cost) for cost in stages]
    if len(stages) > 1:
        rows.append(_cost_row("all", sum_of(stages)))
    columns = ("stage", "pieces", "seconds of work", "CPU seconds", "GPU seconds", "repeats", "peak memory, MiB")
    return table(columns, rows, quiet=[False] * len(stages) + [True])


def _cost_row(name: str, cost: Cost) -> list[Cell]:
    seconds = [Cell(f"{value:,.1f}", value) for value in (cost.wall_s, cost.cpu_s, cost.gpu_s)]
    return [cell(name), cell(cost.pieces), *seconds, cell(cost.repeats), cell(cost.peak_mib)]


def versions(records: Sequence[Record]) -> dict[str, str]:
    """What made the pieces: machines without their names, and libraries."""
    found: dict[str, set[str]] = {}
    for record in records:
        host = record.meta.get("host") or {}
        words = f"{host.get('cores')} cores, {host.get('memory_gib')} GiB, {host.get('system')}"
        for name, version in {"machine": words, **(record.meta.get("versions") or {})}.items():
            found.setdefault(str(name), set()).add(str(version))
    return {name: ", ".join(sorted(values)) for name, values in found.items()}
