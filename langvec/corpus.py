"""One language's corpus: read, cleaned, freed of duplicates, split, and every line accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from langvec.cleaning import SPLITS, Cleaning, Split, clean, folds, keys
from langvec.config import Strict
from langvec.errors import InputError
from langvec.sources import AnySource
from langvec.sources.base import Batch

SCHEMA = pa.schema([("line", pa.string()), ("passage", pa.string()), ("fold", pa.uint8())])
OUTCOMES = ("kept", "empty", "too short", "duplicate")  # what can become of a line; sources add reasons of their own
KEPT, EMPTY, SHORT, DUPLICATE = range(len(OUTCOMES))
_CODE_POINTS = 0x110000


class Corpus(Strict):
    """The full description of one language's text."""

    code: str
    source: AnySource
    cleaning: Cleaning = Cleaning()
    split: Split = Split()

    def write(self, folder: Path) -> dict[str, Any]:
        """Write `<split>.parquet` and `characters.parquet` into a folder and return the account of every line read."""
        seen, files, account = SeenKeys(), _SplitFiles(folder), Counter[str]()
        for batch in self.source.read(self.code):
            account.update(batch.dropped)
            self._add(batch, seen, files, account)
            if files.lines == self.cleaning.max_lines:
                break
        files.close()
        self._refuse_empty_splits(files.counts, account)
        stopped = files.lines == self.cleaning.max_lines
        return {"lines": dict(account), "stopped_at_max_lines": stopped, "splits": files.counts}

    def _add(self, batch: Batch, seen: SeenKeys, files: _SplitFiles, account: Counter[str]) -> None:
        lines = clean("\n".join(batch.texts), self.cleaning.romanise) if batch.texts else []
        outcome = self._outcomes(lines, seen, files.lines)
        account.update({OUTCOMES[i]: int(n) for i, n in enumerate(np.bincount(outcome)) if n})
        kept = np.flatnonzero(outcome == KEPT)
        passages = _passage_of_each_line(batch)
        chosen, of_passage = [lines[i] for i in kept], passages and [passages[i] for i in kept]
        decided_by = keys(of_passage if of_passage is not None else chosen)
        files.add(chosen, of_passage, self.split.of(decided_by), folds(decided_by))

    def _outcomes(self, lines: list[str], seen: SeenKeys, already: int) -> np.ndarray:
        """What becomes of each line, up to and including the one that reaches `max_lines`."""
        lengths = np.fromiter(map(len, lines), np.int64, len(lines))
        outcome = np.where(lengths == 0, EMPTY, np.where(lengths < self.cleaning.min_chars, SHORT, DUPLICATE))
        long_enough = np.flatnonzero(outcome == DUPLICATE)
        new = long_enough[seen.new(keys([lines[i] for i in long_enough]))]
        outcome[new] = KEPT
        cap = self.cleaning.max_lines
        if cap is None or already + new.size < cap:
            return outcome
        return outcome[: new[cap - already - 1] + 1]

    def _refuse_empty_splits(self, counts: dict[str, dict[str, int]], account: Counter[str]) -> None:
        empty = [name for name in SPLITS if not counts[name]["lines"]]
        if not empty:
            return
        found = ", ".join(f"{count:,} {outcome}" for outcome, count in account.items()) or "none"
        raise InputError(
            f"{self.code}: no line is left for {' and '.join(empty)}, and every split needs text. Lines read: {found}. "
            f"Give more text for {self.code}, lower cleaning.min_chars (now {self.cleaning.min_chars}) or change the "
            f"shares in `split` (now {self.split.train}:{self.split.validation}:{self.split.test})."
        )


def read_lines(folder: Path, split: str) -> Iterator[pa.RecordBatch]:
    """One split of a written corpus, a batch at a time."""
    with pq.ParquetFile(folder / f"{split}.parquet") as file:
        yield from file.iter_batches(batch_size=20_000)


def _passage_of_each_line(batch: Batch) -> list[str] | None:
    if batch.passages is None:
        return None
    pairs = zip(batch.texts, batch.passages, strict=True)
    return [passage for text, passage in pairs for _ in range(text.count("\n") + 1)]


class SeenKeys:
    """The keys met so far, at 8 bytes a key: sorted runs, each at least twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[np.ndarray] = []

    def new(self, keys: np.ndarray) -> np.ndarray:
        """Positions of the keys not met before, in order; from now on they count as met."""
        unique, first = np.unique(keys, return_index=True)
        unmet = np.ones(unique.size, bool)
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, unique), run.size - 1)
            unmet &= run[at] != unique
        if unmet.any():
            self._runs.append(unique[unmet])
        while len(self._runs) > 1 and self._runs[-2].size < 2 * self._runs[-1].size:
            last = self._runs.pop()
            self._runs[-1] = np.sort(np.concatenate([self._runs[-1], last]), kind="stable")
        return np.sort(first[unmet])


class _SplitFiles:
    """The Parquet files of the three splits while they are written, and the counts of what went into them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writers = {
            name: pq.ParquetWriter(folder / f"{name}.parquet", SCHEMA, compression="zstd") for name in SPLITS
        }
        self._characters = {name: np.zeros(_CODE_POINTS, np.int64) for name in SPLITS}
        self.counts = {name: {"lines": 0, "chars": 0, "bytes": 0} for name in SPLITS}

    @property
    def lines(self) -> int:
        return sum(counts["lines"] for counts in self.counts.values())

    def add(self, lines: list[str], passages: list[str] | None, split: np.ndarray, fold: np.ndarray) -> None:
        for index, name in enumerate(SPLITS):
            mine = np.flatnonzero(split == index)
            if mine.size:
                text = [lines[i] for i in mine]
                passage = pa.nulls(mine.size, pa.string()) if passages is None else [passages[i] for i in mine]
                rows = pa.record_batch([pa.array(text), passage, pa.array(fold[mine])], schema=SCHEMA)
                self._writers[name].write_batch(rows)
                self._count(name, "".join(text), len(text))

    def _count(self, name: str, text: str, lines: int) -> None:
        code_points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
        seen = np.bincount(code_points)
        self._characters[name][: seen.size] += seen
        counts = self.counts[name]
        for unit, more in (("lines", lines), ("chars", len(text)), ("bytes", len(text.encode()))):
            counts[unit] += more

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        used = np.flatnonzero(sum(self._characters.values()))
        columns = {"code_point": used.astype(np.uint32)} | {name: self._characters[name][used] for name in SPLITS}
        pq.write_table(pa.table(columns), self._folder / "characters.parquet", compression="zstd")
