"""`langscape mine` and `langscape score`: translations found among sentences, and given ones scored, by an encoder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from math import floor
from typing import cast, get_args

import numpy as np
import yaml
from pydantic import ValidationError

from langvec.errors import InputError
from masking.encoder import Encoder, EncoderRecipe, Floats
from masking.metrics import quality
from masking.mining import How, Pairs, best_threshold, score_pairs
from masking.mining import mine as mined_pairs
from ray_jobs.mistakes import mistakes
from ray_jobs.pairs import Sentences, check_target, read_gold, read_pairs, read_sentences, write_pairs
from ray_jobs.watching.progress import Progress

CHUNK = 4000  # sentences embedded between two signs of life
DIGITS = 10**6  # of a threshold that is told


def mine(
    files: tuple[str, str],
    to: str,
    encoder: str,
    columns: tuple[str, str | None, str | None],
    how: str,
    k: int,
    threshold: float | None,
    gold: str | None,
    memory_mb: int,
) -> Iterator[str]:
    """Find pairs, write them, and say how many gold pairs are among them. Columns are of text, ids and documents."""
    if how not in get_args(How):
        raise InputError(f"--how {how}: expected one of {', '.join(get_args(How))}.")
    check_target(to)
    recipe = _recipe(encoder)
    source, target = (read_sentences(file, *columns) for file in files)
    wanted = read_gold(gold, source, target) if gold else None
    for file, side in zip(files, (source, target), strict=True):
        yield _read(file, side)
    documents = _documents(source, target)
    vectors = _vectors(recipe.load(), (source.texts, target.texts))
    every = mined_pairs(*vectors, k, cast(How, how), documents, memory_mb)
    kept = every if threshold is None else every.above(threshold)
    write_pairs(kept, source, target, to)
    at_least = "" if threshold is None else f", margin {threshold:g} or more"
    yield f"{len(kept):,} pairs ({how}, {k} neighbours{at_least}) -> {to}"
    if wanted is not None:
        yield from _judged(every, kept, _named(every, source, target), wanted)


def score(
    file: str,
    to: str,
    encoder: str,
    columns: tuple[str, str],
    k: int,
    threshold: float | None,
    memory_mb: int,
) -> Iterator[str]:
    """Score the pairs of a file, and write them best first."""
    check_target(to)
    recipe = _recipe(encoder)
    source, target = read_pairs(file, *columns)
    pairs = score_pairs(*_vectors(recipe.load(), (source.texts, target.texts)), k, memory_mb).best_first()
    kept = pairs if threshold is None else pairs.above(threshold)
    write_pairs(kept, source, target, to)
    blank = f" ({source.blank:,} with a blank side left out)" if source.blank else ""
    yield f"{file}: {len(pairs):,} pairs{blank}, mean cosine {pairs.cosine.mean():.3f}, margin {pairs.score.mean():.3f}"
    yield f"{len(kept):,} pairs, best first -> {to}"


def _recipe(text: str) -> EncoderRecipe:
    """A name on the hub, a folder, or a mapping such as `{model: ./e5, prefix: 'query: '}`."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError:
        raw = text
    raw = raw if isinstance(raw, dict) else {"model": text}
    if isinstance(raw.get("model"), str) and os.path.isdir(raw["model"]):
        raw = raw | {"model": os.path.abspath(raw["model"])}  # what lies here as a folder is meant as one
    try:
        recipe = EncoderRecipe.model_validate(raw)
    except ValidationError as error:
        raise InputError(
            f"--encoder {text}: {' '.join(mistakes(raw, error, EncoderRecipe))} Expected a name on the hub, a folder, "
            f"or a mapping such as '{{model: ./e5, layer: 8, prefix: \"query: \"}}'."
        ) from None
    if problems := recipe.problems():
        raise InputError(f"--encoder: {' '.join(problems)}")
    return recipe


def _read(file: str, side: Sentences) -> str:
    documents = f" in {len(set(side.documents)):,} documents" if side.documents else ""
    blank = f" ({side.blank:,} blank ones left out)" if side.blank else ""
    return f"{file}: {len(side.texts):,} sentences{documents}{blank}"


def _documents(source: Sentences, target: Sentences) -> tuple[list[str], list[str]] | None:
    if source.documents is None or target.documents is None:
        return None
    if not set(source.documents) & set(target.documents):
        raise InputError(
            f"The two files have no document in common: {source.documents[0]!r} is one of the source, "
            f"{target.documents[0]!r} one of the target. Expected the same id for a document and its translation."
        )
    return source.documents, target.documents


def _vectors(encoder: Encoder, sides: tuple[Sequence[str], Sequence[str]]) -> tuple[Floats, Floats]:
    chunks = [[side[start : start + CHUNK] for start in range(0, len(side), CHUNK)] for side in sides]
    found: list[Floats] = []
    with Progress(f"embedding, {CHUNK:,} at a time", sum(map(len, chunks)), 0) as progress:
        for chunk in (*chunks[0], *chunks[1]):
            found.append(encoder.embed(chunk))
            progress.step(True)
    return np.concatenate(found[: len(chunks[0])]), np.concatenate(found[len(chunks[0]) :])


def _named(pairs: Pairs, source: Sentences, target: Sentences) -> list[tuple[str, str]]:
    places = zip(pairs.src.tolist(), pairs.tgt.tolist(), strict=True)
    return [(source.ids[a], target.ids[b]) for a, b in places]


def _judged(every: Pairs, kept: Pairs, names: list[tuple[str, str]], wanted: set[tuple[str, str]]) -> Iterator[str]:
    """Figures of what is kept, the best of `every`; and the threshold that would have been best."""
    found = quality(names[: len(kept)], wanted)
    yield f"{found.found:,} of {found.gold:,} gold pairs found; 95% intervals from redrawing these:"
    yield f"recall {found.recall}  precision {found.precision}  F1 {found.f1}"
    right = [name in wanted for name in names]
    if any(right):
        best = floor(best_threshold(every.score, right, len(wanted)) * DIGITS) / DIGITS  # up would lose a pair
        there = quality(names[: len(every.above(best))], wanted).f1.value
        yield f"F1 would be highest, {there:.3f}, with --threshold {best:.6f}. Use it on other pairs than these."
