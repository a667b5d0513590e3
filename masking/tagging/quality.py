"""How good a tagger is, where people have tagged the same sentences: word by word, for each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from masking.tagging.base import Sentence, SetAside, Span, Tagger
from masking.tagging.kinds import KINDS, Kind, TagSet
from masking.tagging.tagged import TaggedSentence, counted
from masking.tagging.tidy import tidied
from masking.tagging.words import words


class Quality(NamedTuple):
    """Words of one kind: in the gold tags, in the tagger's, and in both."""

    kind: Kind
    gold: int
    found: int
    right: int

    @property
    def precision(self) -> float:
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.right / (self.gold + self.found) if self.gold + self.found else 0.0


def judge(tagger: Tagger, gold: Sequence[TaggedSentence], tags: TagSet) -> list[Quality]:
    """A row for each kind that the gold tags tell of: names in the tag set `ne`, nouns and verbs in the others.

    A sentence that the tagger sets aside counts as one without tags. Words are those between spaces, without
    punctuation, so taggers that divide text in other ways compare.
    """
    asked: tuple[Kind, ...] = ("NE",) if tags == "ne" else ("NOUN", "VERB")
    totals = {part: Counter[Kind]() for part in ("gold", "found", "right")}
    sentences = [Sentence(one.id or str(number), one.text) for number, one in enumerate(gold)]
    for one, result in zip(gold, tagger.tag(sentences), strict=True):
        spans = [] if isinstance(result, SetAside) else tidied(one.text, result)
        by_people = tidied(one.text, counted(one.spans, tags))
        for word in words(one.text):
            wanted, found = (_kinds(word.start, word.end, some) for some in (by_people, spans))
            for part, kinds in (("gold", wanted), ("found", found), ("right", wanted & found)):
                totals[part].update(kinds)
    return [Quality(kind, *(totals[part][kind] for part in totals)) for kind in KINDS if kind in asked]


def _kinds(start: int, end: int, spans: Sequence[Span]) -> set[Kind]:
    return {span.kind for span in spans if span.start < end and span.end > start}
