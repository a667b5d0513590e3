"""The page that shows a run: `results/report.html`, and its pictures for papers under `results/pictures/`."""

from __future__ import annotations

from collections.abc import Mapping

from ray_jobs.recipe import Recipe
from ray_jobs.report.state import state_of
from ray_jobs.stages import Record
from ray_jobs.store import Store

PAGE = "results/report.html"


def write_report(store: Store, records: Mapping[str, Record], recipe: Recipe) -> list[str]:
    """Draw what is under `results/`, write page and pictures, and return the lines to print.

    Only files count: the tables and trees of the results, and of the finished pieces their logs and costs. What is
    missing leaves its section out; the same files give the same bytes. A page that is up to date is left as it is.
    """
    page = store.read(PAGE) or b""
    if not page.endswith(_end(store, records, recipe)):
        _draw_all(store, records, recipe)
    return [f"report -> {store.uri}/{PAGE}"]


def _draw_all(store: Store, records: Mapping[str, Record], recipe: Recipe) -> None:
    from ray_jobs.report.findings import gather  # matplotlib is slow to load
    from ray_jobs.report.gallery import draw, keep
    from ray_jobs.report.page import render

    findings = gather(store, records, recipe)
    pictures = draw(findings)
    keep(store, pictures)
    store.write_if_new(PAGE, render(findings, pictures).encode() + _end(store, records, recipe))


def _end(store: Store, records: Mapping[str, Record], recipe: Recipe) -> bytes:
    """The last line of a whole page: it tells what the page was made of."""
    return f"\n<!-- made of {state_of(store, records, recipe)} -->\n".encode()
