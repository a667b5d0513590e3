"""Words by the characters of a text, for taggers that do not split text themselves."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

_RUN = re.compile(r"\S+")
_JOINERS = "\u200c\u200d"  # zero-width joiners hold Sinhala and Persian words together


class Word(NamedTuple):
    start: int
    end: int
    text: str


def words(text: str) -> list[Word]:
    """Runs without white space, freed of punctuation at both ends; a hyphen or a full stop inside stays.

    Languages that write without spaces come out as whole clauses: give those a tagger that splits its text itself.
    """
    return [word for word in _stripped(text) if word.text]


def pieces(text: str) -> list[Word]:
    """Words and, as words of their own, the punctuation about them: what taggers trained on treebanks expect."""
    found: list[Word] = []
    for run in _RUN.finditer(text):
        core = _core(run.group())
        inside = [(0, core.start), (core.start, core.end), (core.end, len(run.group()))]
        for number, (start, end) in enumerate(inside):
            parts = [(start, end)] if number == 1 else [(i, i + 1) for i in range(start, end)]
            found += [Word(run.start() + a, run.start() + b, run.group()[a:b]) for a, b in parts if a < b]
    return found


def _stripped(text: str) -> Iterator[Word]:
    for run in _RUN.finditer(text):
        core = _core(run.group())
        yield Word(run.start() + core.start, run.start() + core.end, core.text)


def _core(run: str) -> Word:
    start, end = 0, len(run)
    while start < end and _is_mark(run[start]):
        start += 1
    while end > start and _is_mark(run[end - 1]):
        end -= 1
    return Word(start, end, run[start:end])


@cache
def _is_mark(character: str) -> bool:
    """Punctuation and symbols; letters, digits, combining marks and joiners are not."""
    return unicodedata.category(character)[0] in "PSC" and character not in _JOINERS
