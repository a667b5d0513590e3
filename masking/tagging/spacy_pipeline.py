"""Nouns, verbs and names by a pipeline of spaCy."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator

from langvec.errors import InputError
from masking.contents import content_hash
from masking.tagging.base import Sentence, Span, TaggerRecipe, installed
from masking.tagging.kinds import kind_of

_BATCH = 256  # sentences; more do not make it faster
_LEMMATIZERS = frozenset({"lemmatizer", "trainable_lemmatizer"})
_STANDARD = frozenset(
    {"tok2vec", "transformer", "tagger", "morphologizer", "parser", "senter", "attribute_ruler", "ner"}
)


class SpacyRecipe(TaggerRecipe):
    """A pipeline of spaCy, by the name of its package or by its folder."""

    kind: Literal["spacy"] = "spacy"
    model: str = Field(min_length=1, description="package such as en_core_web_sm, or a folder (with a slash in it)")

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str) -> str:
        return os.path.abspath(os.path.expanduser(model)) if "/" in model else model

    def problems(self) -> list[str]:
        try:
            installed("spacy", "taggers")
        except InputError as error:
            return [str(error)]
        if self._folder() or self._version():
            return []
        if "/" in self.model:
            return [
                f"No pipeline of spaCy in {self.model}. Expected a folder with meta.json, as `nlp.to_disk` writes it."
            ]
        return [
            f"The spaCy pipeline {self.model!r} is not installed. Expected a package of that name; run "
            f"`python -m spacy download {self.model}`, or give the folder of a pipeline."
        ]

    def identity(self) -> dict[str, str]:
        folder = self._folder()
        model = content_hash(folder) if folder else f"{self.model} {self._version()}"
        return {"spacy": installed("spacy", "taggers"), "model": model}

    def load(self) -> SpacyTagger:
        if problems := self.problems():
            raise InputError(" ".join(problems))
        import spacy

        folder = self._folder()
        try:
            pipeline = spacy.load(folder or self.model)
        except (
            Exception
        ) as error:  # damaged, of another version, or a package that is no pipeline: spaCy raises anything
            raise InputError(
                f"The spaCy pipeline {self.model!r} does not load ({error}). Expected a pipeline made by this version."
            ) from None
        return SpacyTagger(pipeline)

    def _folder(self) -> Path | None:
        path = Path(self.model)
        return path if path.is_absolute() and (path / "meta.json").is_file() else None

    def _version(self) -> str | None:
        try:
            return version(self.model)
        except (PackageNotFoundError, ValueError):
            return None


class SpacyTagger:
    """A loaded pipeline, rid of what changes neither parts of speech nor names."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._idle = idle_components(pipeline)

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span]]:
        texts = (sentence.text for sentence in sentences)
        documents = self._pipeline.pipe(texts, batch_size=_BATCH, n_process=1, disable=self._idle)
        return [list(_spans(document)) for document in documents]


def idle_components(pipeline: Any) -> list[str]:
    """Lemmatizers, where nobody looks at lemmas.

    A parser is never idle: names do not cross the sentences that it finds, and English rules take `have` for a verb or
    an auxiliary by its place in the tree.
    """
    if not {pipeline.get_pipe_meta(name).factory for name in pipeline.pipe_names} <= _STANDARD | _LEMMATIZERS:
        return []
    return [name for name in pipeline.pipe_names if pipeline.get_pipe_meta(name).factory in _LEMMATIZERS]


def _spans(document: Any) -> Iterator[Span]:
    for token in document:
        if kind := kind_of(token.pos_, "upos"):
            yield Span(token.idx, token.idx + len(token), kind, token.pos_)
    for entity in document.ents:
        if kind := kind_of(entity.label_, "ne"):
            yield Span(entity.start_char, entity.end_char, kind, entity.label_)
