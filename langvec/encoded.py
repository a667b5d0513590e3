"""Encoded corpora on disk: symbols in a flat file that is mapped into memory, never loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from langvec.alphabet import UNKNOWN, Alphabet, Encoded, load_alphabet
from langvec.cleaning import SPLITS
from langvec.corpus import read_lines


@dataclass(frozen=True)
class EncodedSplit:
    """The sentences of one split: sentence i is `ids[offsets[i]:offsets[i + 1]]`. All arrays are views of files."""

    alphabet: Alphabet
    ids: np.ndarray
    offsets: np.ndarray  # (sentences + 1,) uint64
    folds: np.ndarray  # (sentences,) uint8
    unknown: np.ndarray  # (UNK symbols,) sentence and code point of each, in order

    @classmethod
    def open(cls, folder: Path, split: str, alphabet: Alphabet) -> EncodedSplit:
        header = json.loads((folder / "encoded.json").read_text())
        kinds = {"ids": header["dtype"], "offsets": "<u8", "folds": "u1", "unknown": UNKNOWN}
        return cls(alphabet, **{name: _map(folder / f"{split}.{name}", np.dtype(kind)) for name, kind in kinds.items()})

    def __len__(self) -> int:
        return self.folds.size

    def __getitem__(self, sentence: int) -> np.ndarray:
        return self.ids[self.offsets[sentence] : self.offsets[sentence + 1]]

    def text(self, start: int, stop: int) -> list[str]:
        """The sentences as they were before encoding."""
        first, last = np.searchsorted(self.unknown["sentence"], [start, stop])
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
    files = {name: (folder / f"{split}.{name}").open("wb") for name in ("ids", "offsets", "folds", "unknown")}
    counts = {"sentences": 0, "symbols": 0, "unknown": 0}
    files["offsets"].write(np.zeros(1, "<u8").tobytes())
    for batch in read_lines(corpus, split):
        encoded = alphabet.encode(batch["line"])
        ends = counts["symbols"] + np.cumsum(encoded.lengths)
        files["ids"].write(encoded.ids.astype(dtype, copy=False).tobytes())
        files["offsets"].write(ends.astype("<u8").tobytes())
        files["folds"].write(batch["fold"].to_numpy().tobytes())
        encoded.unknown["sentence"] += counts["sentences"]
        files["unknown"].write(encoded.unknown.tobytes())
        counts["sentences"] += len(batch)
        counts["symbols"] += encoded.ids.size
        counts["unknown"] += encoded.unknown.size
    for file in files.values():
        file.close()
    return counts


def _map(file: Path, dtype: np.dtype) -> np.ndarray:
    # An empty file cannot be mapped.
    return np.memmap(file, dtype, "r") if file.stat().st_size else np.empty(0, dtype)
