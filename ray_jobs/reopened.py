"""A run that lies in its directory: what of it is done by its own recipe, without doing anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from langvec.errors import InputError
from langvec.sources import AnySource
from ray_jobs.job import Job
from ray_jobs.stages import Record, Survey
from ray_jobs.store import RECIPE, Store


@dataclass(frozen=True)
class Reopened:
    """The recipe of a run, and its finished pieces by id: those that the command itself would find done."""

    store: Store
    recipe: Any
    done: dict[str, Record]


def reopened(job: Job, uri: str) -> Reopened:
    """InputError where the directory holds no run of this job, or its inputs are gone."""
    store = Store.open(uri)
    try:
        recipe = job.recipe.model_validate(yaml.safe_load(store.read(RECIPE) or b"{}"))
    except ValidationError:
        raise InputError(
            f"--run {uri} holds no run of `langscape {job.verb}`, or one of another version. Expected one that this "
            f"command has begun."
        ) from None
    sources: tuple[AnySource, ...] = getattr(recipe, "corpora", ())
    if wrong := [problem for source in sources for problem in source.problems()] + recipe.problems():
        raise InputError(f"--run {uri}: {' '.join(wrong)}")
    survey = Survey(store.records())
    for stage in job.stages(recipe):
        survey.entries(stage.of(survey.done))
    return Reopened(store, recipe, survey.done)
