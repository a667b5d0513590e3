"""Nouns, verbs and names by the neural taggers of stanza, many sentences at a time."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, model_validator

from langvec.errors import InputError
from masking.contents import content_hash
from masking.tagging.base import LocalPath, Sentence, Span, TaggerRecipe, installed
from masking.tagging.names import Tagged, spans_of
from masking.tagging.stanza_models import default_folder, index, model_files, none_offered, offered
from masking.tagging.words import Word, pieces

# Texts are cut into parts of at most so many characters, and words that the taggers see are cut off: both go through
# LSTMs padded to the longest of a batch, and one line of a megabyte or one URL of a thousand letters fills a memory.
_PART = 10_000
_WORD = 100
_WHITE = re.compile(r"\s")
# stanza looks for addresses of e-mail in a time that grows with the square of a run: minutes for one of 30,000 letters.
_LONG_RUN = re.compile(r"([!-~]{200})([!-~]+)")

Processor = Literal["pos", "ner"]


class StanzaRecipe(TaggerRecipe):
    """Models of stanza, downloaded beforehand or trained by oneself. Nothing is downloaded while tagging."""

    kind: Literal["stanza"] = "stanza"
    language: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$", description="stanza's code of the language, such as en or ta")
    folder: LocalPath | None = Field(None, description="folder of models; stanza's own by default")
    package: str = Field(
        "default", description="which of stanza's sets of models; default_fast is several times faster"
    )
    processors: tuple[Processor, ...] = Field(("pos", "ner"), min_length=1, description="what to tag: words, names")
    pos_model: LocalPath | None = Field(None, description="model file for parts of speech in place of the folder's")
    ner_model: LocalPath | None = Field(None, description="model file for named entities in place of the folder's")
    tokenize: Literal["stanza", "words"] = Field(
        "stanza", description="who splits text: a model of stanza, or white space and punctuation (own models)"
    )

    @model_validator(mode="after")
    def _check_processors(self) -> StanzaRecipe:
        if len(set(self.processors)) < len(self.processors):
            raise ValueError(f"processors names one twice: {self.processors}")
        for processor, model in (("pos", self.pos_model), ("ner", self.ner_model)):
            if model and processor not in self.processors:
                raise ValueError(
                    f"{processor}_model is given but processors has no {processor}; add it or drop the model"
                )
        return self

    def problems(self) -> list[str]:
        try:
            files = self._files()
        except InputError as error:
            return [str(error)]
        absent = [processor for processor in self._loaded() if processor not in files]
        if absent:
            return [self._no_model(absent)]
        missing = [str(file) for file in files.values() if not file.is_file()]
        return [f"Files of the stanza tagger are missing: {', '.join(missing)}. {self._way()}"] if missing else []

    def identity(self) -> dict[str, str]:
        files = {what: content_hash(file) for what, file in self._files().items()}
        return {"stanza": installed("stanza", "taggers")} | files

    def load(self) -> StanzaTagger:
        if problems := self.problems():
            raise InputError(" ".join(problems))
        if index(self._folder()):
            return StanzaTagger(self._pipeline(self._folder()), self.tokenize == "words")
        with tempfile.TemporaryDirectory() as empty:
            (Path(empty) / "resources.json").write_text(json.dumps({}))
            return StanzaTagger(self._pipeline(Path(empty)), self.tokenize == "words")

    def _pipeline(self, folder: Path) -> Any:
        import stanza
        import torch

        files = {"pos_model_path": self.pos_model, "ner_model_path": self.ner_model}
        return stanza.Pipeline(
            self.language,
            dir=str(folder),
            package=self.package,
            processors=",".join(["tokenize", *self.processors]),
            download_method=None,
            use_gpu=torch.cuda.is_available(),
            allow_unknown_language=True,
            tokenize_pretokenized=self.tokenize == "words",
            verbose=False,
            **{name: file for name, file in files.items() if file},
        )

    def _folder(self) -> Path:
        return Path(self.folder) if self.folder else default_folder()

    def _loaded(self) -> list[str]:
        """The processors that need a model."""
        return [*(["tokenize"] if self.tokenize == "stanza" else []), *self.processors]

    def _files(self) -> dict[str, Path]:
        given = {"pos": self.pos_model, "ner": self.ner_model}
        own = {processor: Path(file) for processor, file in given.items() if file}
        if set(own) == set(self._loaded()):
            return own
        return model_files(self._folder(), self.language, self.package, self._loaded()) | own

    def _no_model(self, absent: Sequence[str]) -> str:
        folder, what = self._folder(), " and ".join(absent)
        if not index(folder):
            found = "" if folder.is_dir() else ", which does not exist"
            return (
                f"No models of stanza in {folder}{found}. Expected resources.json and models of {what}. {self._way()}"
            )
        return f"{folder} has no model of {what} for {self.language!r} in the package {self.package!r}. {self._way()}"

    def _way(self) -> str:
        """What to do about models that are not there."""
        if not offered(self.language, "pos"):
            return none_offered(self.language) + " Own models need `tokenize: words`."
        if "ner" in self.processors and not self.ner_model and not offered(self.language, "ner"):
            return (
                f"stanza has no ner model of {self.language!r}: set `processors: [pos]`, or take names from another "
                f"tagger: projection, lexicon or crf. For the rest `langscape taggers fetch {self.language}`."
            )
        own = " Models that you trained need `tokenize: words`." if self.tokenize == "stanza" else ""
        return f"Run `langscape taggers fetch {self.language}`, or copy the folder of models there.{own}"


class _Part(NamedTuple):
    """A piece of a text, short enough for the models, and what it belongs to."""

    owner: int
    start: int
    text: str


class _Sentence(NamedTuple):
    """What the taggers see as a sentence, by the characters of the whole text.

    Names are of tokens and parts of speech of words; they differ where a token is several words (French `du`).
    """

    owner: int
    tokens: list[Word]
    words: list[Word]


class StanzaTagger:
    """A loaded pipeline. Sentences are sorted by length, so that a batch holds little padding."""

    def __init__(self, pipeline: Any, by_words: bool) -> None:
        self._pipeline = pipeline
        self._split = _by_words if by_words else self._by_model
        if "ner" in pipeline.processors:
            _without_loss(pipeline.processors["ner"])

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span]]:
        import torch

        spans: list[list[Span]] = [[] for _ in sentences]
        parts = [part for owner, sentence in enumerate(sentences) for part in _parts(owner, sentence.text)]
        with torch.inference_mode():
            found = sorted(self._split(parts), key=lambda sentence: (len(sentence.words), sentence.owner))
            names = self._tagged("ner", [sentence.tokens for sentence in found])
            words = self._tagged("pos", [sentence.words for sentence in found])
        for sentence, of_names, of_words in zip(found, names, words, strict=True):
            spans[sentence.owner] += spans_of(of_names, "ne") + spans_of(of_words, "upos")
        return [sorted(of_text, key=lambda span: span.start) for of_text in spans]

    def _by_model(self, parts: Sequence[_Part]) -> list[_Sentence]:
        """The sentences and words that stanza's model finds."""
        from stanza import Document

        documents = [Document([], text=_readable(part.text)) for part in parts]
        documents = self._pipeline.process(documents, processors="tokenize,mwt")
        of_parts = zip(parts, documents, strict=True)
        return [sentence_of(sent, part.owner, part.start) for part, document in of_parts for sent in document.sentences]

    def _tagged(self, processor: Processor, rows: Sequence[Sequence[Word]]) -> list[list[Tagged]]:
        """The words of each row with their tags; no words without the processor."""
        if processor not in self._pipeline.processors or not rows:
            return [[] for _ in rows]
        table = _Table(rows)
        self._pipeline.processors[processor].process(table)
        if len(table.tags) != sum(
            len(row) for row in rows
        ):  # models on transformers leave out what is too long for them
            raise ValueError(f"stanza's {processor} tagger left out a sentence, which may be too long for its model.")
        tags = iter(table.tags)
        return [[Tagged(word.start, word.end, next(tags)) for word in row] for row in rows]


