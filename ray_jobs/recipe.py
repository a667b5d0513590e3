"""Recipes: everything that decides a result, in one strict file."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

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
from ray_jobs.mistakes import Place, mistakes, place_of

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
    recipe, wrong = _validate(raw)
    wrong += [problem for source in _valid_sources(raw) for problem in source.problems()]
    if recipe is None or wrong:
        raise InputError(_paragraph(name, wrong))
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


def _apply(raw: dict[str, Any], setting: str) -> None:
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
            place = _mapping(place, setting).setdefault(step, _default(parents[:depth]))
    if _is_index(place, last):
        place[int(last)] = _value(text, setting)
    else:
        _mapping(place, setting)[last] = _value(text, setting)


def _default(path: Sequence[str]) -> Any:
    """What a recipe without this field holds there, as YAML would give it; an empty mapping if that is nothing."""
    place: Any = Recipe.model_construct(corpora=()).model_dump(mode="json")
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


def _validate(raw: dict[str, Any]) -> tuple[Recipe | None, list[str]]:
    try:
        return Recipe.model_validate(raw), []
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
