"""Names of places, languages, scripts and currencies in a language's own words: a lexicon without any annotation."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from langvec.errors import InputError
from masking.tagging.base import installed
from masking.tagging.lexicon import Entry, Key, compared

Label = Literal["LOC", "ORG", "MISC"]

# CLDR lists them among the names; they name nothing: unknown, several, none, metals, test codes, properties of text.
_NO_NAMES: dict[str, frozenset[str]] = {
    "territories": frozenset({"001", "XA", "XB", "ZZ"}),
    "languages": frozenset({"mis", "mul", "root", "und", "zxx"}),
    "scripts": frozenset({"Hans", "Hant", "Zinh", "Zmth", "Zsye", "Zsym", "Zxxx", "Zyyy", "Zzzz"}),
    "currencies": frozenset({"XAG", "XAU", "XPD", "XPT", "XTS", "XXX"}),
}
_ORGANISATIONS = frozenset({"EU", "UN"})
# Characters of the shortest name. Without capitals a short one is often a word too: Awadhi is `awake` in Sinhala, Thai
# is `mother` in Tamil. Countries are worth the risk; Chinese and Korean write most of them with two.
_SHORTEST = 3
_SHORTEST_WITHOUT_CAPITALS = 5
_SHORTEST_WIDE = 2


def gazetteer(code: str) -> list[Entry]:
    """What the Unicode CLDR calls territories, languages, scripts and currencies in a language, as a lexicon of `ne`.

    Write it with `write_lexicon`. Read it with `ignore_case: false` where the script has capitals: Turkey, Moon and
    Even are names, turkey, moon and even are not. It holds plain forms only, not what cases and suffixes make of them.

    Args:
        code: ISO 639-3, with a script if need be: `sin`, `srp_Latn`.
    """
    locale = _locale(code)
    entries: dict[Key, Entry] = {}
    for part, left_out in _NO_NAMES.items():
        named = {key: name for key, name in getattr(locale, part).items() if key not in left_out}
        for entry in _entries(part, named):
            # A place before the language that is called the same; Rwanda before rwanda.
            entries.setdefault(compared(entry.text, ignore_case=True), entry)
    if not entries:
        raise _unknown(code)
    return sorted(entries.values())


def _entries(part: str, named: Mapping[str, str]) -> Iterator[Entry]:
    for key, name in named.items():
        label: Label = "MISC" if part != "territories" else "ORG" if key in _ORGANISATIONS else "LOC"
        composed = " ".join(unicodedata.normalize("NFC", name).split())
        for form in sorted({composed, _outside_brackets(composed)}):
            # Some are the code itself, for want of a translation.
            if len(form) >= _shortest(form, label) and form.casefold() != key.casefold():
                yield Entry(form, label)


def _outside_brackets(name: str) -> str:
    """`Myanmar` of `Myanmar (Burma)`."""
    before, _, rest = name.partition("(")
    return " ".join((before + rest.partition(")")[2]).split())


def _shortest(name: str, label: Label) -> int:
    if any(unicodedata.east_asian_width(char) == "W" for char in name):
        return _SHORTEST_WIDE
    return _SHORTEST_WITHOUT_CAPITALS if label == "MISC" and name.lower() == name.upper() else _SHORTEST


def _locale(code: str) -> Any:
    """Babel's data for a language; its own table turns three letters into two."""
    installed("babel", "taggers")
    from babel import Locale, UnknownLocaleError
    from babel.core import get_global

    language, *script = code.split("_")
    try:
        locale = Locale.parse("_".join([get_global("language_aliases").get(language, language), *script]))
    except (UnknownLocaleError, ValueError, TypeError):
        raise _unknown(code) from None
    # Haitian has none of its own but the French ones; the two kinds of Norwegian rightly share theirs.
    lender = get_global("parent_exceptions").get(str(locale), locale.language).split("_")[0]
    if lender not in (locale.language, "no", "root"):
        raise _unknown(code)
    return locale


def _unknown(code: str) -> InputError:
    return InputError(
        f"The CLDR, as babel carries it, has no names in {code!r}. Expected an ISO 639-3 code it covers, such as "
        f"sin, tam or eng; else write names of your own, lines name<TAB>LOC, and use them as a lexicon."
    )
