"""What a worker does: one piece, from what it needs to a published folder."""

from __future__ import annotations

import errno
import math
import os
import platform
import resource
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from langvec.errors import InputError
from ray_jobs.memory import RunMemory, checkpoint
from ray_jobs.stages import Desk, Entry, Record, Tell, Work
from ray_jobs.store import Store
from ray_jobs.watching import journal

FETCHERS = 16  # pieces that are copied at a time
OTHERS = "other processes"  # in an account: what they took for the work (cpu_s, peak_mib, restarts); goes into the cost
LIBRARIES = ("langscape", "ray", "numpy", "pyarrow", "tokenizers", "torch")


@dataclass(frozen=True)
class Task:
    """A piece as it travels: its own work, and of the pieces it needs only where they are."""

    store: Store
    stage: str
    name: str
    folder: str
    work: Work
    essence: Mapping[str, Any]
    needed: Mapping[str, tuple[str, str]]  # label -> folder in the run, digest
    earlier: Sequence[tuple[str, str]]
    seed: int
    checkpoint_every_s: float
    gpus: float = 0  # of all its processes
    attempt: int = 1

    @classmethod
    def of(cls, entry: Entry, kin: Sequence[Record], store: Store, checkpoint_every_s: float) -> Task:
        piece = entry.piece
        needed = {label: (record.folder, record.digest) for label, record in entry.needed.items()}
        earlier = [(record.folder, record.digest) for record in kin]
        return cls(
            store,
            piece.stage,
            piece.name,
            entry.folder,
            piece.work,
            piece.essence(entry.needed),
            needed,
            earlier,
            piece.seed,
            checkpoint_every_s,
            piece.place.gpus * max(1, piece.place.workers),
        )

    def desk(self, scratch: Path, tell: Tell = lambda row: None) -> Desk:
        with ThreadPoolExecutor(FETCHERS) as pool:  # on an object store a matrix waits for thousands of pieces
            here = list(pool.map(lambda place: self.store.fetch(*place), [*self.needed.values(), *self.earlier]))
        needed, earlier = dict(zip(self.needed, here, strict=False)), here[len(self.needed) :]
        digests = {label: digest for label, (_, digest) in self.needed.items()}
        memory = RunMemory(self.store, self.stage, self.name, self.folder, self.checkpoint_every_s)
        return Desk(needed, scratch, digests, earlier, memory, self, tell)


def do(task: Task, tell: Tell = lambda row: None) -> Record:
    """Do the work in a scratch folder and publish it with its meta.json."""
    clock = _Clock.start()
    with (
        journal.told(task.store.uri, task.stage, task.name, task.attempt) as done,
        disk_full_explained(task.store),
        task.store.scratch() as scratch,
    ):
        account = _plain(task.work(task.desk(scratch, tell)))
        others = account.pop(OTHERS, {})
        cost = clock.cost(task, others)
        about = {"stage": task.stage, "name": task.name, **task.essence, "seed": task.seed, "account": account}
        meta = task.store.publish(
            scratch, task.folder, about | {"cost": cost, "host": _host(), "versions": _versions()}
        )
        task.store.delete(checkpoint(task.folder))
        done(**cost)
    return Record(task.folder, meta, None)


@dataclass(frozen=True)
class _Clock:
    """When the work of a piece began, by the clock and by what this process had used."""

    started: datetime
    wall: float
    cpu: float

    @classmethod
    def start(cls) -> _Clock:
        return cls(datetime.now(UTC), time.perf_counter(), time.process_time())

    def cost(self, task: Task, others: Mapping[str, Any]) -> dict[str, Any]:
        """What the work took, in this process and in `others` that it had started."""
        wall = time.perf_counter() - self.wall
        return {
            "started": self.started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(),
            "wall_s": round(wall, 3),
            "cpu_s": round(time.process_time() - self.cpu + others.get("cpu_s", 0), 3),
            "gpu_s": round(wall * task.gpus, 3),
            "worker_peak_mib": max(peak_mib(), others.get("peak_mib", 0)),
            "attempts": task.attempt + others.get("restarts", 0),
        }


def peak_mib() -> int:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _plain(value: Any) -> Any:
    """Without nan, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


@contextmanager
def disk_full_explained(store: Store) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise InputError(
            f"The disk that holds {store.uri} is full. What is finished stays, nothing half-written counts. Free some "
            f"space and run the same command again: it goes on where it stopped."
        ) from None


def _host() -> dict[str, Any]:
    return {
        "name": socket.gethostname(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:  # run from a checkout that is not installed
            found[library] = "not installed"
    return found


@dataclass(frozen=True)
class Begun:
    """What a worker says before it starts."""

    host: str
    node: str  # its id in Ray


def told(task: Task) -> Iterator[Begun | Record]:
    """The work, with a word when it begins: until then it waits for a place."""
    import ray

    yield Begun(socket.gethostname(), ray.get_runtime_context().get_node_id())
    yield do(task)


class Owner:
    """The actor of one piece, by whose name it is known. All that it must not forget is in the run."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def do(self, task: Task) -> Iterator[Begun | Record]:
        yield from told(task)
