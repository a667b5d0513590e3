"""Recipes: everything that decides a result, in one strict file."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, Field, TypeAdapter, ValidationError, model_validator

from langvec.alphabet import AlphabetRecipe, CharRecipe
from langvec.cleaning import Cleaning, Split
from langvec.config import Strict
from langvec.constructions import TreeRecipe
from langvec.corpus import Corpus
from langvec.errors import InputError
from langvec.models import ModelRecipe
from langvec.ngram import NgramRecipe
from langvec.scoring import Scoring
from langvec.sources import AnySource
from langvec.vectors import PRESETS, VectorRecipe

KEY = "[key]"  # how pydantic marks a mistake in the key of a mapping
SOURCE = TypeAdapter[AnySource](AnySource)
SHIPPED = Path(__file__).parent / "recipes"


class Compute(Strict):
    """Where the work runs. Never part of a fingerprint: it cannot change a result."""

    cpus: int | None = Field(None, ge=1, description="cores of the private local cluster; null takes all")
    cpus_per_model: float = Field(1, gt=0, description="cores of one training")
    gpus_per_model: float = Field(0, ge=0, description="GPUs of one training or scoring task; 0.25: four share one")
    texts_per_task: int = Field(64, ge=1, description="cells of the grid that one task scores and publishes")
    checkpoint_every_s: float = Field(60, ge=0, description="how much of a training a kill may cost")


class Trees(Strict):
    """The trees of a run, and how often each is grown again to see how sure it is."""

    grow: tuple[TreeRecipe, ...] = Field(
        (
            TreeRecipe(construction="nested"),
            TreeRecipe(construction="nested", min_samples=0.3),
            TreeRecipe(construction="flat"),
            TreeRecipe(construction="hdbscan"),
            TreeRecipe(construction="average"),
            TreeRecipe(construction="complete"),
            TreeRecipe(construction="ward"),
            TreeRecipe(construction="nj"),
        ),
        min_length=1,
        description="the first is the one that `langscape tree` prints",
    )
    draws: int = Field(100, ge=0, description="draws of the text's folds behind every support and interval")

    @model_validator(mode="after")
    def _each_once(self) -> Trees:
        names = [tree.name for tree in self.grow]
        if len(set(names)) < len(names):
            raise ValueError(f"trees.grow lists {', '.join(names)}; expected each tree once")
        return self


class Recipe(Strict):
    """What `langscape entropy2vec` does."""

    seed: int = Field(1, ge=0, description="every random draw derives from it")
    corpora: tuple[AnySource, ...] = Field(description="where the text of each language comes from")
    cleaning: Cleaning = Cleaning()
    split: Split = Split()
    alphabet: AlphabetRecipe = CharRecipe()
    models: tuple[ModelRecipe, ...] = Field(
        (NgramRecipe(),),
        min_length=1,
        description="the first is the one that counts, others are its baselines",
    )
    landmarks: int | None = Field(None, ge=2, description="train so many models only, spread over families; null: all")
    scoring: Scoring = Scoring()
    vectors: Literal["best", "paper"] | VectorRecipe = "best"
    trees: Trees = Trees()
    compute: Compute = Compute()

    @model_validator(mode="after")
    def _each_language_once(self) -> Recipe:
        codes = [code for source in self.corpora for code in source.codes()]
        if not codes:
            raise ValueError(
                "corpora names no language; expected at least one source, e.g. {kind: udhr, languages: all}"
            )
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} in more than one source; expected each language once")
        return self

    @model_validator(mode="after")
    def _each_kind_once(self) -> Recipe:
        kinds = [model.kind for model in self.models]
        if len(set(kinds)) < len(kinds):
            raise ValueError(f"models lists {', '.join(kinds)}; expected each kind once")
        return self

    @model_validator(mode="after")
    def _vectors_can_be_made(self) -> Recipe:
        vectors, kinds = self.vector_recipe, [model.kind for model in self.models]
        if self.landmarks and (vectors.orientation != "column" or vectors.value.startswith("excess")):
            raise ValueError(
                "with landmarks not every language has a model; expected vectors with orientation column and value "
                "nats or perplexity, such as the preset best"
            )
        if vectors.value == "excess_text" and "ngram" not in kinds:
            raise ValueError("vectors.value excess_text needs {kind: ngram} among the models")
        return self

    @property
    def vector_recipe(self) -> VectorRecipe:
        return PRESETS[self.vectors] if isinstance(self.vectors, str) else self.vectors

    def descriptions(self) -> list[Corpus]:
        """One corpus per language, in recipe order."""
        return [
            Corpus(code=code, source=source, cleaning=self.cleaning, split=self.split)
            for source in self.corpora
            for code in source.codes()
        ]

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def load_recipe(name: str, settings: Sequence[str] = ()) -> Recipe:
    """A shipped recipe or a YAML file, with `a.b=c` settings applied and every input looked at.

    All mistakes are gathered into one InputError.
    """
    raw = _parse(_locate(name))
    for setting in settings:
        _apply(raw, setting)
    recipe, mistakes = _validate(raw)
    mistakes += [problem for source in _valid_sources(raw) for problem in source.problems()]
    if recipe is None or mistakes:
        raise InputError(_paragraph(name, mistakes))
    return recipe


def shipped() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def _locate(name: str) -> Path:
    path = SHIPPED / f"{name}.yaml" if name in shipped() else Path(name)
    if not path.is_file():
        raise InputError(
            f"There is no recipe {name!r}. Expected a YAML file or one of the shipped recipes: {', '.join(shipped())}."
        )
    return path


def _parse(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), _NoDuplicates)  # noqa: S506 - derives from SafeLoader
    except (yaml.YAMLError, ValueError) as error:
        raise InputError(f"The recipe {path} is not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(raw, dict):
        raise InputError(f"The recipe {path} holds {type(raw).__name__}. Expected fields such as `corpora:`.")
    return raw


class _NoDuplicates(yaml.SafeLoader):
    """Plain YAML lets a later key silently replace an earlier one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(twice)} given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def _apply(raw: dict[str, Any], setting: str) -> None:
    """Put one `--set a.b=c` into the recipe; a number in the path picks an item of a list."""
    path, equals, text = setting.partition("=")
    *parents, last = path.split(".")
    if not equals or not all([*parents, last]):
        raise InputError(f"--set {setting}: expected FIELD=VALUE, e.g. --set cleaning.min_chars=20.")
    place: Any = raw
    for step in parents:
        place = place[int(step)] if _is_index(place, step) else _mapping(place, setting).setdefault(step, {})
    if _is_index(place, last):
        place[int(last)] = _value(text, setting)
    else:
        _mapping(place, setting)[last] = _value(text, setting)


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


