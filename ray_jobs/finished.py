"""A run that others have finished: its newest matrix and all that it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from langvec.errors import InputError
from langvec.matrix import EntropyMatrix
from ray_jobs.recipe import Recipe
from ray_jobs.results import suffix
from ray_jobs.stages import Record
from ray_jobs.store import RECIPE, Store


@dataclass(frozen=True)
class FinishedRun:
    """The newest matrix of one kind of models, found by digests and not by the recipe's sources, which may be gone."""

    store: Store
    recipe: Recipe
    kind: str
    records: Mapping[str, Record]  # by digest
    newest: Record

    @classmethod
    def open(cls, uri: str, kind: str | None) -> FinishedRun:
        """`kind` is a kind of models; none: the first of the run's recipe."""
        store = Store.open(uri)
        stored = store.read(RECIPE)
        if stored is None:
            raise InputError(f"--run {uri} is no run yet. Expected one that `langscape entropy2vec` has finished.")
        recipe = Recipe.model_validate(yaml.safe_load(stored))
        kind = kind or recipe.models[0].kind
        records = [record for record in store.records().values() if not record.damage]
        matrices = [r for r in records if (r.meta["stage"], r.meta["name"]) == ("matrix", kind)]
        if not matrices:
            raise InputError(
                f"--run {uri} has no finished matrix of {kind} models. Expected one of "
                f"{', '.join(model.kind for model in recipe.models)}, and a finished `langscape entropy2vec`."
            )
        newest = max(matrices, key=lambda record: str(record.meta["cost"]["finished"]))
        return cls(store, recipe, kind, {record.digest: record for record in records}, newest)

    @property
    def suffix(self) -> str:
        """What its result files end in: nothing for the first kind of the recipe."""
        return suffix(self.kind, [model.kind for model in self.recipe.models])

    def matrix(self) -> EntropyMatrix:
        return EntropyMatrix.from_parquet(self.folder(self.newest.digest) / "matrix.parquet")

    def folder(self, digest: str) -> Path:
        """A finished piece on this machine."""
        return self.store.fetch(self.records[digest].folder, digest)

    def pieces(self) -> dict[str, Record]:
        """The newest piece of each result of the recipe, and all that they were made of, by the id of the piece."""
        wanted = {"tree/known"}
        for model in self.recipe.models:
            wanted |= {f"matrix/{model.kind}", f"vectors/{model.kind}"}
            wanted |= {f"tree/{model.kind}-{tree.name}" for tree in self.recipe.trees.grow}
        newest = sorted(self.records.values(), key=lambda record: str(record.meta["cost"]["finished"]))
        found = {_id(record): record for record in newest if _id(record) in wanted}
        waiting = list(found.values())
        while waiting:
            needs = [self.records[digest] for digest in waiting.pop().meta["needs"].values() if digest in self.records]
            waiting += [record for record in needs if _id(record) not in found]
            found |= {_id(record): record for record in needs}
        return found


def _id(record: Record) -> str:
    return f"{record.meta['stage']}/{record.meta['name']}"
