"""A run that lies in its directory: what of it is done by its own recipe, without doing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from langvec.errors import InputError
from langvec.sources import AnySource
from ray_jobs.job import Job
from ray_jobs.stages import Record, Stage, Survey
from ray_jobs.store import RECIPE, Store


@dataclass(frozen=True)
class Reopened:
    """The recipe of a run, and its finished pieces by id: those that the command itself would find done."""

    store: Store
    recipe: Any
    done: dict[str, Record]


def reopened(job: Job, uri: str) -> Reopened:
    store, recipe = opened(job, uri)
    return Reopened(store, recipe, done_of(store, job.stages(recipe)))


def opened(job: Job, uri: str) -> tuple[Store, Any]:
    """A run and its recipe; InputError where the directory holds no run of this job, or its inputs are gone."""
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
    return store, recipe


def done_of(store: Store, stages: Sequence[Stage]) -> dict[str, Record]:
    """The finished pieces of these stages, by id."""
    survey = Survey(store.records())
    for stage in stages:
        survey.entries(stage.of(survey.done))
    return survey.done