def _validate(raw: dict[str, Any]) -> tuple[Recipe | None, list[str]]:
    try:
        return Recipe.model_validate(raw), []
    except ValidationError as error:
        return None, [_mistake(item) for item in error.errors(include_url=False)]


def _valid_sources(raw: dict[str, Any]) -> Iterator[AnySource]:
    """The sources, as far as they can be looked at although something in the recipe is wrong."""
    sources = raw.get("corpora")
    for item in sources if isinstance(sources, list) else []:
        try:
            yield SOURCE.validate_python(item)
        except ValidationError as error:
            with suppress(ValidationError, LookupError, TypeError, AttributeError):
                yield SOURCE.validate_python(_without(item, [found["loc"] for found in error.errors()]))


def _without(item: Any, mistakes: list[tuple[int | str, ...]]) -> Any:
    """A source without its mistaken fields, items and keys, so that the rest of it can be looked at."""
    item = copy.deepcopy(item)
    for _kind, *steps in reversed(mistakes):
        *parents, last = [step for step in steps if step != KEY]
        place = item
        for step in parents:
            place = place[step]
        del place[last]
    return item


def _mistake(error: Any) -> str:
    """One pydantic error as field, what was expected and what was found."""
    field = _path(error["loc"]) or "recipe"
    if error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(error["loc"][-1]), _field_names(Strict), n=1)
        return f"{field}: there is no such field{f'; did you mean {near[0]}?' if near else '.'}"
    if error["type"] == "missing":
        return f"{field}: missing, and it has no default."
    message = error["msg"].removeprefix("Value error, ").rstrip(".")
    shown = error["type"] != "value_error" and not isinstance(error["input"], dict | list)
    found = f", found {error['input']!r}" if shown else ""
    return f"{field}: {message}{found}."


def _path(location: Sequence[int | str]) -> str:
    """The field as `--set` spells it: without the kind of a source or alphabet, which pydantic puts in."""
    kinds = {i + 1 for i, step in enumerate(location) if isinstance(step, int) or step == "alphabet"}
    return ".".join(str(step) for i, step in enumerate(location) if i not in kinds and step != KEY)


def _field_names(model: type[BaseModel]) -> set[str]:
    below = [_field_names(subclass) for subclass in model.__subclasses__()]
    return set(model.model_fields).union(*below)


def _paragraph(name: str, mistakes: list[str]) -> str:
    if len(mistakes) == 1:
        return f"The recipe {name} cannot run. {mistakes[0]}"
    return "\n".join(
        [f"The recipe {name} has {len(mistakes)} mistakes; nothing was started.", *(f"- {m}" for m in mistakes)]
    )
