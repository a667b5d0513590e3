"""A run in which `lem` has trained encoders: each with all that it was made of.

Pieces are found by their settings and digests, for the texts, the taggers and the versions of then may be gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from langvec.errors import InputError
from masking.metrics import Interval
from ray_jobs.lem_recipe import Arm, LemRecipe, arms
from ray_jobs.samples import DEV
from ray_jobs.stages import Record
from ray_jobs.store import RECIPE, Store
from ray_jobs.training import STEPS, Step, Training

Place = tuple[str, str, str]  # set, pair, metric


@dataclass(frozen=True)
class Chosen:
    """One encoder and what it was made of."""

    group: str
    arm: Arm
    steps: Mapping[Step, Record]
    start: Record
    samples: Record

    @property
    def name(self) -> str:
        return f"{self.group}.{self.arm.id}"

    @property
    def last(self) -> Record:
        return list(self.steps.values())[-1]


@dataclass(frozen=True)
class TrainedRun:
    """What a finished piece is found by: the recipe, and the records of the run."""

    uri: str
    store: Store
    recipe: LemRecipe
    records: Sequence[Record]  # whole ones, the newest first

    @classmethod
    def open(cls, uri: str) -> TrainedRun:
        store = Store.open(uri)
        try:
            recipe = LemRecipe.model_validate(yaml.safe_load(store.read(RECIPE) or b"{}"))
        except (ValidationError, yaml.YAMLError):
            raise InputError(
                f"--run {uri} holds no run of `langscape lem`, or one of another version. Expected one that has "
                f"trained an encoder."
            ) from None
        whole = [record for record in store.records().values() if not record.damage]
        return cls(uri, store, recipe, sorted(whole, key=lambda one: str(one.meta["cost"]["finished"]), reverse=True))

    def find(self, name: str) -> Chosen:
        """An encoder by GROUP.ARM.SEED, or by its arm where there is one of it alone."""
        every = {f"{group}.{arm.id}": (group, arm) for group in self.recipe.groups() for arm in arms(self.recipe)}
        meant = [full for full, (_, arm) in every.items() if name in (full, arm.name)]
        if len(meant) != 1:
            what = f"is the arm of {len(meant)} encoders" if meant else "is no encoder of this run"
            raise InputError(f"{name} {what}. Expected one of {', '.join(meant or every)}.")
        if found := self._trained(*every[meant[0]]):
            return found
        done = [full for full, which in every.items() if self._trained(*which)]
        raise InputError(
            f"{meant[0]} is not trained yet in --run {self.uri}, or not as its {RECIPE} says. Run the same `langscape "
            f"lem` again, it goes on where it stopped. Trained: {', '.join(done) or 'none'}."
        )

    def folder(self, record: Record) -> Path:
        return self.store.fetch(record.folder, record.digest)

    def judged(self, name: str, encoder: Record, samples: Record) -> dict[Place, tuple[int, Interval]]:
        needs = {"encoder": encoder.digest, "samples": samples.digest}
        embedding = self.recipe.embedding.model_dump(mode="json")
        judged = (one for one in self.of("judged", name) if one.meta["needs"] == needs and _has(one, embedding))
        for record in judged:
            rows: list[dict[str, Any]] = record.meta["account"]["figures"]
            return {
                (row["set"], row["pair"], row["metric"]): (
                    row["items"],
                    Interval(row["value"], row["low"], row["high"]),
                )
                for row in rows
                if row["set"] != DEV
            }
        return {}

    def starts_elsewhere(self, begun: Record) -> bool:
        """Whether the encoder that the recipe names is there and is another than then."""
        return self._encoder is not None and begun.meta["inputs"].get("model", self._encoder) != self._encoder

    @cached_property
    def _encoder(self) -> str | None:
        """What tells the encoder that the recipe names from others; None where it is gone."""
        encoder = self.recipe.encoder
        return None if encoder.problems() else encoder.identity().get("model")

    # What was made with the recipe as it stands

    def _trained(self, group: str, arm: Arm) -> Chosen | None:
        steps = [step for step in STEPS if getattr(self.recipe, step)]
        every = (self._chain(group, arm, steps, last) for last in self.of(steps[-1], f"{group}.{arm.id}"))
        found = [one for one in every if one]
        return next((one for one in found if not self.starts_elsewhere(one.start)), found[0] if found else None)

    def _chain(self, group: str, arm: Arm, steps: Sequence[Step], last: Record) -> Chosen | None:
        """A finished encoder back to its start; None where a part of it has other settings or is gone."""
        recipe, found, record = self.recipe, list[tuple[Step, Record]](), last
        for step, before in reversed([*zip(steps, ("start", *steps), strict=False)]):
            how = getattr(recipe, step)
            wanted = Training(step, how, arm.masks, recipe.embedding, arm.seed)
            earlier = self._needed(record, "start", before)
            if earlier is None or not _has(record, wanted.config()):
                return None
            found, record = [(step, record), *found], earlier
        samples, whole = self._needed(last, "samples", "samples"), recipe.model_dump(mode="json")
        encoder = {name: value for name, value in whole["encoder"].items() if name not in ("model", "revision")}
        layout = {"division": whole["division"], "layout": whole["layout"], "seed": recipe.seed}
        layout |= {"pairs": [list(pair) for pair in recipe.groups()[group]]}
        if samples is None or not _has(samples, layout):
            return None
        begun = {"encoder": encoder, "head": whole["head"], "seed": recipe.seed}
        begun |= {"prefix": recipe.embedding.prefix} if recipe.embedding.prefix else {}
        if not _has(record, begun):
            return None
        return Chosen(group, arm, dict(found), record, samples)

    def of(self, stage: str, name: str | None = None) -> Iterator[Record]:
        return (one for one in self.records if one.meta["stage"] == stage and name in (None, one.meta["name"]))

    def _needed(self, record: Record, label: str, stage: str) -> Record | None:
        digest = record.meta["needs"].get(label)
        return next((one for one in self.of(stage) if one.digest == digest), None)


def _has(record: Record, settings: Mapping[str, Any]) -> bool:
    config = record.meta["config"]
    return bool(config | settings == config)
