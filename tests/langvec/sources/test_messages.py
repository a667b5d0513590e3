"""Catalogs are read as the standard library reads them, and damaged ones are refused by name and place."""

import gettext
import io
import struct
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.errors import InputError
from langvec.sources.messages import Message, read_catalog, read_mo, read_po

HEADER = "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n != 1;\n"
NAME = "de.mo"


def mo(entries: Mapping[str, str], order: str = "<", charset: str = "UTF-8") -> bytes:
    """A compiled catalog as the GNU manual draws it: header, two tables, the strings with a NUL behind each."""
    every = {"": HEADER.replace("UTF-8", charset), **entries}
    pairs = sorted((key.encode(charset), text.encode(charset)) for key, text in every.items())
    sources_at, translations_at = 28, 28 + 8 * len(pairs)
    table, strings, at = [], b"", 28 + 16 * len(pairs)
    for column in zip(*pairs, strict=True):
        for text in column:
            table.append(struct.pack(f"{order}2I", len(text), at + len(strings)))
            strings += text + b"\0"
    return (
        struct.pack(f"{order}7I", 0x950412DE, 0, len(pairs), sources_at, translations_at, 0, 0)
        + b"".join(table)
        + strings
    )


def by_the_library(data: bytes) -> dict[str | tuple[str, int], str]:
    return {key: text for key, text in gettext.GNUTranslations(io.BytesIO(data))._catalog.items() if key}


def in_its_form(messages: list[Message]) -> dict[str | tuple[str, int], str]:
    catalog: dict[str | tuple[str, int], str] = {}
    for context, source, plural, translations in messages:
        key = source if context is None else f"{context}\x04{source}"
        if plural is None:
            catalog[key] = translations[0]
        else:
            catalog.update({(key, number): text for number, text in enumerate(translations)})
    return catalog


TEXT = st.text(st.characters(exclude_characters="\0\x04", exclude_categories=["Cs"]), min_size=1)
KEY = st.builds(lambda context, text: f"{context}\x04{text}" if context else text, st.none() | TEXT, TEXT)


@given(st.dictionaries(KEY, TEXT), st.sampled_from("<>"))
def test_any_catalog_in_either_byte_order_is_read_as_the_library_reads_it(entries: dict[str, str], order: str) -> None:
    data = mo(entries, order)
    assert in_its_form(list(read_mo(data, NAME))) == by_the_library(data)


def test_plural_forms_and_contexts_are_told_apart() -> None:
    data = mo({"menu\x04%d file\0%d files": "%d Datei\0%d Dateien", "Open": "Öffnen"})
    assert list(read_mo(data, NAME)) == [
        Message(None, "Open", None, ("Öffnen",)),
        Message("menu", "%d file", "%d files", ("%d Datei", "%d Dateien")),
    ]
    assert in_its_form(list(read_mo(data, NAME))) == by_the_library(data)


def test_a_catalog_in_an_old_charset_is_decoded_by_its_header() -> None:
    data = mo({"Open": "Открыть"}, charset="KOI8-R")
    assert in_its_form(list(read_mo(data, NAME))) == by_the_library(data) == {"Open": "Открыть"}


def test_a_plural_rule_is_never_run() -> None:
    hostile = mo({"a": "b"}).replace(b"plural=n != 1;", b"plural=__a(b)[")
    assert [message.source for message in read_mo(hostile, NAME)] == ["a"]


def test_a_catalog_cut_anywhere_gives_its_first_messages_or_names_file_and_offset() -> None:
    whole = mo({"Open": "Öffnen", "Close": "Schließen"})
    for size in range(len(whole) - 1):
        with pytest.raises(InputError, match=rf"{NAME}.*(offset|first bytes)"):
            list(read_mo(whole[:size], NAME))


@given(st.binary(max_size=200), st.sampled_from([b"\xde\x12\x04\x95", b"\x95\x04\x12\xde", b""]))
def test_bytes_that_are_no_catalog_raise_nothing_but_an_input_error(data: bytes, magic: bytes) -> None:
    try:
        list(read_mo(magic + data, NAME))
    except InputError as error:
        assert NAME in str(error)


def test_a_charset_nobody_knows_is_named() -> None:
    with pytest.raises(InputError, match="unknown charset 'KLINGON'"):
        list(read_mo(mo({"a": "b"}).replace(b"charset=UTF-8\n", b"charset=KLINGON\n"), NAME))


def test_bytes_outside_the_charset_are_refused_with_their_place() -> None:
    with pytest.raises(InputError, match="not UTF-8 at byte 1"):
        list(read_mo(mo({"a": "bcd"}).replace(b"bcd", b"b\xff\xfe"), NAME))


def po(*entries: str) -> bytes:
    header = r'msgid ""' + "\n" + r'msgstr "Content-Type: text/plain; charset=UTF-8\n"'
    return "\n\n".join([header, *entries]).encode()


def test_a_po_file_gives_contexts_plurals_and_joined_lines() -> None:
    data = po(
        '#: main.c:1\n#, c-format\nmsgctxt "menu"\nmsgid ""\n"%d "\n"file"\nmsgid_plural "%d files"\n'
        'msgstr[0] "%d Datei"\nmsgstr[1] "%d Dateien"',
        'msgid "Open"\nmsgstr "Öffnen"',
    )
    assert list(read_po(data, "de.po")) == [
        Message("menu", "%d file", "%d files", ("%d Datei", "%d Dateien")),
        Message(None, "Open", None, ("Öffnen",)),
    ]


def test_entries_need_no_empty_line_between_them() -> None:
    data = po(
        'msgid "a"\nmsgstr "b"\nmsgid "c"\nmsgstr "d"\n#, fuzzy\nmsgid "e"\nmsgstr "f"\n# note\nmsgid "g"\nmsgstr "h"'
    )
    assert [(m.source, m.translations) for m in read_po(data, "de.po")] == [("a", ("b",)), ("c", ("d",)), ("g", ("h",))]


def test_fuzzy_and_obsolete_entries_are_left_out() -> None:
    data = po(
        '#, c-format, fuzzy\n#| msgid "old"\nmsgid "new"\nmsgstr "alt"',
        '#~ msgid "gone"\n#~ msgstr "weg"',
        'msgid "kept"\nmsgstr "da"',
    )
    assert [message.source for message in read_po(data, "de.po")] == ["kept"]


def escaped(text: str) -> str:
    letters = {"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t", "\r": r"\r", "\x07": r"\a", "\x1b": r"\033"}
    return "".join(letters.get(letter, letter) for letter in text)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), min_size=1))
def test_a_text_written_with_escapes_comes_back(text: str) -> None:
    data = po(f'msgid "{escaped(text)}"\nmsgstr "{escaped(text)}"')
    assert list(read_po(data, "de.po")) == [Message(None, text, None, (text,))]


def test_a_line_that_is_no_po_is_refused_with_its_number() -> None:
    with pytest.raises(InputError, match=r"de\.po, line 4: .*found 'msgid Open'"):
        list(read_po(po("msgid Open"), "de.po"))


def test_a_po_file_in_an_old_charset_is_decoded_by_its_header() -> None:
    data = po('msgid "Open"\nmsgstr "Открыть"').decode().replace("UTF-8", "KOI8-R").encode("koi8-r")
    assert [message.translations for message in read_po(data, "ru.po")] == [("Открыть",)]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.mo").mkdir()
    with pytest.raises(InputError, match=r"x\.mo cannot be read"):
        list(read_catalog(tmp_path / "x.mo"))
