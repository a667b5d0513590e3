"""What every source of labelled text has to offer."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from langvec.config import Strict

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Labelled(NamedTuple):
    """Texts with their labels, in source order.

    The same id means the same text in another language, where the source is parallel; `dropped` counts, by reason, the
    rows that were left out.
    """

    ids: list[str]
    texts: list[str]
    labels: list[str]
    dropped: Mapping[str, int] = MappingProxyType({})


class LabelledSource(Strict):
    """Labelled text in some languages, in up to three splits. All of a language and split fits in memory."""

    @abstractmethod
    def codes(self) -> tuple[str, ...]:
        """Canonical codes of the languages this source is asked for."""

    @abstractmethod
    def splits(self, code: str) -> tuple[Split, ...]:
        """The splits that a language has, in the order of SPLITS."""

    @abstractmethod
    def problems(self) -> list[str]:
        """Every mistake that can be seen without reading all of the text, one paragraph each."""

    @abstractmethod
    def identity(self, code: str, split: Split) -> dict[str, str]:
        """What the rows of one language and split are made from, each with a hash."""

    @abstractmethod
    def read(self, code: str, split: Split) -> Labelled:
        """All rows of one language and split, always in the same order."""
