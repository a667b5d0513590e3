"""Trees to try things on."""

from collections.abc import Callable

import numpy as np
import pytest

from langvec.tree import Tree

RandomTree = Callable[..., Tree]


@pytest.fixture(scope="session")
def random_tree() -> RandomTree:
    """A tree grown by joining any two nodes; `resolved` is the share of its clades that stay."""

    def grow(seed: int, size: int, resolved: float = 1.0) -> Tree:
        draw = np.random.default_rng(seed)
        nodes, clades = list(np.eye(size, dtype=bool)), []
        while len(nodes) > 2:
            a, b = (nodes.pop(draw.integers(len(nodes))) for _ in range(2))
            nodes.append(a | b)
            clades.append(a | b)
        keep = draw.random(len(clades)) < resolved
        lengths = draw.random(len(clades)).round(3)
        return Tree.of_clades([f"l{i}" for i in range(size)], np.array(clades)[keep], lengths[keep])

    return grow
