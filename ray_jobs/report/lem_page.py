"""The page of a run of `lem`: words, tables and pictures poured into its template."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from masking.tagging.kinds import Kind
from ray_jobs.report import cells, lem_tables, lem_words
from ray_jobs.report.lem_findings import Comparison, LemFindings, pair_name, set_name
from ray_jobs.report.lem_gallery import groups, picture_name
from ray_jobs.report.picture import Picture
from ray_jobs.report.shell import Panel, pour
from ray_jobs.watching.costs import stage_alone

KINDS: dict[Kind | None, str] = {
    "NE": "name",
    "NOUN": "noun",
    "VERB": "verb",
    "SALIENT": "salient word",
    None: "other word",
}


def render(findings: LemFindings, pictures: Mapping[str, Picture]) -> str:
    """The whole page: one text that needs nothing but itself."""
    return pour("page.lem.html", ["page.css", "page.lem.css"], pictures, _context(findings, pictures))


def _context(findings: LemFindings, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    return {
        "title": lem_words.title(findings),
        "summary": lem_words.summary(findings),
        "verdicts": lem_words.verdicts(findings.compared),
        "figures": lem_words.figures(findings),
        "recall_panels": _compared(findings.compared, "recall", pictures),
        "curve_panels": [Panel(pair_name(group), picture_name("curves", group)) for group in groups(findings)],
        "hidden": lem_tables.hidden_table(findings),
        "examples": findings.masked,
        "kinds": _kinds(findings),
        "mined_panels": _mined(findings),
        "best": findings.compared.best(),
        "sweep_panels": _compared(findings.swept, "sweep", pictures),
        "sweep_verdicts": lem_words.verdicts(findings.swept),
        "coverage": lem_tables.coverage_table(findings) if findings.coverage else None,
        "left_out": lem_tables.left_out(findings),
        "costs": cells.cost_table(findings.records, stage_alone) if findings.records else None,
        "recipe": findings.recipe.to_yaml(),
        "versions": cells.versions(findings.records),
    }


def _kinds(findings: LemFindings) -> dict[Kind | None, str]:
    """What the examples show, in words."""
    found = {
        one.kind
        for example in findings.masked
        for sentence in example.sentences
        for parts in sentence.values()
        for one in parts
    }
    return {kind: word for kind, word in KINDS.items() if kind in found}


def _compared(compared: Comparison, kind: str, pictures: Mapping[str, Picture]) -> list[Panel]:
    found = []
    for name in compared.sets:
        picture = picture_name(kind, name)
        found.append(
            Panel(set_name(name), picture if picture in pictures else "", lem_tables.arms_table(compared, name))
        )
    return found


def _mined(findings: LemFindings) -> list[Panel]:
    sets = dict.fromkeys(row["set"] for row in findings.mined)
    panels = []
    for name in sets:
        rows = [row for row in findings.mined if row["set"] == name]
        right = sum(bool(row["right"]) for row in rows)
        note = f"{right:,} of the {len(rows):,} mined pairs are right."
        panels.append(Panel(set_name(name), table=lem_tables.mined_table(rows), note=note))
    return panels
