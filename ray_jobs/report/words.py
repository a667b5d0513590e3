"""What a report says in words: what was run, what came out, what each score means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from langvec.pictures.families import family_of
from ray_jobs.report import tables
from ray_jobs.report.findings import Findings, Kind, Row

SOURCES = {
    "udhr": "the Universal Declaration of Human Rights",
    "files": "files of your own",
    "hub": "data sets of the Hugging Face hub",
    "catalogs": "the message catalogs of installed software",
}
TREES = {
    "star": "star",
    "script": "script alone",
    "geography": "place alone",
    "random": "random",
    "consensus": "consensus",
    "average": "average linkage",
    "complete": "complete linkage",
    "ward": "Ward linkage",
    "nj": "neighbour joining",
    "nested": "nested density clusters",
    "flat": "flat density clusters",
    "hdbscan": "HDBSCAN",
}
SCORES = (
    (
        "triplets",
        "Take three languages of which Glottolog says that two are closer kin: how often the tree says the same. "
        "A tree that leaves it open gets a third, which is what guessing gets. Higher is better.",
    ),
    (
        "triplets within a script",
        "The same where all three languages are written alike (before any romanisation).",
    ),
    (
        "quartet distance",
        "The share of Glottolog's groupings of four languages into two pairs that the tree does not have. Lower is "
        "better: a tree that knows nothing and says nothing has 1, a random one about 0.67.",
    ),
    (
        "depth correlation, depth gap",
        "How deep below the root two languages part ways, in the tree and in Glottolog: the rank correlation of these "
        "depths over all pairs (higher is better), and their mean difference when the deepest is 1 (lower is better).",
    ),
    (
        "RF rooted, RF unrooted",
        "Robinson-Foulds: how many groups only one of the two trees has, and what share of the groups of both. "
        "It is nearly blind here: a star, which groups nothing and so errs in nothing, often has the smaller number. "
        "Read it beside the baselines only.",
    ),
)


@dataclass(frozen=True)
class Figure:
    """One of the large numbers at the top."""

    value: str
    label: str
    notes: tuple[str, ...] = ()


def summary(findings: Findings) -> str:
    """One paragraph on what was run."""
    recipe = findings.recipe
    sources = listed([SOURCES.get(source.kind, source.kind) for source in recipe.corpora])
    kinds = listed([kind.name for kind in findings.kinds])
    letters = ", all in Latin letters" if recipe.cleaning.romanise else ""
    parts = [
        f"Small language models ({kinds}) were each trained on text of one language, from {sources}{letters}.",
        "Every model then read held-out text of every language. The less it has to pay for a character, the less "
        "strange that language is to it; languages that are strange to the same models in the same measure end up near "
        "each other.",
    ]
    if any(kind.trees for kind in findings.kinds):
        parts.append("From these distances grew the trees below, which know nothing of what linguists know.")
    return " ".join(parts)


def figures(findings: Findings) -> list[Figure]:
    """The headline numbers: how many languages, how much text, and how good the models of each kind are."""
    known = {family for family in map(family_of, findings.codes) if family}
    found = [Figure(f"{len(findings.codes)}", "languages", (f"in {len(known)} families",))]
    if findings.corpora:
        lines = sum(int(row.get("lines_kept") or 0) for row in findings.corpora)
        found.append(Figure(f"{lines:,}", "lines of text", (f"{_symbols(findings):,} symbols",)))
    return found + [figure for kind in findings.kinds if (figure := _of_kind(findings, kind))]


def _symbols(findings: Findings) -> int:
    splits = ("train", "validation", "test")
    return sum(int(row.get(f"{split}_symbols") or 0) for row in findings.corpora for split in splits)


def _of_kind(findings: Findings, kind: Kind) -> Figure | None:
    """Triplet accuracy of the first tree, or of the distances where there is no tree."""
    of_kind = [row for row in findings.trees if row["kind"] == kind.name and _known(row.get("triplets"))]
    trees = {row["tree"]: row for row in of_kind if row["role"] != "baseline"}
    first = next((trees[name] for name in kind.trees if name in trees), None)
    score = next((row for row in findings.scores if row["kind"] == kind.name), None)
    notes = (_own(score),) if score else ()
    if first:
        script = next((row["triplets"] for row in of_kind if row["tree"] == "script"), None)
        label = f"triplets as in Glottolog, {kind.name}, {tree_name(first['tree'])}"
        return Figure(f"{first['triplets']:.3f}", label, (*_interval(first), _beside(script), *notes))
    if score and _known(score.get("triplets")):
        label = f"triplets as in Glottolog, {kind.name}, by distance"
        return Figure(f"{score['triplets']:.3f}", label, (_beside(score.get("triplets_by_script_alone")), *notes))
    return Figure(f"{score['own_nats_per_char']:.2f}", f"nats per character, {kind.name}", notes) if score else None


def _own(score: Row) -> str:
    return (
        f"{score['own_nats_per_char']:.2f} nats per character of the own language; "
        f"{score['own_model_best']} of {score['own_texts']} texts have no better model than their own"
    )


def _interval(row: Row) -> tuple[str, ...]:
    low, high = row.get("triplets_low"), row.get("triplets_high")
    return (f"95% interval {low:.3f} to {high:.3f}",) if _known(low) and _known(high) else ()


def _beside(script: Any) -> str:
    return "chance 0.333" + (f", script alone {script:.3f}" if _known(script) else "")


def _known(value: Any) -> bool:
    return value is not None and not math.isnan(value)


def tree_name(name: str) -> str:
    """A construction in words, with what was set for it: `nested-min0.3` is nested density clusters, min 0.3."""
    first, *rest = name.split("-")
    return ", ".join([TREES.get(first, first), *rest])


def dropped(findings: Findings) -> str:
    """How many lines were left out, and why."""
    reasons = tables.dropped(findings)
    if not reasons:
        return "No line was dropped."
    told = listed([f"{count:,} {name.removeprefix('lines_').replace('_', ' ')}" for name, count in reasons.items()])
    return f"Lines dropped: {told}."


def listed(items: list[str]) -> str:
    items = list(dict.fromkeys(items))
    return " and ".join([", ".join(items[:-1]), items[-1]] if items[1:] else items)
