"""The page of `langscape alchemy` and `langscape sentiment`, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ray_jobs.classification_recipe import NOTHING, ClassificationRecipe
from ray_jobs.classification_results import verb
from ray_jobs.report.state import keep_page, state_of
from ray_jobs.stages import Record
from ray_jobs.store import Store
from ray_jobs.verdicts import MIXED, SEEN, UNSEEN, Row

GROUPS = (UNSEEN, SEEN, MIXED)


@dataclass(frozen=True, eq=False)
class Findings:
    """All that the page shows. What is missing is empty."""

    recipe: ClassificationRecipe
    figures: Sequence[Row]  # one for each system, seed and language
    differences: Sequence[Row]  # one for each system and group of languages
    records: Sequence[Record]

    def groups(self) -> list[tuple[str, str]]:
        """Courses, and the groups of languages that they are judged on."""
        there = {(row["course"], row["group"]) for row in self.differences}
        return [(course, group) for course in self.recipe.courses() for group in GROUPS if (course, group) in there]

    def systems(self, course: str, group: str) -> list[Row]:
        """Those without a second task first, then the best."""
        rows = [row for row in self.differences if (row["course"], row["group"]) == (course, group)]
        return sorted(rows, key=lambda row: (row["beside"] != NOTHING, -row["accuracy"]))


def write_report(store: Store, records: Mapping[str, Record], recipe: ClassificationRecipe) -> list[str]:
    """Draw what is under `results/`, as the report of `entropy2vec` does, and return the lines to print."""
    return keep_page(store, lambda: state_of(store, records, recipe), lambda: _drawn(store, records, recipe))


def _drawn(store: Store, records: Mapping[str, Record], recipe: ClassificationRecipe) -> str:
    from ray_jobs.report.classification_page import draw, render  # matplotlib is slow to load
    from ray_jobs.report.picture import keep

    findings = gather(store, records, recipe)
    pictures = draw(findings)
    keep(store, pictures)
    return render(findings, pictures)


def gather(store: Store, records: Mapping[str, Record], recipe: ClassificationRecipe) -> Findings:
    """Read the results of a run, and what its finished pieces say of themselves."""
    figures, differences = (store.table(f"results/{verb(recipe)}{end}.parquet") for end in ("", "-differences"))
    pieces = sorted((record for record in records.values() if not record.damage), key=lambda record: record.folder)
    rows = [[] if table is None else table.to_pylist() for table in (figures, differences)]
    return Findings(recipe, rows[0], rows[1], pieces)
