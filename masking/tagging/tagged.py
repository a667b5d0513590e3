"""Text with its tags: what files of tags are read into, and what taggers learn from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from masking.tagging.base import Span
from masking.tagging.kinds import TagSet, bare, kind_of
from masking.tagging.names import goes_on
from masking.tagging.words import Word

_NONE = frozenset({"", "O", "_"})


class TagSpan(NamedTuple):
    """Characters `start` to `end` (half open) of a sentence and their tag as it was written."""

    start: int
    end: int
    tag: str


class TaggedSentence(NamedTuple):
    """A sentence whose words somebody has tagged; without an id it goes by its text."""

    id: str | None
    text: str
    spans: tuple[TagSpan, ...]


def counted(spans: Iterable[TagSpan], tags: TagSet) -> list[Span]:
    """The spans whose tags count as a named entity, a noun or a verb."""
    kinds = [(span, kind_of(span.tag, tags)) for span in spans]
    return [Span(*span[:2], kind, bare(span.tag) if tags == "ne" else span.tag) for span, kind in kinds if kind]


def spans_of(words: Sequence[Word], labels: Sequence[str], tags: TagSet) -> tuple[TagSpan, ...]:
    """One span for each tagged word; in tag set `ne` one for each name."""
    if tags == "ne":
        return tuple(_names(words, labels))
    return tuple(TagSpan(*word[:2], label) for word, label in zip(words, labels, strict=True) if label not in _NONE)


def labels_of(words: Sequence[Word], sentence: TaggedSentence, tags: TagSet) -> list[str]:
    """The tag of each word, whatever words the tags were made on; in tag set `ne` as B-, I- and O; `_` for none.

    Of several tags on one word the first that counts wins: a noun with a particle written on to it is a noun.
    """
    spans = _span_of_each(words, sentence, tags)
    if tags != "ne":
        return [span.tag if span else "_" for span in spans]
    return [_begun(span, last) for last, span in pairwise([None, *spans])]


def _names(words: Sequence[Word], labels: Sequence[str]) -> list[TagSpan]:
    found: list[TagSpan] = []
    for word, label, before in zip(words, labels, ["O", *labels], strict=False):
        if goes_on(before, label):
            found[-1] = found[-1]._replace(end=word.end)
        elif bare(label) not in _NONE:
            found.append(TagSpan(word.start, word.end, bare(label)))
    return found


def _span_of_each(words: Sequence[Word], sentence: TaggedSentence, tags: TagSet) -> list[TagSpan | None]:
    at: list[TagSpan | None] = [None] * len(sentence.text)
    # The ones that count are painted last, the first of them on top.
    for span in sorted(sentence.spans, key=lambda span: (_counts(span, tags), -span.start)):
        at[span.start : span.end] = [span] * (span.end - span.start)
    inside = [[span for span in at[word.start : word.end] if span] for word in words]
    return [next((span for span in each if _counts(span, tags)), each[0] if each else None) for each in inside]


def _counts(span: TagSpan, tags: TagSet) -> bool:
    return kind_of(span.tag, tags) is not None


def _begun(span: TagSpan | None, last: TagSpan | None) -> str:
    if span is None:
        return "O"
    return f"{'I' if span == last else 'B'}-{bare(span.tag)}"
