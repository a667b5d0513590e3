"""What the command sees of its own run, told in three places: a bar or lines, a file in the run, metrics of Ray."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType

from ray_jobs.stages import Entry, Place, Record, Stage
from ray_jobs.store import Store
from ray_jobs.task import Begun
from ray_jobs.watching.meters import Meters
from ray_jobs.watching.progress import Progress
from ray_jobs.watching.standing import Failure, Running, StageStanding, Standing

WRITE_S = 10.0  # between two writes of the standing
PATIENCE_S = 60.0  # that pieces may wait for a place before a word is said, and between two of them
SHOWN = 20  # running pieces and failures that the standing names


class Watch:
    """One walk. What a stage's pieces do is told here; `.standing.json` in the run has it for those who ask."""

    def __init__(self, store: Store, stages: Sequence[Stage]) -> None:
        self._store = store
        self._meters = Meters(store.uri)
        now = time.time()
        coming = [StageStanding(stage.name, len(stage.pieces)) for stage in stages]
        self._standing = Standing(socket.gethostname(), os.getpid(), now, now, coming, job=_job())
        self._running: dict[str, Running] = {}
        self._written, self._placed = 0.0, time.monotonic()

    def __enter__(self) -> Watch:
        self._write()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._standing.state = "ended" if error is None else "stopped"
        self._running.clear()
        self._write()
        self._meters.close()

    @contextmanager
    def stage(self, name: str, entries: Sequence[Entry], weight: int) -> Iterator[None]:
        """The stage under way; the weight of what is to do stands for how long it takes."""
        done = sum(entry.state == "done" for entry in entries)
        self._stage = next(stage for stage in self._standing.stages if stage.name == name)
        self._stage.begin(len(entries), done, weight)
        with Progress(name, total=len(entries), done=done) as self._progress:
            yield
        self._stage.ended = time.time()

    def begun(self, entry: Entry, begun: Begun) -> None:
        self._placed = time.monotonic()
        self._running[entry.piece.id] = Running(entry.piece.id, begun.host, time.time())

    def again(self, entry: Entry, why: BaseException) -> None:
        self._running.pop(entry.piece.id, None)
        self._progress.again(entry.piece.id, why)

    def ended(self, entry: Entry, result: Record | BaseException, weight: int) -> None:
        piece = entry.piece.id
        self._placed = time.monotonic()
        self._running.pop(piece, None)
        self._stage.ended_one(result if isinstance(result, Record) else None, weight)
        if isinstance(result, BaseException):
            said = (str(result).strip() or type(result).__name__).splitlines()
            self._standing.failures.append(Failure(piece, said[-1]))
        self._meters.ended(entry.piece.stage, result)
        self._progress.step(isinstance(result, Record))
        self._tick()

    def waiting(self, handed: int, kept: int, place: Place) -> None:
        """What is with Ray and has no place yet, and what is not even there."""
        queued = handed - len(self._running)
        self._standing.queued = queued + kept
        self._meters.queue(self._stage.name, len(self._running), queued + kept)
        if queued and not self._running and time.monotonic() - self._placed > PATIENCE_S:
            self._placed = time.monotonic()
            self._progress.note(
                f"{self._stage.name}: {queued} pieces wait for a place with {place.cpus:g} CPU and {place.gpus:g} GPU "
                f"each, and none runs. Is a node on its way? (`ray status` tells.) It is safe to stop this command."
            )
        self._tick()

    def _tick(self) -> None:
        if time.monotonic() - self._written >= WRITE_S:
            self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        self._standing.told = time.time()
        self._standing.running = list(self._running.values())[:SHOWN]
        self._standing.running_in_all = len(self._running)
        self._standing.failures = self._standing.failures[:SHOWN]
        with suppress(OSError):  # a full disk, a network gone for a moment: it is told elsewhere, and written again
            self._standing.save(self._store)


def _job() -> str:
    """The name under which this command was submitted, which Ray leaves in the environment."""
    config = json.loads(os.environ.get("RAY_JOB_CONFIG_JSON_ENV_VAR") or "{}")
    return str(config.get("metadata", {}).get("job_submission_id", ""))
