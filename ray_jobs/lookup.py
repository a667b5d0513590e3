"""What a finished run knows: the neighbours of a language, the distance of two, the tree. All out of `results/`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from langvec.errors import InputError
from langvec.glottolog import gold_tree, lineage
from langvec.languages import find
from langvec.tree import Tree
from langvec.vectors import LanguageVectors
from ray_jobs.finished import FinishedRun


def neighbours(code: str, uri: str, count: int, kind: str | None) -> list[str]:
    """The nearest languages, each with the interval of its distance and what Glottolog has both in."""
    run = FinishedRun.open(uri, kind)
    codes = _codes(run)
    own = codes.codes[codes.place(code)]
    table = _distances(run)
    rows = table.filter((pc.field("lang_a") == own) | (pc.field("lang_b") == own)).sort_by("distance").to_pylist()
    lines = [
        f"{own} {find(own).name}",
        f"{'nearest':<10} {'distance':>8}  {'95% interval':<14}  language, closest family",
    ]
    for row in rows[:count]:
        other = row["lang_b"] if row["lang_a"] == own else row["lang_a"]
        ends = f"{row['low']:.3f} to {row['high']:.3f}"
        lines.append(f"{other:<10} {row['distance']:>8.3f}  {ends:<14}  {find(other).name}, {_shared(own, other)}")
    return lines


def distance(a: str, b: str, uri: str, kind: str | None) -> list[str]:
    """How far two languages are apart, beside all other pairs."""
    run = FinishedRun.open(uri, kind)
    codes = _codes(run)
    first, second = (codes.codes[codes.place(code)] for code in (a, b))
    if first == second:
        raise InputError(f"Expected two languages. Found {first} twice.")
    table = _distances(run)
    pair = pc.field("lang_a").isin([first, second]) & pc.field("lang_b").isin([first, second])
    row = table.filter(pair).to_pylist()[0]
    nearer = float(np.mean(table["distance"].to_numpy() > row["distance"]))
    return [
        f"{first} {find(first).name}, {second} {find(second).name}",
        f"distance {row['distance']:.3f}, 95% interval {row['low']:.3f} to {row['high']:.3f}; "
        f"nearer than {nearer:.0%} of all pairs of this run",
        f"Glottolog: {_shared(first, second)}",
    ]


def tree(name: str | None, uri: str, kind: str | None) -> list[str]:
    """The tree as lines, each inner node with its support; none: the first of the recipe. `gold` is Glottolog's."""
    run = FinishedRun.open(uri, kind)
    name = name or run.recipe.trees.grow[0].name
    known = _trees(run)
    if name not in known:
        raise InputError(f"--run {uri} has no tree {name!r} of {run.kind} models. Expected one of {', '.join(known)}.")
    end = "" if name == "gold" else run.suffix
    text = run.store.read(f"results/tree-{name}{end}.nwk") or b""
    found = Tree.from_newick(text.decode())
    return [f"{name}, {len(found.leaves)} languages", *drawn(found)]


def drawn(tree: Tree) -> Iterator[str]:
    """One line for each node below the root; clades of many leaves come last."""
    size = tree.nodes.sum(1)
    waiting = [(len(tree.parents) - 1, "", "")]  # node, what stands before it, what stands before those below it
    while waiting:
        node, before, indent = waiting.pop()
        if before:
            yield f"{before} {_title(tree, node)}".rstrip()
        below = sorted(tree.children(node), key=lambda child: int(size[child]), reverse=True)
        for place, child in enumerate(below):
            last = place == 0
            waiting.append((child, indent + ("└─" if last else "├─"), indent + ("   " if last else "│  ")))


def _title(tree: Tree, node: int) -> str:
    if node >= len(tree.leaves):
        return tree.labels[node - len(tree.leaves)]
    return f"{tree.leaves[node]} {find(tree.leaves[node]).name}"


def _trees(run: FinishedRun) -> list[str]:
    end = f"{run.suffix}.nwk"
    names = [name for name in run.store.names("results") if name.startswith("tree-") and name.endswith(end)]
    others = [f"-{model.kind}" for model in run.recipe.models if f"-{model.kind}" != run.suffix]
    found = [name.removeprefix("tree-").removesuffix(end) for name in names]
    return sorted({"gold", *(name for name in found if not name.endswith(tuple(others)))})


def _shared(a: str, b: str) -> str:
    """The lowest node of Glottolog over both."""
    if gold_tree([a, b]).left_out:
        return "no place in Glottolog's tree"
    together = [node for node, other in zip(lineage(a), lineage(b), strict=False) if node == other]
    return together[-1] if together else "no common family"


def _codes(run: FinishedRun) -> LanguageVectors:
    """For the languages of the run by name; written out here, since they may be on an object store."""
    table = _result(run, "vectors")
    vectors = np.array(table["vector"].to_pylist())
    return LanguageVectors(tuple(table["lang"].to_pylist()), vectors, (), run.recipe.vector_recipe)


def _distances(run: FinishedRun) -> pa.Table:
    return _result(run, "distances")


def distances_of(run: FinishedRun) -> tuple[list[str], np.ndarray]:
    """All languages that have a vector, and the distance of every two."""
    table = _distances(run)
    codes = list(_codes(run).codes)
    place = {code: index for index, code in enumerate(codes)}
    a, b = ([place[code] for code in table[name].to_pylist()] for name in ("lang_a", "lang_b"))
    distances = np.zeros((len(codes), len(codes)))
    distances[a, b] = distances[b, a] = table["distance"].to_numpy()
    return codes, distances


def _result(run: FinishedRun, name: str) -> pa.Table:
    table = run.store.table(f"results/{name}{run.suffix}.parquet")
    if table is None:
        raise InputError(
            f"{run.store.uri} has no results/{name}{run.suffix}.parquet. Run `langscape entropy2vec` again."
        )
    return table
