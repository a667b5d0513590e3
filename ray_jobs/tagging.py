"""The job `tag` as a list of stages: sentences, what taggers learn from them, entities, and entities by projection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pydantic import TypeAdapter

from masking.entities import coverage, entity_table
from masking.tagging import AnyTagger, ProjectionRecipe, SalienceRecipe
from masking.tagging.base import Sentence, SetAside, Tagger, named, settings
from masking.tagging.careful import Limits, begun, tag_all
from masking.tagging.projection import Aligner
from masking.tagging.salience import Statistics
from masking.tagging.several import Several
from ray_jobs import learnt, sentences
from ray_jobs.job import Job
from ray_jobs.lem_recipe import LemRecipe, Taggers
from ray_jobs.stages import Desk, Piece, Place, Pool, Record, Stage
from ray_jobs.tag_results import ENTITIES, write_results

FORMAT = 1  # raise when a block of entities holds something else than before
KEPT = 2  # taggers that a worker keeps loaded

_ANY = TypeAdapter[AnyTagger](AnyTagger)


def stages(recipe: LemRecipe) -> list[Stage]:
    texts = {
        code: sentences.piece(source, code, recipe.sentences_per_block, recipe.seed)
        for source in recipe.corpora
        for code in source.codes()
    }
    lessons = {code: _lessons(code, recipe.taggers[code], texts) for code in texts}
    about = {code: _About.of(recipe.taggers[code]) for code in texts}
    plan = _Plan(recipe, texts, lessons, about)
    pool = Pool(most=recipe.compute.taggers)
    return [
        Stage("sentences", tuple(texts.values())),
        Stage("learnt", tuple(piece for of_language in lessons.values() for piece in of_language.values())),
        Stage("entities", (), plan.tagged, pool),
        Stage("projected", (), plan.projected, pool),
    ]


def _lessons(code: str, taggers: Taggers, texts: Mapping[str, Piece]) -> dict[str, Piece]:
    """What has to be learnt from the run's own text, by the label under which a tagger asks for it."""
    lessons = {}
    for number, tagger in enumerate(taggers):
        if isinstance(tagger, SalienceRecipe):
            lessons[f"learnt {number}"] = learnt.statistics_piece(tagger, f"{code}.{number}", texts[code])
        elif isinstance(tagger, ProjectionRecipe):
            lessons[f"learnt {number}"] = learnt.aligner_piece(
                tagger, f"{code}.{number}", texts[tagger.of], texts[code]
            )
    return lessons


@dataclass(frozen=True)
class _About:
    """What decides the tags of a language. Found out once, for models are hashed."""

    settings: list[dict[str, Any]]
    identity: dict[str, str]
    name: str

    @classmethod
    def of(cls, taggers: Taggers) -> _About:
        found = [tagger.identity() for tagger in taggers]
        identity = {f"tagger {n} {what}": which for n, one in enumerate(found) for what, which in one.items()}
        return cls([settings(tagger) for tagger in taggers], identity, " + ".join(map(named, taggers, found)))


@dataclass(frozen=True)
class _Plan:
    """The pieces that depend on how many blocks of sentences there are."""

    recipe: LemRecipe
    texts: Mapping[str, Piece]
    lessons: Mapping[str, Mapping[str, Piece]]
    about: Mapping[str, _About]

    def tagged(self, done: Mapping[str, Record]) -> list[Piece]:
        direct = [code for code in self.texts if code not in self.recipe.projections()]
        return [piece for code in direct for piece in self._of_language("entities", code, {}, done)]

    def projected(self, done: Mapping[str, Record]) -> list[Piece]:
        found = []
        for code, tagger in self.recipe.projections().items():
            partners = {piece.name: piece for piece in self._of_language("entities", tagger.of, {}, done)}
            found += self._of_language("projected", code, partners, done)
        return found

    def _of_language(
        self, stage: str, code: str, partners: Mapping[str, Piece], done: Mapping[str, Record]
    ) -> list[Piece]:
        """A piece for each block, or one that waits for the sentences."""
        needs = {"sentences": self.texts[code], **self.lessons[code], **partners}
        record = done.get(self.texts[code].id)
        blocks = record.meta["account"]["blocks"] if record else 0
        return [self._block(stage, code, number, needs) for number in range(blocks)] or [
            Piece(stage, code, _nothing, {}, needs=needs)
        ]

    def _block(self, stage: str, code: str, number: int, needs: Mapping[str, Piece]) -> Piece:
        recipe, about = self.recipe, self.about[code]
        config = {
            "taggers": about.settings,
            "max_chars": recipe.max_chars,
            "block": number,
            "format": FORMAT,
        }
        limits = Limits(recipe.compute.sentences_per_batch, longest=recipe.max_chars)
        return Piece(
            stage,
            f"{code}.{number:05}",
            partial(_tag, recipe.taggers[code], about.name, code, number, limits),
            config,
            about.identity,
            needs,
            place=Place(recipe.compute.cpus_per_tagger, recipe.compute.gpus_per_tagger),
        )


def _nothing(desk: Desk) -> dict[str, Any]:
    raise AssertionError("a piece that waits is never worked on")


def _tag(taggers: Taggers, name: str, code: str, number: int, limits: Limits, desk: Desk) -> dict[str, Any]:
    """Tag one block."""
    trail = begun(desk.memory)
    block = sentences.read_block(desk.needed["sentences"], number)
    rows = [Sentence(*pair) for pair in zip(block["id"].to_pylist(), block["text"].to_pylist(), strict=True)]
    found = tag_all(rows, _loaded(taggers, desk, number, rows), desk.memory, trail, limits)
    pq.write_table(entity_table(rows, found, code, name), desk.folder / ENTITIES, compression="zstd")
    reasons = Counter(one.reason for one in found if isinstance(one, SetAside))
    return {"tagger": name, **coverage(rows, found), "reasons": dict(reasons.most_common())}


def _loaded(taggers: Taggers, desk: Desk, number: int, rows: Sequence[Sentence]) -> Tagger:
    several: list[Tagger] = []
    for place, tagger in enumerate(taggers):
        recipe, lesson = tagger.model_dump_json(), desk.needed.get(f"learnt {place}")
        if isinstance(tagger, ProjectionRecipe) and lesson:
            lookup = learnt.partners(desk, lesson, tagger.of, number, rows)
            several.append(tagger.between(lookup, _aligner(recipe, lesson)))
        else:
            several.append(_salience(recipe, lesson) if lesson else _kept(recipe))
    return several[0] if len(several) == 1 else Several(several)


# A worker that tags many blocks loads its tagger once; recipes go in as text, since they may hold what has no hash.


@lru_cache(KEPT)
def _kept(recipe: str) -> Tagger:
    return _ANY.validate_json(recipe).load()


@lru_cache(KEPT)
def _salience(recipe: str, folder: Path) -> Tagger:
    return SalienceRecipe.model_validate_json(recipe).load_with(Statistics.load(folder))


@lru_cache(KEPT)
def _aligner(recipe: str, folder: Path) -> Aligner:
    return ProjectionRecipe.model_validate_json(recipe).load_aligner(folder)


JOB = Job("tag", LemRecipe, stages, write_results, ("cpus_per_tagger", "gpus_per_tagger"))
