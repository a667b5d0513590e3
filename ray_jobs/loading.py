"""A recipe from its file: parsed, changed by `--set`, checked, and every input looked at before work starts."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar, cast

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from langvec.errors import InputError
from langvec.sources import AnySource
from ray_jobs.mistakes import Place, mistakes, place_of

SOURCE = TypeAdapter[AnySource](AnySource)


class AnyRecipe(Protocol):
    """What the recipe of every job has."""

    shipped_in: ClassVar[Path]

    def problems(self) -> list[str]: ...
    def to_yaml(self) -> str: ...


R = TypeVar("R", bound=AnyRecipe)


def load_recipe(kind: type[R], name: str, settings: Sequence[str] = ()) -> R:
    """A shipped recipe or a YAML file, with `a.b=c` settings applied and every input looked at.

    All mistakes are gathered into one InputError.
    """
    raw = _parse(_locate(name, kind))
    for setting in settings:
        _apply(raw, setting, kind)
    recipe, wrong = _validate(raw, kind)
    wrong += [problem for source in _valid_sources(raw) for problem in source.problems()]
    wrong += recipe.problems() if recipe else []
    if recipe is None or wrong:
        raise InputError(_paragraph(name, wrong))
    return recipe


def shipped(kind: type[AnyRecipe]) -> list[str]:
    return sorted(path.stem for path in kind.shipped_in.glob("*.yaml"))


def _locate(name: str, kind: type[AnyRecipe]) -> Path:
    known = shipped(kind)
    path = kind.shipped_in / f"{name}.yaml" if name in known else Path(name)
    if not path.is_file():
        near = get_close_matches(name, known, n=1)
        hint = (
            f" Did you mean {near[0]}?" if near else " That is a recipe of another command." if _shipped(name) else ""
        )
        raise InputError(
            f"There is no recipe {name!r}. Expected a YAML file or one of the shipped recipes: "
            f"{', '.join(known)}.{hint}"
        )
    return path


def _shipped(name: str) -> bool:
    """Whether a recipe of any command is called so."""
    return any(path.stem == name for path in (Path(__file__).parent / "recipes").rglob("*.yaml"))


def _parse(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _NoDuplicates)  # noqa: S506 - derives from SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"The recipe {path} is not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(raw, dict):
        held = "is empty" if raw is None else "holds a list" if isinstance(raw, list) else f"holds only {raw!r}"
        raise InputError(f"The recipe {path} {held}. Expected fields such as `corpora:`.")
    return raw


class _NoDuplicates(yaml.SafeLoader):
    """Plain YAML lets a later key silently replace an earlier one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(twice)} given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _apply(raw: dict[str, Any], setting: str, kind: type[AnyRecipe]) -> None:
    """Put one `--set a.b=c` into the recipe; a number in the path picks an item of a list."""
    path, equals, text = setting.partition("=")
    *parents, last = path.split(".")
    if not equals or not all([*parents, last]):
        raise InputError(f"--set {setting}: expected FIELD=VALUE, e.g. --set cleaning.min_chars=20.")
    place: Any = raw
    for depth, step in enumerate(parents, 1):
        if _is_index(place, step):
            place = place[int(step)]
        else:
            place = _mapping(place, setting).setdefault(step, _default(kind, parents[:depth]))
    if _is_index(place, last):
        place[int(last)] = _value(text, setting)
    else:
        _mapping(place, setting)[last] = _value(text, setting)


def _default(kind: type[AnyRecipe], path: Sequence[str]) -> Any:
    """What a recipe without this field holds there, as YAML would give it; an empty mapping if that is nothing."""
    place: Any = cast(type[BaseModel], kind).model_construct(corpora=()).model_dump(mode="json")
    for step in path:
        place = place.get(step) if isinstance(place, dict) else None
    return {} if place is None else place


def _value(text: str, setting: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"--set {setting}: the value is not YAML ({' '.join(str(error).split())}).") from None


def _is_index(place: Any, step: str) -> bool:
    return isinstance(place, list) and step.isdecimal() and int(step) < len(place)


def _mapping(place: Any, setting: str) -> dict[str, Any]:
    if isinstance(place, dict):
        return place
    size = f"a list of {len(place)} (count from 0)" if isinstance(place, list) else repr(place)
    raise InputError(f"--set {setting}: the path does not fit the recipe, it leads into {size}.")


def _validate(raw: dict[str, Any], kind: type[R]) -> tuple[R | None, list[str]]:
    try:
        return cast(R, cast(type[BaseModel], kind).model_validate(raw)), []
    except ValidationError as error:
        return None, mistakes(raw, error)


def _valid_sources(raw: dict[str, Any]) -> Iterator[AnySource]:
    """The sources, as far as they can be looked at although something in the recipe is wrong."""
    sources = raw.get("corpora")
    for item in sources if isinstance(sources, list) else []:
        try:
            yield SOURCE.validate_python(item)
        except ValidationError as error:
            places = dict.fromkeys(place_of(item, found) for found in error.errors())
            with suppress(ValidationError, LookupError, TypeError, AttributeError):
                yield SOURCE.validate_python(_without(item, list(places)))


def _without(item: Any, mistaken: list[Place]) -> Any:
    """A source without its mistaken fields, items and keys, so that the rest of it can be looked at."""
    item = copy.deepcopy(item)
    for place in reversed([place for place in mistaken if place]):  # none is the source itself: it fails again
        holder = item
        for step in place[:-1]:
            holder = holder[step]
        del holder[place[-1]]
    return item


def _paragraph(name: str, wrong: list[str]) -> str:
    if len(wrong) == 1:
        return f"The recipe {name} cannot run. {wrong[0]}"
    return "\n".join([f"The recipe {name} has {len(wrong)} mistakes; nothing was started.", *(f"- {m}" for m in wrong)])
