"""The tables of a report, as columns and cells that know how they sort."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from langvec.pictures.families import name_of
from ray_jobs.report.findings import Distances, Findings, Kind, Row
from ray_jobs.stages import Record

NEIGHBOURS = 3
SWEEP_ROWS = 300
NOTHING = "–"
SCORES = {
    "triplets": "triplets",
    "triplets_within_script": "triplets within a script",
    "quartet_distance": "quartet distance",
    "lca_spearman": "depth correlation",
    "lca_gap": "depth gap",
    "rf_rooted": "RF rooted, groups",
    "rf_rooted_normalised": "RF rooted, share",
    "rf_unrooted": "RF unrooted, groups",
    "rf_unrooted_normalised": "RF unrooted, share",
}


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


def neighbour_table(distances: Distances) -> Table:
    """The nearest languages of each, with the distance and its interval."""
    rows = [_neighbours(distances, place) for place in range(len(distances.codes))]
    nearest = ("nearest", "second", "third")[: len(rows[0]) - 1] if rows else ()
    return table(("language", *nearest), sorted(rows, key=lambda row: str(row[0].sort)), stacked=True)


def _neighbours(distances: Distances, place: int) -> list[Cell]:
    order = [int(j) for j in np.argsort(distances.values[place], kind="stable") if j != place][:NEIGHBOURS]
    cells = [_language(distances.codes[place])]
    for j in order:
        far, low, high = (matrix[place, j] for matrix in (distances.values, distances.low, distances.high))
        cells.append(Cell(name_of(distances.codes[j]), float(far), f"{far:.3f} ({low:.3f} to {high:.3f})"))
    return cells


def _language(code: str, name: str | None = None) -> Cell:
    name = name or name_of(code)
    return Cell(name, name.casefold(), code)


def score_table(findings: Findings) -> Table:
    """Every tree with its scores; baselines are quiet."""
    rows = [
        [
            cell(row["kind"]),
            cell(row["tree"]),
            _count(row.get("clades")),
            _count(row.get("clades_shared"), row.get("clades_gold")),
        ]
        + [_score(row, name) for name in SCORES]
        for row in findings.trees
    ]
    quiet = [row["role"] == "baseline" for row in findings.trees]
    return table(("models", "tree", "clades", "clades shared", *SCORES.values()), rows, quiet, stacked=True)


def _count(value: float | None, whole: float | None = None) -> Cell:
    """A count, or the mean of many, out of how many."""
    if value is None or math.isnan(value):
        return cell(None)
    return Cell(f"{value:,.10g}", value, "" if whole is None else f"of {whole:,.10g}")


def _score(row: Row, name: str) -> Cell:
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    known = all(end is not None and not math.isnan(end) for end in (low, high))
    digits = ".4g" if name in ("rf_rooted", "rf_unrooted") else ".3f"
    value = row.get(name)
    if value is None or math.isnan(value):
        return cell(None)
    return Cell(f"{value:{digits}}", value, f"{low:{digits}} to {high:{digits}}" if known else "")


def sweep_table(kind: Kind) -> Table | None:
    """The first trials of a sweep, with all that was noted of them."""
    if kind.sweep is None:
        return None
    rows = kind.sweep.slice(0, SWEEP_ROWS).to_pylist()
    columns = kind.sweep.column_names
    return table([name.replace("_", " ") for name in columns], [[cell(row[name]) for name in columns] for row in rows])


def corpora_table(findings: Findings) -> Table:
    """What came in for each language, what was dropped and why, and the sizes of the splits."""
    reasons = dropped(findings)
    rows = [
        [
            _language(row["lang"], row.get("name")),
            cell(row.get("family") or "isolate"),
            cell(row.get("lines_kept")),
            *(cell(row.get(reason) or 0) for reason in reasons),
            *(cell(row.get(f"{split}_chars")) for split in ("train", "validation", "test")),
            cell(bool(row.get("stopped_at_max_lines"))),
        ]
        for row in findings.corpora
    ]
    shown = [f"{reason.removeprefix('lines_').replace('_', ' ')}" for reason in reasons]
    sizes = ("characters to train", "to validate", "to test")
    return table(("language", "family", "lines kept", *shown, *sizes, "stopped at the cap"), rows)


def dropped(findings: Findings) -> dict[str, int]:
    """Lines that were left out, by the name of the reason's column; reasons without lines are not named."""
    names = dict.fromkeys(name for row in findings.corpora for name in row if name.startswith("lines_"))
    totals = {name: sum(int(row.get(name) or 0) for row in findings.corpora) for name in names if name != "lines_kept"}
    return {name: total for name, total in totals.items() if total}


def cost_table(records: Sequence[Record]) -> Table:
    """What each stage took, in the order in which they began; kinds of model apart."""
    stages: dict[str, list[Mapping[str, Any]]] = {}
    for record in sorted(records, key=lambda record: str(record.meta["cost"].get("started", ""))):
        stages.setdefault(_stage(record), []).append(record.meta["cost"])
    rows = [
        [
            cell(stage),
            cell(len(costs)),
            *(_seconds(sum(float(cost.get(name) or 0) for cost in costs)) for name in ("wall_s", "cpu_s")),
            cell(max(int(cost.get("worker_peak_mib") or 0) for cost in costs)),
        ]
        for stage, costs in stages.items()
    ]
    return table(("stage", "pieces", "seconds of work", "CPU seconds", "peak memory of a worker, MiB"), rows)


def _seconds(value: float) -> Cell:
    return Cell(f"{value:,.1f}", value)


def _stage(record: Record) -> str:
    kind, dash, _ = str(record.meta["name"]).partition("-")
    stage = str(record.meta["stage"])
    return f"{stage}, {kind}" if dash else stage


def versions(records: Sequence[Record]) -> dict[str, str]:
    """What made the pieces: machines without their names, and libraries."""
    found: dict[str, set[str]] = {}
    for record in records:
        host = record.meta.get("host") or {}
        words = f"{host.get('cores')} cores, {host.get('memory_gib')} GiB, {host.get('system')}"
        for name, version in {"machine": words, **(record.meta.get("versions") or {})}.items():
            found.setdefault(str(name), set()).add(str(version))
    return {name: ", ".join(sorted(values)) for name, values in found.items()}
