"""The recipe of the neural language model: a small GPT-2 over characters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from langvec.config import Strict
from langvec.lesson import Lesson

if TYPE_CHECKING:
    from langvec.neural import TransformerModel


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
        from langvec.neural import load

        return load(folder, self.precision)
