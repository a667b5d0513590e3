"""Embeddings of a large vocabulary, of which a training moves only those that its texts use."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional


class UsedPieces(torch.nn.Module):
    """Stands for a model's embeddings. Rows of pieces that no training text has are as they came.

    They have no gradient anyhow; an optimiser that is not told goes through all of them in every step, and weight decay
    wears them away.
    """

    def __init__(self, whole: Any, used: npt.NDArray[np.int64]) -> None:
        super().__init__()
        pieces = whole.weight.detach()
        self.weight = torch.nn.Parameter(pieces, requires_grad=False)
        self.rows = torch.nn.Parameter(pieces[torch.from_numpy(used)].clone())
        places = torch.full((len(pieces),), -1)
        places[torch.from_numpy(used)] = torch.arange(len(used))
        self.register_buffer("places", places, persistent=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        places: Any = self.places
        learnt = places[ids]
        if self.training:  # on the texts whose pieces these are
            return functional.embedding(learnt, self.rows)
        known = functional.embedding(learnt.clamp_min(0), self.rows)
        return torch.where((learnt >= 0)[..., None], known, functional.embedding(ids, self.weight))
