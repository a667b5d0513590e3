"""Encoding against what people use today: the same alphabet through a Hugging Face fast tokenizer.

Both sides turn one Arrow column of lines into one flat array of symbols and the length of each line, on one thread.
They take turns, and the ratio is that of each turn; the table shows the median. The symbols are compared.

    python benchmarks/encoding.py
"""

from __future__ import annotations

import os

os.environ["RAYON_NUM_THREADS"] = "1"

import csv
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

from langvec.alphabet import Alphabet, ByteAlphabet, CharAlphabet, Encoded
from langvec.sources import Udhr
from langvec.sources.udhr import available

TURNS = 7
LINES = 40_000


def main() -> None:
    lines = declaration_lines()
    characters = "".join(sorted(set("".join(lines.to_pylist()))))
    sides: list[tuple[str, Alphabet, Tokenizer]] = [
        ("byte", ByteAlphabet(), byte_tokenizer()),
        ("char", CharAlphabet(characters), char_tokenizer(characters)),
    ]
    rows = [compare(name, alphabet, tokenizer, lines) for name, alphabet, tokenizer in sides]
    with (Path(__file__).parent / "encoding.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    for row in rows:
        print(row)


def declaration_lines() -> pa.StringArray:
    """Real text in every script there is, long enough to time."""
    texts = [text for code in available() for batch in Udhr(languages=(code,)).read(code) for text in batch.texts]
    return pa.array((texts * (LINES // len(texts) + 1))[:LINES])


def byte_tokenizer() -> Tokenizer:
    """256 symbols and no merges; ids in the order of the bytes they stand for."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet(), key=_byte_of)
    tokenizer = Tokenizer(models.BPE(vocab={letter: i for i, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return tokenizer


def _byte_of(letter: str) -> int:
    decoded = decoders.ByteLevel().decode([letter]).encode("utf-8", "surrogateescape")
    return decoded[0] if len(decoded) == 1 else _lone_byte(letter)


def _lone_byte(letter: str) -> int:
    """Bytes that are no character alone are shown as code points from U+0100 on, in order; the others as themselves."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return hidden[ord(letter) - 256] if ord(letter) >= 256 else ord(letter)


def char_tokenizer(characters: str) -> Tokenizer:
    vocabulary = {character: i for i, character in enumerate(characters)} | {"[UNK]": len(characters)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    any_character = Regex("(?m:.)")  # in Oniguruma's dialect m lets the dot match a line feed
    tokenizer.pre_tokenizer = pre_tokenizers.Split(any_character, "isolated")
    return tokenizer


def through(tokenizer: Tokenizer) -> Callable[[pa.StringArray], Encoded]:
    def encode(lines: pa.StringArray) -> Encoded:
        pieces = [encoding.ids for encoding in tokenizer.encode_batch_fast(lines.to_pylist())]
        lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
        return Encoded(
            np.fromiter((i for piece in pieces for i in piece), np.uint16, lengths.sum()), lengths, lengths[:0]
        )

    return encode


def compare(name: str, alphabet: Alphabet, tokenizer: Tokenizer, lines: pa.StringArray) -> dict[str, object]:
    theirs = through(tokenizer)
    assert np.array_equal(alphabet.encode(lines).ids, theirs(lines).ids), "both sides must give the same symbols"
    turns = [(seconds(alphabet.encode, lines), seconds(theirs, lines)) for _ in range(TURNS)]
    ours_s, theirs_s = (statistics.median(side) for side in zip(*turns, strict=True))
    return {
        "alphabet": name,
        "lines": len(lines),
        "symbols": int(alphabet.encode(lines).ids.size),
        "langscape_lines_per_s": round(len(lines) / ours_s),
        "tokenizers_lines_per_s": round(len(lines) / theirs_s),
        "ratio_median": round(statistics.median(b / a for a, b in turns), 1),
        "ratio_min": round(min(b / a for a, b in turns), 1),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }


def seconds(encode: Callable[[pa.StringArray], Encoded], lines: pa.StringArray) -> float:
    start = time.perf_counter()
    encode(lines)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
