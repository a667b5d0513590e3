"""How good a tagger is, where people have tagged the same sentences: word by word, for each kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from masking.tagging.base import Sentence, SetAside, Tagger
from masking.tagging.covered import kinds_of_words
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
        every = words(one.text)
        by_people = kinds_of_words(every, tidied(one.text, counted(one.spans, tags)))
        by_tagger = kinds_of_words(every, [] if isinstance(result, SetAside) else tidied(one.text, result))
        for wanted, found in zip(by_people, by_tagger, strict=True):
            for part, kinds in (("gold", wanted), ("found", found), ("right", wanted & found)):
                totals[part].update(kinds)
    return [Quality(kind, *(totals[part][kind] for part in totals)) for kind in KINDS if kind in asked]
