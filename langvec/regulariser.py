"""The loss of LinguAlchemy: a task's, and how badly a sentence's vector predicts the vector of its language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch.nn import functional

from langvec.alchemy import Targets

Weighting = float | Literal["scale", "learned"]
_EVERY = 100  # steps between two looks of AlchemyScale
_KEPT = 0.9  # of its factors, at each look
_LEAST_RISE = 1.1  # of the factor of the second loss, at each look


class Regulariser(torch.nn.Module):
    """Adds to a task's loss what predicting the language's vector from the sentence's costs.

    Part of the model that is trained, so that its projection learns. `weighting` is a factor (LinguAlchemy's lambda),
    or `scale` (both losses are brought to their common mean, now and then), or `learned` (by their uncertainty).
    """

    def __init__(self, targets: Targets, width: int, weighting: Weighting) -> None:
        super().__init__()
        self.codes, self.weighting = targets.codes, weighting
        self.projection = torch.nn.Linear(width, targets.values.shape[1])
        self.register_buffer("targets", torch.tensor(targets.values, dtype=torch.float32))
        self.register_buffer("costs", torch.tensor(targets.costs, dtype=torch.float32))
        self.register_buffer("factors", torch.ones(2))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.uncertainties = torch.nn.Parameter(torch.zeros(2), requires_grad=weighting == "learned")

    def forward(self, task: torch.Tensor, pooled: torch.Tensor, languages: torch.Tensor) -> torch.Tensor:
        """The whole loss of a batch.

        Args:
            task: its mean loss in the task.
            pooled: vectors of its sentences, shape (sentences, width).
            languages: places of their languages in `codes`, shape (sentences,).
        """
        losses = torch.stack([task, self.distance(pooled, languages)])
        if isinstance(self.weighting, float | int):
            return losses[0] + self.weighting * losses[1]
        if self.weighting == "learned":
            return (losses * torch.exp(-self.uncertainties) + self.uncertainties).sum()
        return (self._looked(losses.detach()) * losses).sum()

    def distance(self, pooled: torch.Tensor, languages: torch.Tensor) -> torch.Tensor:
        """Mean over sentences; 1 is what predicting 0 costs over the languages that are trained on."""
        targets: Any = self.targets[languages]  # type: ignore[index]
        costs: Any = self.costs[languages]  # type: ignore[index]
        return torch.as_tensor((costs * (self.predicted(pooled) - targets) ** 2).sum(dim=1).mean())

    def predicted(self, pooled: torch.Tensor) -> torch.Tensor:
        return functional.linear(pooled.float(), self.projection.weight, self.projection.bias)

    def _looked(self, losses: torch.Tensor) -> torch.Tensor:
        """AlchemyScale's factors: taken from the losses at the first step, and moved towards them at each look."""
        factors: Any = self.factors
        steps: Any = self.steps
        if int(steps) % _EVERY == 0:
            wanted = losses.mean() / losses.clamp_min(torch.finfo(losses.dtype).tiny)
            if int(steps):
                wanted[1] = torch.maximum(wanted[1], _LEAST_RISE * factors[1])
                wanted = _KEPT * factors + (1 - _KEPT) * wanted
            factors.copy_(wanted)
        steps += 1
        return torch.as_tensor(factors)


def named(predicted: torch.Tensor, targets: Targets, among: Sequence[str]) -> list[str | None]:
    """For each predicted vector the language whose vector is nearest, of those of `among` that have one."""
    known_codes = [code for code in targets.known if code in among]
    if not known_codes:
        return [None] * len(predicted)
    places = [targets.codes.index(code) for code in known_codes]
    values, costs = (torch.tensor(part[places], dtype=torch.float32) for part in (targets.values, targets.costs))
    known, given = (costs > 0).float(), predicted.float().cpu()
    apart = given**2 @ known.T - 2 * given @ (known * values).T + (known * values**2).sum(dim=1)
    far = apart / known.sum(dim=1)
    return [known_codes[place] for place in far.argmin(dim=1).tolist()]
