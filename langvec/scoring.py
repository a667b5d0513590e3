"""What one text costs under one model, as far as it has to be read to know.

A text is read in blocks of sentences, in an order that depends on the recipe's seed and the text alone: a result never
depends on when, where or beside what it was computed. What was not read is estimated by regression on what is known of
every sentence: its length, and what cheap guides make of it, such as the n-gram models of the same language. The
better the guides, the sooner the estimate is good enough (survey sampling: Cochran, 1977, ch. 7).
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
from langvec.matrix import COUNTS
from langvec.seeds import derived

LEAST = 128  # sentences that an interval may rest on


class LanguageModel(Protocol):
    """What every kind of model can do."""

    def nats(self, text: EncodedSplit, sentences: np.ndarray) -> np.ndarray:
        """Nats of each of some sentences of a text, their ends and unknown characters included."""


class Scoring(Strict):
    """How much of a text a model reads."""

    tolerance: float = Field(
        0.01,
        ge=0,
        description="a text is read until its nats per character are known within this, at 95%; 0: to its end",
    )
    block_symbols: int = Field(8192, ge=256, description="read between two looks at the interval")

    def cell(
        self,
        model: LanguageModel,
        text: EncodedSplit,
        blocks: Sequence[np.ndarray],
        guide: np.ndarray | None = None,
    ) -> dict[str, Any]:
        """Nats and counts of a text, summed per fold.

        Args:
            model: reads as many blocks as the tolerance asks for.
            text: what is read.
            blocks: its sentences, each once, in the order they are read.
            guide: what each sentence costs under cheaper models, (sentences, models); not to be right, only alike.
        """
        known, chars = _known(text, guide), int(text.chars.sum(dtype=np.int64))
        read, nats, error = np.empty(0, np.int64), np.empty(0), 0.0
        for block in blocks:
            read, nats = np.concatenate([read, block]), np.concatenate([nats, model.nats(text, block)])
            rest = _Rest(known, read, nats)
            if read.size >= LEAST and rest.error / chars < self.tolerance:
                error = rest.error / chars
                break
        whole = rest.predictions
        whole[read] = nats
        measures = {"nats": whole} | _counts(text)
        sums = {name: np.bincount(text.folds, values, FOLDS) for name, values in measures.items()}
        return sums | {"scored": int((text.lengths[read] + 1).sum()), "error": error}

    def blocks(self, text: EncodedSplit, seed: int, code: str) -> list[np.ndarray]:
        """All sentences of a text in the order they are read."""
        order = np.random.default_rng(derived(seed, code, "blocks")).permutation(len(text))
        block = (np.cumsum(text.lengths[order]) - 1) // self.block_symbols
        return np.split(order, np.flatnonzero(np.diff(block)) + 1)


class _Rest:
    """What the sentences that were not read will cost, by least squares over those that were."""

    def __init__(self, known: np.ndarray, read: np.ndarray, nats: np.ndarray) -> None:
        self._known, self._read = known, read
        self._weights = np.linalg.lstsq(known[read], nats, rcond=None)[0]
        self._residuals = nats - known[read] @ self._weights

    @property
    def predictions(self) -> np.ndarray:
        return np.asarray(self._known @ self._weights)

    @property
    def error(self) -> float:
        """Half the 95% interval of the nats of the whole text."""
        from scipy.special import stdtrit

        (all_, terms), read = self._known.shape, self._read.size
        if read <= terms:
            return float("inf")
        variance = (self._residuals**2).sum() / (read - terms) * all_**2 * (1 - read / all_) / read
        return float(stdtrit(read - terms, 0.975) * np.sqrt(variance))


def cells_table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Cells as a table: model, text, key, sums per fold, symbols that were read, and the error of the estimate."""
    rows = list(rows)
    columns = {name: pa.array([row[name] for row in rows], pa.string()) for name in ("model", "text", "key")}
    for name in ("nats", *COUNTS):
        kind = np.float64 if name == "nats" else np.int64
        values = np.array([row[name] for row in rows], kind).ravel()
        columns[name] = pa.FixedSizeListArray.from_arrays(pa.array(values), FOLDS)
    columns["scored"] = pa.array([row["scored"] for row in rows], pa.int64())
    return pa.table(columns | {"error": pa.array([row["error"] for row in rows], pa.float64())})


def _known(text: EncodedSplit, guide: np.ndarray | None) -> np.ndarray:
    """What is known of every sentence before it is read, (sentences, terms): that it is one, its length, its guides."""
    terms = np.stack([np.ones(len(text)), text.chars], axis=1)
    return terms if guide is None else np.hstack([terms, guide])


def _counts(text: EncodedSplit) -> dict[str, np.ndarray]:
    symbols = text.lengths + 1  # with the end of the sentence
    counts = (symbols, text.chars, text.bytes, np.ones(len(text), np.int64))
    return dict(zip(COUNTS, counts, strict=True))
