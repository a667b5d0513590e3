"""What every source of text has to offer."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import AfterValidator, BeforeValidator

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


def _each_once(codes: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise ValueError(f"{', '.join(twice)} given twice; expected each language once")
    if not codes:
        raise ValueError("no language is named; expected at least one code such as deu or sin_Sinh")
    return codes


def _no_twin_keys(by_code: Any) -> Any:
    """Refuse `deu` beside `deu_Latn`, of which a mapping with canonical keys would keep one in silence."""
    if isinstance(by_code, dict) and by_code:
        _each_once(tuple(_canonical_if_known(code) for code in by_code))
    return by_code


def _canonical_if_known(code: Any) -> str:
    """A key that is no text, such as YAML's `no`, is pydantic's to refuse."""
    try:
        return canonical(code) if isinstance(code, str) else repr(code)
    except ValueError:
        return str(code)


Value = TypeVar("Value")
Code = Annotated[str, AfterValidator(canonical)]
Codes = Annotated[tuple[Code, ...], AfterValidator(_each_once)]
ByCode = Annotated[dict[Code, Value], BeforeValidator(_no_twin_keys)]


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
