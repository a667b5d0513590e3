"""Languages by code: name, script, Glottocode, place in the family tree and on the map.

A canonical code is ISO 639-3, an underscore and ISO 15924, such as `deu_Latn`. `deu` alone means the language's usual
script. The table is langvec/data/languages.parquet; its README says where the rows come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from langvec.errors import InputError

TABLE = Path(__file__).parent / "data" / "languages.parquet"
SUGGESTIONS = 5
_LONGEST_CODE = 40  # of what was typed, this much is compared and shown

# ISO 15924 without the codes for unwritten, undetermined, symbols and private use.
_SCRIPT_CODES = """
Adlm Afak Aghb Ahom Arab Aran Armi Armn Avst Bali Bamu Bass Batk Beng Berf Bhks Blis Bopo Brah Brai Bugi Buhd Cakm Cans
Cari Cham Cher Chis Chrs Cirt Copt Cpmn Cprt Cyrl Cyrs Deva Diak Dogr Dsrt Dupl Egyd Egyh Egyp Elba Elym Ethi Gara Geok
Geor Glag Gong Gonm Goth Gran Grek Gujr Gukh Guru Hanb Hang Hani Hano Hans Hant Hatr Hebr Hira Hluw Hmng Hmnp Hntl Hrkt
Hung Inds Ital Jamo Java Jpan Jurc Kali Kana Kawi Khar Khmr Khoj Kitl Kits Knda Kore Kpel Krai Kthi Lana Laoo Latf Latg
Latn Leke Lepc Limb Lina Linb Lisu Loma Lyci Lydi Mahj Maka Mand Mani Marc Maya Medf Mend Merc Mero Mlym Modi Mong Moon
Mroo Mtei Mult Mymr Nagm Nand Narb Nbat Newa Nkdb Nkgb Nkoo Nshu Ogam Olck Onao Orkh Orya Osge Osma Ougr Palm Pauc Pcun
Pelm Perm Phag Phli Phlp Phlv Phnx Piqd Plrd Prti Psin Ranj Rjng Rohg Roro Runr Samr Sara Sarb Saur Seal Sgnw Shaw Shrd
Shui Sidd Sidt Sind Sinh Sogd Sogo Sora Soyo Sund Sunu Sylo Syrc Syre Syrj Syrn Tagb Takr Tale Talu Taml Tang Tavt Tayo
Telu Teng Tfng Tglg Thaa Thai Tibt Tirh Tnsa Todr Tols Toto Tutg Ugar Vaii Visp Vith Wara Wcho Wole Xpeo Xsux Yezi Yiii
Zanb
"""
SCRIPTS = frozenset(_SCRIPT_CODES.split())

# ISO 639-2/B: what libraries, and older programs, call some languages. None is a code of ISO 639-3.
_BIBLIOGRAPHIC = """
alb=sqi arm=hye baq=eus bur=mya chi=zho cze=ces dut=nld fre=fra geo=kat ger=deu gre=ell ice=isl mac=mkd mao=mri may=msa
per=fas rum=ron slo=slk tib=bod wel=cym
"""
BIBLIOGRAPHIC = dict(pair.split("=") for pair in _BIBLIOGRAPHIC.split())


@dataclass(frozen=True)
class Language:
    """One language in one script. `family` runs from the top family down to the node just above the language."""

    code: str
    iso: str
    script: str
    name: str
    glottocode: str | None
    family: tuple[str, ...]
    latitude: float | None
    longitude: float | None
    note: str | None


class UnknownLanguage(InputError):  # noqa: N818, it says what is wrong
    """No language has this code."""


def find(code: str) -> Language:
    """The language of `deu`, in its usual script, or of `deu_Latn`; any ISO 15924 script will do.

    Raises:
        UnknownLanguage: naming the nearest right codes.
    """
    iso, underscore, script = code.partition("_")
    known = _table().get(iso)
    if known is None or (underscore and script not in SCRIPTS):
        raise UnknownLanguage(_explanation(code))
    return _in_script(known[0], script) if script else known[0]


def search(text: str) -> list[Language]:
    """Languages with the text in their code, name or a family's name, or as their Glottocode; case does not matter.

    One entry for each known script, the usual one first; languages of that very name or code first (`ger` of ISO
    639-2/B is German), then those with the text in their name or code, then those of such a family; each of the three
    by code. The empty text finds all.
    """
    wanted = text.casefold()
    found = [language for known in _table().values() for language in known if _matches(language, wanted)]
    return sorted(found, key=lambda language: (_distance(language, wanted), language.iso, not is_usual(language)))


def shortest(language: Language) -> str:
    """Two letters of ISO 639-1 where there are any, else three of ISO 639-3: what model cards want."""
    return next((two for two, iso in _two_letters().items() if iso == language.iso), language.iso)


def is_usual(language: Language) -> bool:
    """Whether its ISO code alone means this script."""
    return _table()[language.iso][0].script == language.script


def _distance(language: Language, wanted: str) -> int:
    own = (language.code.casefold(), language.iso, language.name.casefold(), language.glottocode)
    exact = wanted in own or BIBLIOGRAPHIC.get(wanted) == language.iso
    return 0 if exact else 1 if any(wanted in name for name in own if name) else 2


def _matches(language: Language, wanted: str) -> bool:
    texts = (language.code, language.name, *language.family)
    coded = wanted == language.glottocode or BIBLIOGRAPHIC.get(wanted) == language.iso
    return coded or any(wanted in text.casefold() for text in texts)


def _in_script(language: Language, script: str) -> Language:
    return replace(language, code=f"{language.iso}_{script}", script=script)


@cache
def _table() -> dict[str, tuple[Language, ...]]:
    """ISO code -> the language in each known script, the usual one first."""
    return {row["iso"]: _languages(row) for row in _rows()}


@cache
def _two_letters() -> dict[str, str]:
    return {row["iso1"]: row["iso"] for row in _rows() if row["iso1"]}


@cache
def _rows() -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(TABLE).to_pylist()
    return rows


def _languages(row: dict[str, Any]) -> tuple[Language, ...]:
    usual = Language(
        code=f"{row['iso']}_{row['scripts'][0]}",
        iso=row["iso"],
        script=row["scripts"][0],
        name=row["name"],
        glottocode=row["glottocode"],
        family=tuple(row["family"]),
        latitude=_degrees(row["latitude"]),
        longitude=_degrees(row["longitude"]),
        note=row["note"],
    )
    return tuple(_in_script(usual, script) for script in row["scripts"])


def _degrees(value: float | None) -> float | None:
    """Without the digits that single precision adds; four are ten metres."""
    return None if value is None else round(value, 4)


def _explanation(code: str) -> str:
    start = code[:_LONGEST_CODE]
    shown = repr(start) + ("..." if code != start else "")
    return (
        f"There is no language with the code {shown}. Expected an ISO 639-3 code such as deu, alone or with an "
        f"ISO 15924 script such as deu_Latn. {_suggestions(start)}`langscape languages --search TEXT` lists all."
    )


def _suggestions(code: str) -> str:
    iso, script, *_ = [*re.findall(r"[^\W_]+", code), "", ""]
    named = [f"{_spelling(language, script)} ({language.name})" for language in _nearest(iso.casefold())]
    return f"Did you mean {' or '.join(named)}? " if named else ""


def _spelling(language: Language, script: str) -> str:
    """The code to type: with the script that was typed if there is such a one, without it if none was."""
    if not script:
        return language.iso
    return f"{language.iso}_{script.title()}" if script.title() in SCRIPTS else language.code


def _nearest(text: str) -> list[Language]:
    """The one language this text is the code of but for its spelling, else those with such names and codes."""
    table = _table()
    exact = (BIBLIOGRAPHIC | _two_letters()).get(text, text)
    if exact in table:
        return [table[exact][0]]
    found = dict.fromkeys([*_named_like(text), *get_close_matches(text, table, SUGGESTIONS)])
    return [table[iso][0] for iso in found][:SUGGESTIONS]


def _named_like(text: str) -> Iterable[str]:
    """ISO codes of the languages with this name, with a word of this name, with a word that begins so."""
    if not text:
        return []
    names = {iso: known[0].name.casefold() for iso, known in _table().items()}
    whole = [iso for iso, name in names.items() if name == text]
    word = [iso for iso, name in names.items() if text in name.split()]
    start = [iso for iso, name in names.items() if f" {text}" in f" {name}"]
    close = {name: iso for iso, name in names.items()}
    misspelt = [close[name] for name in get_close_matches(text, close, SUGGESTIONS, cutoff=0.8)]
    return [*whole, *word, *misspelt, *start]


def other_codes(iso: str) -> tuple[str, ...]:
    """What others call a language: `arb`, `ara` and `ar` are one, for Arabic as a macrolanguage means Standard Arabic.

    Two letters come first, then the code asked for.
    """
    glottocode = find(iso).glottocode
    same = [row for row in _rows() if row["iso"] == iso or (glottocode and row["glottocode"] == glottocode)]
    short = [row["iso1"] for row in same if row["iso1"]]
    return tuple(dict.fromkeys([*short, iso, *(row["iso"] for row in same)]))
