"""The language table against facts anyone can look up, and the codes people get wrong."""

import re
import subprocess
import sys
import unicodedata
from collections import defaultdict

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.errors import InputError
from langvec.languages import SCRIPTS, TABLE, Language, UnknownLanguage, find, search

UDHR = pq.read_table(TABLE.parent / "udhr.parquet")
ROWS = pq.read_table(TABLE).to_pylist()
PAPER = """
    lao pam bjn ban zlm ind min tam war tha fil ceb tgl sun pag mad ilo eng khm bsb bew vie zsm tdt mya lus jav gor bpy
    cmn bcl asm por ace sin deu nld hin fra spa bbc bug nij arb
""".split()  # noqa: SIM905, easier to compare with the papers
MACROLANGUAGES = "ara zho fil msa nor swa fas aze uzb est lav sqi mon nep ori yid kur pus"


@pytest.mark.parametrize(
    ("code", "script", "glottocode", "ancestor"),
    [
        ("deu", "Latn", "stan1295", "Germanic"),
        ("sin", "Sinh", "sinh1246", "Indo-Aryan"),
        ("tam", "Taml", "tami1289", "Dravidian"),
        ("ace", "Latn", "achi1257", "Austronesian"),
        ("khm", "Khmr", "cent1989", "Austroasiatic"),
        ("jpn", "Jpan", "nucl1643", "Japonic"),
        ("cmn", "Hans", "mand1415", "Sinitic"),
        ("srp", "Cyrl", "serb1264", "Slavic"),
        ("hye", "Armn", "nucl1235", "Indo-European"),
    ],
)
def test_a_code_leads_to_its_script_glottocode_and_family(code, script, glottocode, ancestor):
    language = find(code)
    assert (language.code, language.glottocode) == (f"{code}_{script}", glottocode)
    assert ancestor in language.family


def test_a_language_without_relatives_has_an_empty_family():
    assert find("eus").family == ()


def test_berlin_lies_within_a_thousand_kilometres_of_german():
    german = find("deu")
    assert abs(german.latitude - 52.5) < 5
    assert abs(german.longitude - 13.4) < 5


@pytest.mark.parametrize("code", [*PAPER, *MACROLANGUAGES.split()])
def test_every_language_of_the_papers_and_every_common_macrolanguage_is_known(code):
    assert find(code).iso == code


def test_a_macrolanguage_stands_where_the_language_meant_by_it_stands():
    malay, standard = find("msa"), find("zsm")
    assert (malay.glottocode, malay.family) == (standard.glottocode, standard.family)
    assert malay.note == "macrolanguage; Glottocode of Standard Malay (zsm)"


def test_any_script_may_be_asked_for():
    assert find("bew_Cyrl") == Language(**{**vars(find("bew")), "code": "bew_Cyrl", "script": "Cyrl"})


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("de", "deu (German)"),
        ("zh", "zho (Chinese)"),
        ("DEU", "deu (German)"),
        ("deu_latn", "deu_Latn (German)"),
        ("deu-Latn", "deu_Latn (German)"),
        ("deu_Latn ", "deu_Latn (German)"),
        ("deu_", "deu (German)"),
        ("deu_Latin", "deu_Latn (German)"),
        ("sr_cyrl", "srp_Cyrl (Serbian Standard)"),
        ("german", "deu (German)"),
        ("gemran", "deu (German)"),
        ("Sinhala", "sin (Sinhala)"),
    ],
)
def test_a_wrong_code_is_refused_with_the_right_one_first(wrong, right):
    with pytest.raises(UnknownLanguage) as refused:
        find(wrong)
    assert f"Did you mean {right}" in str(refused.value)
    assert repr(wrong) in str(refused.value)


@pytest.mark.parametrize("wrong", ["", "../x", "deu/../../etc", "deu\0", "deu_Latn\n", "ďeu", "deu_Zzzz", "x" * 10_000])
def test_what_is_no_code_at_all_is_refused_in_one_short_paragraph(wrong):
    with pytest.raises(InputError) as refused:
        find(wrong)
    message = str(refused.value)
    assert "`langscape languages --search TEXT` lists all" in message
    assert "\n" not in message
    assert len(message) < 600


