"""What a report is made of, read back from the files of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from langvec.pictures import Families, leaf_order
from langvec.tree import Tree
from ray_jobs.recipe import Recipe
from ray_jobs.stages import Record
from ray_jobs.store import Store

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Cells:
    """Nats per character of models on texts, with half the 95% interval, both (models, texts); nan where missing."""

    models: tuple[str, ...]
    texts: tuple[str, ...]
    nats: np.ndarray
    half: np.ndarray

    def ordered(self, order: Sequence[str]) -> Cells:
        """Rows and columns in this order; languages that are not in it come last."""
        place = {code: index for index, code in enumerate(order)}
        rows, columns = (
            sorted(range(len(codes)), key=lambda index: (place.get(codes[index], len(place)), index))
            for codes in (self.models, self.texts)
        )
        cells = np.ix_(rows, columns)
        models, texts = tuple(self.models[row] for row in rows), tuple(self.texts[column] for column in columns)
        return Cells(models, texts, self.nats[cells], self.half[cells])


@dataclass(frozen=True, eq=False)
class Distances:
    """The distance of every two languages and its interval, each (languages, languages)."""

    codes: tuple[str, ...]
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, eq=False)
class Kind:
    """What there is of one kind of model."""

    name: str
    cells: Cells | None
    distances: Distances | None
    trees: Mapping[str, Tree]
    curves: Mapping[str, tuple[float, ...]]  # validation nats per symbol of each epoch, by language
    sweep: pa.Table | None

    @property
    def order(self) -> list[str]:
        """Languages as the first tree has them, or else as they came."""
        if self.trees:
            return leaf_order(next(iter(self.trees.values())))
        return list(self.distances.codes) if self.distances else []


@dataclass(frozen=True, eq=False)
class Findings:
    """All that a report shows."""

    recipe: Recipe
    kinds: tuple[Kind, ...]
    gold: Tree | None
    corpora: Sequence[Row]
    scores: Sequence[Row]
    trees: Sequence[Row]  # of results/trees.parquet
    records: Sequence[Record]

    @cached_property
    def codes(self) -> list[str]:
        """Every language of the run."""
        found = [row["lang"] for row in self.corpora]
        for kind in self.kinds:
            found += kind.distances.codes if kind.distances else []
            found += kind.cells.texts if kind.cells else []
            found += [leaf for tree in kind.trees.values() for leaf in tree.leaves]
        return list(dict.fromkeys(found))

    @cached_property
    def families(self) -> Families:
        return Families(self.codes)


def gather(store: Store, records: Mapping[str, Record], recipe: Recipe) -> Findings:
    """Read the results of a run, and what its finished pieces say of themselves."""
    names: list[str] = [model.kind for model in recipe.models]
    pieces = sorted((record for record in records.values() if not record.damage), key=lambda record: record.folder)
    suffixes = {name: "" if name == names[0] else f"-{name}" for name in names}
    order = [tree.name for tree in recipe.trees.grow]
    kinds = tuple(_kind(store, name, suffixes, order, pieces) for name in names)
    return Findings(
        recipe,
        kinds,
        _tree(store, "tree-gold.nwk"),
        _rows(store, "corpora"),
        _rows(store, "scores"),
        _rows(store, "trees"),
        pieces,
    )


def _kind(store: Store, name: str, suffixes: Mapping[str, str], order: Sequence[str], pieces: Sequence[Record]) -> Kind:
    suffix = suffixes[name]
    matrix = _table(store, f"matrix{suffix}", ["model", "text", "nats_per_char", *_ENDS])
    distances = _table(store, f"distances{suffix}")
    return Kind(
        name,
        _cells(matrix) if matrix is not None and matrix.num_rows else None,
        _distances(distances) if distances is not None and distances.num_rows else None,
        _trees(store, suffix, [other for other in suffixes.values() if other], order),
        _curves(store, name, pieces),
        _table(store, f"sweep-dbscan{suffix}"),
    )


_ENDS = ("nats_per_char_low", "nats_per_char_high")


def _table(store: Store, name: str, columns: list[str] | None = None) -> pa.Table | None:
    return store.table(f"results/{name}.parquet", columns)


def _rows(store: Store, name: str) -> list[Row]:
    table = _table(store, name)
    return [] if table is None else table.to_pylist()


def _tree(store: Store, name: str) -> Tree | None:
    data = store.read(f"results/{name}")
    return None if data is None else Tree.from_newick(data.decode())


def _trees(store: Store, suffix: str, others: Sequence[str], order: Sequence[str]) -> dict[str, Tree]:
    """The trees of one kind, those of the recipe first; a name with another kind behind is that kind's.

    The consensus of a tree's redraws is left out: the support of the tree itself says the same.
    """
    files = [name for name in store.names("results") if name.startswith("tree-") and name.endswith(".nwk")]
    names = [file.removeprefix("tree-").removesuffix(".nwk") for file in files]
    if suffix:
        own = {name.removesuffix(suffix) for name in names if name.endswith(suffix)}
    else:
        own = {name for name in names if name != "gold" and not name.endswith(tuple(others))}
    own = {name for name in own if not name.endswith("-consensus")}
    ranked = sorted(own, key=lambda name: (order.index(name) if name in order else len(order), name))
    found = {name: _tree(store, f"tree-{name}{suffix}.nwk") for name in ranked}
    return {name: tree for name, tree in found.items() if tree is not None}


def _cells(table: pa.Table) -> Cells:
    models, texts = (tuple(dict.fromkeys(table[name].to_pylist())) for name in ("model", "text"))
    row, column = (
        np.array([place[code] for code in table[name].to_pylist()])
        for name, place in (("model", _places(models)), ("text", _places(texts)))
    )
    nats, half = np.full((2, len(models), len(texts)), np.nan)
    nats[row, column] = table["nats_per_char"].to_numpy()
    half[row, column] = (table[_ENDS[1]].to_numpy() - table[_ENDS[0]].to_numpy()) / 2
    return Cells(models, texts, nats, half)


def _distances(table: pa.Table) -> Distances:
    a, b = table["lang_a"].to_pylist(), table["lang_b"].to_pylist()
    codes = tuple(dict.fromkeys([*a, *b]))
    place = _places(codes)
    row, column = np.array([place[code] for code in a]), np.array([place[code] for code in b])
    values, low, high = np.zeros((3, len(codes), len(codes)))
    for matrix, name in ((values, "distance"), (low, "low"), (high, "high")):
        matrix[row, column] = matrix[column, row] = table[name].to_numpy()
    return Distances(codes, values, low, high)


def _places(codes: Sequence[str]) -> dict[str, int]:
    return {code: index for index, code in enumerate(codes)}


def _curves(store: Store, kind: str, pieces: Sequence[Record]) -> dict[str, tuple[float, ...]]:
    found = {}
    for record in pieces:
        name = str(record.meta["name"])
        if record.meta["stage"] == "model" and name.startswith(f"{kind}-") and "log.parquet" in record.meta["files"]:
            log = store.table(f"{record.folder}/log.parquet")
            losses = log["validation_nats_per_symbol"].to_pylist() if log else []
            found[name.removeprefix(f"{kind}-")] = tuple(losses)
    return found
