"""Names and paths that are written once for all languages, such as `texts/{code}.tsv`."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping

from langvec.languages import find, other_codes

PLACEHOLDERS = ("code", "iso", "script", "name")


def fill(template: str, code: str, names: Mapping[str, str], **others: str) -> str:
    """The template for one language. Its {name} is that in `names`, else the two-letter code, else the ISO code."""
    language = find(code)
    name = names.get(code) or other_codes(language.iso)[0]
    return template.format(code=language.code, iso=language.iso, script=language.script, name=name, **others)


def wrong_placeholders(kind: str, field: str, template: str, known: Iterable[str] = PLACEHOLDERS) -> list[str]:
    """What is wrong with a template that stands in a field of a source of this kind."""
    try:
        used = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        return [f"{kind}: `{field}: {template}` is not a template ({error}). Write a brace that is meant as one twice."]
    listed = ", ".join(f"{{{name}}}" for name in known)
    return [
        f"{kind}: `{field}: {template}` has the placeholder {{{name}}}. Expected one of {listed}."
        for name in used
        if name not in known
    ]
