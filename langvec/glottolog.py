"""The gold tree: what Glottolog says of the descent of languages, pruned to those of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from langvec.languages import find
from langvec.tree import Tree

EDITION = "Glottolog 4.0"

# Top nodes of Glottolog that are shelves and no families.
SHELVES = frozenset(
    {
        "Artificial Language", "Bookkeeping", "Mixed Language", "Pidgin", "Sign Language", "Speech Register",
        "Unattested", "Unclassifiable",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Gold:
    """The tree, and the languages that have no place in it, each with the reason."""

    tree: Tree
    left_out: dict[str, str]


def gold_tree(codes: Sequence[str]) -> Gold:
    """Glottolog's tree of these languages; nodes with one child are left out, families hang from one root.

    A language in two scripts, or under two codes, is a clade of its own. Isolates hang from the root.
    """
    left_out = {code: reason for code in codes if (reason := _why_not(code))}
    kept = [code for code in codes if code not in left_out] or list(codes)  # if none has a place: a star that says so
    lineages = {code: () if code in left_out else lineage(code) for code in kept}
    nodes = list(dict.fromkeys(node for path in lineages.values() for node in path))
    place = {node: row for row, node in enumerate(reversed(nodes))}  # of two nodes over the same languages, the lower
    clades = np.zeros((len(nodes), len(kept)), bool)
    for column, path in enumerate(lineages.values()):
        clades[[place[node] for node in path], column] = True
    return Gold(Tree.of_clades(kept, clades, labels=list(reversed(nodes))), left_out)


def lineage(code: str) -> tuple[str, ...]:
    """The nodes above a language, the top family first, and the language itself, which may have several codes."""
    language = find(code)
    return (*language.family, language.glottocode or language.iso)


def family(code: str) -> str:
    """The top family, or the language's own name for an isolate."""
    language = find(code)
    return language.family[0] if language.family else language.name


def _why_not(code: str) -> str:
    language = find(code)
    if not language.glottocode:
        return f"not in {EDITION}"
    if language.family and language.family[0] in SHELVES:
        return f"no descent: {language.family[0].lower()}"
    return ""


def told(left_out: Mapping[str, str]) -> str:
    """The languages without a place in the tree, by reason."""
    reasons: dict[str, list[str]] = {}
    for code, reason in left_out.items():
        reasons.setdefault(reason, []).append(code)
    return "; ".join(f"{', '.join(codes)} ({reason})" for reason, codes in reasons.items())
