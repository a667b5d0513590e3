"""A run of `lem` that others go on from: its plan, and what of it is done."""

from __future__ import annotations

from dataclasses import dataclass

from ray_jobs.lem import JOB, Plan, plan_of, stages_of
from ray_jobs.lem_recipe import LemRecipe
from ray_jobs.reopened import done_of, opened
from ray_jobs.stages import Record
from ray_jobs.store import Store


@dataclass(frozen=True)
class LemRun:
    """The recipe of a run, and its finished pieces by id."""

    store: Store
    recipe: LemRecipe
    plan: Plan
    done: dict[str, Record]

    @classmethod
    def open(cls, uri: str) -> LemRun:
        store, recipe = opened(JOB, uri)
        plan = plan_of(recipe)  # one for both, since it hashes the encoder
        return cls(store, recipe, plan, done_of(store, stages_of(plan)))
