"""The bundled Universal Declaration of Human Rights: the same 30 articles in hundreds of languages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field, field_validator

from langvec.languages import find
from langvec.sources.base import Batch, ByCode, Codes, Source

TABLE = Path(__file__).parent.parent / "data" / "udhr.parquet"
# A split follows from the hash of the passage's name. With 31 passages chance decides much: under this spelling a
# 7:2:1 split gives 72%, 16% and 11% of the text (20, 5 and 6 articles); under some others no article is for testing.
PASSAGE = "UDHR:{:02}"


class Udhr(Source):
    """Multi-parallel: the article is the passage, so the same articles are held out in every language.

    Paragraphs would give more passages, but translators merge and split them; articles are the same everywhere.
    """

    kind: Literal["udhr"] = "udhr"
    languages: Codes = Field(description="codes, or `all` for every language bundled")
    translations: ByCode[str] = Field(
        {}, description="language code -> translation, e.g. por_Latn: por_PT; else the most complete one"
    )

    @field_validator("languages", mode="before")
    @classmethod
    def _every_language(cls, languages: Any) -> Any:
        return available() if languages == "all" else languages

    def codes(self) -> tuple[str, ...]:
        return self.languages

    def problems(self) -> list[str]:
        bundled = frozenset(available())
        unknown = [code for code in self.languages if code not in bundled]
        problems = [
            f"udhr: there is no Declaration in {code}. Expected one of the {len(bundled)} languages bundled"
            f"{_same_language(code)}; `langscape languages --bundled` lists them."
            for code in unknown
        ]
        return problems + [problem for code, name in self.translations.items() for problem in _wrong_choice(code, name)]

    def identity(self, code: str) -> dict[str, str]:
        rows = self._rows(code)
        digest = hashlib.sha256("\n".join(f"{a}\t{t}" for a, t in zip(*rows, strict=True)).encode())
        return {"udhr": digest.hexdigest()}

    def read(self, code: str) -> Iterator[Batch]:
        articles, texts = self._rows(code)
        yield Batch(texts, [PASSAGE.format(article) for article in articles])

    def _rows(self, code: str) -> tuple[list[int], list[str]]:
        """Article and text of each paragraph of the chosen translation."""
        name = self.translations.get(code) or translations(code)[0]
        rows = _table().filter((pc.field("lang") == code) & (pc.field("translation") == name))
        return rows["article"].to_pylist(), rows["text"].to_pylist()


def available() -> tuple[str, ...]:
    """Every language with a bundled Declaration."""
    return tuple(sorted(_table()["lang"].unique().to_pylist()))


def translations(code: str) -> list[str]:
    """The bundled translations into a language, the preferred one first."""
    return list(_table().filter(pc.field("lang") == code)["translation"].unique().to_pylist())


@cache
def _table() -> pa.Table:
    return pq.read_table(TABLE)


def _same_language(code: str) -> str:
    """The language in another script, or a macrolanguage's usual member: they share a Glottocode."""
    glottocode = find(code).glottocode
    others = [other for other in available() if find(other).glottocode == glottocode]
    return f" (this language is there as {', '.join(others)})" if others else ""


def _wrong_choice(code: str, name: str) -> list[str]:
    known = translations(code)
    if name in known:
        return []
    return [f"udhr.translations: {code} has no translation {name!r}. Expected one of: {', '.join(known) or 'none'}."]
