"""A run of `curate` that lies in its directory: what of it is done by its own recipe, without doing anything."""

from __future__ import annotations

from dataclasses import dataclass

import yaml
from pydantic import ValidationError

from langvec.errors import InputError
from ray_jobs.curate import stages
from ray_jobs.curate_recipe import CurateRecipe
from ray_jobs.stages import Record, Survey
from ray_jobs.store import RECIPE, Store


@dataclass(frozen=True)
class CurateRun:
    """The recipe of a run, and its finished pieces by id: those that the command itself would find done."""

    store: Store
    recipe: CurateRecipe
    done: dict[str, Record]

    @classmethod
    def open(cls, uri: str) -> CurateRun:
        store = Store.open(uri)
        try:
            recipe = CurateRecipe.model_validate(yaml.safe_load(store.read(RECIPE) or b"{}"))
        except ValidationError:
            raise InputError(f"--run {uri} holds no run of `langscape curate` of this version.") from None
        if wrong := recipe.problems():
            raise InputError(f"--run {uri}: {' '.join(wrong)}")
        survey = Survey(store.records())
        for stage in stages(recipe):
            survey.entries(stage.of(survey.done))
        return cls(store, recipe, survey.done)
