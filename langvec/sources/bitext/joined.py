"""Pairs of a parallel source: lines of two of its languages that have one id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from langvec.cleaning import clean
from langvec.passages import Passages
from langvec.sources import AnySource
from langvec.sources.bitext.base import Bitext, PairBatch


class Joined(Bitext):
    """The bundled Declaration, message catalogs, tables with ids: sources of `corpora` in other commands.

    The lines of the target side are held in memory, those of the source side are not.
    """

    kind: Literal["joined"] = "joined"
    of: AnySource = Field(description="a source of text that has both languages, and ids")

    def problems(self) -> list[str]:
        missing = [code for code in self.languages if code not in self.of.codes()]
        if missing:
            return [f"{', '.join(missing)} is not among the languages of `of`. Expected both languages of the pair."]
        return self.of.problems()

    def identity(self) -> dict[str, str]:
        return {f"{code} {what}": which for code in self.languages for what, which in self.of.identity(code).items()}

    def read(self) -> Iterator[PairBatch]:
        partner_of = {id: text for some in self._lines(self.languages[1]) for id, text in some}
        for some in self._lines(self.languages[0]):
            both = [(text, partner_of[id], id) for id, text in some if id in partner_of]
            yield PairBatch(*(list(column) for column in zip(*both, strict=True))) if both else PairBatch([], [], [])

    def _lines(self, code: str) -> Iterator[list[tuple[str, str]]]:
        """Ids and lines of a language, batch by batch."""
        ids = Passages()
        for batch in self.of.read(code):
            lines = clean("\n".join(batch.texts)) if batch.texts else []
            yield list(zip(ids.of(batch), lines, strict=True))
