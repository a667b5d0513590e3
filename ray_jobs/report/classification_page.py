"""Words, tables and pictures of a run of `alchemy` or `sentiment`, poured into the template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from langvec.errors import InputError
from langvec.languages import find
from ray_jobs.alchemy_recipe import AlchemyRecipe
from ray_jobs.classification_recipe import NOTHING
from ray_jobs.classification_results import compared_with
from ray_jobs.report import cells, classification_words
from ray_jobs.report.cells import Cell, Table, cell, table
from ray_jobs.report.classification import Findings
from ray_jobs.report.forest import Block, Difference, forest
from ray_jobs.report.lem_findings import signed
from ray_jobs.report.lem_gallery import picture_name
from ray_jobs.report.picture import Picture
from ray_jobs.report.shell import Panel, pour
from ray_jobs.verdicts import NAMED, Row, System
from ray_jobs.watching.costs import stage_alone

Means = dict[tuple[System, str], float]  # over seeds, by language


def draw(findings: Findings) -> dict[str, Picture]:
    """All pictures, by name."""
    return {name: Picture.of(name, figure) for name, figure in _figures(findings)}


def _figures(findings: Findings) -> Iterator[tuple[str, Figure]]:
    for course, group in findings.groups():
        rows = findings.systems(course, group)
        if any(row.get("accuracy_difference") is not None for row in rows):
            baseline = next(row["baseline"] for row in rows if row.get("baseline"))
            block = Block(group, [_difference(row) for row in rows])
            yield picture_name("systems", f"{course}-{group}"), forest([block], baseline, "accuracy")


def _difference(row: Row) -> Difference:
    value, low, high = (row.get(f"accuracy_{name}") for name in ("difference", "low", "high"))
    return Difference(system_of(row).name, row["accuracy"], value, low, high, "baseline" if value is None else "arm")


def system_of(row: Row) -> System:
    return System(row["encoder"], row["course"], row["beside"])


def render(findings: Findings, pictures: Mapping[str, Picture]) -> str:
    """The whole page: one text that needs nothing but itself."""
    return pour("page.classification.html", ["page.css"], pictures, _context(findings, pictures))


def _context(findings: Findings, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    return {
        "title": classification_words.title(findings),
        "summary": classification_words.summary(findings),
        "verdicts": classification_words.verdicts(findings),
        "figures": classification_words.figures(findings),
        "system_panels": _systems(findings, pictures),
        "language_panels": _languages(findings),
        "measure": "Accuracy" if isinstance(findings.recipe, AlchemyRecipe) else "Macro-F1",
        "named": classification_words.named(findings),
        "costs": cells.cost_table(findings.records, stage_alone),
        "recipe": findings.recipe.to_yaml(),
        "versions": cells.versions(findings.records),
    }


def _systems(findings: Findings, pictures: Mapping[str, Picture]) -> list[Panel]:
    several = len(findings.recipe.courses()) > 1
    found = []
    for course, group in findings.groups():
        picture = picture_name("systems", f"{course}-{group}")
        label = f"{group}, trained on {course}" if several else group
        rows = findings.systems(course, group)
        found.append(Panel(label, picture if picture in pictures else "", systems_table(rows)))
    return found


def systems_table(rows: Sequence[Row]) -> Table:
    """The systems on one group of languages."""
    columns = [
        "system",
        "accuracy",
        "macro-F1",
        f"accuracy above {compared_with(rows)}",
        "p",
        "languages better",
        "p over them",
    ]
    named = any(row.get("named") is not None for row in rows)
    columns += [*(["named of all", "named in group"] if named else []), "seeds"]
    return table(columns, [_system(row, named) for row in rows], stacked=True)


def _system(row: Row, named: bool) -> list[Cell]:
    spread = "" if row["sd_of_seeds"] is None else f"sd of seeds {row['sd_of_seeds']:.3f}"
    above = row.get("accuracy_difference")
    ends = "" if above is None else f"{signed(row['accuracy_low'])} to {signed(row['accuracy_high'])}"
    better = row.get("better_in")
    return [
        cell(system_of(row).name),
        cell(row["accuracy"], spread),
        cell(row["macro_f1"]),
        cell(None) if above is None else Cell(signed(above), above, ends),
        cell(row.get("accuracy_p")),
        cell(None) if better is None else Cell(f"{better} of {row['languages']}", better),
        cell(row.get("p_over_languages")),
        *([cell(row.get(name)) for name in NAMED] if named else []),
        cell(row["seeds"]),
    ]


def _languages(findings: Findings) -> list[Panel]:
    """Accuracy of alchemy, macro-F1 of sentiment: every language by every system."""
    measure = "accuracy" if isinstance(findings.recipe, AlchemyRecipe) else "macro_f1"
    means: dict[System, dict[str, list[float]]] = {}
    for row in findings.figures:
        means.setdefault(system_of(row), {}).setdefault(row["lang"], []).append(row[measure])
    seen = {(row["course"], row["lang"]): row["seen"] for row in findings.figures}
    found = []
    for course in findings.recipe.courses():
        systems = [system for system in means if system.course == course]
        systems = sorted(systems, key=lambda one: one.beside != NOTHING)
        codes = dict.fromkeys(code for system in systems for code in means[system])
        rows = [
            [_language(code), cell(bool(seen[course, code])), *(_mean(means[one].get(code)) for one in systems)]
            for code in codes
        ]
        if rows:
            found.append(Panel(course, table=table(("language", "seen", *(one.name for one in systems)), rows)))
    return found


def _mean(values: Sequence[float] | None) -> Cell:
    return cell(sum(values) / len(values) if values else None)


def _language(code: str) -> Cell:
    try:
        return cell(find(code).name, code)
    except InputError:
        return cell(code, "code-mixed")
