"""Taggers of one's own, from tagged sentences: train on nine of ten, judge on the tenth."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from langvec.errors import InputError
from masking.tagging.base import Tagger
from masking.tagging.crf import CrfRecipe, train_crf
from masking.tagging.kinds import TagSet
from masking.tagging.lexicon import LexiconRecipe, train_lexicon, write_lexicon
from masking.tagging.quality import Quality, judge
from masking.tagging.stanza_pipeline import StanzaRecipe
from masking.tagging.stanza_training import train_stanza
from masking.tagging.tagged import TaggedSentence

Kind = Literal["crf", "lexicon", "stanza"]
HELD_OUT = 10  # every tenth sentence


class Lesson(NamedTuple):
    learnt: int  # sentences
    held_out: int
    quality: list[Quality]


def train(kind: Kind, sentences: Sequence[TaggedSentence], tags: TagSet, to: Path, language: str) -> Lesson:
    """Train a tagger into `to`: a file, for stanza a folder. `language` is stanza's code, and needed only there."""
    if len(sentences) < HELD_OUT:
        raise InputError(
            f"{len(sentences)} tagged sentences to train on. Expected at least {HELD_OUT}, of which one is kept to "
            f"judge by, better some hundred."
        )
    learnt = [sentence for number, sentence in enumerate(sentences, 1) if number % HELD_OUT]
    held_out = sentences[HELD_OUT - 1 :: HELD_OUT]
    if kind == "stanza":
        tagger = _trained(kind, learnt, held_out, tags, to, language)
        return Lesson(len(learnt), len(held_out), judge(tagger, held_out, tags))
    part = to.with_name(f".{to.name}.part")  # so that a model which does not load leaves nothing behind
    try:
        lesson = Lesson(
            len(learnt), len(held_out), judge(_trained(kind, learnt, held_out, tags, part, language), held_out, tags)
        )
        os.replace(part, to)
    finally:
        part.unlink(missing_ok=True)
    return lesson


def _trained(
    kind: Kind,
    learnt: Sequence[TaggedSentence],
    held_out: Sequence[TaggedSentence],
    tags: TagSet,
    to: Path,
    language: str,
) -> Tagger:
    if kind == "crf":
        train_crf(learnt, to, tags)
        return CrfRecipe(file=str(to), tags=tags).load()
    if kind == "lexicon":
        write_lexicon(train_lexicon(learnt, tags), to)
        return LexiconRecipe(file=str(to), tags=tags).load()
    train_stanza(learnt, held_out, tags, to, language)
    processors = ("ner",) if tags == "ne" else ("pos",)
    return StanzaRecipe(language=language, folder=str(to), tokenize="words", processors=processors).load()
