"""Which pictures a report has, and under which names."""

from __future__ import annotations

import math
from collections.abc import Iterator

from matplotlib.figure import Figure

from langvec.pictures import (
    Bar,
    dendrogram,
    heat_map,
    learning_curves,
    map_of_languages,
    score_bars,
    tanglegram,
)
from ray_jobs.report.findings import Findings, Kind
from ray_jobs.report.picture import Picture
from ray_jobs.report.words import tree_name


def draw(findings: Findings) -> dict[str, Picture]:
    """All pictures, by name."""
    return {name: Picture.of(name, figure) for name, figure in _figures(findings)}


def _figures(findings: Findings) -> Iterator[tuple[str, Figure]]:
    families = findings.families
    for kind in findings.kinds:
        for name, tree in kind.trees.items():
            gold = findings.gold
            drawn = tanglegram(tree, gold, families) if gold else dendrogram(tree, families)
            yield f"tree-{name}-{kind.name}", drawn
        yield from _of_kind(findings, kind)
    if findings.gold:
        yield "tree-gold", dendrogram(findings.gold, families, by_levels=True)
    bars = score_rows(findings)
    if bars:
        yield "scores", score_bars(bars)


def _of_kind(findings: Findings, kind: Kind) -> Iterator[tuple[str, Figure]]:
    if kind.cells:
        cells = kind.cells.ordered(kind.order)
        yield f"matrix-{kind.name}", heat_map(cells.nats, cells.models, cells.texts, findings.families)
    if kind.distances:
        yield f"map-{kind.name}", map_of_languages(kind.distances.values, kind.distances.codes, findings.families)
    if kind.curves:
        yield f"curves-{kind.name}", learning_curves(kind.curves)


def score_rows(findings: Findings) -> list[Bar]:
    """Constructions of every kind, then each baseline once."""
    found: dict[str, Bar] = {}
    for row in findings.trees:
        baseline = row["role"] == "baseline"
        name = tree_name(str(row["tree"]).split("-")[0] if baseline else str(row["tree"]))
        label = name if baseline or len(findings.kinds) == 1 else f"{name}, {row['kind']}"
        value, low, high = (_number(row.get(f"triplets{end}")) for end in ("", "_low", "_high"))
        if value is not None:
            found.setdefault(label, Bar(label, value, low, high, baseline))
    return sorted(found.values(), key=lambda bar: bar.baseline)


def _number(value: float | None) -> float | None:
    """None for what is no number, whichever way the table says so."""
    return None if value is None or math.isnan(value) else value
