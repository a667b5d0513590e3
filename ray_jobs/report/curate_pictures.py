"""The pictures of the report of a run of `curate`: precision over recall, scores, and what translators learnt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from langvec.pictures import COLOURS, MUTED, RULE
from langvec.pictures.canvas import STYLE, shortened
from ray_jobs.report.curate_findings import CurateFindings, Row
from ray_jobs.report.picture import Picture

WIDTH, HEIGHT, LETTERS = 6.8, 3.8, 24
CURVES = {False: "curves-alone", True: "curves-filtered"}


def draw(findings: CurateFindings) -> dict[str, Picture]:
    """All pictures, by name."""
    return {name: Picture.of(name, figure) for name, figure in _figures(findings)}


def _figures(findings: CurateFindings) -> Iterator[tuple[str, Figure]]:
    for filtered, name in CURVES.items():
        rows = [row for row in findings.curves if row["filtered"] == filtered]
        if rows:
            yield name, precision_over_recall(rows, findings.judged)
    for ranking in dict.fromkeys(row["ranking"] for row in findings.histograms):
        yield f"scores-{ranking}", score_histogram([row for row in findings.histograms if row["ranking"] == ranking])
    for direction in dict.fromkeys(row["direction"] for row in findings.translation):
        rows = [row for row in findings.translation if (row["direction"], row["metric"]) == (direction, "chrf")]
        yield f"translation-{direction}", translators(rows)


def _sheet(height: float = HEIGHT, left: float = 0.6) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), facecolor="none")
    box = (left / WIDTH, 0.55 / height, (WIDTH - left - 0.15) / WIDTH, (height - 0.7) / height)
    axes = figure.add_axes(box, facecolor="none")
    axes.tick_params(colors=MUTED, labelcolor=MUTED, labelsize=7.5, length=3)
    axes.grid(color=RULE, linewidth=0.5)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(RULE)
    return figure, axes


@matplotlib.rc_context(STYLE)
def precision_over_recall(rows: Sequence[Row], rankings: Sequence[str]) -> Figure:
    """A line for each ranking, the best first in the legend."""
    figure, axes = _sheet(HEIGHT + 0.4)
    for place, ranking in enumerate(rankings):
        own = [row for row in rows if row["ranking"] == ranking]
        points = [[row[name] for row in own] for name in ("recall", "precision")]
        axes.plot(*points, color=COLOURS[place % len(COLOURS)], linewidth=1.6, label=shortened(ranking, LETTERS))
    axes.set_xlabel("share of the good pairs", color=MUTED, fontsize=8)
    axes.set_ylabel("of which good, down to there", color=MUTED, fontsize=8)
    least = min(row["precision"] for row in rows)
    axes.set_ylim(max(0, least - 0.35 * (1 - least)), 1.02)  # with room for the legend
    axes.legend(fontsize=7.5, frameon=False, loc="lower left", ncols=3)
    return figure


@matplotlib.rc_context(STYLE)
def score_histogram(rows: Sequence[Row]) -> Figure:
    """How many pairs have about which score, as given and with noise."""
    figure, axes = _sheet()
    for place, kind in enumerate(dict.fromkeys(row["kind"] for row in rows)):
        own = [row for row in rows if row["kind"] == kind]
        edges = [row["low"] for row in own] + [own[-1]["high"]]
        axes.stairs([row["pairs"] for row in own], edges, color=COLOURS[place], linewidth=1.6, label=kind)
    axes.set_xlabel("score", color=MUTED, fontsize=8)
    axes.set_ylabel("pairs", color=MUTED, fontsize=8)
    axes.legend(fontsize=7.5, frameon=False)
    return figure


@matplotlib.rc_context(STYLE)
def translators(rows: Sequence[Row]) -> Figure:
    """chrF of each selection: the mean over seeds, a bar for the interval of each translator."""
    names = sorted({(row["ranking"], row["top"]) for row in rows}, key=lambda name: _mean(rows, name))
    figure, axes = _sheet(0.9 + 0.26 * len(names), 2.2)
    for place, name in enumerate(names):
        own = [row for row in rows if (row["ranking"], row["top"]) == name]
        for step, row in enumerate(own):
            y = place + (step - (len(own) - 1) / 2) * 0.18
            axes.plot([row["low"], row["high"]], [y, y], color=COLOURS[0], linewidth=1.4, alpha=0.6)
        axes.plot(_mean(rows, name), place, "o", color=COLOURS[0], markersize=5)
    axes.set_yticks(range(len(names)), [f"{shortened(name, LETTERS)}, {top:,}" for name, top in names])
    axes.set_xlabel("chrF", color=MUTED, fontsize=8)
    return figure


def _mean(rows: Sequence[Row], name: tuple[str, int]) -> float:
    return float(np.mean([row["value"] for row in rows if (row["ranking"], row["top"]) == name]))
