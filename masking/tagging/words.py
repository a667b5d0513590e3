"""Words by the characters of a text, for taggers that do not split text themselves."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_RUN = re.compile(r"\S+")
_JOINERS = "\u200c\u200d"  # zero-width joiners hold Sinhala and Persian words together


class Word(NamedTuple):
    start: int
    end: int
    text: str


class _Marks(dict[str, bool]):
    """Whether a character is punctuation or a symbol; letters, digits, combining marks and joiners are not."""

    def __missing__(self, character: str) -> bool:
        mark = unicodedata.category(character)[0] in "PSC" and character not in _JOINERS
        self[character] = mark
        return mark


_MARK = _Marks()


def words(text: str) -> list[Word]:
    """Runs without white space, freed of punctuation at both ends; a hyphen or a full stop inside stays.

    Languages that write without spaces come out as whole clauses: give those a tagger that splits its text itself.
    """
    cores = (_core(text, *run.span()) for run in _RUN.finditer(text))
    return [Word(start, end, text[start:end]) for start, end in cores if start < end]


def pieces(text: str) -> list[Word]:
    """Words and, as words of their own, the punctuation about them: what taggers trained on treebanks expect."""
    found: list[Word] = []
    for run in _RUN.finditer(text):
        first, last = run.span()
        start, end = _core(text, first, last)
        found += [Word(at, at + 1, text[at]) for at in range(first, start)]
        found += [Word(start, end, text[start:end])] if start < end else []
        found += [Word(at, at + 1, text[at]) for at in range(end, last)]
    return found


def _core(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and _MARK[text[start]]:
        start += 1
    while end > start and _MARK[text[end - 1]]:
        end -= 1
    return start, end
