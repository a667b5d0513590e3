"""The neural language model: a small GPT-2 over characters, as a recipe to train and as a model to score with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from langvec.config import Strict
from langvec.encoded import EncodedSplit
from langvec.lesson import Lesson
from langvec.pieces import Pieces

if TYPE_CHECKING:
    from langvec.decoder import Shape, Weights

CPU_SYMBOLS = 2048  # read at once: what stays in the cache
GPU_SYMBOLS = 65536


class TransformerRecipe(Strict):
    """A GPT-2 over characters, from scratch. Shape, epochs and patience are the paper's; it leaves the rest open."""

    actor: ClassVar[bool] = True
    kind: Literal["transformer"] = "transformer"
    layers: int = Field(4, ge=1, le=64)
    width: int = Field(512, ge=8, le=8192)
    heads: int = Field(8, ge=1)
    context: int = Field(256, ge=8, le=8192, description="symbols seen at once; longer sentences are cut")
    dropout: float = Field(0.1, ge=0, lt=1, description="of embeddings and of what each layer adds")
    precision: Literal["bf16", "fp32"] = Field("bf16", description="of the matrix products; the loss is always fp32")
    batch_symbols: int = Field(16_384, ge=64, description="in one optimiser step")
    learning_rate: float = Field(1e-3, gt=0, lt=1, description="at its peak")
    warmup: float = Field(0.02, ge=0, lt=1, description="share of all steps; after it a cosine down to a tenth")
    weight_decay: float = Field(0.1, ge=0)
    clip: float = Field(1.0, gt=0, description="largest norm of a gradient")
    epochs: int = Field(150, ge=1, description="at most")
    patience: int = Field(3, ge=1, description="epochs without a better validation loss before training stops")

    @model_validator(mode="after")
    def _heads_divide_width(self) -> TransformerRecipe:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self

    def train(self, lesson: Lesson, folder: Path) -> dict[str, Any]:
        """Write the best weights and the log into a folder and return an account of the training."""
        from langvec.training import train

        return train(self, lesson, folder)

    def load(self, folder: Path) -> TransformerModel:
        import torch

        from langvec.decoder import load

        on_gpu = torch.cuda.is_available()
        weights, shape = load(folder, "cuda" if on_gpu else "cpu")
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float32
        used = {name: weight.to(dtype) for name, weight in weights.items()}
        return TransformerModel(used, shape, GPU_SYMBOLS if on_gpu else CPU_SYMBOLS)


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
        import torch

        from langvec.decoder import nats, out_of_memory

        try:
            with torch.inference_mode():
                row = batch.row(self.weights["transformer.wte.weight"].device)
                return np.asarray(nats(self.weights, self.shape, row).double().cpu().numpy())
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error) or len(batch) == 1:
                raise
        half, everything = len(batch) // 2, np.arange(len(batch))
        return np.concatenate([self._costs(batch.take(part)) for part in (everything[:half], everything[half:])])
