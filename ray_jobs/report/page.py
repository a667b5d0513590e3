"""The page itself: words, tables and pictures poured into the template."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from langvec.pictures import on_a_plane
from langvec.pictures.families import name_of
from ray_jobs.report import cells, tables, words
from ray_jobs.report.findings import Findings, Kind
from ray_jobs.report.picture import Picture
from ray_jobs.report.shell import Panel, pour

MISSING = 2**16 - 1  # marks a cell without a value


def render(findings: Findings, pictures: Mapping[str, Picture]) -> str:
    """The whole page: one text that needs nothing but itself."""
    return pour("page.html", ["page.css"], pictures, _context(findings))


def _context(findings: Findings) -> dict[str, Any]:
    kinds = findings.kinds
    return {
        "title": f"{len(findings.codes)} languages by their text",
        "summary": words.summary(findings),
        "figures": words.figures(findings),
        "tree_panels": list(_tree_panels(findings)),
        "gold": findings.gold is not None,
        "matrix_panels": [Panel(kind.name, f"matrix-{kind.name}", cells=_cells(kind)) for kind in kinds if kind.cells],
        "map_panels": [_map_panel(kind) for kind in kinds if kind.distances],
        "neighbour_panels": [
            Panel(kind.name, table=tables.neighbour_table(kind.distances)) for kind in kinds if kind.distances
        ],
        "scores": tables.score_table(findings) if findings.trees else None,
        "score_notes": words.SCORES,
        "sweep_panels": [_sweep_panel(kind) for kind in kinds if kind.sweep is not None and kind.sweep.num_rows],
        "curve_panels": [Panel(kind.name, f"curves-{kind.name}") for kind in kinds if kind.curves],
        "costs": cells.cost_table(findings.records) if findings.records else None,
        "corpora": tables.corpora_table(findings) if findings.corpora else None,
        "dropped": words.dropped(findings),
        "recipe": findings.recipe.to_yaml(),
        "versions": cells.versions(findings.records),
    }


def _tree_panels(findings: Findings) -> Iterator[Panel]:
    for kind in findings.kinds:
        for name in kind.trees:
            yield Panel(f"{words.tree_name(name)}, {kind.name}", f"tree-{name}-{kind.name}")


def _sweep_panel(kind: Kind) -> Panel:
    count = 0 if kind.sweep is None else kind.sweep.num_rows
    shown = f"The first {tables.SWEEP_ROWS:,} of {count:,} trials; the file sweep-dbscan has all."
    note = shown if count > tables.SWEEP_ROWS else f"{count:,} trials."
    return Panel(kind.name, table=tables.sweep_table(kind), note=note)


def _map_panel(kind: Kind) -> Panel:
    distances = kind.distances
    share = on_a_plane(distances.values)[1] if distances else 0.0
    note = f"The plane keeps {share:.0%} of the squared distances of these vectors; the rest does not fit on paper."
    return Panel(kind.name, f"map-{kind.name}", note=note)


def _cells(kind: Kind) -> dict[str, Any] | None:
    """Names, and numbers as thousandths of a nat in two bytes each, in the order of the picture."""
    if kind.cells is None:
        return None
    cells = kind.cells.ordered(kind.order)
    return {
        "models": [name_of(code) for code in cells.models],
        "texts": [name_of(code) for code in cells.texts],
        "nats": _packed(cells.nats),
        "half": _packed(cells.half),
    }


def _packed(values: np.ndarray) -> str:
    thousandths = np.clip(np.round(values * 1000), 0, MISSING - 1)
    whole = np.where(np.isnan(values), MISSING, thousandths).astype("<u2")
    return base64.b64encode(whole.tobytes()).decode()
