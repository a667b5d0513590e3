"""Trees that know nothing of the text: what a tree has to beat before it says anything about languages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from langvec.constructions import TreeRecipe
from langvec.languages import find
from langvec.tree import Tree

EARTH_KM = 6371.0


def script_tree(codes: Sequence[str]) -> Tree:
    """A clade for each script."""
    return Tree.of_groups({code: find(code).script for code in codes})


def geography_tree(codes: Sequence[str]) -> Tree:
    """Average linkage of great-circle distances; a language without a place is as far from all others as can be."""
    return TreeRecipe(construction="average").grow(codes, great_circle(codes))


def great_circle(codes: Sequence[str]) -> np.ndarray:
    """Kilometres between every two languages, shape (languages, languages); half the globe where a place is unknown."""
    places = [(find(code).latitude, find(code).longitude) for code in codes]
    known = np.array([latitude is not None and longitude is not None for latitude, longitude in places])
    north, east = np.radians([(latitude or 0, longitude or 0) for latitude, longitude in places]).T
    unit = np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], 1)
    far = EARTH_KM * np.arccos(np.clip(unit @ unit.T, -1, 1))
    far = np.where(known[:, None] & known[None, :], far, EARTH_KM * np.pi)
    np.fill_diagonal(far, 0)
    return np.asarray(far)


def shuffled(tree: Tree, draws: int, seed: int) -> Iterator[Tree]:
    """Trees of the same shape over the same leaves at random."""
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        yield replace(tree, clades=tree.clades[:, rng.permutation(len(tree.leaves))])
