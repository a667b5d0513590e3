"""`langscape embed`: where an unknown text stands among the languages of a run, without training anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from langvec.alphabet import load_alphabet
from langvec.cleaning import clean
from langvec.encoded import EncodedSplit
from langvec.errors import InputError
from langvec.landmarks import landmarks
from langvec.languages import find
from langvec.matrix import EntropyMatrix
from langvec.ngram import NgramRecipe
from langvec.sources.files import Files
from langvec.vectors import PRESETS, VectorRecipe, make_vectors
from ray_jobs.recipe import Recipe
from ray_jobs.stages import Record
from ray_jobs.store import RECIPE, Store

NEW = "this text"  # its name among the texts of the matrix


def embed(file: str, uri: str, models: int | None, nearest: int, kind: str | None) -> list[str]:
    """The lines to print: how much was read, and the nearest languages with intervals."""
    run = _Run.open(uri, kind)
    lines = _lines(file, run.recipe)
    matrix = run.matrix()
    chosen = landmarks(matrix.models, models) if models else list(matrix.models)
    cells = {code: run.cell(code, lines) for code in chosen}
    how = run.recipe.vector_recipe
    how = how if how.orientation == "column" and not how.value.startswith("excess") else PRESETS["best"]
    found = _nearest(matrix.select(models=chosen).with_text(NEW, cells), how, nearest, run.recipe.seed)
    read = sum(cell["scored"] for cell in cells.values())
    chars = sum(map(len, lines))
    return [
        f"{file}: {len(lines):,} lines, {chars:,} characters; {len(chosen)} {run.kind} models read {read:,} symbols",
        f"{'nearest':<10} {'distance':>8}  95% interval",
        *found,
    ]


def _nearest(matrix: EntropyMatrix, how: VectorRecipe, count: int, seed: int) -> Iterator[str]:
    for code, distance, low, high in make_vectors(matrix, how).nearest_intervals(NEW, count, seed=seed):
        yield f"{code:<10} {distance:>8.3f}  {low:.3f} to {high:.3f}  {find(code).name}"


def _lines(file: str, recipe: Recipe) -> list[str]:
    """The text as the run would clean it, every line once."""
    source = Files(files={"eng": file})  # any code: only the file counts
    raw = [text for batch in source.read(*source.codes()) for text in batch.texts]
    cleaned = clean("\n".join(raw), recipe.cleaning.romanise) if raw else []
    lines = list(dict.fromkeys(line for line in cleaned if len(line) >= recipe.cleaning.min_chars))
    if not lines:
        raise InputError(
            f"{file} holds no line of at least {recipe.cleaning.min_chars} characters, which is what the run counts "
            f"as text. Expected a few sentences at least."
        )
    return lines


@dataclass(frozen=True)
class _Run:
    """The newest finished matrix of a run and what it was made of, found by digests and not by the recipe's sources."""

    store: Store
    recipe: Recipe
    kind: str
    records: Mapping[str, Record]  # by digest
    newest: Record

    @classmethod
    def open(cls, uri: str, kind: str | None) -> _Run:
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

    def matrix(self) -> EntropyMatrix:
        return EntropyMatrix.from_parquet(self._folder(self.newest.digest) / "matrix.parquet")

    def cell(self, code: str, lines: list[str]) -> dict[str, Any]:
        """The text under one model."""
        needs = self._row(code).meta["needs"]
        alphabet = load_alphabet(self._folder(needs["alphabet"]) / "alphabet.json")
        text = EncodedSplit.of_lines(lines, alphabet)
        recipe = next(model for model in self.recipe.models if model.kind == self.kind)
        guides = [model for model in self.recipe.models if isinstance(model, NgramRecipe)]
        guide = guides[0].load(self._folder(needs["guide"])) if "guide" in needs else None
        hints = guide.nats_by_order(text, np.arange(len(text))) if guide else None
        blocks = self.recipe.scoring.blocks(text, self.recipe.seed, NEW)
        return self.recipe.scoring.cell(recipe.load(self._folder(needs["model"])), text, blocks, hints)

    def _row(self, code: str) -> Record:
        needs = self.newest.meta["needs"]
        return self.records[next(digest for name, digest in needs.items() if name.startswith(f"{self.kind}-{code}."))]

    def _folder(self, digest: str) -> Path:
        return self.store.fetch(self.records[digest].folder, digest)
