"""The stage of trees: one piece for each tree of each kind of model, and one for what needs no text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from langvec.baselines import geography_tree, script_tree, shuffled
from langvec.constructions import TreeRecipe
from langvec.glottolog import EDITION, gold_tree
from langvec.matrix import EntropyMatrix
from langvec.support import by_chance, consensus, judged, supported
from langvec.tree import Tree
from langvec.vectors import VectorRecipe, drawn_distances, make_vectors
from ray_jobs.recipe import Recipe
from ray_jobs.stages import Desk, Piece

FORMAT = 1  # raise when the stage writes something else than before
KNOWN = "known"  # the piece of the gold tree and of the trees that know nothing of the text
SHUFFLES = 100


def pieces(recipe: Recipe, matrices: Mapping[str, Piece], codes: Sequence[str]) -> list[Piece]:
    """`codes` are the languages that have vectors."""
    config = {"codes": list(codes), "gold": EDITION, "format": FORMAT}
    known = Piece("tree", KNOWN, partial(_write_known, list(codes)), config, seed=recipe.seed)
    return [known, *(_piece(tree, kind, matrices, recipe) for kind in matrices for tree in recipe.trees.grow)]


def needs(how: VectorRecipe, kind: str, matrices: Mapping[str, Piece]) -> dict[str, Piece]:
    """What vectors are made of."""
    return {"matrix": matrices[kind]} | ({"own": matrices["ngram"]} if how.value == "excess_text" else {})


def scores(desk: Desk) -> tuple[EntropyMatrix, dict[str, float] | None]:
    """The matrix, and nats per character of each text under its own n-grams where the vectors need them."""
    matrix = EntropyMatrix.from_parquet(desk.needed["matrix"] / "matrix.parquet")
    if "own" not in desk.needed:
        return matrix, None
    of_texts = EntropyMatrix.from_parquet(desk.needed["own"] / "matrix.parquet")
    own = of_texts.per("char").diagonal().tolist() if of_texts.square else []
    return matrix, dict(zip(of_texts.texts, own, strict=False))


def _piece(tree: TreeRecipe, kind: str, matrices: Mapping[str, Piece], recipe: Recipe) -> Piece:
    how, draws, seed = recipe.vector_recipe, recipe.trees.draws, recipe.seed
    config = {"tree": tree.model_dump(), "vectors": how.model_dump(), "draws": draws, "gold": EDITION, "seed": seed}
    work = partial(_write_tree, tree, how, draws, seed)
    return Piece(
        "tree", f"{kind}-{tree.name}", work, config | {"format": FORMAT}, needs=needs(how, kind, matrices), seed=seed
    )


def _write_known(codes: Sequence[str], desk: Desk) -> dict[str, Any]:
    gold = gold_tree(codes)
    (desk.folder / "gold.nwk").write_text(gold.tree.to_newick() + "\n", encoding="utf-8")
    blind = {"star": Tree.star, "script": script_tree, "geography": geography_tree}
    rows = [{"tree": name, "role": "baseline", **judged(make(codes), [], gold.tree)} for name, make in blind.items()]
    return {"rows": rows, "left_out": gold.left_out}


def _write_tree(recipe: TreeRecipe, how: VectorRecipe, draws: int, seed: int, desk: Desk) -> dict[str, Any]:
    matrix, own = scores(desk)
    vectors = make_vectors(matrix, how, own)
    gold = gold_tree(vectors.codes).tree
    tree = recipe.grow(vectors.codes, vectors.distances())
    drawn = [recipe.grow(vectors.codes, far) for far in drawn_distances(matrix, how, own, draws, seed)]
    _write(supported(tree, drawn), desk, "tree")
    if drawn:
        _write(consensus(drawn), desk, "consensus")
    rows = [
        {"tree": recipe.name, "role": "construction", **judged(tree, drawn, gold)},
        {"tree": f"random-{recipe.name}", "role": "baseline", **by_chance(list(shuffled(tree, SHUFFLES, seed)), gold)},
    ]
    return {"rows": rows}


def _write(tree: Tree, desk: Desk, name: str) -> None:
    (desk.folder / f"{name}.nwk").write_text(tree.to_newick() + "\n", encoding="utf-8")
