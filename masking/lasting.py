"""A model that learns so that a kill costs nothing: weights, moments, best weights and the place in the data survive.

Pre-training, fine-tuning and translation differ in their data and losses; what outlives a process is the same for all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Generic, Protocol, TypeVar

import torch

from langvec.errors import TrainingError
from langvec.sealed import Parts, moments, remember, seal, unseal

BETAS = (0.9, 0.999)


class Memory(Protocol):
    """What outlives the process."""

    def load(self) -> bytes | None: ...
    def due(self) -> bool: ...
    def save(self, state: bytes, epochs: Sequence[dict[str, Any]] = ()) -> None: ...
    def draw(self, epochs: Sequence[dict[str, Any]]) -> None: ...


@dataclass
class Place:
    """Where training is: plain data. Each training adds what it has to know."""

    step: int = 0  # of the optimiser


P = TypeVar("P", bound=Place)


class Lasting(Generic[P]):
    """A model in training, on its device; it goes on from the memory's last state, if there is one that is whole.

    Weights that want no gradient stay as they are and are not kept.
    """

    def __init__(
        self,
        model: Any,
        place: P,
        memory: Memory,
        rate: float,
        weight_decay: float = 0,
        haste: Callable[[str], float] = lambda name: 1,  # how much faster than others a weight learns
    ) -> None:
        self.model, self.place, self.memory = model, place, memory
        self.best, self.notes = dict[str, Any](), list[str]()
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        known = self._restore()
        model.to(self.device).train()
        self.weights = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
        for weight in self.weights.values():
            weight.grad = torch.zeros_like(weight)  # a process without a part has one to add, too
        self.optimizer = self._optimizer(rate, weight_decay, haste)
        remember(self.optimizer, self.weights, known, self.place.step)

    def step(self, rate: float, clip: float) -> None:
        """Move by the gradients that have been summed, and begin new sums."""
        for some in self.optimizer.param_groups:
            some["lr"] = rate * some["haste"]
        torch.nn.utils.clip_grad_norm_(self.weights.values(), clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=False)

    def keep(self) -> None:
        """These weights are the best so far."""
        self.best = {name: weight.detach().clone() for name, weight in self.weights.items()}

    def kept(self) -> Any:
        """The model with its best weights."""
        self.model.load_state_dict(self.best, strict=False)
        return self.model

    def remember(self, epochs: Sequence[dict[str, Any]]) -> None:
        """Leave a state for the next attempt, if the memory wants one now; `epochs` are the rows of the log so far."""
        if self.memory.due():
            parts: Parts = {"weights": self.weights, "best": self.best, "buffers": dict(self.model.named_buffers())}
            parts |= moments(self.optimizer, self.weights)
            self.memory.save(seal(parts, {"progress": asdict(self.place), "notes": self.notes}), epochs)

    def _restore(self) -> Parts:
        """The optimizer's moments, if there is a state to go on from."""
        stored = self.memory.load()
        found = unseal(stored) if stored is not None else None
        if found is None:
            self.notes += [] if stored is None else ["the checkpoint was damaged: trained from the start"]
            return {}
        parts, about = found
        self.place, self.notes = type(self.place)(**about["progress"]), about["notes"]
        for part in ("weights", "buffers"):
            self.model.load_state_dict(parts.pop(part, {}), strict=False)
        self.best = parts.pop("best", {})
        return parts

    def _optimizer(self, rate: float, weight_decay: float, haste: Callable[[str], float]) -> torch.optim.AdamW:
        """Weight decay pulls at matrices only."""
        groups: dict[tuple[float, bool], list[Any]] = {}
        for name, weight in self.weights.items():
            groups.setdefault((haste(name), weight.dim() > 1), []).append(weight)
        return torch.optim.AdamW(
            [
                {"params": some, "weight_decay": weight_decay if matrices else 0, "haste": fast}
                for (fast, matrices), some in groups.items()
            ],
            rate,
            BETAS,
            fused=True,
        )


def refuse_no_number(loss: float, name: str, step: int, epoch: int) -> None:
    """Stop a training that has come to nothing."""
    if not math.isfinite(loss):
        raise TrainingError(
            f"The loss of {name} is no longer a number after step {step} of epoch {epoch}. Lower learning_rate or "
            f"clip, or use precision: float32."
        )
