"""The page itself: words, tables and pictures poured into the template."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from langvec.pictures import COLOURS, on_a_plane
from langvec.pictures.families import name_of
from ray_jobs.report import tables, words
from ray_jobs.report.findings import Findings, Kind
from ray_jobs.report.gallery import Picture

MISSING = 2**16 - 1  # marks a cell without a value


@dataclass(frozen=True)
class Panel:
    """One of several pictures or tables between which the reader chooses."""

    label: str
    picture: str = ""  # its name
    table: tables.Table | None = None
    cells: Mapping[str, Any] | None = None  # what a heat map says of the cell under the pointer
    note: str = ""


def render(findings: Findings, pictures: Mapping[str, Picture]) -> str:
    """The whole page: one text that needs nothing but itself."""
    script = _part("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = _environment().from_string(_part("page.html"))
    return page.render(
        script=Markup(script),  # noqa: S704 - ours, not the user's
        script_hash=digest,
        style=Markup(_part("page.css")),  # noqa: S704
        inline=lambda name: Markup(pictures[name].inlined()),  # noqa: S704 - matplotlib escapes texts
        shown=lambda name: name in pictures,
        colours=range(len(COLOURS)),
        **_context(findings),
    )


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
        "costs": tables.cost_table(findings.records) if findings.records else None,
        "corpora": tables.corpora_table(findings) if findings.corpora else None,
        "dropped": words.dropped(findings),
        "recipe": findings.recipe.to_yaml(),
        "versions": tables.versions(findings.records),
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


@cache
def _environment() -> Environment:
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
