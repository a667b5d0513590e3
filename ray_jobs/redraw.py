"""`langscape report`: the page of a run again, whichever command has made the run."""

from __future__ import annotations

import yaml

from ray_jobs import curate, lem, report
from ray_jobs.curate_run import CurateRun
from ray_jobs.finished import FinishedRun
from ray_jobs.lem_run import LemRun
from ray_jobs.report.curate import write_report as draw_curated
from ray_jobs.report.lem import write_report
from ray_jobs.store import RECIPE, Store


def redraw(uri: str) -> list[str]:
    """Draw the page if it is not up to date; the lines to print."""
    stored = yaml.safe_load(Store.open(uri).read(RECIPE) or b"")
    if isinstance(stored, dict) and lem.JOB.owns(stored):
        run = LemRun.open(uri)
        return write_report(run.store, run.done, run.recipe)
    if isinstance(stored, dict) and curate.JOB.owns(stored):
        curated = CurateRun.open(uri)
        return draw_curated(curated.store, curated.done, curated.recipe)
    finished = FinishedRun.open(uri, None)
    return report.write_report(finished.store, finished.pieces(), finished.recipe)
