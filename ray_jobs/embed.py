"""`langscape embed`: where an unknown text stands among the languages of a run, without training anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

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
from ray_jobs.finished import FinishedRun
from ray_jobs.recipe import Recipe

NEW = "this text"  # its name among the texts of the matrix


def embed(file: str, uri: str, models: int | None, nearest: int, kind: str | None) -> list[str]:
    """The lines to print: how much was read, and the nearest languages with intervals."""
    run = FinishedRun.open(uri, kind)
    lines = _lines(file, run.recipe)
    matrix = run.matrix()
    chosen = _chosen(matrix.models, models)
    cells = {code: _cell(run, code, lines) for code in chosen}
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


def _chosen(codes: Sequence[str], count: int | None) -> list[str]:
    """The models that read; none asked for: all."""
    if count and count > len(codes):
        raise InputError(
            f"--models {count}: the run has {len(codes)} models. Expected 2 to {len(codes)}, or no --models."
        )
    return landmarks(codes, count) if count else list(codes)


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


def _cell(run: FinishedRun, code: str, lines: list[str]) -> dict[str, Any]:
    """The text under one model."""
    needs = run.record(_row(run, code)).meta["needs"]
    alphabet = load_alphabet(run.folder(needs["alphabet"]) / "alphabet.json")
    text = EncodedSplit.of_lines(lines, alphabet)
    recipe = next(model for model in run.recipe.models if model.kind == run.kind)
    guides = [model for model in run.recipe.models if isinstance(model, NgramRecipe)]
    guide = guides[0].load(run.folder(needs["guide"])) if "guide" in needs else None
    hints = guide.nats_by_order(text, np.arange(len(text))) if guide else None
    blocks = run.recipe.scoring.blocks(text, run.recipe.seed, NEW)
    return run.recipe.scoring.cell(recipe.load(run.folder(needs["model"])), text, blocks, hints)


def _row(run: FinishedRun, code: str) -> str:
    """The digest of the first piece of a model's row of the grid."""
    needs: dict[str, str] = run.newest.meta["needs"]
    return next(digest for name, digest in needs.items() if name.startswith(f"{run.kind}-{code}."))
