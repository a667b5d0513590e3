"""From tagged words to spans: names of several words are one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from masking.tagging.base import Span
from masking.tagging.kinds import TagSet, bare, kind_of


class Tagged(NamedTuple):
    """A word by its characters, and its tag."""

    start: int
    end: int
    tag: str


def spans_of(words: Iterable[Tagged], tags: TagSet) -> list[Span]:
    """Nouns and verbs word by word; words of one name, tagged in BIO or BIOES, as one span."""
    spans: list[Span] = []
    before = "O"
    for start, end, tag in words:
        kind = kind_of(tag, tags)
        if kind and tags == "ne" and goes_on(before, tag):
            spans[-1] = spans[-1]._replace(end=end)
        elif kind:
            spans.append(Span(start, end, kind, bare(tag) if tags == "ne" else tag))
        before = tag
    return spans


def goes_on(before: str, tag: str) -> bool:
    """Whether a word belongs to the name of the word before it; where tags do not say, equal neighbours do."""
    starts, ended = tag[:2] in ("B-", "S-", "U-"), before[:2] in ("E-", "L-", "S-", "U-")
    return bare(tag) not in ("", "O", "_") and bare(before) == bare(tag) and not starts and not ended
