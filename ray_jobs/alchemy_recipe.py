"""Recipes of `langscape alchemy`: which languages teach the task, and what is predicted of them beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from langvec.alchemy import CONTROLS, NEEDS_VECTORS, Control, targets
from langvec.errors import InputError
from langvec.languages import find
from langvec.sources.base import Codes
from ray_jobs.classification_recipe import NOTHING, ClassificationRecipe, Name
from ray_jobs.language_vectors import AnyVectors, JoinedVectors, RunVectors, TableVectors, TextVectors

Weight = Annotated[float, Field(gt=0)] | Literal["scale", "learned"]
SEEN = "seen"


class AlchemyRecipe(ClassificationRecipe):
    """What `langscape alchemy` does: tune encoders on some languages with vectors as a second task, judge on others."""

    shipped_in: ClassVar[Path] = Path(__file__).parent / "recipes" / "alchemy"

    seen: Codes = Field(description="languages that are trained on; all others of `data` are judged unseen")
    vectors: dict[Name, AnyVectors] = Field({}, description="what is predicted of each language, by name")
    controls: tuple[Control, ...] | None = Field(
        None, description="what vectors have to beat, beside none at all; null: all that can be made of these"
    )
    weights: tuple[Weight, ...] = Field(
        (1.0,), min_length=1, description="of the second task: numbers (lambda), scale, learned; each is tried"
    )

    @model_validator(mode="after")
    def _seen_are_languages_of_the_data(self) -> AlchemyRecipe:
        there = self.data.codes()
        if strange := [code for code in self.seen if code not in there]:
            raise ValueError(f"seen: {', '.join(strange)} not in `data`; expected some of {', '.join(there)}")
        if len(self.seen) == 1 and (self.vectors or self.controls is None or self.controls):
            raise ValueError("seen: one language has nothing to be told from; expected two or more")
        if self.controls and "script" in self.controls and not self._several_scripts:
            raise ValueError("controls: all of `seen` are in one script, so that it says nothing; leave `script` out")
        return self

    @model_validator(mode="after")
    def _vectors_can_be_made(self) -> AlchemyRecipe:
        if sum(isinstance(one, TextVectors) for one in self.vectors.values()) > 1:
            raise ValueError("vectors: two of kind text; expected one, and others from runs of `langscape entropy2vec`")
        plain = [name for name, one in self.vectors.items() if not isinstance(one, JoinedVectors)]
        for name, one in self.vectors.items():
            if isinstance(one, JoinedVectors) and set(one.of) - set(plain):
                raise ValueError(f"vectors.{name} joins {', '.join(one.of)}; expected some of {', '.join(plain)}")
        if wrong := {NOTHING, *CONTROLS} & set(self.vectors):
            raise ValueError(f"vectors: {', '.join(sorted(wrong))} is the name of a control; expected another")
        if not self.vectors and (lost := [one for one in self.controls or () if one in NEEDS_VECTORS]):
            raise ValueError(
                f"controls {', '.join(lost)} are made like vectors, and `vectors` is empty; leave them out"
            )
        return self

    @property
    def _several_scripts(self) -> bool:
        return len({find(code).script for code in self.seen}) > 1

    def chosen_controls(self) -> tuple[Control, ...]:
        """Those that were asked for, or all that say something of these languages and vectors."""
        if self.controls is not None:
            return self.controls
        idle = (set() if self.vectors else set(NEEDS_VECTORS)) | (set() if self._several_scripts else {"script"})
        return tuple(one for one in CONTROLS if one not in idle)

    def courses(self) -> Mapping[str, tuple[str, ...]]:
        return {SEEN: self.seen}

    def unseen(self) -> tuple[str, ...]:
        return tuple(code for code in self.data.codes() if code not in self.seen)

    def blocks_of(self, name: str) -> tuple[str, ...]:
        """The vectors that stand side by side under a name."""
        how = self.vectors[name]
        return how.of if isinstance(how, JoinedVectors) else (name,)

    def problems(self) -> list[str]:
        return [*super().problems(), *self._wrong_vectors()]

    def _wrong_vectors(self) -> Iterator[str]:
        for name, how in self.vectors.items():
            if isinstance(how, TextVectors):
                yield from (f"vectors.{name}: {problem}" for source in how.corpora for problem in source.problems())
                there = {code for source in how.corpora for code in source.codes()}
                if absent := [code for code in self.seen if code not in there]:
                    yield (
                        f"vectors.{name}: no text of {', '.join(absent)}, which is trained on. Expected each language "
                        f"of `seen` in its corpora."
                    )
            elif isinstance(how, RunVectors | TableVectors):
                try:
                    targets([how.block(self.data.codes())], self.data.codes(), self.seen)
                except InputError as error:
                    yield f"vectors.{name}: {error}"
