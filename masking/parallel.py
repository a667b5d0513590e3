"""Parallel text with its tags: joined by id, divided so that nothing tested was learnt, made into samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from langvec.config import Strict
from masking.alignment import MAX_TOKENS, Tagged
from masking.draws import Draws
from masking.entities import tagged
from masking.tagging.words import words

_UNIT = float(1 << 64)


class Division(Strict):
    """What of the parallel text is learnt from, and what is kept back. A sentence is on one side in all languages."""

    dev: float = Field(0.05, gt=0, lt=0.5, description="share kept back to stop by")
    test: float = Field(0.1, gt=0, lt=0.5, description="share kept back to judge by")
    most: int = Field(300, ge=2, description="pairs of dev, and of test, that are used at most")
    least_words: int = Field(1, ge=1, description="pairs with fewer words on a side are left out")
    pairs: int | None = Field(None, ge=1, description="pairs that are learnt from at most; null: all")
    wrong_tags: float = Field(0, ge=0, le=1, description="share of tags that are moved to another word")
    noise: float = Field(0, ge=0, lt=1, description="share of learnt pairs that get a wrong partner")


class Layout(Strict):
    """How sentences and pairs become samples."""

    max_tokens: int = Field(MAX_TOKENS, ge=8, description="of a sample; the paper's 100 cuts long pairs")
    separated: bool = Field(True, description="separators between the sides; the paper's code has a space")
    either_order: bool = Field(True, description="every second pair the other way round, unlike the paper's code")


@dataclass(frozen=True)
class Bitext:
    """Translations row for row."""

    ids: Sequence[str]
    source: Sequence[Tagged]
    target: Sequence[Tagged]

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, places: Iterable[int]) -> Bitext:
        some = list(places)
        ids, source, target = self.ids, self.source, self.target
        return Bitext([ids[n] for n in some], [source[n] for n in some], [target[n] for n in some])

    def texts(self) -> tuple[list[str], list[str]]:
        return [one.text for one in self.source], [one.text for one in self.target]


@dataclass(frozen=True)
class Divided:
    """`dropped` says why pairs were left out, with how many."""

    train: Bitext
    dev: Bitext
    test: Bitext
    dropped: dict[str, int]


def join(source: pa.Table, target: pa.Table, wrong_tags: float = 0, seed: int = 0) -> Bitext:
    """The sentences of two entity tables with one id, but those that are blank or were set aside."""
    source, target = _usable(source), _usable(target)
    places = {id: place for place, id in enumerate(target["id"].to_pylist())}
    ids = source["id"].to_pylist()
    both = [(place, places[id]) for place, id in enumerate(ids) if id in places]
    first, second = ([pair[side] for pair in both] for side in (0, 1))
    return Bitext(
        [ids[place] for place in first],
        with_wrong_tags(source.take(pa.array(first, pa.int64())), wrong_tags, seed),
        with_wrong_tags(target.take(pa.array(second, pa.int64())), wrong_tags, seed),
    )


def _usable(table: pa.Table) -> pa.Table:
    return table.filter(
        pc.and_(pc.is_null(table["set_aside"]), pc.not_equal(pc.utf8_trim_whitespace(table["text"]), ""))
    )


def divide_all(bitexts: Mapping[str, Bitext], how: Division, seed: int) -> dict[str, Divided]:
    """Texts that one encoder learns: what one of them keeps back is learnt from no other, whatever its id there."""
    alone = {name: divide(bitext, how, seed) for name, bitext in bitexts.items()}
    held = {
        plain(text) for one in alone.values() for part in (one.dev, one.test) for side in part.texts() for text in side
    }
    return {name: divide(bitext, how, seed, held) for name, bitext in bitexts.items()}


def divide(bitext: Bitext, how: Division, seed: int, elsewhere: AbstractSet[str] = frozenset()) -> Divided:
    """By a hash of the id. What stands in dev or test is learnt from nowhere, and stands there once.

    `elsewhere` are texts that others keep back, as `plain` writes them.
    """
    fate = np.array([_fate(id, seed) for id in bitext.ids])
    order = np.argsort(fate, kind="stable").tolist()  # so that the first ones are random ones
    test, dev, train = list[int](), list[int](), list[int]()
    kept_back, dropped = set[str](), dict.fromkeys(("short", "untranslated", "repeated", "kept back"), 0)
    seen = set[tuple[str, str]]()
    for place in order:
        sides = plain(bitext.source[place].text), plain(bitext.target[place].text)
        held = fate[place] < how.test + how.dev
        away = any(side in kept_back or (not held and side in elsewhere) for side in sides)
        if reason := _wrong(sides, how, held, away, seen):
            dropped[reason] += 1
            continue
        seen.add(sides)
        if held:
            kept_back.update(sides)
        (test if fate[place] < how.test else dev if held else train).append(place)
    learnt = noisy(bitext.take(sorted(train[: how.pairs])), how.noise, seed)
    return Divided(learnt, bitext.take(dev[: how.most]), bitext.take(test[: how.most]), dropped)


def _wrong(sides: tuple[str, str], how: Division, held: bool, away: bool, seen: set[tuple[str, str]]) -> str | None:
    if min(len(side.split()) for side in sides) < how.least_words:
        return "short"
    if sides[0] == sides[1]:
        return "untranslated"
    if away:
        return "repeated" if held else "kept back"
    return "repeated" if sides in seen else None


def noisy(bitext: Bitext, share: float, seed: int) -> Bitext:
    """Some pairs with the partner of another of them."""
    draws = Draws.of(seed, "noise").uniform(0, np.arange(len(bitext)), np.zeros(len(bitext), np.int64))
    wrong = np.flatnonzero(draws < share)
    target = list(bitext.target)
    for place, other in zip(wrong.tolist(), np.roll(wrong, 1).tolist(), strict=True):
        target[place] = bitext.target[other]
    return Bitext(bitext.ids, bitext.source, target)


def with_wrong_tags(table: pa.Table, share: float, seed: int) -> list[Tagged]:
    """The tagged sentences of a table, some of their tags on any word: as many tags, and worse ones."""
    found = tagged(table)
    if not share:
        return found
    return [_moved(one, share, np.random.default_rng(Draws.of(seed, "tags", one.text).key)) for one in found]


def _moved(one: Tagged, share: float, random: np.random.Generator) -> Tagged:
    every, spans = words(one.text), list(one.spans)
    for place, span in enumerate(spans):
        if every and random.random() < share:
            word = every[random.integers(len(every))]
            spans[place] = span._replace(start=word.start, end=word.end)
    return Tagged(one.text, spans)


def sentences(bitexts: Iterable[Bitext]) -> list[Tagged]:
    """Both sides of all, each text once: what the first stage learns from."""
    both = (one for bitext in bitexts for side in (bitext.source, bitext.target) for one in side)
    return list({one.text: one for one in both}.values())


def pairs(bitexts: Iterable[Bitext], how: Layout) -> list[tuple[Tagged, Tagged]]:
    """What the second stage learns from."""
    every = [pair for bitext in bitexts for pair in zip(bitext.source, bitext.target, strict=True)]
    turned = slice(1, None, 2) if how.either_order else slice(0)
    every[turned] = [(target, source) for source, target in every[turned]]
    return every


def plain(text: str) -> str:
    """As texts are compared: neither case nor spaces tell them apart."""
    return " ".join(text.casefold().split())


def _fate(id: str, seed: int) -> float:
    digest = hashlib.blake2b(f"{seed}\0{id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / _UNIT
