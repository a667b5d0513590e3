"""Recipes of `langscape lem`: tagged parallel text, an encoder, what is hidden from it, and how it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator

from langvec.sources import AnySource
from langvec.sources.base import Code
from masking.curriculum import Curriculum
from masking.encoder import Embedding
from masking.masks import AnyMasks, LemMasks, TokenMasks
from masking.parallel import Division, Layout
from masking.start import AnyStart
from ray_jobs.tag_recipe import TagCompute, TagRecipe

UNTOUCHED = "untouched"
HELD_OUT = "held_out"
TOGETHER = "together"


def _two_languages(pair: tuple[str, str]) -> tuple[str, str]:
    if pair[0] == pair[1]:
        raise ValueError(f"{pair[0]} paired with itself; expected two languages")
    return pair


Pair = Annotated[tuple[Code, Code], AfterValidator(_two_languages)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_+-]{0,39}$")]


class LemCompute(TagCompute):
    """Where the work runs. Never part of a fingerprint: it cannot change a result."""

    workers: int = Field(1, ge=1, description="processes that train one encoder together")
    cpus_per_worker: float = Field(1, gt=0, description="cores of each, and of a trial of a sweep")
    gpus_per_worker: float = Field(0, ge=0, description="GPUs of each, and of a trial of a sweep")
    save_every_s: float = Field(120, ge=0, description="seconds of training that a kill may cost; 0: no step")

    @property
    def checkpoint_every_s(self) -> float:
        return self.save_every_s


class HeadStart(Curriculum):
    """Training of the head alone, where an encoder comes without one for hidden pieces."""

    epochs: int = Field(1, ge=1)
    learning_rate: float = Field(1e-3, gt=0)
    tokens: int | None = Field(200_000, ge=1)


class LemRecipe(TagRecipe):
    """What `langscape lem` does: tag, pre-train on sentences, then on pairs, judge."""

    shipped_in: ClassVar[Path] = Path(__file__).parent / "recipes" / "lem"

    pairs: tuple[Pair, ...] = Field(min_length=1, description="which languages are translations of each other")
    together: bool = Field(False, description="one encoder for all pairs, instead of one for each")
    encoder: AnyStart = Field(description="what to start from")
    embedding: Embedding = Field(Embedding(), description="how an encoder's layers become vectors of sentences")
    arms: dict[Name, AnyMasks] = Field(
        {"lem": LemMasks(), "mlm": TokenMasks()}, min_length=1, description="what is hidden, by name; each is trained"
    )
    baseline: str = Field("mlm", description="the arm that the others are compared with")
    seeds: int = Field(1, ge=1, description="encoders of each arm; differences of one seed are of these encoders alone")
    division: Division = Field(Division(), description="what is learnt from and what is kept back")
    layout: Layout = Field(Layout(), description="how sentences and pairs become samples")
    head: HeadStart = HeadStart()
    mono: Curriculum | None = Field(Curriculum(), description="the stage on sentences; null leaves it out")
    para: Curriculum | None = Field(Curriculum(), description="the stage on pairs; null leaves it out")
    monolingual: tuple[AnySource, ...] = Field(
        (), description="other text for the stage on sentences; none: the sides of the pairs"
    )
    tests: dict[Name, AnySource] = Field({}, description="parallel text to judge by, beside what is held out")
    compute: LemCompute = LemCompute()

    @model_validator(mode="after")
    def _pairs_are_of_languages_with_text(self) -> LemRecipe:
        unread = sorted({code for pair in self.pairs for code in pair} - set(self.codes()))
        if unread:
            raise ValueError(f"{', '.join(unread)} in `pairs`, but no text; expected it in `corpora`")
        if len(set(map(frozenset, self.pairs))) < len(self.pairs):
            raise ValueError("a pair is given twice; expected each once")
        return self

    @model_validator(mode="after")
    def _there_is_something_to_do(self) -> LemRecipe:
        if self.mono is None and self.para is None:
            raise ValueError("both `mono` and `para` are null; expected at least one stage")
        if self.baseline not in (UNTOUCHED, *self.arms):
            raise ValueError(
                f"baseline: {self.baseline} is no arm; expected {UNTOUCHED} or one of {', '.join(self.arms)}"
            )
        if UNTOUCHED in self.arms:
            raise ValueError(f"{UNTOUCHED} is the encoder as it comes; expected another name for an arm")
        return self

    @model_validator(mode="after")
    def _other_text_can_be_tagged(self) -> LemRecipe:
        codes = [code for source in self.monolingual for code in source.codes()]
        strange = sorted(set(codes) - set(self.codes()))
        if strange or len(set(codes)) < len(codes):
            raise ValueError(f"monolingual: found {', '.join(codes)}; expected languages of `corpora`, each once")
        projected = sorted(set(codes) & set(self.projections()))
        if projected:
            raise ValueError(
                f"monolingual: {', '.join(projected)} is tagged by projection, and this text has no other side; "
                f"expected a tagger of its own in `taggers`"
            )
        return self

    def problems(self) -> list[str]:
        named = {"monolingual": self.monolingual, **{f"tests.{name}": (one,) for name, one in self.tests.items()}}
        found = [f"{place}: {problem}" for place, some in named.items() for one in some for problem in one.problems()]
        return [*super().problems(), *self.encoder.problems(), *self._beyond_the_layers(), *found]

    def _beyond_the_layers(self) -> list[str]:
        asked, there = self.embedding.layer, None if self.encoder.problems() else self.encoder.known_layers()
        if asked is None or there is None or asked <= there:
            return []
        return [f"embedding.layer is {asked}, the encoder has {there} layers. Expected a layer from 0 to that."]

    def groups(self) -> dict[str, tuple[Pair, ...]]:
        """What one encoder is trained on, by name."""
        if self.together:
            return {TOGETHER: self.pairs}
        return {name_of(pair): (pair,) for pair in self.pairs}


def name_of(pair: tuple[str, str]) -> str:
    return "-".join(pair)


@dataclass(frozen=True)
class Arm:
    """One strategy and one seed: what an encoder is trained with."""

    name: str
    masks: AnyMasks
    seed: int

    @property
    def id(self) -> str:
        return f"{self.name}.{self.seed}"


def arms(recipe: LemRecipe) -> list[Arm]:
    return [Arm(name, how, seed) for name, how in recipe.arms.items() for seed in seeds(recipe)]


def seeds(recipe: LemRecipe) -> range:
    return range(recipe.seed, recipe.seed + recipe.seeds)
