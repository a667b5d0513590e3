"""What every source of text has to offer."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from langvec.config import Strict
from langvec.errors import InputError
from langvec.languages import find

BATCH_LINES = 5_000  # enough to amortise a call, few enough that whole documents fit in memory


class Batch(NamedTuple):
    """Some texts of one language, in source order.

    `passages` names the passage each text belongs to if the source is parallel; `dropped` counts, by reason, what the
    source itself left out while it made this batch.
    """

    texts: list[str]
    passages: list[str] | None = None
    dropped: Mapping[str, int] = MappingProxyType({})


class Source(Strict):
    """Text in some languages. A source says what it holds, what is wrong with it, and reads one language."""

    @abstractmethod
    def codes(self) -> tuple[str, ...]:
        """Canonical codes of the languages this source is asked for."""

    @abstractmethod
    def problems(self) -> list[str]:
        """Every mistake that can be seen without reading the text, one paragraph each."""

    @abstractmethod
    def identity(self, code: str) -> dict[str, str]:
        """What the text of one language is made from, each with a hash: another text gives another identity."""

    @abstractmethod
    def read(self, code: str) -> Iterator[Batch]:
        """The texts of one language, always in the same order; memory does not grow with their number."""


def canonical(code: str) -> str:
    """`deu` as `deu_Latn`; ValueError, which pydantic gathers, if there is no such language."""
    try:
        return find(code).code
    except InputError as error:
        raise ValueError(str(error)) from None


def canonical_codes(codes: Iterable[str]) -> tuple[str, ...]:
    """Canonical codes in the order given; every wrong one and every repetition is named."""
    found: list[str] = []
    mistakes: list[str] = []
    for code in codes:
        try:
            found.append(canonical(code))
        except ValueError as error:
            mistakes.append(str(error))
    mistakes += [f"{code} is given twice" for code in sorted({code for code in found if found.count(code) > 1})]
    if not found and not mistakes:
        mistakes = ["no language is named; expected at least one code such as deu or sin_Sinh"]
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return tuple(found)


def canonical_keys(by_code: dict[str, str]) -> dict[str, str]:
    """A mapping from codes, with the codes canonical."""
    return dict(zip(canonical_codes(by_code), by_code.values(), strict=True)) if by_code else {}


Codes = Annotated[tuple[str, ...], AfterValidator(canonical_codes)]


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
