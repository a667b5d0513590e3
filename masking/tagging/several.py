"""Several taggers of one language as one: a part-of-speech tagger and a gazetteer, say."""

from __future__ import annotations

from collections.abc import Sequence

from masking.tagging.base import Sentence, SetAside, Span, Tagger


class Several:
    """The spans of all. A sentence is set aside only if all of them set it aside."""

    def __init__(self, taggers: Sequence[Tagger]) -> None:
        self._taggers = taggers

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span] | SetAside]:
        found = [tagger.tag(sentences) for tagger in self._taggers]
        return [_together(of_sentence) for of_sentence in zip(*found, strict=True)]


def _together(found: Sequence[list[Span] | SetAside]) -> list[Span] | SetAside:
    spans = [one for one in found if not isinstance(one, SetAside)]
    reasons = [one for one in found if isinstance(one, SetAside)]
    return [span for one in spans for span in one] if spans else reasons[0]