def test_at_most_five_codes_are_suggested():
    with pytest.raises(UnknownLanguage) as refused:
        find("zapotec_Latn")
    assert str(refused.value).count("_Latn (") == 5


@given(st.text() | st.from_regex(r"[a-z]{2,4}(_[A-Za-z]{0,5})?", fullmatch=True))
def test_any_text_gives_a_language_of_that_code_or_is_refused(text):
    try:
        found = find(text)
    except UnknownLanguage:
        return
    assert text in {found.code, found.iso}


@given(st.sampled_from(ROWS), st.sampled_from(sorted(SCRIPTS)))
def test_a_canonical_code_finds_itself(row, script):
    assert find(f"{row['iso']}_{script}").code == f"{row['iso']}_{script}"


def test_search_looks_into_names_families_and_codes():
    assert "deu_Latn" in {language.code for language in search("GERMAN")}
    assert {"deu", "eng", "swe"} < {language.iso for language in search("germanic")}
    assert [language.code for language in search("stan1295")] == ["deu_Latn"]
    assert [language.script for language in search("srp_")] == ["Cyrl", "Latn"]


BIBLIOGRAPHIC = """
    alb sqi arm hye baq eus bur mya chi zho cze ces dut nld fre fra geo kat ger deu gre ell ice isl mac mkd mao mri
    may msa per fas rum ron slo slk tib bod wel cym
""".split()  # noqa: SIM905, as ISO 639-2 lists them


@pytest.mark.parametrize(("library", "iso"), list(zip(BIBLIOGRAPHIC[::2], BIBLIOGRAPHIC[1::2], strict=True)))
def test_the_codes_of_libraries_lead_to_those_of_iso_639_3(library, iso):
    with pytest.raises(UnknownLanguage, match=rf"Did you mean {iso} \("):
        find(library)
    assert search(library)[0].code == find(iso).code


def test_the_usual_script_of_a_language_is_found_first():
    assert [language.code for language in search("zho")][:2] == ["zho_Hans", "zho_Hant"]
    for iso in ("srp", "jav", "msa"):
        assert search(iso)[0] == find(iso)


def test_the_empty_search_lists_every_language_once_per_script_in_order():
    codes = [language.code for language in search("")]
    assert len(codes) == len(set(codes))
    languages = [code[:3] for code in codes]
    assert languages == sorted(languages)
    assert set(languages) == {row["iso"] for row in ROWS}


def test_every_language_of_the_declaration_is_known_by_its_canonical_code():
    for lang in UDHR["lang"].unique().to_pylist():
        assert find(lang).code == lang
        assert find(lang[:3]).script in {code[4:] for code in UDHR["lang"].unique().to_pylist() if code[:3] == lang[:3]}


def test_no_node_of_the_tree_has_two_parents_or_two_names():
    parents, codes = defaultdict(set), defaultdict(set)
    for row in ROWS:
        path = ["root", *row["family"]]
        for above, name, code in zip(path, path[1:], row["family_codes"], strict=False):
            parents[name].add(above)
            codes[name].add(code)
    assert {name for name in parents if len(parents[name]) > 1 or len(codes[name]) > 1} == set()


def test_nearly_all_declarations_have_the_same_articles():
    units = defaultdict(set)
    for row in UDHR.select(["translation", "article"]).to_pylist():
        units[row["translation"]].add(row["article"])
    assert set().union(*units.values()) == set(range(31))
    assert sum(found == set(range(31)) for found in units.values()) > 0.9 * len(units)
    assert min(map(len, units.values())) >= 28


def test_every_paragraph_is_clean_text():
    for text in UDHR["text"].to_pylist():
        assert text == " ".join(text.split())
        assert any(map(str.isalpha, text))
        assert unicodedata.is_normalized("NFC", text)
        assert not re.search("</?\\w|&\\w+;|[\x00-\x1f\x7f-\x9f\ufffd]", text)


def test_paragraphs_are_numbered_from_nought_in_every_article():
    counts = defaultdict(list)
    for row in UDHR.to_pylist():
        counts[row["lang"], row["translation"], row["article"]].append(row["paragraph"])
    assert all(numbers == list(range(len(numbers))) for numbers in counts.values())


def test_importing_the_module_reads_no_table():
    check = "import sys, langvec.languages; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
