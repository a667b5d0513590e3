"""Recipes of `langscape curate`: pairs, why some are left out, what ranks the others, and how a selection is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import yaml
from pydantic import Field, model_validator

from langvec.config import Strict
from langvec.sources import AnySource
from langvec.sources.bitext import AnyBitext, Moses, Table
from langvec.sources.udhr import available
from masking.curation.filters import (
    AnyFilter,
    Copied,
    Duplicate,
    LanguageId,
    Length,
    Numbers,
    Placeholders,
    Punctuation,
    Ratio,
    Repetition,
    Script,
)
from masking.curation.lexical import WordScore
from masking.curation.noise import Noise
from masking.encoder import EncoderRecipe
from masking.translation import AnyTranslator

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_+-]{0,39}$")]
Direction = Literal["forward", "backward"]

RANDOM, RATIO, HEURISTICS, WORDS, GIVEN, ORACLE = "random", "length-ratio", "heuristics", "words", "given", "oracle"
COSINE, MARGIN = "cosine", "margin"
_CHECKPOINT_EVERY_S = 60


class CurateCompute(Strict):
    """Where the work runs. Never part of a fingerprint: it cannot change a result."""

    cpus: int | None = Field(None, ge=1, description="cores of the private local cluster; null takes all")
    encoders: int | None = Field(None, ge=1, description="encoders loaded side by side at most; null: as many as fit")
    cpus_per_encoder: float = Field(1, gt=0, description="cores of one encoder")
    gpus_per_encoder: float = Field(0, ge=0, description="GPUs of one encoder; 0.25: four share one")
    cpus_per_translator: float = Field(1, gt=0, description="cores of one translator in training")
    gpus_per_translator: float = Field(0, ge=0, description="GPUs of one translator in training")

    @property
    def checkpoint_every_s(self) -> float:
        return _CHECKPOINT_EVERY_S


class HeldOut(Strict):
    """Pairs that translators are stopped and judged by. Their texts are no candidates, whatever their partner is."""

    dev: float = Field(0.02, gt=0, lt=0.5, description="share of the pairs that is kept back to stop by")
    test: float = Field(0.02, gt=0, lt=0.5, description="share that is kept back to judge by")
    most: int = Field(500, ge=2, description="pairs of each that are kept back at most")
    least_words: int = Field(4, ge=1, description="words that both sides of them have at least")


class Translation(Strict):
    """Translators learn from the best of each ranking and are judged on pairs that were held out."""

    how: AnyTranslator = Field(description="what learns to translate: `kind: scratch` or `kind: pretrained`")
    rankings: tuple[str, ...] | None = Field(None, description="which rankings are tried; null: all")
    top: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (25_000, 100_000), min_length=1, description="how many of the best pairs are learnt from"
    )
    directions: tuple[Direction, ...] = Field(
        ("forward",), min_length=1, description="forward: from source to target; backward"
    )
    seeds: int = Field(1, ge=1, description="translators of each, from `seed` on")


class CurateRecipe(Strict):
    """What `langscape curate` does: filter, score, rank, keep, translate."""

    shipped_in: ClassVar[Path] = Path(__file__).parent / "recipes" / "curate"

    seed: int = Field(1, ge=0, description="every random draw derives from it")
    bitexts: dict[Name, AnyBitext] = Field(min_length=1, description="name -> where pairs come from")
    filters: tuple[AnyFilter, ...] = Field(
        (
            Length(),
            Ratio(),
            Numbers(),
            Copied(),
            Script(),
            Punctuation(),
            Placeholders(),
            Repetition(),
            Duplicate(),
        ),
        description="reasons to leave a pair out, the first that holds counts; each kind at most once",
    )
    encoders: dict[Name, EncoderRecipe] = Field({}, description="name -> an encoder that scores pairs")
    neighbours: int = Field(4, ge=1, description="nearest sentences on each side that a margin is about")
    words: WordScore | None = Field(WordScore(), description="a score by words that explain each other; null: none")
    score_refused: bool = Field(False, description="whether pairs that a filter refuses are scored, to see its worth")
    top: int = Field(100_000, ge=1, description="pairs of each ranking that are kept at most")
    thresholds: dict[str, float] = Field({}, description="ranking -> least score of a pair that is kept")
    noise: Noise | None = Field(None, description="bad pairs to make of good ones, so that rankings can be judged")
    foreign: AnySource | None = Field(None, description="text of a third language, for noise")
    held_out: HeldOut | None = Field(None, description="pairs kept back for translation")
    tests: AnyBitext | None = Field(None, description="other pairs to judge translators by, all of them")
    translation: Translation | None = Field(None, description="translators that judge rankings; null: none")
    pairs_per_block: int = Field(
        5000, ge=2, description="pairs that are filtered and scored at once; margins are among these"
    )
    compute: CurateCompute = CurateCompute()

    @property
    def corpora(self) -> tuple[AnySource, ...]:
        """Text in single languages: only for noise."""
        return ()

    @model_validator(mode="after")
    def _each_filter_once(self) -> CurateRecipe:
        kinds = [one.kind for one in self.filters]
        if twice := sorted({kind for kind in kinds if kinds.count(kind) > 1}):
            raise ValueError(f"filters: {', '.join(twice)} given twice; expected each kind once")
        return self

    @model_validator(mode="after")
    def _encoders_have_names_of_their_own(self) -> CurateRecipe:
        if WORDS in self.encoders:
            raise ValueError(f"encoders.{WORDS}: this is the name of a ranking; expected another for an encoder")
        return self

    @model_validator(mode="after")
    def _rankings_are_known(self) -> CurateRecipe:
        asked = {"thresholds": list(self.thresholds), "translation.rankings": list(self.judged_rankings())}
        for field, names in asked.items():
            if strange := [name for name in names if name not in self.rankings()]:
                raise ValueError(
                    f"{field}: there is no ranking {', '.join(strange)}; expected {', '.join(self.rankings())}"
                )
        return self

    @model_validator(mode="after")
    def _noise_and_translation_have_what_they_need(self) -> CurateRecipe:
        if self.noise and self.noise.wrong_language and self.foreign is None:
            raise ValueError("noise.wrong_language needs text of a third language in `foreign`; found none")
        if self.translation and self.held_out is None:
            raise ValueError("translation needs pairs to be judged by; expected `held_out`, such as {dev: 0.02}")
        several = {one.languages for one in self.bitexts.values()}
        if turned := [pair for pair in several if pair[::-1] in several]:
            raise ValueError(f"bitexts: {' and '.join(turned[0])} in either order; expected one order in all of them")
        if self.translation and len(several) > 1:
            raise ValueError(f"translation is between two languages; found {len(several)} pairs of languages")
        if self.tests and self.tests.languages not in several:
            raise ValueError(f"tests are in {'-'.join(self.tests.languages)}; expected the languages of `bitexts`")
        return self

    def rankings(self) -> list[str]:
        """All that there are, the best guess first."""
        found = [f"{name}-{how}" for name in self.encoders for how in (MARGIN, COSINE)]
        found += [WORDS] if self.words else []
        scored = [one for one in self.bitexts.values() if isinstance(one, Table) and one.score]
        scored_too = [one for one in self.bitexts.values() if isinstance(one, Moses) and one.scores]
        found += [GIVEN] if scored or scored_too else []
        return [*found, HEURISTICS, RATIO, RANDOM, *([ORACLE] if self.noise else [])]

    def judged_rankings(self) -> list[str]:
        """Those that translators learn from."""
        if self.translation is None:
            return []
        return self.rankings() if self.translation.rankings is None else list(self.translation.rankings)

    def language_filter(self) -> LanguageId | None:
        return next((one for one in self.filters if isinstance(one, LanguageId)), None)

    def problems(self) -> list[str]:
        found = [f"bitexts.{name}: {problem}" for name, one in self.bitexts.items() for problem in one.problems()]
        found += [f"encoders.{name}: {problem}" for name, one in self.encoders.items() for problem in one.problems()]
        found += [f"foreign: {problem}" for problem in self.foreign.problems()] if self.foreign else []
        found += [f"tests: {problem}" for problem in self.tests.problems()] if self.tests else []
        found += (
            [f"translation.how: {problem}" for problem in self.translation.how.problems()] if self.translation else []
        )
        return [*found, *self._languages_that_nobody_knows()]

    def _languages_that_nobody_knows(self) -> list[str]:
        if (asked := self.language_filter()) is None:
            return []
        wanted = {code for one in self.bitexts.values() for code in one.languages} | set(asked.others)
        if unknown := sorted(wanted - set(available())):
            return [
                f"filters: `kind: language` knows languages by the bundled Declaration, and there is none in "
                f"{', '.join(unknown)}. Leave the filter or the language out; `kind: script` needs no model."
            ]
        return []

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
