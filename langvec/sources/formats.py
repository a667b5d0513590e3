"""Reads texts out of files: txt, jsonl, csv, tsv, parquet; plain or compressed with gz, zst or xz."""

from __future__ import annotations

import csv
import json
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileSystem

from langvec.errors import InputError
from langvec.sources.base import BATCH_LINES, Batch
from langvec.unpacking import COMPRESSIONS, Readable, refuse_parquet_bomb, unpacked

BLOCK = 1 << 20
RANGE = 1 << 23  # of a file, fetched at a time
MOST_COLUMNS = 1_000  # each short row is filled up to as many
LONGEST_LINE = 1 << 26  # 64 MiB without a line break is not text, and would fill the memory
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, pa.ArrowException, csv.Error, UnicodeDecodeError, OSError)
Rows = list[dict[str, Any]]
FORMATS = (".txt", ".jsonl", ".csv", ".tsv", ".parquet")


@dataclass(frozen=True)
class TextFile:
    """One file and what to take from it."""

    filesystem: FileSystem
    path: str
    column: str
    passage: str | None
    errors: Literal["strict", "replace"]
    quoted: bool = False  # whether fields of a tsv stand in quotation marks where need be; else such a mark is text
    suffix: str | None = None  # in place of the one in the name
    header: bool = True  # csv and tsv: without one, columns are called 1, 2 and so on

    @property
    def format(self) -> str:
        """The suffix that says how the records are written, e.g. `.jsonl` of `a.jsonl.gz`."""
        return self.suffix or (self._suffixes or ("",))[-1 - self._compressed]

    @property
    def _suffixes(self) -> tuple[str, ...]:
        suffixes = tuple(PurePosixPath(self.path).suffixes)
        return ("", *suffixes) if suffixes and suffixes[-1] in COMPRESSIONS else suffixes

    @property
    def _compressed(self) -> bool:
        return bool(self._suffixes) and self._suffixes[-1] in COMPRESSIONS

    def read(self) -> Iterator[Batch]:
        """The texts of the file in order, in batches."""
        if self.format == ".txt":
            return (Batch(lines) for lines in self.lines())
        wanted = [self.column, *([self.passage] if self.passage else [])]
        return (_batch(records, self) for records in self.records(wanted))

    def lines(self) -> Iterator[list[str]]:
        """The lines of plain text, in batches."""
        with self.explained():
            yield from _lines(self)

    def records(self, columns: Sequence[str]) -> Iterator[Rows]:
        """The rows of a table in order, in batches. A row may lack a column in all but Parquet."""
        if self.format not in FORMATS:
            raise InputError(
                f"{self.path}: the file's kind is not known. Expected a name that ends in one of {', '.join(FORMATS)}, "
                f"also with {', '.join(COMPRESSIONS)} behind it. Rename the file or convert it."
            )
        if self.format not in _READERS:
            raise InputError(
                f"{self.path}: expected a table with the columns {', '.join(columns)}, found plain text. Name a file "
                f"in one of {', '.join(_READERS)}."
            )
        with self.explained():
            yield from _READERS[self.format](self, columns)

    @contextmanager
    def explained(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            raise InputError(
                f"{self.path}: cannot be read to its end ({_first_line(error)}). Expected a complete, undamaged "
                f"{self.format}{' compressed' if self._compressed else ''} file; copy or download it again."
            ) from None

    @contextmanager
    def stream(self) -> Iterator[Readable]:
        """The decompressed bytes. A store is asked for large ranges: gzip alone would ask for 8 KiB at a time."""
        with (
            self.filesystem.open_input_file(self.path) as file,
            pa.BufferedInputStream(file, RANGE) as raw,
            unpacked(raw, self.path, file.size()) if self._compressed else nullcontext(raw) as stream,
        ):
            yield stream


def _first_line(error: BaseException) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


def _lines(file: TextFile) -> Iterator[list[str]]:
    """Decoded lines without their line feeds, a block at a time."""
    rest: list[bytes] = []  # of a line that is not at its end
    offset = size = 0
    with file.stream() as stream:
        while block := stream.read(BLOCK):
            cut = block.rfind(b"\n") + 1
            if cut:
                data = b"".join((*rest, block[:cut]))
                yield _decode(data, offset, file).split("\n")[:-1]
                rest, size, offset = [], 0, offset + len(data)
            rest.append(block[cut:])
            size += len(rest[-1])
            if size > LONGEST_LINE:
                raise _no_line_break(file, offset)
    if size:
        yield [_decode(b"".join(rest), offset, file)]


def _no_line_break(file: TextFile, offset: int) -> InputError:
    return InputError(
        f"{file.path}: no line break in the {LONGEST_LINE >> 20} MiB after byte {offset:,}. Expected "
        f"text with one sentence or paragraph a line; is this a text file?"
    )


def _decode(data: bytes, offset: int, file: TextFile) -> str:
    try:
        text = data.decode("utf-8", file.errors)
        return text if offset else text.removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        guess = " It starts like UTF-16." if offset == 0 and data[:2] in (b"\xff\xfe", b"\xfe\xff") else ""
        raise InputError(
            f"{file.path}: not UTF-8 at byte {offset + error.start:,} (0x{data[error.start]:02x}).{guess} Expected "
            f"UTF-8 text; convert the file, or set `errors: replace` on this source to read such bytes as U+FFFD."
        ) from None


def _rows_jsonl(file: TextFile, columns: Sequence[str]) -> Iterator[Rows]:
    number = 0
    for lines in _lines(file):
        records = []
        for line in lines:
            number += 1
            if line.strip():
                records.append(_json_record(line, f"{file.path}, line {number:,}"))
        yield records


def _json_record(line: str, where: str) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not JSON ({error}). Expected one JSON object a line.") from None
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected one JSON object a line, found {type(record).__name__}.")
    return record


def _rows_csv(file: TextFile, columns: Sequence[str]) -> Iterator[Rows]:
    csv.field_size_limit(LONGEST_LINE)
    lines = (f"{line}\n" for block in _lines(file) for line in block)
    how: dict[str, Any] = {}
    if file.format == ".tsv":
        how = {"delimiter": "\t"} | ({"strict": True} if file.quoted else {"quoting": csv.QUOTE_NONE})
    table = csv.reader(lines, **how)
    first = next((row for row in table if row), [])
    if len(first) > MOST_COLUMNS:
        raise InputError(f"{file.path}: {len(first):,} columns. Expected at most {MOST_COLUMNS:,} in a table of text.")
    rows = csv.DictReader(lines, first, **how) if file.header else _numbered(first, table)
    while records := list(islice(rows, BATCH_LINES)):
        yield records


def _numbered(first: list[str], table: Iterable[list[str]]) -> Iterator[dict[str, Any]]:
    """Rows of a table without names; a row shorter than the first is filled up with nothing."""
    for row in chain([first] if first else [], table):
        yield {str(place): cell for place, cell in enumerate(row + [""] * (len(first) - len(row)), 1)}


def _rows_parquet(file: TextFile, columns: Sequence[str]) -> Iterator[Rows]:
    with file.filesystem.open_input_file(file.path) as raw, pq.ParquetFile(raw) as table:
        there = table.schema_arrow.names
        wanted = list(dict.fromkeys(name if name in there else name.partition(".")[0] for name in columns))
        need_columns(wanted, there, file.path)
        refuse_parquet_bomb(file.path, raw.size(), table.metadata)
        for rows in table.iter_batches(batch_size=BATCH_LINES, columns=wanted):
            yield rows.to_pylist()


def _batch(records: Rows, file: TextFile) -> Batch:
    texts = [text_in(record, file.column, file.path) for record in records]
    if file.passage is None:
        return Batch(texts)
    ids = [value_in(record, file.passage, file.path) for record in records]
    if None in ids or "" in ids:
        raise InputError(f"{file.path}: a record without an id in {file.passage!r}. Expected one in each; mend them.")
    return Batch(texts, [str(name) for name in ids])


def text_in(record: dict[str, Any], column: str, path: str) -> str:
    """A cell that has to hold text; nothing is the empty text."""
    value = value_in(record, column, path)
    if value is None or isinstance(value, str):
        return value or ""
    raise InputError(f"{path}: expected text in column {column!r}, found {type(value).__name__} ({value!r:.40}).")


def value_in(record: dict[str, Any], column: str, path: str) -> Any:
    """A cell; `translation.en` is field `en` of what stands in column `translation`."""
    if column in record:
        return record[column]
    outer, _, inner = column.partition(".")
    if isinstance(record.get(outer), dict) and inner:
        return value_in(record[outer], inner, f"{path}, {outer}")
    need_columns([column], list(record), path)
    return None


def need_columns(wanted: list[str], found: list[str], path: str) -> None:
    missing = [name for name in wanted if name not in found]
    if missing:
        raise InputError(
            f"{path}: no column {' or '.join(map(repr, missing))}. Columns found: {', '.join(map(str, found[:12]))}. "
            f"Name the right one in `column` (text) or `passage` (id shared by all languages)."
        )


_READERS: dict[str, Callable[[TextFile, Sequence[str]], Iterator[Rows]]] = {
    ".jsonl": _rows_jsonl,
    ".csv": _rows_csv,
    ".tsv": _rows_csv,
    ".parquet": _rows_parquet,
}
