"""A run that others have finished: the matrix of its recipe and all that it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from langvec.errors import InputError
from langvec.matrix import EntropyMatrix
from ray_jobs.lineage import Lineage
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
        recipe = _recipe(stored, uri)
        kind = _known_kind(kind, recipe, uri)
        records = [record for record in store.records().values() if not record.damage]
        lineage = Lineage(recipe, records)
        matrices = [r for r in records if (r.meta["stage"], r.meta["name"]) == ("matrix", kind) and lineage.holds(r)]
        if not matrices:
            raise _unfinished(uri, f"it has no matrix of {kind} models that its {RECIPE} describes")
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
        return self.store.fetch(self.record(digest).folder, digest)

    def record(self, digest: str) -> Record:
        if digest not in self.records:
            raise _unfinished(self.store.uri, "a piece that its matrix was made of is gone or damaged")
        return self.records[digest]

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


def _recipe(stored: bytes, uri: str) -> Recipe:
    try:
        return Recipe.model_validate(yaml.safe_load(stored))
    except ValidationError:
        raise InputError(
            f"--run {uri} holds no run of `langscape entropy2vec`: its {RECIPE} is another command's, or of another "
            f"version. Expected a run that `langscape entropy2vec` has finished."
        ) from None


def _known_kind(kind: str | None, recipe: Recipe, uri: str) -> str:
    kinds = [model.kind for model in recipe.models]
    if kind and kind not in kinds:
        raise InputError(
            f"--kind {kind}: the recipe of --run {uri} has no such models. Expected one of {', '.join(kinds)}; others "
            f"have to be added to `models` in the recipe first."
        )
    return kind or kinds[0]


def _unfinished(uri: str, why: str) -> InputError:
    return InputError(
        f"--run {uri} is not finished: {why}. Run the same `langscape entropy2vec` again, it goes on where it stopped."
    )


def _id(record: Record) -> str:
    return f"{record.meta['stage']}/{record.meta['name']}"