class _Table:
    """All that stanza's taggers ask of a document. A real one costs as much time as the tagging."""

    def __init__(self, rows: Sequence[Sequence[Word]]) -> None:
        self._rows = rows
        self.tags: list[str] = []

    def get(self, fields: Sequence[str], **_: bool) -> list[list[list[str | None]]]:
        empty = [None] * (len(fields) - 1)  # the first field is the text
        return [[[word.text[:_WORD], *empty] for word in row] for row in self._rows]

    def set(self, fields: Sequence[str], contents: Sequence[Any], **_: bool) -> None:
        if fields[0] == "upos":
            self.tags = [upos for upos, *_ in contents]
        elif fields[0] == "ner":
            self.tags = list(contents)

    def build_ents(self) -> tuple[()]:
        return ()


def _without_loss(processor: Any) -> None:
    """Keep the named-entity tagger from computing the loss of its training while it tags, a sixth of its time."""
    for trainer in processor.trainers:
        for criterion in trainer.model.crits:
            criterion.forward = lambda *_, transitions=criterion._transitions: (0.0, transitions)


def _parts(owner: int, text: str) -> Iterator[_Part]:
    """The text, cut at white space where it is too long for the models."""
    start = 0
    while len(text) - start > _PART:
        end = max(text.rfind(white, start, start + _PART) for white in " \t\n")
        end = end if end > start else start + _PART
        yield _Part(owner, start, text[start:end])
        start = end
    if text[start:].strip():
        yield _Part(owner, start, text[start:])


def _readable(text: str) -> str:
    """As many characters, with plain spaces (to stanza a blank line ends a text) and without endless words."""
    return _LONG_RUN.sub(lambda run: run[1] + " " * len(run[2]), _WHITE.sub(" ", text))


def _by_words(parts: Sequence[_Part]) -> list[_Sentence]:
    """Each part as a sentence of our own words."""
    found = []
    for owner, start, text in parts:
        words = [Word(word.start + start, word.end + start, word.text) for word in pieces(text)]
        found.append(_Sentence(owner, words, words))
    return found


def sentence_of(sentence: Any, owner: int, start: int) -> _Sentence:
    """A sentence of stanza, in a text that begins at `start`."""
    tokens, words = [], []
    for token in sentence.tokens:
        tokens.append(Word(token.start_char + start, token.end_char + start, token.text))
        for word in token.words:
            # Words that are not in the text as they stand (French `du` is de + le) have the place of their token.
            place = token if word.start_char is None else word
            words.append(Word(place.start_char + start, place.end_char + start, word.text))
    return _Sentence(owner, tokens, words)
