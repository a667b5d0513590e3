"""Walks the stages of a job: skips what is done, hands the rest to Ray, gathers failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ray_jobs.flight import in_flight
from ray_jobs.pool import pooled
from ray_jobs.stages import Entry, Record, Stage, Survey
from ray_jobs.store import Store
from ray_jobs.task import Task
from ray_jobs.watching.watch import Watch


@dataclass
class Outcome:
    """What a walk left: every finished piece, every failure, and what could not be tried, by piece."""

    records: dict[str, Record] = field(default_factory=dict)
    failures: dict[str, BaseException] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)


def walk(store: Store, stages: Sequence[Stage], checkpoint_every_s: float = 60) -> Outcome:
    """Do what is not done, stage by stage. A piece that fails does not stop the others."""
    survey, outcome = Survey(store.records()), Outcome()
    with Watch(store, stages) as watch:
        for stage in stages:
            entries = survey.entries(stage.of(survey.done))
            outcome.waiting += [entry.piece.id for entry in entries if not entry.folder]
            sizes = {entry.folder: _size(entry) for entry in entries if entry.state != "done" and entry.folder}
            todo = sorted((e for e in entries if e.folder in sizes), key=lambda e: sizes[e.folder], reverse=True)

            def task_of(entry: Entry) -> Task:
                return Task.of(entry, survey.kin(entry.piece), store, checkpoint_every_s)

            with watch.stage(stage.name, entries, sum(sizes.values())):
                for entry, result in _placed(todo, stage, task_of, watch):
                    if isinstance(result, Record):
                        survey.finished(entry.piece, result)
                    else:
                        outcome.failures[entry.piece.id] = result
                    watch.ended(entry, result, sizes[entry.folder])
    pieces = [piece for stage in stages for piece in stage.of(survey.done)]
    outcome.records = {piece.id: survey.done[piece.id] for piece in pieces if piece.id in survey.done}
    return outcome


def _size(entry: Entry) -> int:
    """Bytes that a piece reads: the longest work starts first, so that none is left alone at the end."""
    return 1 + sum(int(file["bytes"]) for record in entry.needed.values() for file in record.meta["files"].values())


def _placed(
    todo: Sequence[Entry], stage: Stage, task_of: Callable[[Entry], Task], watch: Watch
) -> Iterator[tuple[Entry, Record | BaseException]]:
    if stage.pool and todo:
        in_order = sorted(todo, key=lambda entry: entry.piece.name)  # what needs the same model comes together
        return pooled(in_order, [task_of(entry) for entry in in_order], stage.pool)
    return in_flight(todo, task_of, watch)
