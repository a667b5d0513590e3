"""Names in a language's own words, from the CLDR."""

import unicodedata
from pathlib import Path

import babel
import pytest

from langvec.errors import InputError
from langvec.sources.udhr import Udhr
from masking.tagging.base import Sentence
from masking.tagging.gazetteer import gazetteer
from masking.tagging.lexicon import LexiconRecipe, write_lexicon


def test_countries_languages_and_currencies_are_called_what_their_speakers_call_them() -> None:
    assert {("ශ්\u200dරී ලංකාව", "LOC"), ("එක්සත් ජාතීන්", "ORG")} <= set(gazetteer("sin"))
    assert {("இலங்கை", "LOC"), ("சிங்களம்", "MISC")} <= set(gazetteer("tam"))
    assert {("Sri Lanka", "LOC"), ("Sinhala", "MISC"), ("Sri Lankan Rupee", "MISC")} <= set(gazetteer("eng"))


def test_of_a_name_with_brackets_the_part_outside_them_is_a_name_too() -> None:
    assert {("Myanmar (Burma)", "LOC"), ("Myanmar", "LOC"), ("Cocos Islands", "LOC")} <= set(gazetteer("eng"))


def test_what_names_nothing_is_left_out() -> None:
    names = {entry.text for entry in gazetteer("eng")}
    assert not names & {"world", "Unknown Region", "Multiple languages", "Symbols", "Simplified", "Gold", "Silver"}


def test_short_names_are_kept_only_where_they_are_no_common_words() -> None:
    for code, locale, name in (("sin", "si", "අවදි"), ("tam", "ta", "தாய்")):
        # The languages Awadhi and Thai; in these languages the words for `awake` and `mother`.
        assert name in babel.Locale(locale).languages.values()
        assert name not in {entry.text for entry in gazetteer(code)}
    assert "பெரு" in {entry.text for entry in gazetteer("tam")}
    assert "Thai" in {entry.text for entry in gazetteer("eng")}
    assert "中国" in {entry.text for entry in gazetteer("cmn")}


@pytest.mark.parametrize("code", ["sin", "tam", "eng", "cmn", "fra", "ceb"])
def test_names_are_composed_sorted_each_once_and_never_a_bare_code(code: str) -> None:
    entries = gazetteer(code)
    names = [entry.text for entry in entries]
    assert names == sorted(set(names))
    assert all(unicodedata.is_normalized("NFC", name) for name in names)
    english = babel.Locale("en")
    codes = {key.casefold() for part in (english.territories, english.currencies) for key in part}
    assert not {name for name in names if name.casefold() in codes and name.isupper()}


def test_the_script_may_be_given_and_decides_the_names() -> None:
    assert ("Srbija", "LOC") in gazetteer("srp_Latn")
    assert ("Србија", "LOC") in gazetteer("srp_Cyrl")
    assert gazetteer("sin_Sinh") == gazetteer("sin")


@pytest.mark.parametrize("code", ["xxx", "ace", "hat", "", "not a code", "eng_Nope_Nope"])
def test_a_language_that_the_cldr_does_not_cover_is_refused(code: str) -> None:
    with pytest.raises(InputError, match="Expected an ISO 639-3 code"):
        gazetteer(code)


@pytest.mark.parametrize("ignore_case", [True, False])
@pytest.mark.parametrize("code", ["aze", "pol", "rus", "kin", "nno", "jpn"])
def test_what_is_written_can_be_read_though_places_and_languages_share_names(
    tmp_path: Path, code: str, ignore_case: bool
) -> None:
    write_lexicon(gazetteer(code), tmp_path / "names.tsv")
    LexiconRecipe(file=str(tmp_path / "names.tsv"), tags="ne", ignore_case=ignore_case).load()


@pytest.mark.parametrize(
    ("code", "name"), [("sin_Sinh", "එක්සත් ජාතීන්"), ("tam_Taml", "ஐக்கிய நாடுகள்"), ("eng_Latn", "United Nations")]
)
def test_the_united_nations_and_nothing_else_are_found_in_the_declaration(tmp_path: Path, code: str, name: str) -> None:
    write_lexicon(gazetteer(code), tmp_path / "names.tsv")
    tagger = LexiconRecipe(file=str(tmp_path / "names.tsv"), tags="ne", ignore_case=False).load()
    texts = [text for batch in Udhr(languages=(code,)).read(code) for text in batch.texts]
    spans = tagger.tag([Sentence(str(n), text) for n, text in enumerate(texts)])
    found = {(text[span[0] : span[1]], *span[2:]) for text, each in zip(texts, spans, strict=True) for span in each}
    assert found == {(name, "NE", "ORG")}
