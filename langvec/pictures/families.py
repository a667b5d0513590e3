"""Colours of language families: one family, one colour and one mark, in every picture of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

from matplotlib.axes import Axes

from langvec.errors import InputError
from langvec.languages import find
from langvec.pictures.canvas import mark, width_of, write

# Told apart also by those who see fewer colours: neighbours in the list differ in lightness, and marks take turns.
COLOURS = (
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#aa4499",
    "#b8860b",
    "#2aa5c9",
    "#882255",
    "#6050c8",
    "#7a8b1e",
    "#cc6677",
    "#8c564b",
    "#117733",
)
MARKS = ("o", "s", "D", "^")
OTHER = "#8a8a8b"  # isolates, and families beyond the last colour
LEGEND_ROW = 0.19  # inches
LEGEND_SIZE = 8.0


class Families:
    """Colour and mark of each language's top family: the families with most languages come first."""

    def __init__(self, codes: Iterable[str]) -> None:
        self._family = {code: family_of(code) for code in codes}
        counts = Counter(family for family in self._family.values() if family)
        ranked = sorted(counts, key=lambda family: (-counts[family], family))
        self._rank = {family: rank for rank, family in enumerate(ranked[: len(COLOURS)])}
        self._counts = counts
        self._isolates = sum(not family for family in self._family.values())

    def colour(self, code: str) -> str:
        rank = self._rank.get(self._family[code])
        return OTHER if rank is None else COLOURS[rank]

    def mark(self, code: str) -> str:
        rank = self._rank.get(self._family[code])
        return "o" if rank is None else MARKS[rank % len(MARKS)]

    def shared(self, codes: Sequence[str]) -> str | None:
        """The one family of all these languages; an isolate is a family of its own."""
        found = {self._family[code] or code for code in codes}
        return found.pop() if len(found) == 1 else None

    def entries(self) -> list[tuple[str, str, str]]:
        """Words, colour and mark of each line of a legend."""
        found = [
            (f"{family} ({self._counts[family]})", COLOURS[rank], MARKS[rank % len(MARKS)])
            for family, rank in self._rank.items()
        ]
        rest = sum(count for family, count in self._counts.items() if family not in self._rank)
        found += [(f"other families ({rest})", OTHER, "o")] if rest else []
        return found + ([(f"isolates ({self._isolates})", OTHER, "o")] if self._isolates else [])


@cache
def name_of(code: str) -> str:
    """The English name of a language, or its code if the table does not know it."""
    try:
        return find(code).name
    except InputError:
        return code


@cache
def family_of(code: str) -> str:
    """The top family in Glottolog; nothing for isolates and for codes the table does not know."""
    try:
        return (find(code).family or ("",))[0]
    except InputError:
        return ""


def legend_height(families: Families, width: float) -> float:
    """How many inches a legend of this width needs."""
    return len(_rows(families, width)) * LEGEND_ROW


def draw_legend(axes: Axes, families: Families, left: float, top: float, width: float) -> None:
    """The legend's entries in lines of text, as many to a line as fit."""
    for row, entries in enumerate(_rows(families, width)):
        x, y = left, top + (row + 0.5) * LEGEND_ROW
        for words, colour, shape in entries:
            mark(axes, (x + 0.05, y), shape, colour, 5)
            write(axes, (x + 0.14, y), words, LEGEND_SIZE)
            x += _entry_width(words)


def _rows(families: Families, width: float) -> list[list[tuple[str, str, str]]]:
    rows: list[list[tuple[str, str, str]]] = [[]]
    used = 0.0
    for entry in families.entries():
        if rows[-1] and used + _entry_width(entry[0]) > width:
            rows.append([])
            used = 0.0
        rows[-1].append(entry)
        used += _entry_width(entry[0])
    return rows


def _entry_width(words: str) -> float:
    return width_of(words, LEGEND_SIZE) + 0.36
