"""What every tagger's spans go through: the same rules for all languages and all models."""

from __future__ import annotations

from collections.abc import Sequence

from langvec.errors import InputError
from masking.tagging.base import Span
from masking.tagging.kinds import KINDS, number_like
from masking.tagging.words import words


def tidied(text: str, spans: Sequence[Span]) -> list[Span]:
    """Spans in order, each once, without punctuation at their ends, without names that are only numbers."""
    kept = {span for span in (_trimmed(text, span) for span in spans) if span.end > span.start}
    kept = {span for span in kept if span.kind != "NE" or not number_like(text[span.start : span.end])}
    of_place = {(span.start, span.end, span.kind): span for span in sorted(kept, key=lambda span: span.label)}
    return sorted(of_place.values(), key=lambda span: (span.start, span.end, KINDS.index(span.kind)))


def _trimmed(text: str, span: Span) -> Span:
    if not 0 <= span.start <= span.end <= len(text):
        raise InputError(
            f"A span from {span.start} to {span.end} in a sentence of {len(text)} characters. Expected one inside it; "
            f"were the tags made of another text?"
        )
    inside = words(text[span.start : span.end])
    if not inside:
        return span._replace(end=span.start)
    return span._replace(start=span.start + inside[0].start, end=span.start + inside[-1].end)
