"""Takes out of a program's messages what is not text: accelerators, placeholders, tags, entities."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache

_BREAKING_TAGS = re.compile(r"</?(?:br|p|li|ul|ol|div|tr|td|h[1-6])\b[^<>]*>", re.IGNORECASE)
_TAGS = re.compile(r"</?[A-Za-z][^<>]*>")
_ENTITIES = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LINE_BREAKS = re.compile(r"\\[nrt]|[\r\n\t]")
_PLACEHOLDERS = re.compile(
    r"""(?<![ ])[ ]*+(?:
        \$\([^()\s]*\) | \$\{[^{}\s]*\} | \$[A-Z][A-Z0-9_]+\$?      # $(ARG1) ${name} $NAME
      | \{\{[^{}]*\}\} | \{[^{}\s]*\}                               # {{ name }} {0} {count:d}
      | (?<![\d%])%[A-Z][A-Z0-9_]{2,}%?                             # %PRODUCTNAME
      | (?<![\d%])%\([^()\s]+\)[#0+-]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa]     # %(name)s
      | (?<![\d%])%(?:\d+\$)?[#0+']*-?(?:[\d*]+)?(?:\.[\d*]+)?(?:hh|ll|[hlLqjzt])?[diouxXeEfFgGcspnm](?![a-z]{2})
      | (?<![\d%])%L?\d{1,2}                                        # %1 of Qt
    )""",
    re.VERBOSE,
)
_EMPTIED = re.compile(r"(?<![ ])[ ]*+(?:\(\s*\)|\[\s*\]|\"\s*\"|“\s*”|„\s*[“”]|«\s*»|‘\s*’|'\s*'|`\s*')")

# Chinese, Japanese and Korean put the accelerator's letter behind the word: ファイル(_F)
_ACCELERATOR_IN_BRACKETS = re.compile(r"\s?[(（][_~&][A-Za-z0-9][)）]")
# At the start of a word any of the three marks is one. Inside a word & and ~ are if a small letter follows (E&xit, but
# AT&T); _ joins the names of variables there, so it is one only in a word that no such name looks like.
_ACCELERATOR = re.compile(r"(?<!\w)(?<!&)[_~&](?=[^\W\d_])(?!\w+;)|(?<=[^\W\d_])[~&](?=[^\W\d_A-Z])(?!\w+;)")
_JOINED = re.compile(r"\b[^\W\d_]+_[^\W\d_]+\b")
_DOUBLED = re.compile(r"([_&])\1")

# What Unicode names of the letters of a script start with.
_SCRIPT_NAMES = {
    **dict.fromkeys(("Hans", "Hant", "Hani"), ("CJK",)),
    **dict.fromkeys(("Jpan", "Hrkt"), ("HIRAGANA", "KATAKANA", "CJK")),
    **dict.fromkeys(("Kore", "Hang"), ("HANGUL",)),
    "Arab": ("ARABIC",),
    "Armn": ("ARMENIAN",),
    "Bali": ("BALINESE",),
    "Beng": ("BENGALI",),
    "Cans": ("CANADIAN SYLLABICS",),
    "Cher": ("CHEROKEE",),
    "Cyrl": ("CYRILLIC",),
    "Deva": ("DEVANAGARI",),
    "Ethi": ("ETHIOPIC",),
    "Geor": ("GEORGIAN",),
    "Grek": ("GREEK",),
    "Gujr": ("GUJARATI",),
    "Guru": ("GURMUKHI",),
    "Hebr": ("HEBREW",),
    "Java": ("JAVANESE",),
    "Khmr": ("KHMER",),
    "Knda": ("KANNADA",),
    "Laoo": ("LAO",),
    "Latn": ("LATIN",),
    "Mlym": ("MALAYALAM",),
    "Mong": ("MONGOLIAN",),
    "Mymr": ("MYANMAR",),
    "Nkoo": ("NKO",),
    "Olck": ("OL CHIKI",),
    "Orya": ("ORIYA",),
    "Shaw": ("SHAVIAN",),
    "Sinh": ("SINHALA",),
    "Sund": ("SUNDANESE",),
    "Syrc": ("SYRIAC",),
    "Taml": ("TAMIL",),
    "Telu": ("TELUGU",),
    "Tfng": ("TIFINAGH",),
    "Thaa": ("THAANA",),
    "Thai": ("THAI",),
    "Tibt": ("TIBETAN",),
}


def strip_markup(text: str) -> str:
    """The words of a message on one line: `Op_en “%s”…` becomes `Open…`."""
    text = _TAGS.sub("", _BREAKING_TAGS.sub(" ", _LINE_BREAKS.sub(" ", text)))
    text = _without_accelerators(_PLACEHOLDERS.sub("", text).replace("%%", "%"))
    text = _ENTITIES.sub(lambda entity: html.unescape(entity[0]), text)
    return " ".join(_EMPTIED.sub("", text).split())


def has_letter(text: str, script: str) -> bool:
    """Whether a letter of a script (ISO 15924) is in the text; any letter will do for a script not listed here."""
    return any(_is_letter(char, script) for char in text)


def _without_accelerators(text: str) -> str:
    if not any(mark in text for mark in "_~&"):
        return text
    text = _ACCELERATOR.sub("", _ACCELERATOR_IN_BRACKETS.sub("", text))
    if text.count("_") == 1:
        text = _JOINED.sub(_without_underscore, text)
    return _DOUBLED.sub(r"\1", text)


def _without_underscore(word: re.Match[str]) -> str:
    """`Sa_ve` and `öff_nen` without it, `snake_case` as it is."""
    first, second = word[0].split("_")
    is_accelerated = not word[0].isascii() or (first.istitle() and second.islower())
    return first + second if is_accelerated else word[0]


@cache
def _is_letter(char: str, script: str) -> bool:
    return char.isalpha() and unicodedata.name(char, "").startswith(_SCRIPT_NAMES.get(script, ("",)))
