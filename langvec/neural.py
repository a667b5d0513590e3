"""A trained decoder as a language model: what sentences cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from langvec import decoder
from langvec.decoder import Shape, Weights
from langvec.encoded import EncodedSplit
from langvec.pieces import Pieces

DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
SYMBOLS_AT_ONCE = {"cpu": 2048, "cuda": 65536}  # on a CPU what stays in its cache


def device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def load(folder: Path, precision: str) -> TransformerModel:
    weights, shape = decoder.load(folder, device().type)
    used = {name: weight.to(DTYPES[precision]) for name, weight in weights.items()}
    return TransformerModel(used, shape, SYMBOLS_AT_ONCE[device().type])


@dataclass
class TransformerModel:
    """Weights in the precision they are used in."""

    weights: Weights
    shape: Shape
    at_once: int

    def nats(self, text: EncodedSplit, sentences: np.ndarray) -> np.ndarray:
        """Nats of each of some sentences of a text, their ends included.

        A sentence longer than the context is read in pieces that overlap by half, so that every symbol but the first
        ones has at least half a context before it.
        """
        pieces = Pieces.cut(text, sentences, self.shape.context, self.shape.context // 2)
        total, order = np.zeros(sentences.size), np.argsort(pieces.length, kind="stable")
        for batch in pieces.batches(order, self.at_once):
            costs = self._costs(batch)
            position = np.arange(costs.size) - np.repeat(np.cumsum(batch.length) - batch.length, batch.length)
            costs[position < np.repeat(batch.skip, batch.length)] = 0
            total += np.bincount(np.repeat(batch.place, batch.length), costs, sentences.size)
        return np.asarray(total + text.unknown_nats(sentences))

    def _costs(self, batch: Pieces) -> np.ndarray:
        """Of every symbol that comes out of a batch; in halves if memory does not suffice for the whole."""
        try:
            with torch.inference_mode():
                row = batch.row(self.weights["transformer.wte.weight"].device)
                return np.asarray(decoder.nats(self.weights, self.shape, row).double().cpu().numpy())
        except (RuntimeError, MemoryError) as error:
            if not decoder.out_of_memory(error) or len(batch) == 1:
                raise
        half, everything = len(batch) // 2, np.arange(len(batch))
        return np.concatenate([self._costs(batch.take(part)) for part in (everything[:half], everything[half:])])
