"""A run of `lem` that lies in its directory: what of it is done by its own recipe, without doing anything."""

from __future__ import annotations

from dataclasses import dataclass

import yaml
from pydantic import ValidationError

from langvec.errors import InputError
from ray_jobs.lem import Plan, plan_of, stages_of
from ray_jobs.lem_recipe import LemRecipe
from ray_jobs.stages import Record, Survey
from ray_jobs.store import RECIPE, Store


@dataclass(frozen=True)
class LemRun:
    """The recipe of a run, and its finished pieces by id: those that the command itself would find done."""

    store: Store
    recipe: LemRecipe
    plan: Plan
    done: dict[str, Record]

    @classmethod
    def open(cls, uri: str) -> LemRun:
        store = Store.open(uri)
        try:
            recipe = LemRecipe.model_validate(yaml.safe_load(store.read(RECIPE) or b"{}"))
        except ValidationError:
            raise InputError(
                f"--run {uri} holds no run of `langscape lem`. Expected one that has its samples."
            ) from None
        if wrong := [problem for source in recipe.corpora for problem in source.problems()] + recipe.problems():
            raise InputError(f"--run {uri}: {' '.join(wrong)}")
        survey, plan = Survey(store.records()), plan_of(recipe)
        for stage in stages_of(plan):
            survey.entries(stage.of(survey.done))
        return cls(store, recipe, plan, survey.done)
