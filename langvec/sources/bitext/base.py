"""What every source of pairs has to offer."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, Field

from langvec.addresses import absolute
from langvec.config import Strict
from langvec.errors import InputError
from langvec.sources.base import Code
from langvec.sources.files import expand, fingerprint
from langvec.sources.formats import TextFile

Errors = Literal["strict", "replace"]


class PairBatch(NamedTuple):
    """Some pairs in the order of their source; a side may be empty."""

    sources: list[str]
    targets: list[str]
    ids: list[str] | None = None
    scores: list[float] | None = None  # what whoever mined the pairs thought of them; nan: nothing


def _two_languages(pair: tuple[str, str]) -> tuple[str, str]:
    if pair[0] == pair[1]:
        raise ValueError(f"{pair[0]} paired with itself; expected two languages")
    return pair


Languages = Annotated[tuple[Code, Code], AfterValidator(_two_languages)]
Path = Annotated[str, AfterValidator(absolute)]


class Bitext(Strict):
    """Sentences of two languages that are said to be translations of each other."""

    languages: Languages = Field(description="of the source side, and of the target side")

    @abstractmethod
    def problems(self) -> list[str]:
        """Every mistake that can be seen without reading all of the text, one paragraph each."""

    @abstractmethod
    def identity(self) -> dict[str, str]:
        """What the pairs are made from, each with a hash."""

    @abstractmethod
    def read(self) -> Iterator[PairBatch]:
        """The pairs, always in the same order."""


def opened(
    pattern: str, errors: Errors = "strict", suffix: str | None = None, header: bool = True, column: str = ""
) -> list[TextFile]:
    """The files that a path, glob or URI stands for."""
    filesystem, infos = expand(pattern)
    return [TextFile(filesystem, info.path, column, None, errors, suffix=suffix, header=header) for info in infos]


def contents(patterns: Sequence[str]) -> dict[str, str]:
    """Every file behind some patterns with its hash."""
    found: dict[str, str] = {}
    for place, pattern in enumerate(patterns):
        filesystem, infos = expand(pattern)
        root = os.path.commonpath([os.path.dirname(info.path) for info in infos])
        for info in infos:
            file = TextFile(filesystem, info.path, "", None, "strict")
            found[f"{place}/{os.path.relpath(info.path, root)}"] = fingerprint(info, file)
    return found


def first_mistake(batches: Iterator[PairBatch]) -> list[str]:
    """What goes wrong at the start of a source."""
    try:
        next(batches, None)
    except InputError as error:
        return [str(error)]
    return []
