"""Walks the stages of a job: skips what is done, hands the rest to Ray, gathers failures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from langvec.errors import InputError
from ray_jobs.progress import Progress
from ray_jobs.stages import Entry, Record, Stage, survey
from ray_jobs.store import Store
from ray_jobs.task import Task, do

WINDOW = 64  # tasks in flight besides four a core: waiting work is what an autoscaler looks at


@dataclass
class Outcome:
    """What a walk left: every finished piece, every failure, and what could not be tried, by piece."""

    records: dict[str, Record] = field(default_factory=dict)
    failures: dict[str, BaseException] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)


def walk(store: Store, stages: Sequence[Stage]) -> Outcome:
    """Do what is not done, stage by stage. A piece that fails does not stop the others."""
    records = store.records()
    failures: dict[str, BaseException] = {}
    pieces = [piece for stage in stages for piece in stage.pieces]
    for stage in stages:
        entries = [entry for entry in survey(pieces, records) if entry.piece.stage == stage.name]
        todo = [entry for entry in entries if entry.state != "done" and entry.folder]
        with Progress(stage.name, total=len(entries), done=len(entries) - len(todo)) as progress:
            for entry, result in _in_flight(todo, store):
                if isinstance(result, Record):
                    records[result.folder] = result
                else:
                    failures[entry.piece.id] = result
                progress.step(isinstance(result, Record))
    done = {entry.piece.id: entry.record for entry in survey(pieces, records) if entry.record}
    waiting = [piece.id for piece in pieces if piece.id not in done and piece.id not in failures]
    return Outcome(done, failures, waiting)


def _in_flight(todo: Sequence[Entry], store: Store) -> Iterator[tuple[Entry, Record | BaseException]]:
    """Each entry with its result as it comes; a bounded number of tasks at any time."""
    import ray

    # Machines fail and are tried again; our own exceptions would only fail again.
    remote = ray.remote(max_retries=3, retry_exceptions=False, num_cpus=1)(do)
    window = WINDOW + 4 * int(ray.cluster_resources().get("CPU", 1))
    waiting = list(reversed(todo))
    running: dict[Any, Entry] = {}
    while waiting or running:
        while waiting and len(running) < window:
            entry = waiting.pop()
            running[remote.options(name=entry.piece.id).remote(Task.of(entry, store))] = entry
        (ready,), _ = ray.wait(list(running), num_returns=1)
        yield running.pop(ready), _result(ready)


def _result(reference: Any) -> Record | BaseException:
    import ray

    try:
        record: Record = ray.get(reference)
        return record
    except ray.exceptions.RayTaskError as error:
        return error.cause if isinstance(error.cause, InputError) else error  # ours keep their traceback
    except ray.exceptions.RayError as error:
        return error
