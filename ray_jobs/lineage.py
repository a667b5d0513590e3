"""Whether a finished piece is what the recipe as it stands would make: by its settings, for its sources may be gone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from langvec.landmarks import landmarks
from ray_jobs.recipe import Recipe
from ray_jobs.stages import Record


class Lineage:
    """Tells what the recipe as it stands would make from what was made before the recipe was changed."""

    def __init__(self, recipe: Recipe, records: Iterable[Record]) -> None:
        self.settings = _settings(recipe)
        self.of_digest: dict[str, list[Record]] = {}  # several, if they hold the same
        for record in records:
            self.of_digest.setdefault(record.digest, []).append(record)
        self.known: dict[str, bool] = {}

    def holds(self, record: Record) -> bool:
        """Whether the record and all that it was made of were made with settings of the recipe."""
        config = record.meta["config"]
        wanted = self.settings.get(record.meta["stage"], [{}])
        return any(config | part == config for part in wanted) and all(map(self._any, record.meta["needs"].values()))

    def _any(self, digest: str) -> bool:
        if digest not in self.known:  # what is gone speaks against nothing
            found = self.of_digest.get(digest, [])
            self.known[digest] = not found or any(self.holds(record) for record in found)
        return self.known[digest]


def _settings(recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
    """Of each stage the settings that its pieces may have; where there are several, of one piece or another."""
    texts = [code for source in recipe.corpora for code in source.codes()]
    models = landmarks(texts, recipe.landmarks) if recipe.landmarks else texts
    whole = recipe.model_dump(mode="json")
    return {
        "corpus": [{name: whole[name] for name in ("cleaning", "split")}],
        "alphabet": [whole["alphabet"]],
        "model": [{**model, "seed": recipe.seed} for model in whole["models"]],
        "matrix": [{"models": models, "texts": texts}],
    }
