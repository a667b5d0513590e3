"""A rooted tree of languages, kept as its clades, which is what trees are compared and drawn by.

Newick comes in through dendropy and goes out as text; networkx gets a graph.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from langvec.errors import InputError

if TYPE_CHECKING:
    import networkx as nx  # type: ignore[import-untyped]

BINARY = 2
DEEPEST = 10_000  # levels of a tree that is read
SHOWN = 60  # characters of a text or a list of leaves in an error
_NO_NEWICK = "Expected one tree in Newick, such as ((deu:1,nld:1):2,fra:3);. Found"


@dataclass(frozen=True, eq=False)
class Tree:
    """Leaves and the clades over them. Make one with `of_clades`, `star` or `from_newick`.

    A node is a leaf (0 to L - 1, in the order of `leaves`) or a clade (L onwards, small ones first, the root last).

    Args:
        leaves: their names.
        clades: which leaves each has, shape (clades, leaves); the last has all.
        lengths: of the edge above each node, shape (leaves + clades,).
        labels: of each clade: its bootstrap support, a name, or nothing.
    """

    leaves: tuple[str, ...]
    clades: np.ndarray
    lengths: np.ndarray
    labels: tuple[str, ...] = field(repr=False)

    @classmethod
    def of_clades(
        cls,
        leaves: Sequence[str],
        clades: np.ndarray,
        lengths: np.ndarray | None = None,
        labels: Sequence[str] | None = None,
        of_leaves: np.ndarray | None = None,
    ) -> Tree:
        """The tree with these clades, given in any order, and a root over all leaves.

        Clades of fewer than two leaves count for nothing; of two that are the same the first counts, with the length
        of both. Edges without a length have length 1.

        Raises:
            InputError: two clades overlap without one being part of the other.
        """
        size = len(leaves)
        clades = np.asarray(clades, bool).reshape(len(clades), size)
        lengths = np.ones(len(clades)) if lengths is None else np.asarray(lengths, float)
        labels = list(labels) if labels is not None else [""] * len(clades)
        rows: dict[bytes, int] = {}
        kept: list[int] = []
        total: list[float] = []
        for row in np.argsort(clades.sum(1), kind="stable"):
            key = clades[row].tobytes()
            if key in rows:
                total[rows[key]] += lengths[row]
            elif clades[row].sum() > 1 and not clades[row].all():
                rows[key] = len(kept)
                kept.append(int(row))
                total.append(float(lengths[row]))
        root = [labels[row] for row in range(len(clades)) if clades[row].all()][:1] or [""]
        _refuse_overlaps(clades[kept], leaves)
        every = np.vstack([clades[kept], np.ones((1, size), bool)])
        below = np.ones(size) if of_leaves is None else np.asarray(of_leaves, float)
        return cls(
            tuple(leaves), every, np.concatenate([below, total, [0.0]]), tuple([labels[row] for row in kept] + root)
        )

    @classmethod
    def star(cls, leaves: Sequence[str]) -> Tree:
        """The tree that knows nothing."""
        return cls.of_clades(leaves, np.zeros((0, len(leaves)), bool))

    @classmethod
    def of_groups(cls, groups: Mapping[str, object]) -> Tree:
        """The root, under it a clade for each value, under them the leaves that have it."""
        values = np.array([str(value) for value in groups.values()])
        return cls.of_clades(list(groups), values == np.unique(values)[:, None], labels=list(np.unique(values)))

    @cached_property
    def nodes(self) -> np.ndarray:
        """The leaves of every node, leaves first, shape (nodes, leaves)."""
        return np.vstack([np.eye(len(self.leaves), dtype=bool), self.clades])

    @cached_property
    def parents(self) -> np.ndarray:
        """The node above each node; -1 above the root."""
        sizes = self.nodes.sum(1)
        counts = self.nodes.astype(np.float32)
        holds = counts @ counts.T == sizes[:, None]  # the column has all leaves of the row
        holds &= np.arange(len(sizes))[:, None] < np.arange(len(sizes))[None, :]
        above = holds.argmax(1)  # nodes are ordered by size: the first is the smallest
        above[-1] = -1
        return np.asarray(above)

    @cached_property
    def depths(self) -> np.ndarray:
        """How many edges each node is below the root."""
        depths = np.zeros(len(self.parents), int)
        for node in range(len(depths) - 2, -1, -1):
            depths[node] = depths[self.parents[node]] + 1
        return depths

    @property
    def height(self) -> float:
        """How far the farthest leaf is from the root."""
        return float((self.nodes * self.lengths[:, None]).sum(0).max())

    @cached_property
    def meeting_depths(self) -> np.ndarray:
        """The depth of the lowest node over every two leaves, shape (leaves, leaves)."""
        found = np.zeros((len(self.leaves),) * 2, int)
        for node in np.argsort(self.depths, kind="stable"):
            found[np.ix_(self.nodes[node], self.nodes[node])] = self.depths[node]
        return found

    def select(self, leaves: Sequence[str]) -> Tree:
        """The tree pruned to these leaves, in the order given; nodes with one child vanish."""
        places = [self.leaves.index(leaf) for leaf in leaves]
        size = len(self.leaves)
        pruned = self.clades[:, places]
        single = pruned.sum(1) == 1
        below = self.lengths[places].copy()
        np.add.at(below, pruned[single].argmax(1), self.lengths[size:][single])
        return Tree.of_clades(leaves, pruned, self.lengths[size:], self.labels, below)

    def contract(self, shorter_than: float) -> Tree:
        """Without the inner edges shorter than that: what hung from them hangs one node higher, and as far down."""
        size = len(self.leaves)
        keep = np.append(self.lengths[size:-1] >= shorter_than, True)
        lengths = self.lengths.copy()
        for node in range(len(lengths) - 2, -1, -1):
            above = self.parents[node] - size
            if not keep[above]:
                lengths[node] += lengths[above + size]
        labels = [label for label, kept in zip(self.labels, keep, strict=True) if kept]
        return Tree.of_clades(self.leaves, self.clades[keep], lengths[size:][keep], labels, lengths[:size])

    def labelled(self, labels: Iterable[str]) -> Tree:
        """The same tree with other words at its clades."""
        return replace(self, labels=tuple(labels))

    def children(self, node: int) -> list[int]:
        """The nodes right below, in the order of their first leaves."""
        below = np.flatnonzero(self.parents == node)
        return sorted(below.tolist(), key=lambda child: int(self.nodes[child].argmax()))

    def to_newick(self) -> str:
        """The tree as text, with lengths, and the labels of clades where there are any."""
        root, first = len(self.parents) - 1, self.nodes.argmax(1).tolist()
        names = [_quoted(name) for name in (*self.leaves, *self.labels)]
        inside: list[list[tuple[int, str]]] = [[] for _ in names]  # of each node, what hangs from it, by first leaf
        for node in range(root):  # what is below comes before what is above
            text = f"{_joined(inside[node])}{names[node]}:{self.lengths[node]:.6g}"
            inside[self.parents[node]].append((first[node], text))
        return f"{_joined(inside[root])}{names[root]};"

    def to_networkx(self) -> nx.DiGraph:
        """A directed graph from the root down; leaves by name, clades by number, edges with `length`."""
        import networkx as nx

        graph = nx.DiGraph()
        names = [*self.leaves, *range(len(self.leaves), len(self.parents))]
        for node, name in enumerate(names):
            graph.add_node(name, label=[*self.leaves, *self.labels][node])
        for node, above in enumerate(self.parents[:-1]):
            graph.add_edge(names[above], names[node], length=float(self.lengths[node]))
        return graph

    @classmethod
    def from_newick(cls, text: str, binary: bool = False) -> Tree:
        """The tree of one Newick text; an underscore is an underscore.

        Args:
            text: such as `((deu_Latn:1,nld_Latn:1)0.98:2,fra_Latn:3);`.
            binary: refuse a tree in which a node has more than two children.

        Raises:
            InputError: it is no such text, names a leaf twice, or is not binary though it should be.
        """
        tree = _parsed(text)
        leaves = [str(leaf.taxon.label) for leaf in tree.leaf_node_iter()]
        place = {leaf: index for index, leaf in enumerate(leaves)}
        inner = list(tree.preorder_internal_node_iter())
        clades = np.zeros((len(inner), len(leaves)), bool)
        for row, node in enumerate(inner):
            clades[row, [place[str(leaf.taxon.label)] for leaf in node.leaf_iter()]] = True
            if binary and len(node.child_nodes()) != BINARY:
                raise InputError(
                    f"Expected a binary tree, found a node with {len(node.child_nodes())} children over "
                    f"{', '.join(leaf.taxon.label for leaf in node.leaf_iter())[:SHOWN]}. Resolve it, or allow others."
                )
        lengths = np.array([1.0 if node.edge_length is None else node.edge_length for node in inner])
        below = np.array([1.0 if leaf.edge_length is None else leaf.edge_length for leaf in tree.leaf_node_iter()])
        return cls.of_clades(leaves, clades, lengths, [node.label or "" for node in inner], below)


def _parsed(text: str) -> Any:
    import dendropy  # type: ignore[import-untyped]
    from dendropy.utility.error import DataParseError  # type: ignore[import-untyped]

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 4 * min(text.count("("), DEEPEST))  # its reader goes down by calling itself
    try:
        trees = dendropy.TreeList.get(
            data=text,
            schema="newick",
            preserve_underscores=True,
            suppress_internal_node_taxa=True,
            rooting="force-rooted",
        )
    except (DataParseError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{_NO_NEWICK} {' '.join(str(error).split())[: 2 * SHOWN]} in {text[:SHOWN]!r}.") from None
    finally:
        sys.setrecursionlimit(limit)
    if len(trees) != 1 or not text.rstrip().endswith(";"):
        raise InputError(f"{_NO_NEWICK} {len(trees)} trees in {text[:SHOWN]!r}, ending in {text.rstrip()[-9:]!r}.")
    if any(leaf.taxon is None for leaf in trees[0].leaf_node_iter()):
        raise InputError(f"{_NO_NEWICK} a leaf without a name in {text[:SHOWN]!r}.")
    return trees[0]


def _joined(below: list[tuple[int, str]]) -> str:
    return f"({','.join(text for _, text in sorted(below))})" if below else ""


def _quoted(label: str) -> str:
    return label if re.fullmatch(r"[\w.+-]*", label) else "'" + label.replace("'", "''") + "'"


def _refuse_overlaps(clades: np.ndarray, leaves: Sequence[str]) -> None:
    """Every two clades must be apart, or one inside the other."""
    counts = clades.astype(np.float32)
    shared = counts @ counts.T
    sizes = counts.sum(1)
    bad = np.argwhere((shared > 0) & (shared < np.minimum(sizes[:, None], sizes[None, :])))
    if bad.size:
        first, second = (", ".join(np.array(list(leaves))[clades[row]][:5]) for row in bad[0])
        raise InputError(f"Expected clades of one tree. Found two that overlap: {first} ... and {second} ...")
