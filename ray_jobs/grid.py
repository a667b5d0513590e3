"""The entropy grid: every model on every text, as tasks over one model and a group of texts.

A cell is known by the digests of its model and its text and by how it was read. What an earlier task has published
under the same key is taken over, whatever group it was in: a new language costs one row and one column.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from langvec.alphabet import load_alphabet
from langvec.encoded import EncodedSplit
from langvec.models import ModelRecipe
from langvec.ngram import NgramRecipe
from langvec.scoring import Scoring, cells_table
from ray_jobs.stages import Desk, Piece, Place

FORMAT = 1  # raise when cells are computed otherwise than before
CELLS = "cells.parquet"


@dataclass(frozen=True)
class Texts:
    """What all models read, and how."""

    encoded: Mapping[str, Piece]
    alphabet: Piece
    scoring: Scoring
    per_task: int
    gpus: float  # of a task whose model can use one


def pieces(texts: Texts, reader: Reader, model: Piece, guide: Piece | None) -> Iterator[Piece]:
    """One model's row of the grid: a piece for each group of texts."""
    codes, kind = list(texts.encoded), reader.recipe
    scoring = texts.scoring if kind.actor else Scoring(tolerance=0)  # the others read faster than they could estimate
    config = scoring.model_dump() | {"format": FORMAT, "seed": model.seed}
    for number, start in enumerate(range(0, len(codes), texts.per_task)):
        needs = {"model": model, "alphabet": texts.alphabet} | ({"guide": guide} if guide else {})
        needs |= {f"text {code}": texts.encoded[code] for code in codes[start : start + texts.per_task]}
        yield Piece(
            "grid",
            f"{model.name}.{number:03}",
            partial(_score, reader, scoring, config),
            config,
            needs=needs,
            seed=model.seed,
            place=Place(gpus=texts.gpus if kind.actor else 0),
            kin=f"{model.name}.",
        )


@dataclass(frozen=True)
class Reader:
    """A model by its recipe, and the recipe of its guide."""

    recipe: ModelRecipe
    language: str
    guide: NgramRecipe | None


def _score(reader: Reader, scoring: Scoring, config: Mapping[str, Any], desk: Desk) -> dict[str, Any]:
    """Score what no earlier task has scored, and publish the cells of this group."""
    codes = [label.removeprefix("text ") for label in desk.needed if label.startswith("text ")]
    keys = {code: _key(desk, code, config) for code in codes}
    known = _known(desk, set(keys.values()))
    missing = [code for code in codes if code not in known["text"].to_pylist()]
    new = list(_cells(reader, scoring, config["seed"], desk, missing)) if missing else []
    named = [{"model": reader.language, "text": code, "key": keys[code]} for code in missing]
    cells = pa.concat_tables([known, cells_table(name | cell for name, cell in zip(named, new, strict=True))])
    place = {code: number for number, code in enumerate(cells["text"].to_pylist())}
    pq.write_table(cells.take([place[code] for code in codes]), desk.folder / CELLS, compression="zstd")
    return {"cells": len(cells), "scored": len(new), "symbols": sum(cell["scored"] for cell in new)}


def _key(desk: Desk, code: str, config: Mapping[str, Any]) -> str:
    """What decides a cell: its text, its model, its guide, and how it was read."""
    digests = [desk.digests.get(label, "") for label in ("model", "guide", "alphabet", f"text {code}")]
    return hashlib.sha256(json.dumps([code, digests, config], sort_keys=True).encode()).hexdigest()


def _cells(reader: Reader, scoring: Scoring, seed: int, desk: Desk, codes: Sequence[str]) -> Iterator[dict[str, Any]]:
    alphabet = load_alphabet(desk.needed["alphabet"] / "alphabet.json")
    model = reader.recipe.load(desk.needed["model"])
    guide = reader.guide.load(desk.needed["guide"]) if reader.guide else None
    for code in codes:
        text = EncodedSplit.open(desk.needed[f"text {code}"], "test", alphabet)
        hints = guide.nats_by_order(text, np.arange(len(text))) if guide else None
        yield scoring.cell(model, text, scoring.blocks(text, seed, code), hints)


def _known(desk: Desk, keys: set[str]) -> pa.Table:
    """Cells with these keys that earlier tasks have published."""
    filters = [("key", "in", keys)]
    found = [pq.read_table(folder / CELLS, filters=filters) for folder in desk.earlier]
    table = pa.concat_tables([*found, cells_table([])])
    first = {key: place for place, key in reversed(list(enumerate(table["key"].to_pylist())))}
    return table.take(pa.array(sorted(first.values()), pa.int64()))
