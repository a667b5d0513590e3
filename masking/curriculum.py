"""How long and how fast a stage of pre-training learns."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from langvec.config import Strict
from masking.pretrained import Precision


class Curriculum(Strict):
    """Defaults follow LEM's code where it sets anything; batches are of tokens, about as many as its 32 sentences."""

    epochs: int = Field(60, ge=1, description="passes over the text at most")
    tokens: int | None = Field(None, ge=1, description="stop after about so many tokens; null: after the epochs")
    batch_tokens: int = Field(2048, ge=1, description="tokens of one step of the optimiser, special ones included")
    learning_rate: float = Field(5e-5, gt=0, description="at the start; falls to 0 in a straight line")
    warmup: float = Field(0, ge=0, lt=1, description="share of the tokens in which the rate rises first")
    weight_decay: float = Field(0, ge=0)
    clip: float = Field(1, gt=0, description="longest gradient")
    patience: int = Field(5, ge=1, description="epochs without a better one before training stops")
    keep: Literal["loss", "retrieval", "last"] = Field(
        "loss", description="which epoch is kept: of the best validation loss, of the best dev retrieval, or the last"
    )
    precision: Precision = Field("bfloat16", description="of products; weights and sums are float32")

    def budget(self, tokens: int) -> int:
        """How many tokens the stage will see, given those of its text."""
        return min(self.epochs * tokens, self.tokens or self.epochs * tokens)

    def rate(self, seen: int, budget: int) -> float:
        """The learning rate after so many tokens."""
        return self.learning_rate * slope(seen / max(budget, 1), self.warmup)


def slope(done: float, warmup: float) -> float:
    """Up to 1 while the warm-up lasts, then down to 0, in straight lines; `done` and `warmup` are shares of the way."""
    done = min(1.0, done)
    return done / warmup if done < warmup else (1 - done) / (1 - warmup)
