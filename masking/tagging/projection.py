"""Tags carried over from the other side of a parallel corpus, for languages that have no tagger."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Protocol

from pydantic import Field

from langvec.errors import InputError
from masking.tagging.base import Sentence, SetAside, Span, Tagger, TaggerRecipe, settings
from masking.tagging.embedding_align import EncoderAlignment
from masking.tagging.kinds import KINDS, Kind, number_like
from masking.tagging.wordalign import Link, WordAligner, WordAlignment
from masking.tagging.words import Word, words

_OF_ONE_WORD: tuple[Kind, ...] = ("NOUN", "VERB")  # a word is one of them at most
_OF_SEVERAL: tuple[Kind, ...] = ("NE", "SALIENT")

Tagged = tuple[str, Sequence[Span]]  # a text and its spans


class Aligner(Protocol):
    """Anything that links words of two sentences, by their numbers as `words` counts them."""

    def align_texts(self, pairs: Sequence[tuple[str, str]]) -> list[list[Link]]: ...


class ProjectionRecipe(TaggerRecipe):
    """Tags carried over from the partners of the sentences in another language.

    Every sentence needs a tagged partner, so `between` takes the tags of the other side, and `train` makes the aligner
    first where it is one that learns. What the aligner is trained on belongs to the identity of the result,
    and is the caller's to add.
    """

    kind: Literal["projection"] = "projection"
    of: str = Field(min_length=1, description="code of the language whose tags are carried over, e.g. eng_Latn")
    aligner: Annotated[WordAlignment | EncoderAlignment, Field(discriminator="kind")] = WordAlignment()
    kinds: tuple[Kind, ...] = Field(KINDS, min_length=1, description="which spans are carried over")

    def problems(self) -> list[str]:
        return self.aligner.problems() if isinstance(self.aligner, EncoderAlignment) else []

    def identity(self) -> dict[str, str]:
        """The hash of the recipe is there for the name: two projections of one language differ in it."""
        recipe = hashlib.sha256(json.dumps(settings(self), separators=(",", ":")).encode()).hexdigest()
        of_model = self.aligner.identity() if isinstance(self.aligner, EncoderAlignment) else {}
        return {"of": self.of, "aligner": self.aligner.kind, "recipe": recipe, **of_model}

    def train(self, pairs: Iterable[tuple[str, str]], folder: Path) -> None:
        """Learn from sentences of `of` and their partners what `load_aligner` will read; nothing with an encoder."""
        if isinstance(self.aligner, WordAlignment):
            WordAligner.train(pairs, self.aligner).save(folder)

    def load_aligner(self, folder: Path) -> Aligner:
        """The aligner that was trained into `folder`, or the encoder."""
        return self.aligner.load() if isinstance(self.aligner, EncoderAlignment) else WordAligner.load(folder)

    def between(self, lookup: Mapping[str, Tagged], aligner: Aligner) -> ProjectedTagger:
        """The tagger of the sentences whose ids are in `lookup`."""
        return ProjectedTagger(lookup, aligner, self.of, self.kinds)

    def load(self) -> Tagger:
        raise InputError(
            f"Tags are carried over from {self.of}, and none of its sentences were given. Expected a parallel corpus "
            f"whose other side is tagged first; to tag text without a partner, choose another kind of tagger."
        )


@dataclass(frozen=True)
class ProjectedTagger:
    """Tags sentences from the text and the spans of their partners."""

    lookup: Mapping[str, Tagged]  # by the id that both sentences of a pair have
    aligner: Aligner
    of: str
    kinds: Sequence[Kind] = KINDS

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span] | SetAside]:
        """A sentence without a partner is no mistake of anyone's, but there is nothing to carry over."""
        partners = [self.lookup.get(sentence.id) for sentence in sentences]
        pairs = [(partner[0], s.text) for partner, s in zip(partners, sentences, strict=True) if partner]
        links = iter(self.aligner.align_texts(pairs))
        return [
            self._carried(*partner, sentence.text, next(links)) if partner else SetAside(f"no partner in {self.of}")
            for partner, sentence in zip(partners, sentences, strict=True)
        ]

    def _carried(self, text: str, spans: Sequence[Span], target: str, links: Iterable[Link]) -> list[Span]:
        return project(text, [span for span in spans if span.kind in self.kinds], target, links)


def project(source_text: str, source_spans: Sequence[Span], target_text: str, links: Iterable[Link]) -> list[Span]:
    """The spans of the source, on the words of the target that are linked to them.

    Args:
        links: number of a source word, number of a target word, both as `words` counts them.

    A target word linked to words of several kinds takes the kind that most links support, and what else the source
    says of those words: a name that is also a noun stays both. Neighbours that received one name become one name.
    Numbers are never tagged.
    """
    source, target = words(source_text), words(target_text)
    spans_of = [_at(word, source_spans) for word in source]
    linked: dict[int, list[list[int]]] = {}
    for i, j in links:
        linked.setdefault(j, []).append(spans_of[i])
    carried = [
        one for j in sorted(linked) if not number_like(target[j].text) for one in _votes(j, linked[j], source_spans)
    ]
    found = [Span(target[a].start, target[b].end, kind, label) for a, b, kind, label in _merged(carried)]
    return sorted(found, key=lambda span: (span.start, span.end, KINDS.index(span.kind)))


class Carried(NamedTuple):
    """A source span as a target word received it."""

    word: int
    kind: Kind
    label: str
    source: int  # number of the source span


def _at(word: Word, spans: Sequence[Span]) -> list[int]:
    """Numbers of the spans that share a character with a word: taggers split finer, at apostrophes and hyphens."""
    return [number for number, span in enumerate(spans) if span.start < word.end and word.start < span.end]


def _votes(word: int, ballots: Sequence[Sequence[int]], spans: Sequence[Span]) -> Iterator[Carried]:
    """What a target word becomes; a ballot names the spans of one linked source word."""
    kinds = Counter(kind for ballot in ballots for kind in {spans[number].kind for number in ballot})
    if not kinds:
        return
    ranked = sorted(kinds, key=lambda kind: (-kinds[kind], KINDS.index(kind)))
    count = Counter(number for ballot in ballots for number in ballot)
    together = {number for ballot in ballots if ranked[0] in {spans[n].kind for n in ballot} for number in ballot}
    others = [kind for kind in ranked if kind in _OF_ONE_WORD][1:]  # "decision-making" may hold a noun and a verb
    for kind in ranked:
        numbers = [number for number in together if spans[number].kind == kind]
        if numbers and kind not in others:
            number = min(numbers, key=lambda number: (-count[number], number))
            yield Carried(word, kind, spans[number].label, number)


def _merged(carried: Sequence[Carried]) -> Iterator[tuple[int, int, Kind, str]]:
    """First and last word, kind and label; neighbours of one source span as one where the kind allows it."""
    for one in carried:
        if one.kind in _OF_ONE_WORD:
            yield one.word, one.word, one.kind, one.label
    for kind in _OF_SEVERAL:
        run: list[Carried] = []
        for one in (one for one in carried if one.kind == kind):
            if run and (one.source, one.word) != (run[-1].source, run[-1].word + 1):
                yield run[0].word, run[-1].word, kind, run[0].label
                run = []
            run.append(one)
        if run:
            yield run[0].word, run[-1].word, kind, run[0].label
