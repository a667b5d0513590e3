"""A run that others have finished: the matrix of its recipe and all that it was made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from langvec.errors import InputError
from langvec.landmarks import landmarks
from langvec.matrix import EntropyMatrix
from ray_jobs.recipe import Recipe
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
        kind = _known_kind(kind, recipe, uri)
        records = [record for record in store.records().values() if not record.damage]
        lineage = _Lineage(recipe, records)
        matrices = [r for r in records if (r.meta["stage"], r.meta["name"]) == ("matrix", kind) and lineage.holds(r)]
        if not matrices:
            raise _unfinished(uri, f"it has no matrix of {kind} models that its {RECIPE} describes")
        newest = max(matrices, key=lambda record: str(record.meta["cost"]["finished"]))
        return cls(store, recipe, kind, {record.digest: record for record in records}, newest)

    @property
    def suffix(self) -> str:
        """What its result files end in: nothing for the first kind of the recipe."""
        return "" if self.kind == self.recipe.models[0].kind else f"-{self.kind}"

    def matrix(self) -> EntropyMatrix:
        return EntropyMatrix.from_parquet(self.folder(self.newest.digest) / "matrix.parquet")

    def folder(self, digest: str) -> Path:
        """A finished piece on this machine."""
        return self.store.fetch(self.record(digest).folder, digest)

    def record(self, digest: str) -> Record:
        if digest not in self.records:
            raise _unfinished(self.store.uri, "a piece that its matrix was made of is gone or damaged")
        return self.records[digest]


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


class _Lineage:
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
