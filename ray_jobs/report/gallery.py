"""Which pictures a report has, under which names, and how they get into the page."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from matplotlib.figure import Figure

from langvec.pictures import (
    COLOURS,
    INK,
    MUTED,
    OTHER,
    RULE,
    Bar,
    as_pdf,
    as_svg,
    dendrogram,
    heat_map,
    learning_curves,
    map_of_languages,
    score_bars,
    tanglegram,
)
from langvec.pictures.families import name_of
from ray_jobs.report.findings import Findings, Kind
from ray_jobs.report.words import tree_name
from ray_jobs.store import Store

FOLDER = "results/pictures"
THEME = {INK: "var(--ink)", MUTED: "var(--muted)", RULE: "var(--rule)", OTHER: "var(--other)"}
THEME |= {colour: f"var(--family-{place})" for place, colour in enumerate(COLOURS)}


@dataclass(frozen=True)
class Picture:
    """One picture: for papers as SVG and PDF, for the page as SVG in the page's own colours."""

    name: str
    svg: bytes
    pdf: bytes

    def inlined(self) -> str:
        """The SVG as part of a page: no header, ids that no other picture has, colours of the theme."""
        text = self.svg.decode()
        text = text[text.index("<svg ") :]
        text = re.sub(r"<!--.*?-->\s*|<metadata>.*?</metadata>\s*", "", text, flags=re.DOTALL)
        text = re.sub(r'<g id="text_\d+">\s*(<text.*?</text>)\s*</g>', r"\1", text, flags=re.DOTALL)
        text = re.sub(r"<style.*?</style>\s*", "", text, flags=re.DOTALL)  # it would hold for the whole page
        text = re.sub(r'<g id="patch_\d+">\s*(<path[^>]*/>)\s*</g>', r"\1", text)
        text = re.sub(r' transform="rotate\(-?0 [^"]*\)"', "", text)
        text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{self.name}-", text)
        text = re.sub(r"#[0-9a-f]{6}\b", lambda colour: THEME.get(colour[0], colour[0]), text)
        text = re.sub(r"'DejaVu Sans'", "var(--font)", text)
        text = _named_marks(text)
        return re.sub(r'<svg ([^>]*?)width="([\d.]+)pt"', r'<svg \1style="width:\2pt" role="img"', text, count=1)


def _named_marks(text: str) -> str:
    """What stands for one language says which when the pointer rests on it."""
    return re.sub(
        r'(<g id="[\w.-]*?-(?:dot|curve)-(\w+)">)', lambda found: f"{found[1]}<title>{name_of(found[2])}</title>", text
    )


def draw(findings: Findings) -> dict[str, Picture]:
    """All pictures, by name."""
    return {name: Picture(name, as_svg(figure), as_pdf(figure)) for name, figure in _figures(findings)}


def keep(store: Store, pictures: dict[str, Picture]) -> None:
    """Write the pictures for papers, and remove those of an earlier state that the run no longer has."""
    files = {f"{name}.svg": picture.svg for name, picture in pictures.items()}
    files |= {f"{name}.pdf": picture.pdf for name, picture in pictures.items()}
    for name, data in files.items():
        store.write_if_new(f"{FOLDER}/{name}", data)
    for name in store.names(FOLDER):
        if name not in files:
            store.delete(f"{FOLDER}/{name}")


def _figures(findings: Findings) -> Iterator[tuple[str, Figure]]:
    families = findings.families
    for kind in findings.kinds:
        for name, tree in kind.trees.items():
            gold = findings.gold
            drawn = tanglegram(tree, gold, families) if gold else dendrogram(tree, families)
            yield f"tree-{name}-{kind.name}", drawn
        yield from _of_kind(findings, kind)
    if findings.gold:
        yield "tree-gold", dendrogram(findings.gold, families, by_levels=True)
    bars = score_rows(findings)
    if bars:
        yield "scores", score_bars(bars)


def _of_kind(findings: Findings, kind: Kind) -> Iterator[tuple[str, Figure]]:
    if kind.cells:
        cells = kind.cells.ordered(kind.order)
        yield f"matrix-{kind.name}", heat_map(cells.nats, cells.models, cells.texts, findings.families)
    if kind.distances:
        yield f"map-{kind.name}", map_of_languages(kind.distances.values, kind.distances.codes, findings.families)
    if kind.curves:
        yield f"curves-{kind.name}", learning_curves(kind.curves)


def score_rows(findings: Findings) -> list[Bar]:
    """Constructions of every kind, then each baseline once."""
    found: dict[str, Bar] = {}
    for row in findings.trees:
        baseline = row["role"] == "baseline"
        name = tree_name(str(row["tree"]).split("-")[0] if baseline else str(row["tree"]))
        label = name if baseline or len(findings.kinds) == 1 else f"{name}, {row['kind']}"
        value, low, high = (_number(row.get(f"triplets{end}")) for end in ("", "_low", "_high"))
        if value is not None:
            found.setdefault(label, Bar(label, value, low, high, baseline))
    return sorted(found.values(), key=lambda bar: bar.baseline)


def _number(value: float | None) -> float | None:
    """None for what is no number, whichever way the table says so."""
    return None if value is None or math.isnan(value) else value
