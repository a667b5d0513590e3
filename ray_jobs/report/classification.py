"""The page of `langscape alchemy` and `langscape sentiment`."""

from __future__ import annotations

from collections.abc import Mapping

from ray_jobs.classification_recipe import ClassificationRecipe
from ray_jobs.stages import Record
from ray_jobs.store import Store


def write_report(store: Store, records: Mapping[str, Record], recipe: ClassificationRecipe) -> list[str]:
    return []
