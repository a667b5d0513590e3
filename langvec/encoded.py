"""Encoded corpora on disk: symbols in a flat file that is mapped into memory, never loaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from langvec.alphabet import UNKNOWN, Alphabet, Encoded, load_alphabet
from langvec.cleaning import SPLITS, folds, keys
from langvec.corpus import read_lines

KINDS = {"offsets": "<u8", "folds": "u1", "unknown": UNKNOWN, "chars": "<u4", "bytes": "<u4"}
COUNTS = {"chars": "utf8_length", "bytes": "binary_length"}  # the Arrow function that counts


@dataclass(frozen=True)
class EncodedSplit:
    """The sentences of one split: sentence i is `ids[offsets[i]:offsets[i + 1]]`. All arrays are views of files."""

    alphabet: Alphabet
    ids: np.ndarray
    offsets: np.ndarray  # (sentences + 1,) uint64
    folds: np.ndarray  # (sentences,) uint8
    unknown: np.ndarray  # (UNK symbols,) sentence and code point of each, in order
    chars: np.ndarray  # (sentences,) uint32
    bytes: np.ndarray  # (sentences,) uint32, in UTF-8

    @classmethod
    def open(cls, folder: Path, split: str, alphabet: Alphabet) -> EncodedSplit:
        header = json.loads((folder / "encoded.json").read_text())
        kinds = {"ids": header["dtype"]} | KINDS
        return cls(alphabet, **{name: _map(folder / f"{split}.{name}", np.dtype(kind)) for name, kind in kinds.items()})

    @classmethod
    def of_lines(cls, lines: Sequence[str], alphabet: Alphabet) -> EncodedSplit:
        """Sentences that are in no run, such as those of a file; each is a fold of its own as far as folds go."""
        column = pa.array(lines, pa.string())
        encoded = alphabet.encode(column)
        offsets = np.concatenate([[0], np.cumsum(encoded.lengths)]).astype(np.uint64)
        counts = {name: _count(column, function) for name, function in COUNTS.items()}
        return cls(alphabet, encoded.ids, offsets, folds(keys(lines)), encoded.unknown, **counts)

    def __len__(self) -> int:
        return self.folds.size

    def __getitem__(self, sentence: int) -> np.ndarray:
        return self.ids[self.offsets[sentence] : self.offsets[sentence + 1]]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets.astype(np.int64))

    def gather(self, sentences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The symbols of some sentences end to end, in the order asked for, and the length of each."""
        starts = self.offsets[sentences].astype(np.int64)
        lengths = self.offsets[sentences + 1].astype(np.int64) - starts
        return self.ids[spans(starts, lengths)], lengths

    def unknown_nats(self, sentences: np.ndarray) -> np.ndarray:
        """What the characters behind UNK cost in each of some sentences, beside the UNK symbols."""
        needles = sentences.astype(np.uint64)
        of_sentence = self.unknown["sentence"]
        count = np.searchsorted(of_sentence, needles + np.uint64(1)) - np.searchsorted(of_sentence, needles)
        return np.asarray(count * self.alphabet.unknown_nats)

    def text(self, start: int, stop: int) -> list[str]:
        """The sentences as they were before encoding."""
        first, last = np.searchsorted(self.unknown["sentence"], np.array([start, stop], np.uint64))
        offsets = self.offsets[start : stop + 1].astype(np.int64)
        part = Encoded(self.ids[offsets[0] : offsets[-1]], np.diff(offsets), self.unknown[first:last])
        return self.alphabet.decode(part)


def encode_corpus(corpus: Path, alphabet_file: Path, folder: Path) -> dict[str, Any]:
    """Encode every split of a written corpus into a folder and return the number of symbols of each."""
    alphabet = load_alphabet(alphabet_file)
    dtype = np.min_scalar_type(alphabet.symbols - 1).newbyteorder("<")
    (folder / "encoded.json").write_text(json.dumps({"alphabet": alphabet.kind, "dtype": dtype.str}))
    return {split: _encode_split(corpus, split, alphabet, dtype, folder) for split in SPLITS}


def _encode_split(corpus: Path, split: str, alphabet: Alphabet, dtype: np.dtype, folder: Path) -> dict[str, int]:
    counts = {"sentences": 0, "symbols": 0, "unknown": 0}
    with ExitStack() as stack:
        files = {name: stack.enter_context((folder / f"{split}.{name}").open("wb")) for name in ("ids", *KINDS)}
        files["offsets"].write(np.zeros(1, "<u8").tobytes())
        for batch in read_lines(corpus, split):
            encoded = alphabet.encode(batch["line"])
            ends = counts["symbols"] + np.cumsum(encoded.lengths)
            encoded.unknown["sentence"] += counts["sentences"]
            columns = {"ids": encoded.ids.astype(dtype, copy=False), "offsets": ends.astype("<u8")}
            columns |= {"folds": batch["fold"].to_numpy(), "unknown": encoded.unknown}
            columns |= {name: _count(batch["line"], function) for name, function in COUNTS.items()}
            for name, column in columns.items():
                files[name].write(column.tobytes())
            counts["sentences"] += len(batch)
            counts["symbols"] += encoded.ids.size
            counts["unknown"] += encoded.unknown.size
    return counts


def _count(lines: pa.Array, function: str) -> np.ndarray:
    return np.asarray(pc.call_function(function, [lines]), "<u4")


def spans(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The numbers starts[0], starts[0] + 1, ... of each span, one span after the other."""
    ends = np.cumsum(lengths)
    return np.asarray(np.arange(ends[-1] if ends.size else 0) + np.repeat(starts - ends + lengths, lengths))


def _map(file: Path, dtype: np.dtype) -> np.ndarray:
    # An empty file cannot be mapped.
    return np.memmap(file, dtype, "r") if file.stat().st_size else np.empty(0, dtype)
