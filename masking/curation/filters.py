"""Filters of pairs: each is a threshold on something that can be counted, and a reason to leave a pair out."""

from __future__ import annotations

import re
import unicodedata
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import log
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from langvec.config import Strict
from langvec.languages import find
from masking.tagging.words import words

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Side = Literal["pair", "source", "target"]
SIDES = (0, 1)

_NUMBER = re.compile(r"\d+(?:[.,:/\u066b\u066c]\d+)*")
_KEPT = re.compile(
    r"""https?://\S+ | www\.\S+ | (?<![^\s@])[^\s@]++@[^\s@]+\.\w+ | </?[A-Za-z][^<>]*> | \{[^{}\s]*\}
      | \$\{[^{}\s]*\}
      | %(?:\([^()\s]+\)|\d+\$)?[sdifg](?![a-z]) | &(?:\#\d+|[A-Za-z]+);""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Candidates:
    """Pairs to look at, and what cannot be told from the texts alone.

    `seen` says of each pair whether one like it came before; `letters` of a character whether it is of the script of
    the side; `centre` is the median of log(characters of target / characters of source); `margin` gives, for the texts
    of a side and some other languages, the nats a character by which the side's own language explains them better.
    """

    sources: Sequence[str]
    targets: Sequence[str]
    seen: Mapping[Side, Flags] = field(default_factory=dict)
    letters: tuple[Callable[[str], bool], Callable[[str], bool]] = (str.isalpha, str.isalpha)
    centre: float = 0.0
    margin: Callable[[int, tuple[str, ...]], Floats] | None = None

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def sides(self) -> tuple[Sequence[str], Sequence[str]]:
        return self.sources, self.targets

    def pairs(self) -> Iterable[tuple[str, str]]:
        return zip(self.sources, self.targets, strict=True)


class Filter(Strict):
    """A reason to leave pairs out; its kind is the name of the reason."""

    @abstractmethod
    def refused(self, pairs: Candidates) -> Flags:
        """Which pairs to leave out."""


class Length(Filter):
    """Sides that are too short to say anything, or too long to be one sentence."""

    kind: Literal["length"] = "length"
    min_chars: int = Field(1, ge=1, description="characters of each side at least")
    max_chars: int = Field(1000, ge=1, description="and at most")
    min_words: int = Field(1, ge=1, description="words of each side at least")
    max_words: int = Field(150, ge=1, description="and at most")

    def refused(self, pairs: Candidates) -> Flags:
        return _either(pairs, lambda text, _: not (self._fits(text)))

    def _fits(self, text: str) -> bool:
        if not self.min_chars <= len(text) <= self.max_chars:
            return False
        return self.min_words <= len(text.split()) <= self.max_words


class Ratio(Filter):
    """Sides of which one is much longer than it should be beside the other."""

    kind: Literal["ratio"] = "ratio"
    centre: float | None = Field(
        None, gt=0, description="characters of the target for one of the source; null: the median of the corpus"
    )
    factor: float = Field(2.5, gt=1, description="how many times longer or shorter than that a target may be")

    def refused(self, pairs: Candidates) -> Flags:
        return deviations(pairs, self.centre) > log(self.factor)


class Numbers(Filter):
    """Numbers that only one side has; digits of all scripts count as the same."""

    kind: Literal["numbers"] = "numbers"
    shared: float = Field(0.5, ge=0, le=1, description="share of the numbers that both sides must have")

    def refused(self, pairs: Candidates) -> Flags:
        return _each(pairs, lambda source, target: _common(_numbers(source), _numbers(target)) < self.shared)


class Copied(Filter):
    """Text that is not translated."""

    kind: Literal["copied"] = "copied"
    most: float = Field(0.6, gt=0, le=1, description="share of equal words, whatever their case, that is allowed")

    def refused(self, pairs: Candidates) -> Flags:
        return _each(pairs, lambda source, target: _equal_words(source, target) > self.most)


class Script(Filter):
    """Letters of another script than the language is written in."""

    kind: Literal["script"] = "script"
    least: float = Field(0.5, ge=0, le=1, description="share of the letters that are of the right script, on each side")

    def refused(self, pairs: Candidates) -> Flags:
        return _either(pairs, lambda text, side: _share_of(pairs.letters[side], text) < self.least)


class Punctuation(Filter):
    """Text that is mostly no text: marks, symbols, what is left of a layout."""

    kind: Literal["punctuation"] = "punctuation"
    most: float = Field(0.4, ge=0, le=1, description="share of punctuation and symbols among all but spaces")

    def refused(self, pairs: Candidates) -> Flags:
        return _either(pairs, lambda text, _: _marks(text) > self.most)


class Placeholders(Filter):
    """URLs, addresses, placeholders, tags and entities that only one side has."""

    kind: Literal["placeholders"] = "placeholders"
    shared: float = Field(0.5, ge=0, le=1, description="share of them that both sides must have")

    def refused(self, pairs: Candidates) -> Flags:
        return _each(pairs, lambda a, b: _common(_KEPT.findall(a), _KEPT.findall(b)) < self.shared)


class Repetition(Filter):
    """Text that says the same again and again."""

    kind: Literal["repetition"] = "repetition"
    least_distinct: float = Field(0.4, ge=0, le=1, description="share of different words, in ten words or more")
    longest_run: int = Field(8, ge=2, description="times that one character may stand in a row; dots and lines too")

    def refused(self, pairs: Candidates) -> Flags:
        return _either(pairs, lambda text, _: self._repeats(text))

    def _repeats(self, text: str) -> bool:
        found = text.casefold().split()
        if len(found) >= _MANY and len(set(found)) < self.least_distinct * len(found):
            return True
        return bool(re.search(rf"(\S)\1{{{self.longest_run}}}", text))


class Duplicate(Filter):
    """Pairs like one that came before, as neither case nor spaces tell them apart."""

    kind: Literal["duplicate"] = "duplicate"
    of: tuple[Side, ...] = Field(("pair",), min_length=1, description="what may not come twice: pair, source, target")

    def refused(self, pairs: Candidates) -> Flags:
        return np.asarray(np.any([pairs.seen[side] for side in self.of], axis=0))


def _canonical(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(find(code).code for code in codes)


class LanguageId(Filter):
    """Text that another language explains better than the one it should be in."""

    kind: Literal["language"] = "language"
    others: Annotated[tuple[str, ...], AfterValidator(_canonical)] = Field(
        (
            "eng",
            "spa",
            "por",
            "fra",
            "ita",
            "deu",
            "nld",
            "swe",
            "pol",
            "ces",
            "ind",
            "vie",
            "tur",
            "rus",
            "arb",
            "hin",
        ),
        min_length=1,
        description="languages that text may be in by mistake",
    )
    margin: float = Field(0.0, description="nats a character by which the right language must be better than any other")
    min_chars: int = Field(20, ge=1, description="shorter text is too short to tell")

    def refused(self, pairs: Candidates) -> Flags:
        if pairs.margin is None:
            raise AssertionError("whoever asks for languages gives what tells them")
        found = np.zeros(len(pairs), bool)
        for side in SIDES:
            long_enough = np.fromiter((len(text) >= self.min_chars for text in pairs.sides[side]), bool, len(pairs))
            found |= long_enough & (pairs.margin(side, self.others) < self.margin)
        return found


AnyFilter = Annotated[
    Length | Ratio | Numbers | Copied | Script | Punctuation | Placeholders | Repetition | Duplicate | LanguageId,
    Field(discriminator="kind"),
]
_MANY = 10  # words in which repetition can be told


def reasons(filters: Sequence[AnyFilter], pairs: Candidates) -> list[list[str]]:
    """Of each pair every reason to leave it out, in the order of the filters; none: it stays."""
    flags = [(one.kind, one.refused(pairs)) for one in filters]
    return [[kind for kind, refused in flags if refused[place]] for place in range(len(pairs))]


def counts(found: Iterable[Sequence[str]], filters: Sequence[AnyFilter]) -> list[dict[str, int | str]]:
    """For each filter how many pairs it refuses, and how many no filter before it has refused."""
    several = list(found)
    first, every = Counter(one[0] for one in several if one), Counter(kind for one in several for kind in one)
    return [{"reason": one.kind, "first": first[one.kind], "any": every[one.kind]} for one in filters]


def deviations(pairs: Candidates, centre: float | None = None) -> Floats:
    """How far each length ratio is from what it should be, as the absolute difference of logarithms."""
    middle = pairs.centre if centre is None else log(centre)
    return np.asarray(np.abs(log_ratios(pairs.sources, pairs.targets) - middle))


def log_ratios(sources: Sequence[str], targets: Sequence[str]) -> Floats:
    """log(characters of target / characters of source); an empty side counts as one character."""
    lengths = [np.fromiter((max(1, len(text)) for text in side), np.float64, len(side)) for side in (sources, targets)]
    return np.asarray(np.log(lengths[1]) - np.log(lengths[0]))


def _each(pairs: Candidates, wrong: Callable[[str, str], bool]) -> Flags:
    return np.fromiter((wrong(source, target) for source, target in pairs.pairs()), bool, len(pairs))


def _either(pairs: Candidates, wrong: Callable[[str, int], bool]) -> Flags:
    return _each(pairs, lambda source, target: wrong(source, 0) or wrong(target, 1))


def _numbers(text: str) -> list[str]:
    """Numbers in European digits and without separators: 1,000 and 1.000 are one."""
    return [
        "".join(str(unicodedata.digit(char)) for char in found if char.isdecimal()) for found in _NUMBER.findall(text)
    ]


def _common(some: Sequence[str], others: Sequence[str]) -> float:
    """Share of two lists that is in both; 1 if there is nothing."""
    if not some and not others:
        return 1.0
    return 2 * sum((Counter(some) & Counter(others)).values()) / (len(some) + len(others))


def _equal_words(source: str, target: str) -> float:
    """Equal words as a share of the shorter side."""
    a, b = ([word.text.casefold() for word in words(text)] for text in (source, target))
    return sum((Counter(a) & Counter(b)).values()) / max(1, min(len(a), len(b)))


def _share_of(letter: Callable[[str], bool], text: str) -> float:
    """Share of the letters that are of a script; 1 if there is no letter."""
    found = [char for char in text if char.isalpha()]
    return sum(map(letter, found)) / len(found) if found else 1.0


def _marks(text: str) -> float:
    found = [char for char in text if not char.isspace()]
    return sum(map(_is_mark, found)) / max(1, len(found))


@cache
def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] in "PS"
