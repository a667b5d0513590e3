"""Trees: all scores of a tree of 500 languages, and Robinson-Foulds beside dendropy's.

Both sides get trees that are read already. dendropy keeps its splits with a tree once it has them; ours are its clades.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import dendropy  # type: ignore[import-untyped]
import numpy as np
from dendropy.calculate.treecompare import symmetric_difference  # type: ignore[import-untyped]
from rows import keep

from langvec.compare import quartet_distance, robinson_foulds, scores, triplets
from langvec.tree import Tree

TURNS = 7
SIZES = (40, 100, 500)


def grown(size: int, seed: int, resolved: float) -> Tree:
    """Any two nodes joined until two are left; of the clades so many stay."""
    draw = np.random.default_rng(seed)
    nodes, clades = list(np.eye(size, dtype=bool)), []
    while len(nodes) > 2:
        a, b = (nodes.pop(draw.integers(len(nodes))) for _ in range(2))
        nodes.append(a | b)
        clades.append(a | b)
    return Tree.of_clades([f"l{i}" for i in range(size)], np.array(clades)[draw.random(len(clades)) < resolved])


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measured(size: int) -> dict[str, float | int]:
    tree, gold = grown(size, 1, 1.0), grown(size, 2, 0.5)
    names = dendropy.TaxonNamespace(gold.leaves)
    both = [dendropy.Tree.get(data=one.to_newick(), schema="newick", taxon_namespace=names) for one in (tree, gold)]
    symmetric_difference(*both)  # makes the splits
    turns = [
        {
            "all_scores_s": seconds(lambda: scores(tree, gold)),
            "triplets_s": seconds(lambda: triplets(tree, gold)),
            "quartets_s": seconds(lambda: quartet_distance(tree, gold)),
            "rf_s": seconds(lambda: robinson_foulds(tree, gold)),
            "dendropy_rf_s": seconds(lambda: symmetric_difference(*both, is_bipartitions_updated=True)),
            "dendropy_rf_fresh_s": seconds(lambda: symmetric_difference(*both)),
        }
        for _ in range(TURNS)
    ]
    row: dict[str, float | int] = {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}
    row["rf_ratio"] = statistics.median(turn["dendropy_rf_s"] / turn["rf_s"] for turn in turns)
    return {"leaves": size, **{name: float(f"{value:.3g}") for name, value in row.items()}}


def main() -> None:
    rows = [measured(size) for size in SIZES]
    keep(__file__, rows)
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
