"""A small tagger of our own: a conditional random field over spellings, trained in seconds from a small treebank.

For languages without a ready tagger. CRFsuite (Okazaki) does the learning, by L-BFGS with L1 and L2 penalties.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from langvec.errors import InputError
from masking.contents import content_hash
from masking.tagging.base import LocalPath, Sentence, Span, TaggerRecipe, installed
from masking.tagging.kinds import TagSet, kind_of
from masking.tagging.tagged import TaggedSentence, TagSpan, counted, labels_of, spans_of
from masking.tagging.words import pieces

# Stands at the end of our models, and changes with the features: trained on others a model would tag at random.
_FEATURES = b"langscape features 1"
_MAGIC = b"lCRF"
_AFFIX = 6  # characters; in Tamil, Sinhala and their like a syllable takes two or three
_LONG = 10
_SHAPES = {"Lu": "A", "Lt": "A", "Ll": "a", "Lo": "x", "Lm": "", "Nd": "0", "Mn": "", "Mc": "", "Me": "", "Cf": ""}

Row = tuple[list[str], list[str]]  # words and labels of a sentence


class CrfRecipe(TaggerRecipe):
    """A tagger that `train_crf` has trained."""

    kind: Literal["crf"] = "crf"
    file: LocalPath = Field(description="the model, as train_crf writes it")
    tags: TagSet = Field(description="the tag set it was trained on: upos, penn, sinhala, or ne for names of any kind")

    def problems(self) -> list[str]:
        found = [] if Path(self.file).is_file() else [f"there is no file {self.file}. Expected a model of train_crf."]
        try:
            installed("python-crfsuite", "taggers")
        except InputError as error:
            found.append(str(error))
        return [f"tagger crf: {problem}" for problem in found]

    def identity(self) -> dict[str, str]:
        return {"model": content_hash(Path(self.file)), "python-crfsuite": installed("python-crfsuite", "taggers")}

    def load(self) -> CrfTagger:
        return CrfTagger(self.file, self.tags)


class CrfTagger:
    """A trained model and the tag set of its labels."""

    def __init__(self, file: str, tags: TagSet) -> None:
        content = Path(file).read_bytes()
        if not content.endswith(_FEATURES):
            raise InputError(f"{file} is not a whole model of this version's train_crf. Expected one; train it again.")
        self._model = CrfModel(content.removesuffix(_FEATURES), file)
        self._tags = tags
        labels = self._model.known()
        if not any(kind_of(label, tags) for label in labels):
            raise InputError(
                f"{file} has no label that counts as a noun, a verb or a name in tag set {tags}. Its labels are "
                f"{', '.join(labels[:10])}. Check `tags`."
            )

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span]]:
        """What of each sentence counts as a name, a noun or a verb."""
        return [counted(self._spans(sentence.text), self._tags) for sentence in sentences]

    def labels(self, words: Sequence[str]) -> list[str]:
        """The label of each word of a sentence."""
        return self._model.tag(features(words))

    def _spans(self, text: str) -> Sequence[TagSpan]:
        words = pieces(text)
        return spans_of(words, self.labels([word.text for word in words]), self._tags)


def train_crf(
    tagged: Iterable[TaggedSentence],
    file: Path,
    tags: TagSet,
    c1: float = 0.1,
    c2: float = 0.01,
    max_iterations: int = 200,
) -> None:
    """Train on sentences and write the model.

    No draw is made: the same sentences give the same model. The defaults do well on a treebank of 400 sentences.

    Args:
        tagged: sentences with all their tags; a word without one is learnt as such.
        file: where the model goes.
        tags: the tag set of the sentences.
        c1: weight of the L1 penalty; larger makes the model smaller.
        c2: weight of the L2 penalty.
        max_iterations: of L-BFGS, should it not converge before.
    """
    installed("python-crfsuite", "taggers")
    from pycrfsuite import Trainer

    rows = [_row(sentence, tags) for sentence in tagged]
    rows = [row for row in rows if row[0]]
    if not rows:
        raise InputError("No tagged sentence to train on. Expected at least ten, better some hundred.")
    trainer = Trainer("lbfgs", {"c1": c1, "c2": c2, "max_iterations": max_iterations}, verbose=False)
    for words, labels in rows:
        trainer.append(features(words), labels)
    trainer.train(str(file))
    with file.open("ab") as stream:  # what is cut short before lacks this, and does not load
        stream.write(_FEATURES)


class CrfModel:
    """A CRFsuite model in memory."""

    def __init__(self, content: bytes, name: str) -> None:
        # The library reads past the end of a file cut short, and goes on reading bytes that Python has freed.
        if content[:4] != _MAGIC or int.from_bytes(content[4:8], "little") != len(content):
            raise InputError(f"{name} is not a whole CRFsuite model. Expected one; train it again.")
        installed("python-crfsuite", "taggers")
        from pycrfsuite import Tagger

        self._content = content
        self._tagger = Tagger()
        self._tagger.open_inmemory(content)

    def tag(self, rows: list[Any]) -> list[str]:
        """The best labels of a sentence, given the features of each word; none for none."""
        return list(self._tagger.tag(rows)) if rows else []

    def known(self) -> list[str]:
        """Every label that the model may give."""
        return sorted(self._tagger.labels())


def features(words: Sequence[str]) -> list[list[str]]:
    """What the model sees of each word: its spelling, and something of two words on either side."""
    composed = [unicodedata.normalize("NFC", word) for word in words]
    low = ["<s>", "<s>", *(word.lower() for word in composed), "</s>", "</s>"]
    return [
        [
            *_spelling(word),
            *(f"{place:+d}={low[i + 2 + place]}" for place in (-2, -1, 1, 2)),
            *(f"{place:+d}{feature}" for place in (-1, 1) for feature in _ending(low[i + 2 + place])),
            f"-1,0={low[i + 1]}|{low[i + 2]}",
        ]
        for i, word in enumerate(composed)
    ]


@lru_cache(1 << 14)
def _spelling(word: str) -> tuple[str, ...]:
    low = word.lower()
    longest = min(_AFFIX, len(low) - 1)  # the whole word is a feature already
    affixes = [f"{name}{n}={part}" for n in range(1, longest + 1) for name, part in (("^", low[:n]), ("$", low[-n:]))]
    signs = [f"has={sign}" for sign in sorted(set(word)) if unicodedata.category(sign)[0] not in "LM"]
    return (
        "bias",
        f"word={word}",
        f"low={low}",
        f"shape={_shape(word)}",
        f"long={len(word) > _LONG}",
        *affixes,
        *signs,
    )


@lru_cache(1 << 14)
def _ending(low: str) -> tuple[str, ...]:
    return (f"$3={low[-3:]}", f"shape={_shape(low)}")


def _shape(word: str) -> str:
    """Capitals, small letters, letters without case, digits; signs as they are; vowel signs and repeats left out."""
    shapes = (_SHAPES.get(unicodedata.category(char), char) for char in word)
    return "".join(shape for shape, _ in groupby(filter(None, shapes)))


def _row(sentence: TaggedSentence, tags: TagSet) -> Row:
    words = pieces(sentence.text)
    return [word.text for word in words], labels_of(words, sentence, tags)
