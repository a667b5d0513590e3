"""The page of `langscape curate`."""

from __future__ import annotations

from collections.abc import Mapping

from ray_jobs.curate_recipe import CurateRecipe
from ray_jobs.report.state import CODE, HERE, keep_page, state_of
from ray_jobs.stages import Record
from ray_jobs.store import Store

_CODE = (*CODE, HERE.parent.parent / "masking" / "curation")


def write_report(store: Store, records: Mapping[str, Record], recipe: CurateRecipe) -> list[str]:
    """Draw what is under `results/`, as the other reports do, and return the lines to print."""
    parts = [f"curation/{name}" for name in store.names("results/curation")]
    return keep_page(
        store, lambda: state_of(store, records, recipe, parts, _CODE), lambda: _drawn(store, records, recipe)
    )


def _drawn(store: Store, records: Mapping[str, Record], recipe: CurateRecipe) -> str:
    from ray_jobs.report.curate_findings import gather  # matplotlib is slow to load
    from ray_jobs.report.curate_page import render
    from ray_jobs.report.curate_pictures import draw
    from ray_jobs.report.picture import keep

    findings = gather(store, records, recipe)
    pictures = draw(findings)
    keep(store, pictures)
    return render(findings, pictures)
