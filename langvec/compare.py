"""How well distances between languages agree with what is known of their descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from langvec.languages import find


@dataclass(frozen=True)
class Triplets:
    """Share of the triplets that a classification resolves in which the distances pick the same pair."""

    share: float
    count: int


def kinship(codes: Sequence[str]) -> np.ndarray:
    """How many Glottolog nodes every two languages descend from together, (languages, languages)."""
    paths = [find(code).family for code in codes]
    shared = [
        [sum(1 for _ in takewhile(lambda p: p[0] == p[1], zip(a, b, strict=False))) for b in paths] for a in paths
    ]
    return np.array(shared)


def same_script(codes: Sequence[str]) -> np.ndarray:
    """Distances that know nothing but scripts: 0 between two languages of one script, 1 otherwise."""
    scripts = np.array([find(code).script for code in codes])
    return np.asarray(scripts[:, None] != scripts[None, :], float)


def triplets(distances: np.ndarray, kinship: np.ndarray) -> Triplets:
    """Every three languages of which two are closer kin than the others: is their distance the smallest, too?

    Distances that tie share the credit, so that chance is a third.
    """
    right, count, size = 0.0, 0, len(kinship)
    for i in range(size - 2):
        j, k = (i + 1 + side for side in np.triu_indices(size - i - 1, 1))
        near, far = (np.stack([matrix[i, j], matrix[i, k], matrix[j, k]], 1) for matrix in (kinship, distances))
        ranked = np.sort(near, 1)
        resolved = ranked[:, 2] > ranked[:, 1]
        smallest = far == far.min(1, keepdims=True)
        credit = smallest[np.arange(len(far)), near.argmax(1)] / smallest.sum(1)
        right, count = right + float(credit[resolved].sum()), count + int(resolved.sum())
    return Triplets(right / count if count else float("nan"), count)
