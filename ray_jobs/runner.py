"""Walks the stages of a job: skips what is done, hands the rest to Ray, gathers failures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from langvec.errors import InputError, TrainingError
from ray_jobs.pool import pooled
from ray_jobs.progress import Progress
from ray_jobs.stages import Entry, Place, Record, Stage, Survey
from ray_jobs.store import Store
from ray_jobs.task import Owner, Task, do

WINDOW = 64  # tasks in flight besides four a core: waiting work is what an autoscaler looks at
RETRIES = 3  # of what a machine did; our own exceptions would only come again


@dataclass
class Outcome:
    """What a walk left: every finished piece, every failure, and what could not be tried, by piece."""

    records: dict[str, Record] = field(default_factory=dict)
    failures: dict[str, BaseException] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)


def walk(store: Store, stages: Sequence[Stage], checkpoint_every_s: float = 60) -> Outcome:
    """Do what is not done, stage by stage. A piece that fails does not stop the others."""
    survey = Survey(store.records())
    failures: dict[str, BaseException] = {}
    waiting: list[str] = []
    for stage in stages:
        entries = survey.entries(stage.of(survey.done))
        todo = sorted((entry for entry in entries if entry.state != "done" and entry.folder), key=_size, reverse=True)
        waiting += [entry.piece.id for entry in entries if not entry.folder]
        with Progress(stage.name, total=len(entries), done=sum(entry.state == "done" for entry in entries)) as progress:
            for entry, result in _placed(
                todo, stage, lambda e: Task.of(e, survey.kin(e.piece), store, checkpoint_every_s)
            ):
                if isinstance(result, Record):
                    survey.finished(entry.piece, result)
                else:
                    failures[entry.piece.id] = result
                progress.step(isinstance(result, Record))
    pieces = [piece for stage in stages for piece in stage.of(survey.done)]
    done = {piece.id: survey.done[piece.id] for piece in pieces if piece.id in survey.done}
    return Outcome(done, failures, waiting)


def _size(entry: Entry) -> int:
    """Bytes that a piece reads: the longest work starts first, so that none is left alone at the end."""
    return sum(file["bytes"] for record in entry.needed.values() for file in record.meta["files"].values())


def _placed(
    todo: Sequence[Entry], stage: Stage, task_of: Callable[[Entry], Task]
) -> Iterator[tuple[Entry, Record | BaseException]]:
    if stage.pool and todo:
        in_order = sorted(todo, key=lambda entry: entry.piece.name)  # what needs the same model comes together
        return pooled(in_order, [task_of(entry) for entry in in_order], stage.pool)
    return _in_flight(todo, task_of)


def _in_flight(
    todo: Sequence[Entry], task_of: Callable[[Entry], Task]
) -> Iterator[tuple[Entry, Record | BaseException]]:
    """Each entry with its result as it comes; a bounded number of tasks at any time."""
    import ray

    window = _window(todo)
    waiting = list(reversed(todo))
    running: dict[Any, tuple[Entry, Any]] = {}
    while waiting or running:
        while waiting and len(running) < window:
            _start(waiting.pop(), task_of, running)
        (ready,), _ = ray.wait(list(running), num_returns=1)
        yield running.pop(ready)[0], _result(ready)


def _window(todo: Sequence[Entry]) -> int:
    """Pieces in flight. One that starts processes by itself waits in a process of its own: as many as can work."""
    import ray

    there = ray.cluster_resources()
    place = todo[0].piece.place if todo else Place()
    if not place.workers:
        return WINDOW + 4 * int(there.get("CPU", 1))
    shares = (there.get("CPU", 0) / place.cpus, there.get("GPU", 0) / place.gpus if place.gpus else math.inf)
    return max(1, int(min(shares)) // place.workers)


def _start(entry: Entry, task_of: Callable[[Entry], Task], running: dict[Any, tuple[Entry, Any]]) -> None:
    """The handle of an actor is kept in `running` alone: the actor ends, and frees its share, when nobody holds it."""
    import ray

    piece, task = entry.piece, task_of(entry)
    own = Place(0) if piece.place.workers else piece.place
    share: Any = {"num_cpus": own.cpus, "num_gpus": own.gpus}
    if piece.place.actor:
        owner: Any = ray.remote(max_restarts=RETRIES, max_task_retries=RETRIES, **share)(Owner).remote()
        running[owner.do.remote(task)] = entry, owner
    else:
        remote = ray.remote(max_retries=RETRIES, retry_exceptions=False, **share)(do)
        running[remote.options(name=piece.id).remote(task)] = entry, None


def _result(reference: Any) -> Record | BaseException:
    import ray

    try:
        record: Record = ray.get(reference)
        return record
    except ray.exceptions.RayTaskError as error:  # ours keep their traceback
        return error.cause if isinstance(error.cause, InputError | TrainingError) else error
    except ray.exceptions.RayError as error:
        return error
