"""Sentences as sub-word tokens that know which word and which entity they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from masking.tagging.kinds import KINDS, Kind

BITS: dict[Kind, int] = {kind: 1 << place for place, kind in enumerate(KINDS)}
NONE = -1  # the word of a special token, the name of a token outside names
Sample = Mapping[str, Any]  # the arrays of one sentence, and its number

_COLUMNS = {"ids": np.int32, "words": np.int32, "kinds": np.uint8, "names": np.int32}
SCHEMA = pa.schema([(name, pa.list_(pa.from_numpy_dtype(np.dtype(kind)))) for name, kind in _COLUMNS.items()])


@dataclass(frozen=True)
class Tokens:
    """Tokens of some sentences, end to end; each array has one entry a token, but `starts` one a sentence and the end.

    `words` number the words of a sentence, NONE for special tokens; `kinds` are BITS of what the token is part of;
    `names` number the named entities of a sentence, NONE outside. `samples` are the numbers of the sentences.
    """

    starts: np.ndarray
    ids: np.ndarray
    words: np.ndarray
    kinds: np.ndarray
    names: np.ndarray
    samples: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, place: int) -> Sample:
        """One sentence, as data loaders want it."""
        if not 0 <= place < len(self):
            raise IndexError(place)
        part = slice(self.starts[place], self.starts[place + 1])
        return {name: getattr(self, name)[part] for name in _COLUMNS} | {"sample": int(self.samples[place])}

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Tokens:
        """Sentences put end to end again: a batch."""
        sizes = [len(sample["ids"]) for sample in samples]
        columns = {name: _joined([sample[name] for sample in samples], kind) for name, kind in _COLUMNS.items()}
        numbers = np.array([sample["sample"] for sample in samples], np.int64)
        return cls(np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]), **columns, samples=numbers)

    @property
    def rows(self) -> np.ndarray:
        """For each token, the place of its sentence."""
        return np.asarray(np.repeat(np.arange(len(self)), np.diff(self.starts)))

    @property
    def places(self) -> np.ndarray:
        """For each token, its place in its sentence."""
        return np.asarray(np.arange(len(self.ids)) - np.repeat(self.starts[:-1], np.diff(self.starts)))

    def to_table(self) -> pa.Table:
        starts = pa.array(self.starts, pa.int32())
        arrays = [pa.ListArray.from_arrays(starts, pa.array(getattr(self, name))) for name in _COLUMNS]
        return pa.table(arrays, schema=SCHEMA)

    @classmethod
    def from_table(cls, table: pa.Table) -> Tokens:
        """The tokens of a table, its rows numbered from 0."""
        column = table.combine_chunks()["ids"]
        sizes = np.diff(column.chunk(0).offsets.to_numpy()) if table.num_rows else np.zeros(0, np.int64)
        arrays = {
            name: np.asarray(table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)) for name in _COLUMNS
        }
        starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        return cls(starts, **arrays, samples=np.arange(table.num_rows))


def _joined(arrays: Sequence[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate([np.asarray(array, kind) for array in arrays]) if arrays else np.zeros(0, kind)
