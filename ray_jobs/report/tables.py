"""The tables of a report on languages."""

from __future__ import annotations

import math

import numpy as np

from langvec.pictures.families import name_of
from ray_jobs.report.cells import Cell, Table, cell, table
from ray_jobs.report.findings import Distances, Findings, Kind, Row

NEIGHBOURS = 3
SWEEP_ROWS = 300
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


def neighbour_table(distances: Distances) -> Table:
    """The nearest languages of each, with the distance and its interval."""
    rows = [_neighbours(distances, place) for place in range(len(distances.codes))]
    nearest = ("nearest", "second", "third")[: len(rows[0]) - 1] if rows else ()
    return table(("language", *nearest), sorted(rows, key=lambda row: str(row[0].sort)), stacked=True)


def _neighbours(distances: Distances, place: int) -> list[Cell]:
    order = [int(j) for j in np.argsort(distances.values[place], kind="stable") if j != place][:NEIGHBOURS]
    cells = [language(distances.codes[place])]
    for j in order:
        far, low, high = (matrix[place, j] for matrix in (distances.values, distances.low, distances.high))
        cells.append(Cell(name_of(distances.codes[j]), float(far), f"{far:.3f} ({low:.3f} to {high:.3f})"))
    return cells


def language(code: str, name: str | None = None) -> Cell:
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
            language(row["lang"], row.get("name")),
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
