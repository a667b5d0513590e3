"""Which locale folders of installed software hold a language: `de`, `pt_BR`, `sr@latin`, `zh_Hant`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from langvec.languages import find, other_codes

_FORM = re.compile(
    r"(?P<language>[a-z]{2,3})(?:[_-](?P<script>[A-Z][a-z]{3}))?(?:[_-](?P<region>[A-Z]{2}|[0-9]{3}))?"
    r"(?:\.[\w-]+)?(?:@(?P<modifier>\w+))?"
)
_MODIFIER_SCRIPTS = {
    **dict.fromkeys(("latin", "latn", "iqtelif"), "Latn"),
    **dict.fromkeys(("cyrillic", "cyrl"), "Cyrl"),
    **dict.fromkeys(("arabic", "arab"), "Arab"),
    **dict.fromkeys(("devanagari", "deva"), "Deva"),
    "shaw": "Shaw",
}
# Regions that write the language in another script than its usual one.
_REGION_SCRIPTS = {
    ("az", "IR"): "Arab",
    ("ku", "IQ"): "Arab",
    ("mn", "CN"): "Mong",
    ("pa", "PK"): "Arab",
    ("zh", "HK"): "Hant",
    ("zh", "MO"): "Hant",
    ("zh", "TW"): "Hant",
}


class Locale(NamedTuple):
    """A locale name taken apart. It is plain if it names neither a region nor a variety, such as ca@valencia."""

    language: str
    script: str | None
    plain: bool


def parse(name: str) -> Locale | None:
    """The parts of a locale name, or None if it is not one."""
    match = _FORM.fullmatch(name)
    if match is None:
        return None
    modifier = (match["modifier"] or "").lower()
    script = match["script"] or _MODIFIER_SCRIPTS.get(modifier)
    variety = bool(modifier) and script is None
    return Locale(
        language=match["language"],
        script=script or _REGION_SCRIPTS.get((match["language"], match["region"] or "")),
        plain=not match["region"] and not variety,
    )


def matching(code: str, names: Iterable[str]) -> list[str]:
    """The locales among `names` that are in a language: the plain ones, or else every region and variety of it.

    A locale that says nothing about its script is in the language's usual one: `sr` is Cyrillic, `zh_CN` simplified.
    """
    language = find(code)
    usual = find(language.iso).script
    spellings = other_codes(language.iso)
    fitting = [
        (name, locale) for name in sorted(set(names)) if (locale := parse(name)) and locale.language in spellings
    ]
    fitting = [(name, locale) for name, locale in fitting if (locale.script or usual) == language.script]
    return [name for name, locale in fitting if locale.plain] or [name for name, _ in fitting]
