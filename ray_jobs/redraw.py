"""`langscape report`: the page of a run again, whichever command has made the run."""

from __future__ import annotations

import yaml

from langvec.errors import InputError
from ray_jobs import alchemy, curate, lem, report, sentiment
from ray_jobs.finished import FinishedRun
from ray_jobs.reopened import reopened
from ray_jobs.store import RECIPE, Store

_JOBS = (lem.JOB, curate.JOB, alchemy.JOB, sentiment.JOB)


def redraw(uri: str) -> list[str]:
    """Draw the page if it is not up to date; the lines to print."""
    if (data := Store.open(uri).read(RECIPE)) is None:
        raise InputError(f"--run {uri} is no run yet. Expected one that a command of langscape has begun.")
    stored = yaml.safe_load(data)
    for job in _JOBS:
        if job.report and isinstance(stored, dict) and job.owns(stored):
            run = reopened(job, uri)
            return job.report(run.store, run.done, run.recipe)
    finished = FinishedRun.open(uri, None)
    return report.write_report(finished.store, finished.pieces(), finished.recipe)
