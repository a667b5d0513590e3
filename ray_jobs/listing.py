"""`langscape languages`: what can be named in a recipe."""

from __future__ import annotations

from langvec.errors import InputError
from langvec.languages import Language, is_usual, search
from langvec.sources.udhr import available


def languages(text: str, bundled: bool) -> list[str]:
    """One line for each language and script; `bundled` keeps those with a Declaration."""
    found = search(text)
    several = {language.iso for language in found if not is_usual(language)}
    if bundled:
        there = frozenset(available())
        found = [language for language in found if language.code in there]
    if not found:
        where = "No language of the bundled Declaration" if bundled else "No language"
        raise InputError(f"{where} has {text!r} in its code, name or family.")
    return [_line(language, language.iso in several) for language in found]


def _line(language: Language, one_of_several: bool) -> str:
    usual = ", usual script" if one_of_several and is_usual(language) else ""
    family = " > ".join(language.family) or "isolate"
    return f"{language.code}  {language.glottocode or '-':8}  {language.name}{usual}  ({family})"
