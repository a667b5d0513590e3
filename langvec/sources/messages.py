"""Reads gettext catalogs: .mo (compiled) and .po (source). Nothing in a catalog is ever evaluated.

The standard library's `gettext` compiles the Plural-Forms line of a catalog into code; text needs no plural rule.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from langvec.errors import InputError
from langvec.unpacking import refuse_bomb

_BYTE_ORDERS = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}
_HEADER = 20  # magic, revision, number of strings, offsets of the two tables
_MAJOR_REVISIONS = (0, 1)
_CHARSET = re.compile(rb"charset=([\w.:-]+)")
_KEYWORD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)\s*"(.*)"')
_CONTINUED = re.compile(r'"(.*)"')
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Message(NamedTuple):
    """One message: what the program asks for, and every plural form of its translation."""

    context: str | None
    source: str
    plural: str | None
    translations: tuple[str, ...]


def read_catalog(path: Path) -> Iterator[Message]:
    """The messages of a .mo or .po file in file order, without its header."""
    reader = read_mo if path.suffix == ".mo" else read_po
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}). Expected a .mo or .po file that may be read.") from None
    return reader(data, str(path))


def read_mo(data: bytes, name: str) -> Iterator[Message]:
    """The messages of a compiled catalog; `name` is what errors call it."""
    order = _BYTE_ORDERS.get(data[:4])
    if order is None:
        raise InputError(
            f"{name}: not a .mo file, its first bytes are {data[:4].hex(' ') or 'missing'}. Replace the file."
        )
    if len(data) < _HEADER:
        raise _cut_off(name, len(data), _HEADER)
    _, revision, count, sources_at, translations_at = struct.unpack_from(f"{order}5I", data)
    if revision >> 16 not in _MAJOR_REVISIONS:
        raise InputError(
            f"{name}: .mo revision {revision >> 16} at offset 4, expected 0 or 1. Compile it with msgfmt again."
        )
    sources = _strings(data, order, count, sources_at, name)
    translations = _strings(data, order, count, translations_at, name)
    charset = _charset(next((text for key, text in zip(sources, translations, strict=True) if not key), b""))
    for key, text in zip(sources, translations, strict=True):
        if key:
            yield _message(_decode(key, charset, name), _decode(text, charset, name))


def _strings(data: bytes, order: str, count: int, table_at: int, name: str) -> list[bytes]:
    """The strings that a table of lengths and offsets points to."""
    if table_at + 8 * count > len(data):
        raise _cut_off(name, len(data), table_at + 8 * count)
    table = np.frombuffer(data, f"{order}u4", 2 * count, table_at).astype(np.int64).reshape(-1, 2)
    starts, ends = table[:, 1], table.sum(axis=1)
    if count and ends.max() > len(data):
        raise _cut_off(name, len(data), int(ends.max()))
    refuse_bomb(name, len(data), int(table[:, 0].sum()))  # every string may lie over all the others
    return [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def _cut_off(name: str, size: int, needed: int) -> InputError:
    return InputError(
        f"{name}: the file ends at offset {size:,}, but what it points to reaches offset {needed:,}. Expected a "
        f"complete .mo file; install or copy it again, or leave its domain out of `domains`."
    )


def _message(key: str, text: str) -> Message:
    context, separator, rest = key.rpartition("\x04")
    source, _, plural = rest.partition("\0")
    return Message(context if separator else None, source, plural or None, tuple(text.split("\0")))


def _charset(header: bytes) -> str:
    found = _CHARSET.search(header)
    named = found[1].decode("ascii", "replace") if found else "UTF-8"
    return "UTF-8" if named == "CHARSET" else named  # a template's header, never filled in


def _decode(data: bytes, charset: str, name: str) -> str:
    try:
        return data.decode(charset)
    except LookupError:
        raise InputError(f"{name}: unknown charset {charset!r} in its header. Expected one such as UTF-8.") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: not {charset} at byte {error.start} of {error.object[:40]!r}. Expected the charset that the "
            f"header names; convert the file, or leave its domain out of `domains`."
        ) from None


def read_po(data: bytes, name: str) -> Iterator[Message]:
    """The messages of a source catalog, without fuzzy and obsolete ones; `name` is what errors call it."""
    fields: dict[str, str] = {}
    fuzzy, current = False, ""
    lines = _decode(data, _charset(data), name).lstrip("\ufeff").split("\n")
    for number, line in enumerate(map(str.strip, lines), 1):
        keyword = _KEYWORD.fullmatch(line)
        if keyword is None and (continued := _CONTINUED.fullmatch(line)) and current:
            fields[current] += _unescape(continued[1])
            continue
        if keyword is None and line and not line.startswith("#"):
            raise InputError(
                f'{name}, line {number}: expected a line such as msgid "text", found {line[:60]!r}. Mend it.'
            )
        if _starts_next(fields, keyword[1] if keyword else None):
            yield from _entry(fields, fuzzy)
            fields, fuzzy, current = {}, False, ""
        if keyword:
            current = keyword[1]
            fields[current] = _unescape(keyword[2])
        elif line.startswith("#,"):
            fuzzy = fuzzy or "fuzzy" in line[2:].replace(",", " ").split()
    yield from _entry(fields, fuzzy)


def _starts_next(fields: dict[str, str], keyword: str | None) -> bool:
    """Whether what is read so far is a whole entry, and a line with this keyword, or none, does not belong to it."""
    return any(name.startswith("msgstr") for name in fields) and not (keyword or "").startswith("msgstr")


def _entry(fields: dict[str, str], fuzzy: bool) -> Iterator[Message]:
    if fields.get("msgid") and not fuzzy:
        translations = tuple(text for name, text in fields.items() if name.startswith("msgstr"))
        yield Message(fields.get("msgctxt"), fields["msgid"], fields.get("msgid_plural"), translations)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_unescaped, text) if "\\" in text else text


def _unescaped(match: re.Match[str]) -> str:
    octal, hexadecimal, letter = match.groups()
    if letter is not None:
        return _LETTERS.get(letter, letter)
    return chr(int(octal, 8) if octal else int(hexadecimal, 16))
