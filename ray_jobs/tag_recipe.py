"""Recipes of the masking half: which text, who tags it, where the work runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar

import yaml
from pydantic import BeforeValidator, Field, field_validator, model_validator

from langvec.config import Strict
from langvec.sources import AnySource
from langvec.sources.base import ByCode, canonical
from masking.tagging import AnyTagger, ProjectionRecipe
from masking.tagging.careful import Limits

Taggers = tuple[AnyTagger, ...]
_CHECKPOINT_EVERY_S = 60


def _several(value: Any) -> Any:
    """One tagger may stand without a list around it."""
    return [value] if isinstance(value, dict) else value


class TagCompute(Strict):
    """Where the work runs. Never part of a fingerprint: it cannot change a result."""

    cpus: int | None = Field(None, ge=1, description="cores of the private local cluster; null takes all")
    taggers: int | None = Field(None, ge=1, description="taggers loaded side by side at most; null: as many as fit")
    cpus_per_tagger: float = Field(1, gt=0, description="cores of one tagger")
    gpus_per_tagger: float = Field(0, ge=0, description="GPUs of one tagger; 0.25: four share one")
    sentences_per_batch: int = Field(256, ge=1, description="sentences that a tagger is given at once")

    @property
    def checkpoint_every_s(self) -> float:
        return _CHECKPOINT_EVERY_S


class TagRecipe(Strict):
    """What `langscape tag` does."""

    shipped_in: ClassVar[Path] = Path(__file__).parent / "recipes" / "tag"

    seed: int = Field(1, ge=0, description="every random draw derives from it")
    corpora: tuple[AnySource, ...] = Field(description="where the text of each language comes from")
    taggers: ByCode[Annotated[Taggers, BeforeValidator(_several), Field(min_length=1)]] = Field(
        description="language code -> a tagger, or a list of them whose spans are put together"
    )
    max_chars: int = Field(Limits().longest, ge=1, description="longer sentences are set aside, not tagged")
    sentences_per_block: int = Field(
        2000, ge=1, description="what one task tags and a kill may cost; a new size tags anew"
    )
    compute: TagCompute = TagCompute()

    @field_validator("taggers")
    @classmethod
    def _with_canonical_codes(cls, taggers: dict[str, Taggers]) -> dict[str, Taggers]:
        return {code: tuple(map(_canonical, several)) for code, several in taggers.items()}

    @model_validator(mode="after")
    def _each_language_once_and_tagged(self) -> TagRecipe:
        codes = self.codes()
        twice = sorted({code for code in codes if codes.count(code) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} in more than one source; expected each language once")
        without, unread = sorted(set(codes) - set(self.taggers)), sorted(set(self.taggers) - set(codes))
        if without:
            raise ValueError(
                f"{', '.join(without)} without a tagger; expected one in `taggers` for each language of `corpora`, "
                f"such as {{kind: salience}}, which needs no model"
            )
        if unread:
            raise ValueError(f"a tagger for {', '.join(unread)}, but no text; expected it in `corpora`, too")
        return self

    @model_validator(mode="after")
    def _projections_have_a_side_to_come_from(self) -> TagRecipe:
        for code, recipe in self.projections().items():
            if recipe.of == code or recipe.of not in self.taggers or recipe.of in self.projections():
                tagged = sorted(set(self.taggers) - set(self.projections()))
                raise ValueError(
                    f"taggers.{code} projects the tags of {recipe.of}; expected another language of this recipe that "
                    f"has a tagger of its own: {', '.join(tagged) or 'there is none'}"
                )
        return self

    def codes(self) -> list[str]:
        return [code for source in self.corpora for code in source.codes()]

    def projections(self) -> dict[str, ProjectionRecipe]:
        """Languages whose tags come from another language."""
        found = [(code, tagger) for code, several in self.taggers.items() for tagger in several]
        return {code: tagger for code, tagger in found if isinstance(tagger, ProjectionRecipe)}

    def problems(self) -> list[str]:
        """What can be seen to be wrong with the taggers."""
        found = [
            (code, problem)
            for code, several in self.taggers.items()
            for tagger in several
            for problem in tagger.problems()
        ]
        return [f"taggers.{code}: {problem}" for code, problem in found]

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _canonical(tagger: AnyTagger) -> AnyTagger:
    if isinstance(tagger, ProjectionRecipe):
        return tagger.model_copy(update={"of": canonical(tagger.of)})
    return tagger
