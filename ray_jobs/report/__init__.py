"""The page that shows a run: `results/report.html`, and its pictures for papers under `results/pictures/`."""

from __future__ import annotations

from collections.abc import Mapping

from ray_jobs.recipe import Recipe
from ray_jobs.report.state import PAGE, keep_page, state_of
from ray_jobs.stages import Record
from ray_jobs.store import Store

__all__ = ["PAGE", "write_report"]


def write_report(store: Store, records: Mapping[str, Record], recipe: Recipe) -> list[str]:
    """Draw what is under `results/`, write page and pictures, and return the lines to print.

    Only files count: the tables and trees of the results, and of the finished pieces their logs and costs. What is
    missing leaves its section out; the same files give the same bytes. A page that is up to date is left as it is.
    """
    return keep_page(store, lambda: state_of(store, records, recipe), lambda: _drawn(store, records, recipe))


def _drawn(store: Store, records: Mapping[str, Record], recipe: Recipe) -> str:
    from ray_jobs.report.findings import gather  # matplotlib is slow to load
    from ray_jobs.report.gallery import draw
    from ray_jobs.report.page import render
    from ray_jobs.report.picture import keep

    findings = gather(store, records, recipe)
    pictures = draw(findings)
    keep(store, pictures)
    return render(findings, pictures)
