"""The stage of sentences: every line of a source with an id, in blocks that are tagged one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from langvec.cleaning import clean
from langvec.errors import InputError
from langvec.languages import find
from langvec.passages import Passages
from langvec.sources import AnySource
from langvec.sources.markup import has_letter
from ray_jobs.stages import Desk, Piece

FORMAT = 1  # raise when the stage writes something else than before
SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string())])


def piece(source: AnySource, code: str, per_block: int, seed: int, name: str = "") -> Piece:
    """`name` is another than the code, where there are several texts in a language."""
    config = {"sentences_per_block": per_block, "format": FORMAT}
    return Piece(
        "sentences", name or code, partial(_write, source, code, per_block), config, source.identity(code), seed=seed
    )


def block_file(number: int) -> str:
    return f"{number:05}.parquet"


def _write(source: AnySource, code: str, per_block: int, desk: Desk) -> dict[str, Any]:
    blocks, ids, script, foreign = _Blocks(desk.folder, per_block), Passages(), find(code).script, 0
    for batch in source.read(code):
        lines = clean("\n".join(batch.texts)) if batch.texts else []
        foreign += sum(bool(line) and not has_letter(line, script) for line in lines)
        blocks.add(ids.of(batch), lines)
    blocks.close()
    if not blocks.sentences:
        raise InputError(f"{code}: the source holds no text. Expected sentences to tag; check the files and columns.")
    return {"sentences": blocks.sentences, "blocks": blocks.written, "without_a_letter_of_the_script": foreign}


class _Blocks:
    """Files of so many sentences each."""

    def __init__(self, folder: Path, per_block: int) -> None:
        self._folder, self._per_block = folder, per_block
        self._ids: list[str] = []
        self._texts: list[str] = []
        self.sentences = self.written = 0

    def add(self, ids: Sequence[str], texts: Sequence[str]) -> None:
        self._ids += ids
        self._texts += texts
        while len(self._ids) >= self._per_block:
            self._write(self._per_block)

    def close(self) -> None:
        if self._ids:
            self._write(len(self._ids))

    def _write(self, count: int) -> None:
        table = pa.table([self._ids[:count], self._texts[:count]], schema=SCHEMA)
        pq.write_table(table, self._folder / block_file(self.written), compression="zstd")
        del self._ids[:count], self._texts[:count]
        self.sentences += count
        self.written += 1


def read_block(folder: Path, number: int) -> pa.Table:
    return pq.read_table(folder / block_file(number))


def texts(folder: Path) -> Iterator[str]:
    """All sentences of a written piece."""
    for file in sorted(folder.glob("*.parquet")):
        yield from pq.read_table(file, columns=["text"])["text"].to_pylist()
