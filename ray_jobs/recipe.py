"""Recipes: everything that decides a result, in one strict file."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

import yaml
from pydantic import Field, model_validator

from langvec.alphabet import AlphabetRecipe, CharRecipe
from langvec.cleaning import Cleaning, Split
from langvec.config import Strict
from langvec.constructions import TreeRecipe
from langvec.corpus import Corpus
from langvec.models import ModelRecipe
from langvec.ngram import NgramRecipe
from langvec.scoring import Scoring
from langvec.sources import AnySource
from langvec.vectors import PRESETS, VectorRecipe


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

    shipped_in: ClassVar[Path] = Path(__file__).parent / "recipes"

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

    def problems(self) -> list[str]:
        """What can be seen to be wrong besides the sources, which are looked at one by one."""
        return []

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
