"""The entropy grid: every model on every text, as tasks over one model and a group of texts.

A cell is known by the digests of its model and its text and by how it was read. What an earlier task has published
under the same key is taken over, whatever group it was in: a new language costs one row and one column.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from langvec.alphabet import load_alphabet
from langvec.encoded import EncodedSplit
from langvec.models import ModelRecipe
from langvec.scoring import LanguageModel, Scoring, cells_table
from ray_jobs.stages import Desk, Piece, Place

FORMAT = 1  # raise when cells are computed otherwise than before
CELLS = "cells.parquet"


def pieces(
    model: Piece,
    recipe: ModelRecipe,
    scoring: Scoring,
    texts: Mapping[str, Piece],
    alphabet: Piece,
    place: Place,
    group: int,
) -> Iterator[Piece]:
    """One piece for each group of texts."""
    codes, row = list(texts), Row(recipe, scoring, model.name, model.seed)
    for number, start in enumerate(range(0, len(codes), group)):
        chosen = codes[start : start + group]
        needs = {"model": model, "alphabet": alphabet} | {code: texts[code] for code in chosen}
        yield Piece(
            "grid",
            f"{model.name}.{number:03}",
            row.score,
            row.config,
            needs=needs,
            seed=model.seed,
            place=place,
            kin=f"{model.name}.",
        )


@dataclass(frozen=True)
class Row:
    """One model's row of the grid."""

    recipe: ModelRecipe
    scoring: Scoring
    model: str  # as its piece is called: kind and language
    seed: int

    @property
    def config(self) -> dict[str, Any]:
        return self.scoring.model_dump() | {"format": FORMAT, "seed": self.seed}

    def score(self, desk: Desk) -> dict[str, Any]:
        """Score what no earlier task has scored, and publish the cells of this group."""
        wanted = {code: self._key(desk, code) for code in desk.needed if code not in ("model", "alphabet")}
        known = _known(desk, set(wanted.values()))
        reader = _Reader(self, desk)
        new = [reader.cell(code, key) for code, key in wanted.items() if key not in known["key"].to_pylist()]
        cells = pa.concat_tables([known, cells_table(new)]) if new else known
        cells = cells.take(pa.array(_order(cells, list(wanted))))
        pq.write_table(cells, desk.folder / CELLS, compression="zstd")
        return {"cells": len(cells), "scored": len(new), "symbols": sum(int(row["symbols"].sum()) for row in new)}

    def _key(self, desk: Desk, code: str) -> str:
        essence = [code, desk.digests["model"], desk.digests[code], desk.digests["alphabet"], self.config]
        return hashlib.sha256(json.dumps(essence, sort_keys=True).encode()).hexdigest()


class _Reader:
    """A model loaded once, when the first cell needs it."""

    def __init__(self, row: Row, desk: Desk) -> None:
        self._row, self._desk = row, desk

    @cached_property
    def _model(self) -> LanguageModel:
        return self._row.recipe.load(self._desk.needed["model"])

    @cached_property
    def _alphabet(self) -> Any:
        return load_alphabet(self._desk.needed["alphabet"] / "alphabet.json")

    def cell(self, code: str, key: str) -> dict[str, Any]:
        text = EncodedSplit.open(self._desk.needed[code], "test", self._alphabet)
        blocks = self._row.scoring.blocks(text, self._row.seed, code)
        cell = self._row.scoring.cell(self._model, text, blocks)
        return {"model": self._row.model.partition("-")[2], "text": code, "key": key} | cell


def _known(desk: Desk, keys: set[str]) -> pa.Table:
    """Cells with these keys that earlier tasks have published."""
    filters = [("key", "in", keys)]
    found = [pq.read_table(folder / CELLS, filters=filters) for folder in desk.earlier]
    table = pa.concat_tables([*found, cells_table([])])
    first = {key: place for place, key in reversed(list(enumerate(table["key"].to_pylist())))}
    return table.take(pa.array(sorted(first.values()), pa.int64()))


def _order(cells: pa.Table, codes: Sequence[str]) -> list[int]:
    place = {code: number for number, code in enumerate(cells["text"].to_pylist())}
    return [place[code] for code in codes]
