"""Tags made elsewhere, by people or by any other program, joined to our sentences by id or by text."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from langvec.errors import InputError
from masking.contents import content_hash
from masking.tagging.base import LocalPath, Sentence, SetAside, Span, TaggerRecipe
from masking.tagging.kinds import Kind, TagSet
from masking.tagging.reading import read_tagged, unreadable
from masking.tagging.tagged import TaggedSentence, counted

By = Literal["id", "text"]

_DIGEST_BYTES = 12  # two of a thousand million texts share one by a chance of one in 10^11


class AnnotatedRecipe(TaggerRecipe):
    """Sentences that are tagged already. Nothing is guessed: a sentence that the file does not hold has no tags."""

    kind: Literal["annotated"] = "annotated"
    file: LocalPath = Field(
        description="the tagged sentences: .conllu, .bio (token and tag a line) or .jsonl (id, text, spans), or .gz"
    )
    tags: TagSet = Field(description="the tag set of the file: upos, penn, sinhala, or ne for names of any kind")
    by: By = Field(
        "id", description="what sentences are found by; by text the first of equal ones counts, white space does not"
    )

    def problems(self) -> list[str]:
        """Also of the first sentence, for a wrong format mostly shows there."""
        try:
            problems = unreadable(self.file) or next(([] for _ in read_tagged(Path(self.file), self.tags)), [])
        except InputError as error:
            problems = [str(error)]
        return [f"tagger annotated: {problem}" for problem in problems]

    def identity(self) -> dict[str, str]:
        return {"file": content_hash(Path(self.file))}

    def load(self) -> AnnotatedTagger:
        return AnnotatedTagger(self.file, read_tagged(Path(self.file), self.tags), self.tags, self.by)


class _Row(NamedTuple):
    """What is kept of a tagged sentence: small, for there may be a million."""

    text: bytes  # digest of the text without white space
    spans: array[int]  # start, end, number of kind and label; counted in characters that are no white space


class AnnotatedTagger:
    """The tags of a file in memory, about 400 bytes a sentence."""

    def __init__(self, file: str, sentences: Iterable[TaggedSentence], tags: TagSet, by: By) -> None:
        self._file = file
        self._by = by
        self._numbers: dict[tuple[Kind, str], int] = {}
        self._rows: dict[str | bytes, _Row] = {}
        for sentence in sentences:
            self._add(sentence, tags)
        self._names = list(self._numbers)
        if not self._rows:
            raise InputError(f"{file} holds no sentence. Expected tagged sentences.")
        like = f", where ids are like {next(iter(self._rows))!r}" if by == "id" else ""
        self._unmatched = f"its {by} has no tags in {file}{like}"

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span] | SetAside]:
        """The spans by our texts' characters; a sentence that is not in the file, or differs there, is set aside."""
        return [self._spans(sentence) for sentence in sentences]

    def _add(self, sentence: TaggedSentence, tags: TagSet) -> None:
        digest = _digest(sentence.text)
        if self._by == "text":
            self._rows.setdefault(digest, self._row(digest, sentence, tags))
            return
        if sentence.id is None or sentence.id in self._rows:
            found = f"no id for {sentence.text[:40]!r}" if sentence.id is None else f"the id {sentence.id!r} twice"
            raise InputError(f"{self._file} holds {found}. Expected one id a sentence, each once; or set `by: text`.")
        self._rows[sentence.id] = self._row(digest, sentence, tags)

    def _row(self, digest: bytes, sentence: TaggedSentence, tags: TagSet) -> _Row:
        before = [0, *accumulate(not char.isspace() for char in sentence.text)]
        spans = [span for span in counted(sentence.spans, tags) if before[span.start] < before[span.end]]
        names = [self._numbers.setdefault(span[2:], len(self._numbers)) for span in spans]
        places = [(before[span.start], before[span.end], name) for span, name in zip(spans, names, strict=True)]
        return _Row(digest, array("I", chain.from_iterable(places)))

    def _spans(self, sentence: Sentence) -> list[Span] | SetAside:
        digest = _digest(sentence.text)
        row = self._rows.get(sentence.id if self._by == "id" else digest)
        if row is None:
            return SetAside(self._unmatched)
        if row.text != digest:
            return SetAside(f"its id has tags in {self._file}, but on a text that differs by more than white space")
        numbers = iter(row.spans)
        at = [position for position, char in enumerate(sentence.text) if not char.isspace()]
        return [
            Span(at[start], at[end - 1] + 1, *self._names[name])
            for start, end, name in zip(numbers, numbers, numbers, strict=True)
        ]


def _digest(text: str) -> bytes:
    return hashlib.blake2b("".join(text.split()).encode(), digest_size=_DIGEST_BYTES).digest()
