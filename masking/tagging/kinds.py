"""Which tags of which tag set count as named entity, noun and verb: the one table of it."""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["NE", "NOUN", "VERB", "SALIENT"]
KINDS: tuple[Kind, ...] = ("NE", "NOUN", "VERB", "SALIENT")  # the earlier one counts where a word is several
TagSet = Literal["upos", "penn", "sinhala", "ne"]

# Proper nouns are nouns in every language, whether or not the named-entity tagger found them.
NOUNS: dict[TagSet, frozenset[str]] = {
    "upos": frozenset({"NOUN", "PROPN"}),
    "penn": frozenset({"NN", "NNS", "NNP", "NNPS"}),
    "sinhala": frozenset({"NNC", "NNP"}),
}
VERBS: dict[TagSet, frozenset[str]] = {
    "upos": frozenset({"VERB"}),
    "penn": frozenset({"VB", "VBD", "VBG", "VBN", "VBP", "VBZ"}),
    "sinhala": frozenset({"VNN", "VFM", "VNF", "VP"}),
}

# What some named-entity taggers also mark (OntoNotes) and is no name: amounts, dates and numbers.
VALUES = frozenset({"CARDINAL", "DATE", "MONEY", "ORDINAL", "PERCENT", "QUANTITY", "TIME"})

_BIO = re.compile(r"^[BIESLU]-")
_NUMBER = re.compile(r"[(\[{]*[+\-\u2212]?\W?\d[\d.,:/\-\u2013\s]*\W*")


def kind_of(tag: str, tags: TagSet) -> Kind | None:
    """What a tag counts as; None for what is never masked on its own account."""
    if tags == "ne":
        label = bare(tag)
        return None if label in VALUES or label in ("", "O", "_") else "NE"
    if tag in NOUNS[tags]:
        return "NOUN"
    return "VERB" if tag in VERBS[tags] else None


def bare(tag: str) -> str:
    """The label of a BIO or BIOES tag: `B-PER` is PER."""
    return _BIO.sub("", tag)


def number_like(text: str) -> bool:
    """Whether a named entity is only a number: digits with signs, brackets, a currency or a percent sign about them."""
    return _NUMBER.fullmatch(text) is not None
