"""Alphabets: text to whole numbers and back, without loss.

Ids 0 to `symbols - 1` stand for text; `boundary` (begin and end of a sentence) comes after them, so that stored text
needs the smallest dtype. What an alphabet does not know it never hides: the code points behind UNK symbols are kept
beside the ids, and `unknown_nats` is what each of them costs on top of the UNK symbol.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field

from langvec.config import Strict
from langvec.corpus import read_lines

SCALAR_VALUES = 0x110000 - 0x800  # what Unicode text can hold: all code points but the surrogates
UNKNOWN = np.dtype([("sentence", "<u8"), ("code_point", "<u4")])
_NOTHING = np.empty(0, UNKNOWN)


class Encoded(NamedTuple):
    """Sentences as symbols, end to end."""

    ids: np.ndarray  # (symbols,)
    lengths: np.ndarray  # (sentences,) symbols of each
    unknown: np.ndarray  # the characters behind the UNK symbols, in order: (sentence, code_point) of each


class Alphabet(Protocol):
    """What every alphabet can do."""

    kind: str
    symbols: int
    unknown_nats: float

    @property
    def boundary(self) -> int: ...
    def encode(self, lines: pa.StringArray) -> Encoded: ...
    def decode(self, encoded: Encoded) -> list[str]: ...
    def to_json(self) -> dict[str, Any]: ...


class ByteAlphabet:
    """UTF-8 bytes: one alphabet for every text there is, nothing unknown, nothing to fit."""

    kind = "byte"
    symbols = 256
    unknown_nats = 0.0
    boundary = 256

    def encode(self, lines: pa.StringArray) -> Encoded:
        """Arrow already holds the bytes end to end: nothing is copied."""
        offsets = _offsets(lines)
        data = np.frombuffer(lines.buffers()[2] or b"", np.uint8)
        return Encoded(data[offsets[0] : offsets[-1]], np.diff(offsets), _NOTHING)

    def decode(self, encoded: Encoded) -> list[str]:
        return [piece.tobytes().decode() for piece in _sentences(encoded)]

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind}


class CharAlphabet:
    """Unicode characters of a shared inventory; any other becomes UNK, at the price of choosing it blindly."""

    kind = "char"

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self.unknown = len(characters)
        self.symbols = len(characters) + 1
        self.boundary = self.symbols
        # UNK says "none of the inventory"; which one it is, is uniform over the rest of Unicode.
        self.unknown_nats = math.log(SCALAR_VALUES - len(characters))
        self._points = np.frombuffer(characters.encode("utf-32-le"), np.uint32)
        self._id_of = np.full(0x110000, self.unknown, np.min_scalar_type(self.unknown))
        self._id_of[self._points] = np.arange(len(characters))

    def encode(self, lines: pa.StringArray) -> Encoded:
        points = np.frombuffer(_text(lines).encode("utf-32-le"), np.uint32)
        ids = self._id_of[points]
        lengths = pc.utf8_length(lines).to_numpy().astype(np.int64)
        at = np.flatnonzero(ids == self.unknown)
        unknown = np.empty(at.size, UNKNOWN)
        unknown["sentence"] = np.searchsorted(np.cumsum(lengths), at, side="right")
        unknown["code_point"] = points[at]
        return Encoded(ids, lengths, unknown)

    def decode(self, encoded: Encoded) -> list[str]:
        known = encoded.ids != self.unknown
        points = np.empty(encoded.ids.size, np.uint32)
        points[known] = self._points[encoded.ids[known]]
        points[~known] = encoded.unknown["code_point"]
        return [piece.tobytes().decode("utf-32-le") for piece in _sentences(encoded._replace(ids=points))]

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "characters": self.characters}


class BpeAlphabet:
    """Byte-level byte-pair encoding by the library `tokenizers`: longer symbols, still nothing unknown."""

    kind = "bpe"
    unknown_nats = 0.0

    def __init__(self, model: str) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_str(model)
        self.symbols = int(self._tokenizer.get_vocab_size())
        self.boundary = self.symbols

    def encode(self, lines: pa.StringArray) -> Encoded:
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(lines.to_pylist())]
        lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
        ids = np.fromiter((i for piece in pieces for i in piece), np.min_scalar_type(self.symbols - 1), lengths.sum())
        return Encoded(ids, lengths, _NOTHING)

    def decode(self, encoded: Encoded) -> list[str]:
        return [self._tokenizer.decode(piece.tolist(), skip_special_tokens=False) for piece in _sentences(encoded)]

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "tokenizer": json.loads(self._tokenizer.to_str())}


class ByteRecipe(Strict):
    """Bytes need no fitting."""

    fitted: ClassVar[bool] = False
    kind: Literal["byte"] = "byte"

    def tools(self) -> dict[str, str]:
        return {}

    def fit(self, corpora: Mapping[str, Path]) -> ByteAlphabet:
        return ByteAlphabet()


class CharRecipe(Strict):
    """One inventory for all languages, from their training text."""

    fitted: ClassVar[bool] = True
    kind: Literal["char"] = "char"
    min_count: int = Field(
        2, ge=1, description="rarer characters become UNK; at 2 the models learn from hapaxes what an UNK is worth"
    )

    def tools(self) -> dict[str, str]:
        return {}

    def fit(self, corpora: Mapping[str, Path]) -> CharAlphabet:
        """Corpora are folders written by `Corpus.write`."""
        counts = np.zeros(0x110000, np.int64)
        for folder in corpora.values():
            table = pq.read_table(folder / "characters.parquet", columns=["code_point", "train"])
            counts[table["code_point"].to_numpy()] += table["train"].to_numpy()
        inventory = np.flatnonzero(counts >= self.min_count).astype("<u4")
        return CharAlphabet(inventory.tobytes().decode("utf-32-le"))


class BpeRecipe(Strict):
    """Sub-words shared by all languages; each gives as many lines, so that large corpora do not own the inventory."""

    fitted: ClassVar[bool] = True
    kind: Literal["bpe"] = "bpe"
    size: int = Field(8000, ge=257, le=65536)
    lines_per_language: int = Field(20_000, ge=1)

    def tools(self) -> dict[str, str]:
        return {"tokenizers": version("tokenizers")}

    def fit(self, corpora: Mapping[str, Path]) -> BpeAlphabet:
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=self.size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
        )
        tokenizer.train_from_iterator(self._sample(corpora), trainer)
        return BpeAlphabet(tokenizer.to_str())

    def _sample(self, corpora: Mapping[str, Path]) -> Iterable[str]:
        for _, folder in sorted(corpora.items()):  # the order in the recipe must not decide between equal counts
            left = self.lines_per_language
            for batch in read_lines(folder, "train"):
                yield from batch["line"][:left].to_pylist()
                left -= len(batch)
                if left <= 0:
                    break


AlphabetRecipe = Annotated[ByteRecipe | CharRecipe | BpeRecipe, Field(discriminator="kind")]


def save_alphabet(alphabet: Alphabet, file: Path) -> None:
    file.write_text(json.dumps(alphabet.to_json(), ensure_ascii=False, sort_keys=True), encoding="utf-8")


def load_alphabet(file: Path) -> Alphabet:
    stored = json.loads(file.read_text(encoding="utf-8"))
    match stored["kind"]:
        case "byte":
            return ByteAlphabet()
        case "char":
            return CharAlphabet(stored["characters"])
        case _:
            return BpeAlphabet(json.dumps(stored["tokenizer"]))


def _offsets(lines: pa.StringArray) -> np.ndarray:
    return np.frombuffer(lines.buffers()[1], np.int32)[lines.offset : lines.offset + len(lines) + 1].astype(np.int64)


def _text(lines: pa.StringArray) -> str:
    offsets = _offsets(lines)
    return bytes(memoryview(lines.buffers()[2] or b"")[offsets[0] : offsets[-1]]).decode()


def _sentences(encoded: Encoded) -> list[np.ndarray]:
    return np.split(encoded.ids, np.cumsum(encoded.lengths)[:-1]) if encoded.lengths.size else []
