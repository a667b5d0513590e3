"""Random numbers that depend on what they are for, and on nothing else.

A number is a hash of a seed, a stream, a sample and a place in it. So the masks of a sentence do not depend on the
batch it is in, on its neighbours, or on how many workers share the work, and a whole batch is drawn at once.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53


@dataclass(frozen=True)
class Draws:
    """All the draws of one purpose, such as `Draws.of(seed, "epoch", 3)`."""

    key: int

    @classmethod
    def of(cls, *names: str | int) -> Draws:
        text = "\0".join(map(str, names))
        return cls(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))

    def uniform(self, stream: int, samples: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Numbers above 0 and below 1, one for each sample and place."""
        bits = _mixed(samples.astype(np.uint64) + _mixed(np.array([self.key ^ stream], np.uint64)))
        bits = _mixed(bits + places.astype(np.uint64))
        return np.asarray(((bits >> np.uint64(11)).astype(np.float64) + 0.5) * _TO_UNIT)


def _mixed(bits: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): neighbours become unrelated."""
    bits = bits + _STEP
    bits = (bits ^ (bits >> np.uint64(30))) * _MIX_1
    bits = (bits ^ (bits >> np.uint64(27))) * _MIX_2
    return np.asarray(bits ^ (bits >> np.uint64(31)))
