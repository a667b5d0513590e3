"""The job `tag` as a list of stages: sentences, what taggers learn from them, entities, and entities by projection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from pydantic import TypeAdapter

from langvec.sources import AnySource
from masking.entities import coverage, entity_table
from masking.tagging import AnyTagger, ProjectionRecipe, SalienceRecipe
from masking.tagging.base import Sentence, SetAside, Tagger, named, settings
from masking.tagging.careful import Limits, begun, tag_all
from masking.tagging.projection import Aligner
from masking.tagging.salience import Statistics
from masking.tagging.several import Several
from ray_jobs import learnt, sentences
from ray_jobs.job import Job
from ray_jobs.stages import Desk, Piece, Place, Pool, Record, Stage
from ray_jobs.tag_recipe import Taggers, TagRecipe
from ray_jobs.tag_results import ENTITIES, write_results

FORMAT = 1  # raise when a block of entities holds something else than before
KEPT = 2  # taggers that a worker keeps loaded

_ANY = TypeAdapter[AnyTagger](AnyTagger)


def stages(recipe: TagRecipe) -> list[Stage]:
    return stages_of(recipe, [plan(recipe)])


def plan(recipe: TagRecipe, sources: Sequence[AnySource] | None = None, kind: str = "") -> Plan:
    """The text of a recipe and who tags it; other text in its languages goes by a kind, such as `mono`."""
    texts = {
        f"{kind} {code}".strip(): sentences.piece(
            source, code, recipe.sentences_per_block, recipe.seed, f"{kind}-{code}" if kind else ""
        )
        for source in (recipe.corpora if sources is None else sources)
        for code in source.codes()
    }
    lessons = {label: _lessons(label, recipe.taggers[_code(label)], texts) for label in texts}
    about = {label: _About.of(recipe.taggers[_code(label)]) for label in texts}
    return Plan(recipe, texts, lessons, about)


def stages_of(recipe: TagRecipe, plans: Sequence[Plan], other_texts: Iterable[Piece] = ()) -> list[Stage]:
    pool = Pool(most=recipe.compute.taggers)
    texts = (*(piece for one in plans for piece in one.texts.values()), *other_texts)
    lessons = tuple(piece for one in plans for lesson in one.lessons.values() for piece in lesson.values())
    return [
        Stage("sentences", texts),
        Stage("learnt", lessons),
        Stage("entities", (), lambda done: [piece for one in plans for piece in one.tagged(done)], pool),
        Stage("projected", (), lambda done: [piece for one in plans for piece in one.projected(done)], pool),
    ]


def _code(label: str) -> str:
    return label.rpartition(" ")[2]


def _lessons(label: str, taggers: Taggers, texts: Mapping[str, Piece]) -> dict[str, Piece]:
    """What has to be learnt from the run's own text, by the label under which a tagger asks for it."""
    lessons = {}
    for number, tagger in enumerate(taggers):
        if isinstance(tagger, SalienceRecipe):
            lessons[f"learnt {number}"] = learnt.statistics_piece(tagger, f"{texts[label].name}.{number}", texts[label])
        elif isinstance(tagger, ProjectionRecipe):
            name = f"{texts[label].name}.{number}"
            lessons[f"learnt {number}"] = learnt.aligner_piece(tagger, name, texts[tagger.of], texts[label])
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
class Plan:
    """The pieces that depend on how many blocks of sentences there are. All is kept by label: `[KIND ]CODE`."""

    recipe: TagRecipe
    texts: Mapping[str, Piece]
    lessons: Mapping[str, Mapping[str, Piece]]
    about: Mapping[str, _About]

    def tagged(self, done: Mapping[str, Record]) -> list[Piece]:
        return [piece for label in self.texts if not self._source(label) for piece in self.blocks(label, done)]

    def projected(self, done: Mapping[str, Record]) -> list[Piece]:
        return [piece for label in self.texts if self._source(label) for piece in self.blocks(label, done)]

    def blocks(self, label: str, done: Mapping[str, Record]) -> list[Piece]:
        """A piece for each block of a text, or one that waits for the sentences."""
        source, text = self._source(label), self.texts[label]
        stage = "projected" if source else "entities"
        partners = {piece.name: piece for piece in self.blocks(source, done)} if source else {}
        needs = {"sentences": text, **self.lessons[label], **partners}
        record = done.get(text.id)
        blocks = record.meta["account"]["blocks"] if record else 0
        return [self._block(stage, label, number, needs) for number in range(blocks)] or [
            Piece(stage, text.name, _nothing, {}, needs=needs, place=self._place)
        ]

    @property
    def _place(self) -> Place:
        return Place(self.recipe.compute.cpus_per_tagger, self.recipe.compute.gpus_per_tagger)

    def _source(self, label: str) -> str | None:
        """The language whose tags a text gets."""
        tagger = self.recipe.projections().get(_code(label))
        return tagger.of if tagger else None

    def _block(self, stage: str, label: str, number: int, needs: Mapping[str, Piece]) -> Piece:
        recipe, about, code = self.recipe, self.about[label], _code(label)
        config = {
            "taggers": about.settings,
            "max_chars": recipe.max_chars,
            "block": number,
            "format": FORMAT,
        }
        limits = Limits(recipe.compute.sentences_per_batch, longest=recipe.max_chars)
        return Piece(
            stage,
            f"{self.texts[label].name}.{number:05}",
            partial(_tag, recipe.taggers[code], about.name, code, number, limits),
            config,
            about.identity,
            needs,
            place=self._place,
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


JOB = Job("tag", TagRecipe, stages, write_results, ("cpus_per_tagger", "gpus_per_tagger"))
