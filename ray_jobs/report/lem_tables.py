"""The tables of the report of a run of `lem`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from langvec.pictures.canvas import shortened
from masking.judging import METRICS
from ray_jobs.lem_recipe import UNTOUCHED
from ray_jobs.report.cells import Cell, Table, cell, table
from ray_jobs.report.lem_findings import Comparison, LemFindings, Row, masks_in, pair_name, signed
from ray_jobs.report.tables import language

STEPS = {"mono": "sentences", "para": "pairs"}
MASKS = {"ne": "names", "noun": "nouns", "verb": "verbs", "salient": "salient words", "filler": "other words"}
MINED = 3  # right pairs, and as many wrong ones, of each pair of languages
LETTERS = 260  # of a mined sentence


def arms_table(compared: Comparison, name: str) -> Table:
    """The arms on one set, all pairs together first; the untouched encoder is set apart."""
    pairs = compared.pairs(name)
    rows = [(row, _of_arm(compared, row)) for pair in pairs for row in compared.arms(name, pair)]
    above = f"above {rows[0][0]['baseline']}"
    columns = ("languages", "arm", "recall of mining", above, "p", "R@1 forward", "R@1 backward", "pairs", "seeds")
    return table(columns, [cells for _, cells in rows], [row["arm"] == UNTOUCHED for row, _ in rows], stacked=True)


def _of_arm(compared: Comparison, row: Row) -> list[Cell]:
    others = (
        next((other for other in compared.arms(row["set"], row["pair"], metric) if other["arm"] == row["arm"]), {})
        for metric in METRICS[1:]
    )
    spread = "" if row["sd_of_seeds"] is None else f"sd of seeds {row['sd_of_seeds']:.3f}"
    about = {UNTOUCHED: "the encoder as it came", row["baseline"]: "the baseline"}.get(row["arm"], "")
    return [
        cell(pair_name(row["pair"])),
        cell(row["arm"], about),
        cell(row["mean"], spread),
        _difference(row),
        cell(row.get("p")),
        *(cell(other.get("mean")) for other in others),
        cell(row["items"]),
        cell(row["seeds"]),
    ]


def _difference(row: Row) -> Cell:
    if row.get("difference") is None:
        return cell(None)
    return Cell(signed(row["difference"]), row["difference"], f"{signed(row['low'])} to {signed(row['high'])}")


def hidden_table(findings: LemFindings) -> Table | None:
    """What was hidden from the encoders of each arm in each step, by the kind of the word."""
    steps = [(step, arm, rows) for step in STEPS for arm, rows in masks_in(findings.encoders, step)]
    if not steps:
        return None
    kinds = [kind for kind in MASKS if any(_mean(rows, f"{step}_masks_on_{kind}") for step, _, rows in steps)]
    rank = {arm: place for place, arm in enumerate(findings.recipe.arms)}
    rows = [
        [
            cell(arm),
            cell(STEPS[step]),
            *(_share(_mean(rows, f"{step}_{name}")) for name in ("mask_rate", *(f"masks_on_{kind}" for kind in kinds))),
            cell(len(rows)),
        ]
        for step, arm, rows in sorted(steps, key=lambda one: (rank.get(one[1], len(rank)), one[1], one[0]))
    ]
    shown = (f"of these on {MASKS[kind]}" for kind in kinds)
    return table(("arm", "step", "hidden, of all tokens", *shown, "encoders"), rows)


def _mean(rows: Sequence[Row], name: str) -> float | None:
    known = [float(row[name]) for row in rows if row.get(name) is not None]
    return sum(known) / len(known) if known else None


def _share(value: float | None) -> Cell:
    return cell(None) if value is None else Cell(f"{value:.1%}", value)


def mined_table(rows: Sequence[Row]) -> Table:
    """Of each pair of languages the surest right pairs and the surest wrong ones."""
    columns = ("languages", "right", "margin", "sentence", "what it was paired with")
    return table(columns, [_mined(row) for row in _few(rows)])


def _few(rows: Sequence[Row]) -> Iterator[Row]:
    for pair in dict.fromkeys(row["pair"] for row in sorted(rows, key=lambda row: str(row["pair"]))):
        for right in (True, False):
            yield from [row for row in rows if (row["pair"], row["right"]) == (pair, right)][:MINED]


def _mined(row: Row) -> list[Cell]:
    texts = (cell(shortened(row[side], LETTERS)) for side in ("source", "target"))
    return [cell(pair_name(row["pair"])), cell(bool(row["right"])), cell(row["margin"]), *texts]


def coverage_table(findings: LemFindings) -> Table:
    """How much of each language is tagged, as what, and by whom."""
    kinds = [kind for kind in list(MASKS)[:-1] if any(row.get(f"share_{kind}") for row in findings.coverage)]
    rows = [
        [
            language(row["lang"]),
            *(cell(row.get(name)) for name in ("sentences", "set_aside", "without_tags", "words")),
            *(_share(row.get(f"share_{kind}")) for kind in kinds),
            cell(row.get("tagger")),
        ]
        for row in findings.coverage
    ]
    counts = ("language", "sentences", "set aside", "without tags", "words")
    return table((*counts, *(MASKS[kind] for kind in kinds), "tagger"), rows)


def left_out(findings: LemFindings) -> list[str]:
    """Why sentences were set aside, language by language."""
    return [f"{row['lang']}: {row['reasons']}." for row in findings.coverage if row.get("reasons")]
