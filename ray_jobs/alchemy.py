"""The job `alchemy` as a list of stages: vectors, labelled texts, encoders, fine-tunings with a second task."""

from __future__ import annotations

from collections.abc import Iterator

from langvec.alchemy import NEEDS_VECTORS
from ray_jobs.alchemy_recipe import AlchemyRecipe
from ray_jobs.alchemy_targets import Second
from ray_jobs.classification import Plan
from ray_jobs.classification_results import write_results
from ray_jobs.job import Job
from ray_jobs.language_vectors import JoinedVectors, TextVectors, block_piece
from ray_jobs.report.classification import write_report
from ray_jobs.stages import Stage


def stages(recipe: AlchemyRecipe) -> list[Stage]:
    codes = recipe.data.codes()
    own = {name: how for name, how in recipe.vectors.items() if not isinstance(how, JoinedVectors)}
    features = {name: block_piece(name, how, codes, recipe.seed) for name, how in own.items()}
    made = [stage for how in own.values() if isinstance(how, TextVectors) for stage in how.stages(recipe.seed)]
    plan = Plan(recipe, tuple(seconds(recipe)), features)
    return [*made, *([Stage("features", tuple(features.values()))] if features else []), *plan.stages()]


def seconds(recipe: AlchemyRecipe) -> Iterator[Second]:
    """Each second task with each weight; controls are made like the first vectors."""
    like = recipe.blocks_of(next(iter(recipe.vectors))) if recipe.vectors else ()
    for weight in recipe.weights:
        for name in recipe.vectors:
            yield Second(recipe.blocks_of(name), None, weight, name)
        for kind in recipe.chosen_controls():
            yield Second(like if kind in NEEDS_VECTORS else (), kind, weight, kind)


JOB = Job("alchemy", AlchemyRecipe, stages, write_results, ("cpus_per_model", "gpus_per_model"), write_report)
