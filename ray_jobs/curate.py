"""The job `curate` as a list of stages: pairs, reasons, scores, ranks, what is kept, translators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from masking.curation.lexical import FOLDS
from ray_jobs import curate_blocks, curate_held, curate_pairs, curate_ranks
from ray_jobs.curate_recipe import WORDS, CurateRecipe
from ray_jobs.curate_results import write_results
from ray_jobs.curate_translated import translated_piece, translators_place
from ray_jobs.job import Job
from ray_jobs.report.curate import write_report
from ray_jobs.stages import Desk, Piece, Place, Pool, Record, Stage

Done = Mapping[str, Record]


def stages(recipe: CurateRecipe) -> list[Stage]:
    plan = Plan(recipe)
    return [
        *([Stage("held_out", (plan.held_out,))] if plan.held_out else []),
        Stage("pairs", (plan.pairs,)),
        Stage("filtered", (), plan.filtered),
        *([Stage("learnt", (), plan.learnt)] if recipe.words else []),
        Stage("scored", (), plan.scored, Pool(most=recipe.compute.encoders)),
        Stage("ranked", (), plan.ranked),
        Stage("kept", (), plan.kept),
        Stage("curated", (), plan.curated),
        *([Stage("translated", (), plan.translated)] if recipe.translation else []),
    ]


@dataclass(frozen=True)
class Plan:
    """The pieces. All but the first two show when the blocks of pairs are known."""

    recipe: CurateRecipe

    @cached_property
    def held_out(self) -> Piece | None:
        return curate_held.held_out_piece(self.recipe)

    @cached_property
    def pairs(self) -> Piece:
        return curate_pairs.pairs_piece(self.recipe, self.held_out)

    @cached_property
    def identities(self) -> dict[str, dict[str, str]]:
        """Of each encoder; found out once, for models are hashed."""
        return {name: encoder.identity() for name, encoder in self.recipe.encoders.items()}

    @cached_property
    def known(self) -> dict[str, str]:
        return curate_blocks.known_languages(self.recipe)

    @cached_property
    def translator(self) -> dict[str, str]:
        return self.recipe.translation.how.identity() if self.recipe.translation else {}

    def sizes(self, done: Done) -> list[int]:
        record = done.get(self.pairs.id)
        return list(record.meta["account"]["blocks"]) if record else []

    def filtered(self, done: Done) -> list[Piece]:
        several = range(len(self.sizes(done)))
        found = [curate_blocks.filtered_piece(self.recipe, number, self.known, self.pairs) for number in several]
        return found or [self._waiting("filtered", self.pairs)]

    def learnt(self, done: Done) -> list[Piece]:
        filtered = self.filtered(done)
        if not self.recipe.words:
            return []
        if not self.sizes(done):
            return [self._waiting("learnt", *filtered)]
        by_label = {f"filtered {number:05}": piece for number, piece in enumerate(filtered)}
        how, seed = self.recipe.words, self.recipe.seed
        return [curate_blocks.words_piece(how, seed, fold, self.pairs, by_label) for fold in range(FOLDS)]

    def scored(self, done: Done) -> list[Piece]:
        return [piece for name in self._scorers for piece in self._scored_by(name, done)]

    @property
    def _scorers(self) -> list[str]:
        return [*self.recipe.encoders, *([WORDS] if self.recipe.words else [])]

    def _scored_by(self, name: str, done: Done) -> list[Piece]:
        filtered, several = self.filtered(done), range(len(self.sizes(done)))
        if not several:
            return [self._waiting("scored", *filtered, place=curate_blocks.place_of(self.recipe))]
        if name != WORDS:
            return [
                curate_blocks.encoder_piece(
                    self.recipe, name, number, self.identities[name], self.pairs, filtered[number]
                )
                for number in several
            ]
        learnt = {f"learnt {fold}": piece for fold, piece in enumerate(self.learnt(done))}
        return [
            curate_blocks.words_score_piece(self.recipe, number, self.pairs, filtered[number], learnt)
            for number in several
        ]

    def ranked(self, done: Done) -> list[Piece]:
        if not self.sizes(done):
            return [self._waiting("ranked", *self.filtered(done))]
        return [self._ranked(name, done) for name in self.recipe.rankings()]

    def _ranked(self, name: str, done: Done) -> Piece:
        scorer = curate_ranks.ranking_scored_by(self.recipe, name)
        scored = self._scored_by(scorer, done) if scorer else []
        return curate_ranks.ranked_piece(name, self.recipe.seed, self.pairs, self.filtered(done), scored)

    def kept(self, done: Done) -> list[Piece]:
        """What is asked for, and what translators learn from."""
        if not self.sizes(done):
            return [self._waiting("kept", *self.ranked(done))]
        found = {piece.id: piece for piece in (self.chosen(name, done) for name in self.recipe.rankings())}
        found |= {piece.id: piece for piece in (self._lesson(*one, done) for one in self._lessons)}
        return list(found.values())

    def chosen(self, name: str, done: Done) -> Piece:
        """What a ranking keeps."""
        threshold = self.recipe.thresholds.get(name)
        return curate_ranks.kept_piece(self._ranked(name, done), self.pairs, self.recipe.top, threshold)

    @property
    def _lessons(self) -> list[tuple[str, int]]:
        how = self.recipe.translation
        return [(name, top) for name in self.recipe.judged_rankings() for top in how.top] if how else []

    def _lesson(self, name: str, top: int, done: Done) -> Piece:
        return curate_ranks.kept_piece(self._ranked(name, done), self.pairs, top)

    def curated(self, done: Done) -> list[Piece]:
        sizes, filtered = self.sizes(done), self.filtered(done)
        if not sizes:
            return [self._waiting("curated", *self.ranked(done))]
        ranked = self.ranked(done)
        return [
            curate_ranks.curated_piece(number, sizes, self.pairs, filtered[number], ranked)
            for number in range(len(sizes))
        ]

    def translated(self, done: Done) -> list[Piece]:
        how, held_out = self.recipe.translation, self.held_out
        if how is None or held_out is None:
            return []
        if not self.sizes(done):
            return [self._waiting("translated", *self.kept(done), place=translators_place(self.recipe))]
        seeds = range(self.recipe.seed, self.recipe.seed + how.seeds)
        return [
            translated_piece(
                self.recipe, how.how, self.translator, self._lesson(name, top, done), held_out, direction, seed
            )
            for name, top in self._lessons
            for direction in how.directions
            for seed in seeds
        ]

    def _waiting(self, stage: str, *needs: Piece, place: Place = Place()) -> Piece:  # noqa: B008 - frozen
        """Stands for the pieces of a stage while nobody knows how many they are."""
        return Piece(stage, "pairs", _nothing, {}, needs={one.id: one for one in needs}, place=place)


def _nothing(desk: Desk) -> dict[str, Any]:
    raise AssertionError("a piece that waits is never worked on")


SHARES = ("cpus_per_encoder or cpus_per_translator", "gpus_per_encoder or gpus_per_translator")
JOB = Job("curate", CurateRecipe, stages, write_results, SHARES, write_report)
