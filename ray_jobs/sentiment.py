"""The job `sentiment` as a list of stages: labelled and code-mixed texts, encoders, fine-tunings."""

from __future__ import annotations

from ray_jobs.classification import Plan
from ray_jobs.classification_results import write_results
from ray_jobs.job import Job
from ray_jobs.mixed import mixed_piece
from ray_jobs.report.classification import write_report
from ray_jobs.sentiment_recipe import SentimentRecipe
from ray_jobs.stages import Stage


def stages(recipe: SentimentRecipe) -> list[Stage]:
    labelled = Plan(recipe).labelled
    mixed = {
        name: mixed_piece(name, how, labelled[how.matrix], labelled[how.embedded]) for name, how in recipe.mixed.items()
    }
    return Plan(recipe, mixed=mixed).stages()


JOB = Job("sentiment", SentimentRecipe, stages, write_results, ("cpus_per_model", "gpus_per_model"), write_report)
