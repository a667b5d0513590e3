"""What is not text goes out of a message, what is text stays."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.sources.markup import has_letter, strip_markup

LETTERS = st.text(st.characters(categories=["L", "M"]), min_size=1).map(lambda text: " ".join(text.split()))


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("_File", "File"),
        ("~Datei", "Datei"),
        ("&Öffnen", "Öffnen"),
        ("E&xit", "Exit"),
        ("B~earbeiten", "Bearbeiten"),
        ("Sa_ve As…", "Save As…"),
        ("Öff_nen", "Öffnen"),
        ("_Find & _Replace", "Find & Replace"),
        ("ファイル(_F)", "ファイル"),
        ("檔案 (&F)", "檔案"),
        ("Mark__down", "Mark_down"),
    ],
)
def test_the_letter_of_an_accelerator_stays_and_its_mark_goes(message: str, text: str) -> None:
    assert strip_markup(message) == text


@pytest.mark.parametrize(
    "text",
    [
        "the snake_case name",
        "max_lines and min_chars",
        "AT&T",
        "R&D",
        "fish & chips",
        "a < b > c",
        "100% sure",
        "~ 5",
        "5_000",
    ],
)
def test_marks_that_are_text_stay(text: str) -> None:
    assert strip_markup(text) == text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("Copy %s to %s now", "Copy to now"),
        ("Copied %(count)d of %1$s files", "Copied of files"),
        ("Page {0} of {total:d}", "Page of"),
        ("Hello %s, welcome", "Hello, welcome"),
        ("Installing %PRODUCTNAME %PRODUCTVERSION here", "Installing here"),
        ("$(ARG1) failed for ${user}", "failed for"),
        ("Open “%s”", "Open"),
        ("Size (%d)", "Size"),
        ("%5.2f seconds, 50%%", "seconds, 50%"),
        ("%n of %1", "of"),
    ],
)
def test_placeholders_go_with_the_space_before_them(message: str, text: str) -> None:
    assert strip_markup(message) == text


def test_tags_go_and_entities_are_decoded() -> None:
    assert strip_markup('<a href="x_y">Fish</a> &amp; chips<br/>A&ntilde;o&#33;') == "Fish & chips Año!"
    assert strip_markup("&lt;b&gt;") == "<b>"


def test_a_word_that_begins_like_an_entity_is_not_one() -> None:
    assert strip_markup("&Register &copying") == "Register copying"


def test_line_breaks_and_runs_of_spaces_become_one_space() -> None:
    assert strip_markup("one\ntwo\\nthree\t  four") == "one two three four"


def test_an_ellipsis_and_a_colon_at_the_end_stay() -> None:
    assert [strip_markup(text) for text in ("Open…", "Open...", "Name:", "Erreur :")] == [
        "Open…",
        "Open...",
        "Name:",
        "Erreur :",
    ]


@given(st.lists(LETTERS.filter(bool)))
def test_words_alone_are_never_changed(words: list[str]) -> None:
    assert strip_markup(" ".join(words)) == " ".join(" ".join(words).split())


@pytest.mark.parametrize(
    ("text", "script", "holds"),
    [
        ("සිංහල", "Sinh", True),
        ("OK සිං", "Sinh", True),
        ("OK", "Sinh", False),
        ("123…", "Latn", False),
        ("漢字", "Hant", True),
        ("カナ", "Jpan", True),
        ("漢字", "Kore", False),
        ("ሰላም", "Ethi", True),
        ("𐓀", "Osge", True),
        ("12", "Osge", False),
    ],
)
def test_a_text_is_in_a_script_if_it_holds_one_of_its_letters(text: str, script: str, holds: bool) -> None:
    assert has_letter(text, script) is holds


@pytest.mark.parametrize("unit", [" ", "<a", "$(", "{{", "(   ", "&a", "~a", "a_b"])
def test_a_long_message_takes_no_longer_than_its_length(unit: str) -> None:
    start = time.perf_counter()
    strip_markup(unit * 50_000)
    assert time.perf_counter() - start < 5  # it takes hundredths; in the square of its length it would be minutes
