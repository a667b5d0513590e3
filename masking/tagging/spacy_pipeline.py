"""Nouns, verbs and names by a pipeline of spaCy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from langvec.errors import InputError
from masking.tagging.base import Sentence, Span, TaggerRecipe, content_hash, installed
from masking.tagging.kinds import kind_of

_BATCH = 256  # sentences; more do not make it faster


class SpacyRecipe(TaggerRecipe):
    """A pipeline of spaCy, by the name of its package or by its folder."""

    kind: Literal["spacy"] = "spacy"
    model: str = Field(min_length=1, description="package such as en_core_web_sm, or a folder written by spaCy")

    def problems(self) -> list[str]:
        installed("spacy", "taggers")
        if self._folder() or self._version():
            return []
        if "/" in self.model:
            return [
                f"No pipeline of spaCy in {self.model}. Expected a folder with meta.json, as `nlp.to_disk` writes it."
            ]
        return [
            f"The spaCy pipeline {self.model!r} is not installed. Expected a package or a folder of that name; run "
            f"`pip install 'langscape[taggers]'` and `python -m spacy download {self.model}`."
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
        except (OSError, ValueError) as error:  # made by another version, or damaged
            raise InputError(f"The spaCy pipeline {self.model!r} does not load: {error}") from None
        return SpacyTagger(pipeline)

    def _folder(self) -> Path | None:
        path = Path(self.model).expanduser()
        return path if (path / "meta.json").is_file() else None

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
    """Components that can be left out: lemmatizers, and the parser where no rule for parts of speech asks for trees.

    English rules do: `have` is a verb or an auxiliary by its place in the tree.
    """
    idle = [name for name in pipeline.pipe_names if name in ("lemmatizer", "trainable_lemmatizer", "senter")]
    rules = pipeline.get_pipe("attribute_ruler").patterns if "attribute_ruler" in pipeline.pipe_names else []
    if "parser" in pipeline.pipe_names and not any(_asks_for_trees(rule) for rule in rules):
        idle.append("parser")
    return idle


def _asks_for_trees(rule: dict[str, Any]) -> bool:
    tokens = [token for pattern in rule["patterns"] for token in pattern]
    return "POS" in rule["attrs"] and any("DEP" in token for token in tokens)


def _spans(document: Any) -> Iterator[Span]:
    for token in document:
        if kind := kind_of(token.pos_, "upos"):
            yield Span(token.idx, token.idx + len(token), kind, token.pos_)
    for entity in document.ents:
        if kind := kind_of(entity.label_, "ne"):
            yield Span(entity.start_char, entity.end_char, kind, entity.label_)
