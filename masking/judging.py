"""How well an encoder finds translations: which of them, so that two encoders can be compared item by item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from masking.encoder import Embedding, Encoder, Floats
from masking.metrics import share
from masking.mining import mine
from masking.neighbours import best_by_cosine
from masking.pretrained import Pretrained

METRICS = ("mined", "forward", "backward")


class Judged(NamedTuple):
    """For each pair, whether its sentences found each other, by each metric."""

    mined: npt.NDArray[np.bool_]  # by the best margin on both sides: the recall of bitext mining
    forward: npt.NDArray[np.bool_]  # the target has the highest cosine of all
    backward: npt.NDArray[np.bool_]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each metric with its 95% interval."""
        for name in METRICS:
            found = share(getattr(self, name))
            yield {"metric": name, "value": found.value, "low": found.low, "high": found.high, "items": len(self.mined)}


def judged(encoder: Encoder, source: Sequence[str], target: Sequence[str]) -> Judged:
    """Translations row for row, each among all the others."""
    return judged_vectors(encoder.embed(source), encoder.embed(target))


def judged_vectors(source: Floats, target: Floats) -> Judged:
    own = np.arange(len(source))
    mined = np.zeros(len(source), bool)
    pairs = mine(source, target)
    mined[pairs.src[pairs.src == pairs.tgt]] = True
    of_source, of_target = best_by_cosine(source, target)
    return Judged(mined, np.asarray(of_source == own), np.asarray(of_target == own))


class DevRetrieval:
    """The mean share of sentences that find their translation among the dev pairs; called while training goes on."""

    def __init__(self, embedding: Embedding, sets: Mapping[str, tuple[Sequence[str], Sequence[str]]]) -> None:
        self.embedding, self.sets = embedding, sets

    def __call__(self, pretrained: Pretrained) -> float:
        encoder = Encoder(self.embedding, pretrained)
        found = [judged(encoder, *sides) for sides in self.sets.values()]
        return float(np.mean([(one.forward.mean() + one.backward.mean()) / 2 for one in found]))
