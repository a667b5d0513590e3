"""Pieces on Ray Data: a pool of actors that load a model once and keep it, and grow with what waits.

What streams through Ray Data are descriptions of pieces, not their data: an actor reads its piece from the run and
publishes what it makes there. So memory does not grow with the corpus, and a row that Ray hands out twice, after a
node was lost, finds its work done or does it again with the same result.
"""

from __future__ import annotations

import logging
import math
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

import pyarrow as pa

from langvec.errors import InputError, TrainingError
from ray_jobs.stages import Entry, Pool, Record
from ray_jobs.task import Task, do

ROUNDS = 32  # groups of pieces that each actor gets, so that all end at about the same time


class WorkerError(Exception):
    """What went wrong in a worker and is not the user's to mend, with the worker's traceback."""


def pooled(todo: Sequence[Entry], tasks: Sequence[Task], pool: Pool) -> Iterator[tuple[Entry, Record | BaseException]]:
    """Each entry with its result as it comes."""
    import ray.data
    from ray import cloudpickle

    place, actors = todo[0].piece.place, _actors(todo, pool)
    rows = [{"number": number, "task": cloudpickle.dumps(task)} for number, task in enumerate(tasks)]
    _quieten()
    done = ray.data.from_items(rows, override_num_blocks=min(len(rows), ROUNDS * actors)).map_batches(
        Worker,
        batch_size=1,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(min_size=pool.least, max_size=pool.most, initial_size=actors),
        num_cpus=place.cpus,
        num_gpus=place.gpus,
    )
    found = iter(done.iter_rows())
    for number in range(len(rows)):
        with _core_silenced() if number == 0 else nullcontext():
            row = next(found)
        yield todo[row["number"]], cloudpickle.loads(row["result"])


class Worker:
    """What it loads for a piece stays in its process for the next."""

    def __call__(self, batch: pa.Table) -> pa.Table:
        from ray import cloudpickle

        tasks = [replace(cloudpickle.loads(task), attempt=_attempt()) for task in batch["task"].to_pylist()]
        results = [cloudpickle.dumps(_result(task)) for task in tasks]
        return pa.table({"number": batch["number"], "result": pa.array(results, pa.binary())})


def _attempt() -> int:
    """Ray Data tries again by itself, and Ray counts."""
    from ray._private.worker import global_worker

    core: Any = global_worker
    return 1 + int(core.core_worker.get_current_task_attempt_number())


def _result(task: Task) -> Record | BaseException:
    try:
        return do(task)
    except (InputError, TrainingError) as error:
        return error
    except Exception:
        return WorkerError(traceback.format_exc())


def _actors(todo: Sequence[Entry], pool: Pool) -> int:
    """How many to begin with: as many as fit, or have something to do."""
    import ray

    place, there = todo[0].piece.place, ray.cluster_resources()
    asked = {"CPU": place.cpus, "GPU": place.gpus}
    fit = min(math.floor(there.get(name, 0) / share) for name, share in asked.items() if share)
    return int(max(pool.least, min(fit, len(todo), pool.most or fit)))


def _quieten() -> None:
    """Ray Data tells of its plans and draws bars; the command has a bar of its own."""
    from ray.data import DataContext

    DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)


@contextmanager
def _core_silenced() -> Iterator[None]:
    """While actors start: Ray's core prints an error of its own for every one that Ray Data makes (Ray issue 53727)."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
