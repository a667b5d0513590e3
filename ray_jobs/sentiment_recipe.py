"""Recipes of `langscape sentiment`: labelled comments, what is trained on together, code-mixed text to judge on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, model_validator

from langvec.errors import InputError
from langvec.sources.base import canonical
from masking.mixing import Mixing
from ray_jobs.classification_recipe import ClassificationRecipe, Name

ALL = "all"


class SentimentRecipe(ClassificationRecipe):
    """What `langscape sentiment` does: tune encoders on labelled text, judge each language by macro-F1."""

    shipped_in: ClassVar[Path] = Path(__file__).parent / "recipes" / "sentiment"

    train: dict[Name, tuple[str, ...]] = Field(
        {}, description="languages, or names of `mixed`, that are trained on together, by name; none: all languages"
    )
    mixed: dict[Name, Mixing] = Field(
        {}, description="code-mixed text to make of two languages whose texts share ids, by name; judged, too"
    )

    @model_validator(mode="before")
    @classmethod
    def _with_canonical_codes(cls, given: dict[str, Any]) -> dict[str, Any]:
        """`jav` in `train` and `mixed` means what it means everywhere else."""
        train, mixed = given.get("train"), given.get("mixed")
        names = mixed if isinstance(mixed, dict) else {}
        if isinstance(train, dict):
            given = given | {"train": {name: _codes(codes, names) for name, codes in train.items()}}
        return given | {"mixed": {name: _mixing(how) for name, how in names.items()}} if names else given

    @model_validator(mode="after")
    def _named_are_there(self) -> SentimentRecipe:
        there = self.data.codes()
        for name, how in self.mixed.items():
            if strange := [code for code in (how.matrix, how.embedded) if code not in there]:
                raise ValueError(f"mixed.{name}: no text of {', '.join(strange)}; expected two of {', '.join(there)}")
        for name, codes in self.courses().items():
            strange = [code for code in codes if code not in (*there, *self.mixed)]
            if strange or not codes:
                raise ValueError(
                    f"train.{name}: {', '.join(strange) or 'nothing'} is not in `data`; expected some of "
                    f"{', '.join((*there, *self.mixed))}"
                )
        return self

    def courses(self) -> Mapping[str, tuple[str, ...]]:
        return self.train or {ALL: self.data.codes()}


def _codes(codes: object, mixed: Mapping[str, object]) -> object:
    if not isinstance(codes, list | tuple):
        return codes
    return [_code(code) if isinstance(code, str) and code not in mixed else code for code in codes]


def _mixing(how: Any) -> Any:
    if not isinstance(how, dict):
        return how
    return how | {side: _code(how[side]) for side in ("matrix", "embedded") if isinstance(how.get(side), str)}


def _code(code: str) -> str:
    try:
        return canonical(code)
    except (ValueError, InputError):
        return code  # is refused with all the others
