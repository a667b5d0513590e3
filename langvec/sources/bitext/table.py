"""Pairs in the columns of a table: tsv, csv, jsonl or parquet, plain or compressed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from langvec.errors import InputError
from langvec.sources.bitext.base import Bitext, Errors, PairBatch, Path, contents, first_mistake, opened
from langvec.sources.formats import Rows, TextFile, text_in, value_in

_OPTIONS_OF_FILES = "in `column` (text) or `passage` (id shared by all languages)"
_OPTIONS = "in `source`, `target`, `id` or `score`; a file without names of columns needs `header: false`"


class Table(Bitext):
    """A file, a glob of files or a URI; a row is a pair.

    Of a table without names `header: false` makes them 1, 2 and so on; `translation.en` is a field inside a column.
    """

    kind: Literal["table"] = "table"
    files: Path = Field(description="file, glob or URI, e.g. pairs/*.tsv.gz")
    source: str = Field("source", description="column of the one side")
    target: str = Field("target", description="column of the other side")
    id: str | None = Field(None, description="column that names the pair; null: its number")
    score: str | None = Field(None, description="column with the score of whoever mined the pairs")
    header: bool = Field(True, description="csv and tsv: whether the first row names the columns")
    format: Literal["tsv", "csv", "jsonl", "parquet"] | None = Field(
        None, description="of files whose name does not end in it"
    )
    errors: Errors = Field("strict", description="what to do with bytes that are not UTF-8")

    def problems(self) -> list[str]:
        return first_mistake(self.read())

    def identity(self) -> dict[str, str]:
        read_as = self.model_dump(mode="json", exclude={"kind", "files", "languages"})
        return contents([self.files]) | {"read as": ", ".join(f"{name} {value}" for name, value in read_as.items())}

    def read(self) -> Iterator[PairBatch]:
        wanted = [name for name in (self.source, self.target, self.id, self.score) if name]
        suffix = f".{self.format}" if self.format else None
        for file in opened(self.files, self.errors, suffix, self.header):
            if file.format == ".txt":
                raise InputError(f"{file.path} is plain text, which has no columns. Expected a table, or kind: moses.")
            try:
                for rows in file.records(wanted):
                    yield self._batch(rows, file)
            except InputError as error:
                raise InputError(str(error).replace(_OPTIONS_OF_FILES, _OPTIONS)) from None

    def _batch(self, rows: Rows, file: TextFile) -> PairBatch:
        sources, targets = ([text_in(row, name, file.path) for row in rows] for name in (self.source, self.target))
        ids = [str(value_in(row, self.id, file.path)) for row in rows] if self.id else None
        scores = (
            [_number(value_in(row, self.score, file.path), self.score, file) for row in rows] if self.score else None
        )
        return PairBatch(sources, targets, ids, scores)


def _number(value: Any, column: str, file: TextFile) -> float:
    if value in (None, ""):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(f"{file.path}: expected a number in column {column!r}, found {value!r:.40}.") from None
