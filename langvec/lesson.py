"""What a model learns from: text to train and to validate on, a seed, and a memory that outlives a killed process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from langvec.encoded import EncodedSplit

Epochs = Sequence[dict[str, Any]]  # one row of the log per epoch


class Memory(Protocol):
    """Where training keeps its state, so that it goes on where it was."""

    def load(self) -> bytes | None: ...
    def due(self) -> bool: ...
    def save(self, state: bytes, epochs: Epochs = ()) -> None: ...
    def draw(self, epochs: Epochs) -> None: ...


class Forgetful:
    """No memory: for notebooks, and for models that learn in an instant."""

    def load(self) -> bytes | None:
        return None

    def due(self) -> bool:
        return False

    def save(self, state: bytes, epochs: Epochs = ()) -> None:
        pass

    def draw(self, epochs: Epochs) -> None:
        pass


@dataclass(frozen=True)
class Lesson:
    train: EncodedSplit
    validation: EncodedSplit
    seed: int
    language: str
    memory: Memory = field(default_factory=Forgetful)
