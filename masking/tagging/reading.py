"""Files of tags, in the three forms that people keep them in."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel, Field, ValidationError

from langvec.errors import InputError
from langvec.unpacking import refuse_bomb
from masking.tagging.conllu import LineError, Lines, read_conllu, read_two_columns
from masking.tagging.kinds import TagSet
from masking.tagging.tagged import TaggedSentence, TagSpan

_LONGEST = 1 << 24  # characters of a line, which holds a sentence with its tags at most
Reader = Callable[[Lines, TagSet], Iterator[TaggedSentence]]


class _Label(BaseModel):
    start: int = Field(ge=0)
    end: int
    label: str


class _Row(BaseModel):
    id: str | int | None = None
    text: str
    spans: list[_Label]


def read_jsonl(lines: Lines, tags: TagSet) -> Iterator[TaggedSentence]:
    """Sentences of lines `{"id": ..., "text": ..., "spans": [{"start", "end", "label"}, ...]}`, whatever else is in."""
    for number, line in lines:
        if line.strip():
            row = _row(number, line)
            spans = tuple(TagSpan(span.start, span.end, span.label) for span in row.spans)
            yield TaggedSentence(None if row.id is None else str(row.id), row.text, spans)


READERS: dict[str, Reader] = {
    ".conllu": read_conllu,
    ".bio": read_two_columns,
    ".iob": read_two_columns,
    ".conll": read_two_columns,
    ".jsonl": read_jsonl,
}


def unreadable(file: str) -> list[str]:
    """What keeps a file from being read as tags, as far as its name and place tell."""
    if not Path(file).is_file():
        return [f"there is no file {file}. Expected tagged sentences; check the path."]
    if _suffix(Path(file)) not in READERS:
        return [
            f"{file}: the name does not say what is in it. Expected it to end in {', '.join(READERS)} (or .gz after)."
        ]
    return []


def read_tagged(file: Path, tags: TagSet) -> Iterator[TaggedSentence]:
    """The sentences of a file in its order; InputError names the line that is not as it should be."""
    if problems := unreadable(str(file)):
        raise InputError(problems[0])
    reader = READERS[_suffix(file)]
    try:
        yield from reader(enumerate(read_lines(file), 1), tags)
    except LineError as error:
        raise InputError(f"{file}, line {error.line}: {error}.") from None


def read_lines(file: Path) -> Iterator[str]:
    """Those of a text, plain or gzipped, with or without a byte order mark; InputError says what else it is."""
    code = "utf-8-sig"
    try:
        with gzip.open(file, "rt", encoding=code) if file.suffix == ".gz" else file.open(encoding=code) as stream:
            yield from _bounded(stream, file)
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 ({error.reason}). Expected text in UTF-8.") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{file} is not a whole gzip file ({error}). Expected one, or a name without .gz.") from None


def _bounded(stream: TextIO, file: Path) -> Iterator[str]:
    """Its lines, as long as they are lines and no more than text can be packed into a file of its size."""
    packed, out = file.stat().st_size, 0
    while line := stream.readline(_LONGEST):
        out += len(line)
        if len(line) == _LONGEST:
            raise InputError(f"{file}: a line of {_LONGEST:,} characters. Expected sentences with tags; is it text?")
        refuse_bomb(str(file), packed, out)
        yield line


def _suffix(file: Path) -> str:
    return Path(file.name.removesuffix(".gz")).suffix


def _row(number: int, line: str) -> _Row:
    try:
        row = _Row.model_validate_json(line, strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        found = ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
        raise LineError(number, f"{found}. Expected id, text and spans of start, end, label") from None
    for span in row.spans:
        if not span.start < span.end <= len(row.text):
            found = f"the span {span.start} to {span.end} in a text of {len(row.text)} characters"
            raise LineError(number, f"{found}. Expected start before end, and both inside")
    return row
