"""Stages that tune encoders to tell classes apart: labelled texts, encoders to begin with, fine-tunings, baselines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from langvec.labelled import AnyLabelled
from masking import start
from masking.start import AnyStart
from ray_jobs import classified
from ray_jobs.alchemy_targets import Second
from ray_jobs.classification_recipe import NOTHING, ClassificationRecipe
from ray_jobs.classified import ROWS, Judging
from ray_jobs.stages import Desk, Piece, Place, Stage

FORMAT = {"labelled": 1, "encoder": 1, "tuned": 1, "plain": 1}  # raise one when its stage writes something else


@dataclass(frozen=True)
class Arm:
    """One way to tune an encoder, and one seed of it."""

    encoder: str
    course: str
    second: Second | None
    seed: int

    @property
    def treatment(self) -> str:
        return self.second.name if self.second else NOTHING

    @property
    def id(self) -> str:
        return f"{self.encoder}.{self.course}.{self.treatment}.{self.seed}"


@dataclass(frozen=True)
class Plan:
    """The pieces of a run. `seconds` are what is predicted beside the task, `features` the vectors that takes."""

    recipe: ClassificationRecipe
    seconds: Sequence[Second] = ()
    features: Mapping[str, Piece] | None = None
    mixed: Mapping[str, Piece] | None = None  # texts that are made, by name

    def stages(self) -> list[Stage]:
        plain = [self._plain(name, course) for course in self.recipe.courses() for name in self.recipe.baselines]
        return [
            Stage("labelled", tuple(self.labelled.values())),
            *([Stage("mixed", tuple(self.mixed.values()))] if self.mixed else []),
            Stage("encoder", tuple(self.encoders.values())),
            Stage("plain", tuple(plain)),
            Stage("tuned", tuple(self.tuned(arm) for arm in self.arms())),
        ]

    def arms(self) -> Iterator[Arm]:
        for encoder in self.recipe.encoders:
            for course in self.recipe.courses():
                for second in (None, *self.seconds):
                    for seed in range(self.recipe.seed, self.recipe.seed + self.recipe.seeds):
                        yield Arm(encoder, course, second, seed)

    @cached_property
    def labelled(self) -> dict[str, Piece]:
        return {code: labelled_piece(self.recipe.data, code) for code in self.recipe.data.codes()}

    @property
    def texts(self) -> dict[str, Piece]:
        return {**self.labelled, **(self.mixed or {})}

    @cached_property
    def encoders(self) -> dict[str, Piece]:
        """Made once: each encoder is hashed for it."""
        return {name: self._encoder(name, how) for name, how in self.recipe.encoders.items()}

    def _encoder(self, name: str, how: AnyStart) -> Piece:
        recipe = self.recipe
        config = {"encoder": how.model_dump(exclude={"model", "revision"}), "seed": recipe.seed}
        config |= {"prefix": recipe.tuning.prefix, "format": FORMAT["encoder"]}
        work = partial(_begin, how, recipe.tuning.prefix, recipe.seed)
        return Piece("encoder", name, work, config, how.identity(), self.texts, recipe.seed, self._place())

    def tuned(self, arm: Arm) -> Piece:
        recipe, second = self.recipe, arm.second
        config = {"tuning": recipe.tuning.model_dump(), "seed": arm.seed, "format": FORMAT["tuned"]}
        needs = {"encoder": self.encoders[arm.encoder], **self._needed_texts()}
        if second:
            config |= second.config()
            needs |= {f"vectors {name}": (self.features or {})[name] for name in second.blocks}
        judging = self._judging(arm.course)
        return Piece(
            "tuned",
            arm.id,
            partial(classified.tune, recipe.tuning, judging, second, arm.seed),
            config | judging.config(),
            needs=needs,
            seed=arm.seed,
            place=self._place(actor=True),
        )

    def _plain(self, name: str, course: str) -> Piece:
        how, judging = self.recipe.baselines[name], self._judging(course)
        config = judging.config() | how.model_dump() | {"format": FORMAT["plain"]}
        work = partial(classified.fit_plain, how, judging)
        return Piece("plain", f"{name}.{course}", work, config, needs=self._needed_texts())

    def _needed_texts(self) -> dict[str, Piece]:
        return {f"text {code}": piece for code, piece in self.texts.items()}

    def _judging(self, course: str) -> Judging:
        recipe = self.recipe
        codes, some = recipe.courses()[course], recipe.train_texts
        return Judging(tuple(self.texts), codes, recipe.judged_on, recipe.held_out, some, recipe.seed)

    def _place(self, actor: bool = False) -> Place:
        compute = self.recipe.compute
        return Place(compute.cpus_per_model, compute.gpus_per_model, actor=actor)


def labelled_piece(data: AnyLabelled, code: str) -> Piece:
    """All splits of one language."""
    identity = {
        f"{split} {name}": value for split in data.splits(code) for name, value in data.identity(code, split).items()
    }
    return Piece("labelled", code, partial(_write, data, code), {"format": FORMAT["labelled"]}, identity)


def _write(data: AnyLabelled, code: str, desk: Desk) -> dict[str, Any]:
    """The rows of a language, all splits in one table."""
    found = {split: data.read(code, split) for split in data.splits(code)}
    tables = [
        pa.table({**dict(zip(ROWS.names[1:], rows[:3], strict=True)), "split": [split] * len(rows.ids)}).select(
            ROWS.names
        )
        for split, rows in found.items()
    ]
    pq.write_table(pa.concat_tables(tables).cast(ROWS), desk.folder / classified.TEXTS, compression="zstd")
    return {
        "texts": {split: len(rows.ids) for split, rows in found.items()},
        "labels": len({label for rows in found.values() for label in rows.labels}),
        "dropped": {split: dict(rows.dropped) for split, rows in found.items() if rows.dropped},
    }


def _begin(how: AnyStart, prefix: str, seed: int, desk: Desk) -> dict[str, Any]:
    """The encoder with the pieces that the texts of the run use."""

    def texts() -> Iterator[str]:
        folders = desk.needed.values()
        return chain.from_iterable(_texts(folder, prefix) for folder in folders)

    begun, _ = how.begin(texts, seed)
    start.save(begun, desk.folder)
    config = begun.model.config
    parameters = sum(weight.numel() for weight in begun.model.base_model.parameters())
    return {"pieces": len(begun.tokenizer), "layers": config.num_hidden_layers, "parameters": parameters}


def _texts(folder: Path, prefix: str) -> list[str]:
    return [prefix + text for text in pq.read_table(folder / classified.TEXTS, columns=["text"])["text"].to_pylist()]
