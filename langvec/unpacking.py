"""Compressed files as streams that stop in time: what a small file unpacks to, and the memory it takes, has a limit."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Protocol

import pyarrow as pa

from langvec.errors import InputError

COMPRESSIONS = (".gz", ".zst", ".xz")
ALWAYS = 1 << 26  # 64 MiB may come out of any file: a line that repeats packs as well as anything
MOST = 250  # beyond that, bytes out of each byte: text packs 3- to 20-fold, tables that repeat much 100-fold
MEMORY = 1 << 28  # for unpacking one file: four times what `xz -9` asks for, and twice what zstd allows
_CHUNK = 1 << 16


class Readable(Protocol):
    """What bytes are taken from, some at a time."""

    def read(self, size: int, /) -> bytes: ...


def refuse_bomb(path: str, packed: int, unpacked: int) -> None:
    """InputError if so much cannot be text out of a file of that size; `packed` and `unpacked` are bytes."""
    if unpacked > max(ALWAYS, MOST * packed):
        raise InputError(
            f"{path}: {packed:,} bytes unpack to {unpacked:,} or more. Expected at most {MOST} for each, more than "
            f"text ever has; such files are made to fill a memory. If this one is not, unpack it yourself and name "
            f"what comes out."
        )


def refuse_parquet_bomb(path: str, packed: int, about: Any) -> None:
    """InputError by what the file says of itself, its metadata; a row without a byte of its own counts as one."""
    groups = (about.row_group(place).total_byte_size for place in range(about.num_row_groups))
    refuse_bomb(path, packed, max(sum(groups), about.num_rows))


@contextmanager
def unpacked(raw: Any, path: str, size: int) -> Iterator[Readable]:
    """The bytes inside a compressed file of pyarrow of that size; its name tells how it is packed."""
    if path.endswith(".zst"):
        with pa.CompressedInputStream(raw, "zstd") as stream:  # refuses windows above 128 MiB by itself
            yield Bounded(stream, path, size)
    elif path.endswith(".xz"):
        yield Bounded(_Xz(raw), path, size)
    else:
        with gzip.open(raw) as stream:
            yield Bounded(stream, path, size)


class Bounded:
    """A stream that ends in an InputError when more comes out than can be text."""

    def __init__(self, stream: Readable | IO[bytes], path: str, packed: int) -> None:
        self._stream, self._path, self._packed, self._out = stream, path, packed, 0

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(size)
        self._out += len(data)
        refuse_bomb(self._path, self._packed, self._out)
        return data


class _Xz:
    """What `lzma.open` does, with a limit on the memory that a file may ask for."""

    def __init__(self, raw: Readable) -> None:
        self._raw, self._member = raw, _member()

    def read(self, size: int, /) -> bytes:
        while True:
            packed = self._raw.read(_CHUNK) if self._member.needs_input and not self._member.eof else b""
            if self._member.eof:
                packed = self._member.unused_data.lstrip(b"\0") or self._raw.read(_CHUNK).lstrip(b"\0")
                if not packed:
                    return b""
                self._member = _member()
            elif self._member.needs_input and not packed:
                raise EOFError("it ends in the middle")
            if data := self._member.decompress(packed, size):
                return data


def _member() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(memlimit=MEMORY)
