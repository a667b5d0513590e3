"""`langscape report`: the page of a run again, whichever command has made the run."""

from __future__ import annotations

import yaml

from ray_jobs import lem, report
from ray_jobs.finished import FinishedRun
from ray_jobs.lem_run import LemRun
from ray_jobs.report.lem import write_report
from ray_jobs.store import RECIPE, Store


def redraw(uri: str) -> list[str]:
    """Draw the page if it is not up to date; the lines to print."""
    stored = yaml.safe_load(Store.open(uri).read(RECIPE) or b"")
    if isinstance(stored, dict) and lem.JOB.owns(stored):
        run = LemRun.open(uri)
        return write_report(run.store, run.done, run.recipe)
    finished = FinishedRun.open(uri, None)
    return report.write_report(finished.store, finished.pieces(), finished.recipe)
