"""A job's stages walked in this process: the same pieces and the same work as on Ray, without starting it."""

from __future__ import annotations

from typing import Any

from ray_jobs.job import Job
from ray_jobs.stages import Record, Survey
from ray_jobs.store import RECIPE, Store
from ray_jobs.task import Task, do


def walk_here(job: Job, store: Store, recipe: Any) -> dict[str, Record]:
    """Do what is not done; the finished pieces by id."""
    store.write_if_new(RECIPE, recipe.to_yaml().encode())
    survey = Survey(store.records())
    for stage in job.stages(recipe):
        for entry in survey.entries(stage.of(survey.done)):
            if entry.state != "done":
                survey.finished(entry.piece, do(Task.of(entry, survey.kin(entry.piece), store, 60)))
    return survey.done
