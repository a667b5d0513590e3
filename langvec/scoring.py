"""What one text costs under one model, as far as it has to be read to know.

A text is read in blocks, in an order that depends on the recipe's seed and the text alone. So a result never depends on
when, where or beside what it was computed, and all models read the same sentences first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from pydantic import Field

from langvec.cleaning import FOLDS
from langvec.config import Strict
from langvec.encoded import EncodedSplit
from langvec.matrix import COUNTS, half_width
from langvec.seeds import derived


class LanguageModel(Protocol):
    """What every kind of model can do."""

    def nats(self, text: EncodedSplit, sentences: np.ndarray) -> np.ndarray:
        """Nats of each of some sentences of a text, their ends and unknown characters included."""


class Scoring(Strict):
    """How much of a text a model reads."""

    tolerance: float = Field(
        0.01,
        ge=0,
        description="a cell is done when the 95% interval of the whole text's nats per character is this wide; "
        "0 reads everything",
    )
    block_symbols: int = Field(8192, ge=256, description="read between two looks at the interval")

    def cell(self, model: LanguageModel, text: EncodedSplit, blocks: Sequence[np.ndarray]) -> dict[str, Any]:
        """Sums per fold of nats and counts over as many blocks as the tolerance asks for."""
        sums = {name: np.zeros(FOLDS, np.float64 if name == "nats" else np.int64) for name in ("nats", *COUNTS)}
        whole = int(text.chars.sum(dtype=np.int64))
        for block in blocks:
            for name, values in _measures(model, text, block).items():
                np.add.at(sums[name], text.folds[block], values)
            if self.tolerance and 2 * half_width(sums["nats"], sums["chars"], np.array(whole)) < self.tolerance:
                break
        return sums | {"text_chars": whole}

    def blocks(self, text: EncodedSplit, seed: int, code: str) -> list[np.ndarray]:
        """All sentences of a text in the order they are read."""
        order = np.random.default_rng(derived(seed, code, "blocks")).permutation(len(text))
        block = (np.cumsum(text.lengths[order]) - 1) // self.block_symbols
        return np.split(order, np.flatnonzero(np.diff(block)) + 1)


def cells_table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Cells as a table: model, text, sums per fold, characters of the whole text, and what each was made of."""
    rows = list(rows)
    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in ("model", "text", "key")}
    for name in ("nats", *COUNTS):
        values = np.array([row[name] for row in rows]).ravel()
        kind = pa.float64() if name == "nats" else pa.int64()
        columns[name] = pa.FixedSizeListArray.from_arrays(pa.array(values, kind), FOLDS)
    return pa.table(columns | {"text_chars": pa.array([row["text_chars"] for row in rows], pa.int64())})


def _measures(model: LanguageModel, text: EncodedSplit, block: np.ndarray) -> dict[str, np.ndarray]:
    symbols = text.lengths[block] + 1  # with the end of the sentence
    ones = np.ones(block.size, np.int64)
    return {
        "nats": model.nats(text, block),
        "symbols": symbols,
        "chars": text.chars[block].astype(np.int64),
        "bytes": text.bytes[block].astype(np.int64),
        "sentences": ones,
    }
