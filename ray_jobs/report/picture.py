"""One picture of a report, and the folder in which papers find it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import escape
from matplotlib.figure import Figure

from langvec.pictures import COLOURS, INK, MUTED, OTHER, RULE, as_pdf, as_svg
from langvec.pictures.families import name_of
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

    @classmethod
    def of(cls, name: str, figure: Figure) -> Picture:
        """`name` may hold names out of a recipe or a table; those of files and ids are made of it."""
        return cls(re.sub(r"[^\w.+-]", "_", name), as_svg(figure), as_pdf(figure))

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
        r'(<g id="[\w.-]*?-(?:dot|curve)-(\w+)">)',
        lambda found: f"{found[1]}<title>{escape(name_of(found[2]))}</title>",
        text,
    )


def keep(store: Store, pictures: dict[str, Picture]) -> None:
    """Write the pictures for papers, and remove those of an earlier state that the run no longer has."""
    files = {f"{picture.name}.svg": picture.svg for picture in pictures.values()}
    files |= {f"{picture.name}.pdf": picture.pdf for picture in pictures.values()}
    for name, data in files.items():
        store.write_if_new(f"{FOLDER}/{name}", data)
    for name in store.names(FOLDER):
        if name not in files:
            store.delete(f"{FOLDER}/{name}")
