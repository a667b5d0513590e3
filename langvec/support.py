"""How sure a tree is: the same tree grown again and again from other draws of the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from langvec.compare import Triplets, scores, triplets
from langvec.languages import find
from langvec.tree import Tree

INTERVAL = (0.025, 0.975)


def supported(tree: Tree, drawn: Sequence[Tree]) -> Tree:
    """The tree, at each clade but the root the share of the drawn trees that have it; all with leaves in one order."""
    counts = _counts(drawn)
    shares = (f"{counts[key] / len(drawn):.2f}" for key in map(bytes, np.packbits(tree.clades[:-1], axis=1)))
    return tree.labelled([*(shares if drawn else [""] * (len(tree.clades) - 1)), ""])


def consensus(drawn: Sequence[Tree]) -> Tree:
    """The clades that more than half of the trees have, which are always those of one tree."""
    leaves, counts = drawn[0].leaves, _counts(drawn)
    common = {key: count for key, count in counts.items() if 2 * count > len(drawn)}
    rows = [np.unpackbits(np.frombuffer(key, np.uint8), count=len(leaves)) for key in common]
    clades = np.array(rows, bool).reshape(-1, len(leaves))
    return Tree.of_clades(leaves, clades, labels=[f"{count / len(drawn):.2f}" for count in common.values()])


def _counts(trees: Iterable[Tree]) -> Counter[bytes]:
    return Counter(bytes(key) for tree in trees for key in np.packbits(tree.clades[:-1], axis=1))


def judged(tree: Tree, drawn: Sequence[Tree], gold: Tree) -> dict[str, float]:
    """Every score of the tree, and of the drawn ones the ends of the middle 95% as `NAME_low` and `NAME_high`.

    One join high in a tree decides much, so the score may lie at either end of its interval, or beyond.
    """
    return {**_all_scores(tree, gold), **_ends([_all_scores(one, gold) for one in drawn])}


def by_chance(shuffled: Iterable[Tree], gold: Tree) -> dict[str, float]:
    """The mean scores of trees whose leaves were shuffled, and the ends of the middle 95%."""
    found = [_all_scores(one, gold) for one in shuffled]
    return {**{name: float(np.mean([one[name] for one in found])) for name in found[0]}, **_ends(found)}


def _ends(found: Sequence[dict[str, float]]) -> dict[str, float]:
    names = [name for name in found[0] if not name.startswith("clades")] if found else []
    ends = {name: np.quantile([one[name] for one in found], INTERVAL) for name in names}
    return {
        f"{name}_{end}": float(at) for name, both in ends.items() for end, at in zip(("low", "high"), both, strict=True)
    }


def _all_scores(tree: Tree, gold: Tree) -> dict[str, float]:
    tree = tree.select(gold.leaves) if tree.leaves != gold.leaves else tree
    return {**scores(tree, gold), "triplets_within_script": triplets_within_script(tree, gold).share}


def triplets_within_script(tree: Tree, gold: Tree) -> Triplets:
    """The triplets of gold whose three languages are written in one script."""
    groups: dict[str, list[str]] = {}
    for code in gold.leaves:
        groups.setdefault(find(code).script, []).append(code)
    found = [triplets(tree.select(codes), gold.select(codes)) for codes in groups.values() if len(codes) > 2]  # noqa: PLR2004
    found = [one for one in found if one.count]
    count = sum(one.count for one in found)
    return Triplets(sum(one.share * one.count for one in found) / count if count else float("nan"), count)
