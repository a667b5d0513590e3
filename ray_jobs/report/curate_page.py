"""The page of a run of `curate`: words, tables and pictures poured into its template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langvec.pictures.canvas import shortened
from langvec.pictures.families import name_of
from masking.curation.noise import KINDS
from ray_jobs.curate_blocks import NOT_NOISE
from ray_jobs.report import cells
from ray_jobs.report.cells import Cell, Table, cell, table
from ray_jobs.report.curate_findings import CurateFindings, Row
from ray_jobs.report.curate_pictures import CURVES
from ray_jobs.report.picture import Picture
from ray_jobs.report.shell import Panel, pour
from ray_jobs.report.words import Figure, listed
from ray_jobs.watching.costs import stage_alone

LETTERS = 220  # of a text that is shown
METRICS = {"average_precision": "average precision", "r_precision": "R-precision", "auc": "AUC"}
_LEVEL = "precision_at_recall_"


def render(findings: CurateFindings, pictures: Mapping[str, Picture]) -> str:
    """The whole page: one text that needs nothing but itself."""
    return pour("page.curate.html", ["page.css", "page.curate.css"], pictures, _context(findings, pictures))


def _context(findings: CurateFindings, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    return {
        "title": f"{findings.pairs.get('pairs', 0):,} pairs, {len(findings.recipe.rankings())} rankings",
        "summary": _summary(findings),
        "figures": list(_figures(findings)),
        "reasons": _reasons_table(findings),
        "curve_panels": list(_curve_panels(findings, pictures)),
        "score_panels": [
            Panel(name, f"scores-{name}") for name in findings.recipe.rankings() if f"scores-{name}" in pictures
        ],
        "translation_panels": list(_translation_panels(findings)),
        "example_panels": [Panel(one.ranking, table=_examples_table(one.parts)) for one in findings.examples],
        "costs": cells.cost_table(findings.records, stage_alone) if findings.records else None,
        "recipe": findings.recipe.to_yaml(),
        "versions": cells.versions(findings.records),
    }


def _summary(findings: CurateFindings) -> str:
    several = dict.fromkeys(one.languages for one in findings.recipe.bitexts.values())
    languages = listed([" and ".join(map(name_of, pair)) for pair in several])
    noise = findings.recipe.noise
    known = (
        " Noise was made of some of them, so it is known which pairs a good ranking puts last; what was bad before "
        "counts as good."
        if noise
        else ""
    )
    return (
        f"Pairs of sentences in {languages} were read, looked at by {len(findings.recipe.filters)} filters, each with "
        f"a reason to leave a pair out, and ranked by {listed(findings.recipe.rankings())}.{known}"
    )


def _figures(findings: CurateFindings) -> Iterator[Figure]:
    counts = findings.pairs.get("counts", {})
    blank = sum(count for of in counts.values() for why, count in of.items() if why.startswith("no "))
    held = sum(of.get("held out", 0) for of in counts.values())
    notes = tuple(f"{count:,} {why}" for count, why in ((blank, "with an empty side"), (held, "held out")) if count)
    yield Figure(f"{findings.pairs.get('pairs', 0):,}", "candidates", notes)
    refused = sum(row["first"] for row in findings.reasons)
    yield Figure(f"{refused:,}", "refused by a filter")
    if findings.judged:
        best = findings.judged[0]
        row = findings.figure(best, "average_precision", False) or {}
        yield Figure(f"{row.get('value', 0):.3f}", "best average precision", (best,))


def _reasons_table(findings: CurateFindings) -> Table | None:
    if not findings.reasons:
        return None
    kinds = [kind for kind in (NOT_NOISE, *KINDS) if any(row["noise"] == kind for row in findings.reasons)]
    sizes = {row["noise"]: row["pairs"] for row in findings.reasons}
    rows = []
    for reason in dict.fromkeys(row["reason"] for row in findings.reasons):
        own = {row["noise"]: row for row in findings.reasons if row["reason"] == reason}
        first, every = (sum(row[name] for row in own.values()) for name in ("first", "any"))
        shares = [Cell(f"{own[kind]['any'] / sizes[kind]:.1%}", own[kind]["any"] / sizes[kind]) for kind in kinds]
        rows.append([cell(reason), cell(first), cell(every), *(shares if len(kinds) > 1 else ())])
    told = [f"of {_kind(kind)}" for kind in kinds] if len(kinds) > 1 else []
    return table(("reason", "first reason", "a reason", *told), rows)


def _kind(kind: str) -> str:
    return "pairs as they were" if kind == NOT_NOISE else kind.replace("_", " ")


def _curve_panels(findings: CurateFindings, pictures: Mapping[str, Picture]) -> Iterator[Panel]:
    labels = {False: "each ranking alone", True: "what passes the filters comes first"}
    for filtered, name in CURVES.items():
        if name in pictures:
            yield Panel(labels[filtered], name, _rankings_table(findings, filtered))


def _rankings_table(findings: CurateFindings, filtered: bool) -> Table:
    levels = sorted({row["metric"] for row in findings.rankings if row["metric"].startswith(_LEVEL)})
    kinds = [kind for kind in KINDS if any(row["noise"] == kind for row in findings.rankings)]
    columns = ("ranking", *METRICS.values(), *(f"precision at recall {level.removeprefix(_LEVEL)}" for level in levels))
    rows = []
    for name in findings.judged:
        found = [findings.figure(name, metric, filtered) for metric in (*METRICS, *levels)]
        alone = [findings.figure(name, "auc", filtered, kind) for kind in kinds]
        rows.append([cell(name), *map(_figure, found), *map(_figure, alone)])
    return table((*columns, *(f"AUC, {_kind(kind)}" for kind in kinds)), rows, stacked=True)


def _figure(row: Row | None) -> Cell:
    return cell(None) if row is None else cell(float(row["value"]), f"{row['low']:.3f} to {row['high']:.3f}")


def _translation_panels(findings: CurateFindings) -> Iterator[Panel]:
    for direction in dict.fromkeys(row["direction"] for row in findings.translation):
        rows = [row for row in findings.translation if row["direction"] == direction]
        signatures = "; ".join(dict.fromkeys(str(row["signature"]) for row in rows))
        yield Panel(direction, f"translation-{direction}", _translators_table(rows), note=f"Signatures: {signatures}.")


def _translators_table(rows: Sequence[Row]) -> Table:
    found = [
        [
            cell(row["ranking"]),
            cell(row["pairs"]),
            cell(row["seed"]),
            cell(row["metric"]),
            Cell(f"{row['value']:.1f}", row["value"], f"{row['low']:.1f} to {row['high']:.1f}"),
        ]
        for row in sorted(rows, key=lambda row: (row["metric"] != "chrf", -row["value"]))
    ]
    return table(("ranking", "pairs", "seed", "metric", "value"), found, stacked=True)


def _examples_table(parts: Mapping[str, Sequence[Row]]) -> Table:
    rows = [
        [
            cell(part),
            cell(row["rank"]),
            cell(row["score"]),
            *(cell(shortened(row[side], LETTERS)) for side in ("source", "target")),
            cell(_kind(row["noise"]) if row["noise"] else None),
            cell(row["reasons"] or None),
        ]
        for part, several in parts.items()
        for row in several
    ]
    return table(("which", "rank", "score", "source", "target", "noise", "reasons"), rows)
