"""How long, how fast and on what an encoder is fine-tuned."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from langvec.config import Strict
from masking.pretrained import Precision


class Tuning(Strict):
    """How an encoder is fine-tuned."""

    epochs: int = Field(3, ge=1, description="passes over the texts at most")
    batch: int = Field(32, ge=1, description="texts of one step of the optimiser")
    learning_rate: float = Field(5e-5, gt=0, description="of the encoder, after warming up; falls to 0 in a line")
    head_learning_rate: float = Field(1e-3, gt=0, description="of what is fresh: the layer on top, and projections")
    warmup: float = Field(0.1, ge=0, lt=1, description="share of the steps in which the rates rise first")
    weight_decay: float = Field(0.01, ge=0)
    clip: float = Field(1, gt=0, description="longest gradient")
    dropout: float = Field(0.1, ge=0, lt=1, description="of the sentence's vector before the layer on top")
    pooling: Literal["mean", "first"] = Field("mean", description="mean of all tokens, or the first token alone")
    prefix: str = Field("", description="text before each text, e.g. `query: ` for E5")
    max_tokens: int = Field(128, ge=4, description="longer texts are cut; special tokens and prefix count")
    balanced: bool = Field(False, description="rare classes count as much as frequent ones")
    patience: int | None = Field(None, ge=1, description="epochs without a better one before it stops; null: all")
    keep: Literal["best", "last"] = Field("best", description="epoch that is kept; best by validation accuracy")
    precision: Precision = Field("bfloat16", description="of products; weights and sums are float32")

    def rate(self, step: int, steps: int) -> float:
        """The share of the learning rates in a step."""
        done = (step + 0.5) / steps
        return done / self.warmup if done < self.warmup else (1 - done) / (1 - self.warmup)
