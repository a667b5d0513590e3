"""A task that needs no download: which part of the Declaration of Human Rights a paragraph belongs to."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator

from langvec.errors import InputError
from langvec.labelled.base import SPLITS, Labelled, LabelledSource, Split
from langvec.sources.base import Codes
from langvec.sources.udhr import Udhr, available

# The parts as René Cassin, who wrote the draft, explained them: the steps and foundations, four columns, the pediment.
PARTS: Mapping[str, range] = {
    "foundations": range(1, 3),
    "life and justice": range(3, 12),
    "people among people": range(12, 18),
    "thought and politics": range(18, 22),
    "work and culture": range(22, 28),
    "order and duties": range(28, 31),
}
_LANGUAGE = "eng_Latn"  # its paragraphs are the usual ones; the articles that most translators divide so
_SHARES: Mapping[Split, float] = {"test": 0.25, "validation": 0.15}
_DIVIDED = "article is not divided into the usual paragraphs"
_PREAMBLE = "preamble"

Key = tuple[int, int]  # article, place of the paragraph in it


class _Paragraph(NamedTuple):
    article: int
    place: int
    text: str


class Articles(LabelledSource):
    """Paragraphs of the 30 articles, labelled with one of six parts of the Declaration; in every bundled language.

    The article itself is no honest label: 16 of the 30 have one paragraph, which cannot be in training and in test,
    and sentences do not correspond across translations. Whole articles make up the parts, so each has at least three
    paragraphs, and every split has all six.

    A language has 50 paragraphs: 29 for training, 9 for validation, 12 for test. Which paragraphs these are is the same
    in all languages: no translation of a test paragraph is trained on in any language. Translators merge and divide
    paragraphs; an article that is not divided as usual is left out of that language, for what is in which paragraph is
    then not known. 350 of 448 languages have all 50, the mean is 48.6. The preamble is left out everywhere: only a
    quarter of the translations agree on its paragraphs.
    """

    kind: Literal["articles"] = "articles"
    languages: Codes = Field(description="codes, or `all` for every language bundled")
    seed: int = Field(1, ge=0, description="which paragraphs are held out; another seed, others")

    @field_validator("languages", mode="before")
    @classmethod
    def _every_language(cls, languages: Any) -> Any:
        return available() if languages == "all" else languages

    def codes(self) -> tuple[str, ...]:
        return self.languages

    def splits(self, code: str) -> tuple[Split, ...]:
        return SPLITS if code in available() else ()

    def problems(self) -> list[str]:
        return [problem.replace("udhr:", "articles:", 1) for problem in Udhr(languages=self.languages).problems()]

    def identity(self, code: str, split: Split) -> dict[str, str]:
        rows = self.read(code, split)
        return {"articles": hashlib.sha256(repr(rows[:3]).encode()).hexdigest()}

    def read(self, code: str, split: Split) -> Labelled:
        paragraphs, dropped = _usual(_paragraphs(code))
        held = _held_out(self.seed)
        rows = [row for row in paragraphs if held.get((row.article, row.place), "train") == split]
        return Labelled(
            [f"{row.article:02}.{row.place}" for row in rows],
            [row.text for row in rows],
            [part_of(row.article) for row in rows],
            dropped,
        )


def part_of(article: int) -> str:
    """The part that an article belongs to."""
    return next(part for part, articles in PARTS.items() if article in articles)


@cache
def _paragraphs(code: str) -> tuple[_Paragraph, ...]:
    """The paragraphs of the preferred translation, each with its place in its article."""
    if code not in available():
        raise InputError(
            f"There is no Declaration in {code}. Expected one of the {len(available())} languages bundled."
        )
    batch = next(Udhr(languages=(code,)).read(code))
    articles = [int(passage.rpartition(":")[2]) for passage in batch.passages or ()]
    places: Counter[int] = Counter()
    found = []
    for article, text in zip(articles, batch.texts, strict=True):
        found.append(_Paragraph(article, places[article], text))
        places[article] += 1
    return tuple(found)


def _usual(paragraphs: tuple[_Paragraph, ...]) -> tuple[list[_Paragraph], dict[str, int]]:
    """The paragraphs whose place says what is in them; those left out are counted."""
    counts, usual = Counter(row.article for row in paragraphs), Counter(article for article, _ in _keys())
    kept = [row for row in paragraphs if counts[row.article] == usual[row.article]]
    preamble = counts[0]
    divided = len(paragraphs) - len(kept) - preamble
    return kept, {reason: n for reason, n in ((_PREAMBLE, preamble), (_DIVIDED, divided)) if n}


@cache
def _keys() -> tuple[Key, ...]:
    """Article and place of the usual paragraphs, without the preamble."""
    return tuple((row.article, row.place) for row in _paragraphs(_LANGUAGE) if row.article)


@cache
def _held_out(seed: int) -> dict[Key, Split]:
    """The paragraphs of each part that are not for training: by the order of a hash, so that they look random."""
    held: dict[Key, Split] = {}
    for articles in PARTS.values():
        keys = sorted((key for key in _keys() if key[0] in articles), key=lambda key: _hash(seed, key))
        start = 0
        for split, share in _SHARES.items():
            stop = start + max(1, round(share * len(keys)))
            held |= dict.fromkeys(keys[start:stop], split)
            start = stop
    return held


def _hash(seed: int, key: Key) -> bytes:
    return hashlib.blake2b(f"{seed} {key[0]} {key[1]}".encode(), digest_size=8).digest()
