"""Recipes of `langscape sentiment`: labelled comments, what is trained on together, code-mixed text to judge on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from pydantic import Field, model_validator

from langvec.sources.base import canonical
from ray_jobs.classification_recipe import ClassificationRecipe, Name

ALL = "all"


class SentimentRecipe(ClassificationRecipe):
    """What `langscape sentiment` does: tune encoders on labelled text, judge each language by macro-F1."""

    shipped_in: ClassVar[Path] = Path(__file__).parent / "recipes" / "sentiment"

    train: dict[Name, tuple[str, ...]] = Field(
        {}, description="languages that are trained on together, by name; none: all of them, under the name all"
    )

    @model_validator(mode="after")
    def _trained_on_are_there(self) -> SentimentRecipe:
        for name, codes in self.courses().items():
            if strange := [code for code in codes if code not in self.languages()] or not codes:
                raise ValueError(
                    f"train.{name}: {strange if codes else 'nothing'} is not in `data`; expected some of "
                    f"{', '.join(self.languages())}"
                )
        return self

    def courses(self) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(map(canonical, codes)) for name, codes in self.train.items()} or {ALL: self.data.codes()}
