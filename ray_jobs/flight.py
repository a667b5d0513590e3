"""Pieces in flight: tasks and actors on Ray, a bounded number at any time, and again when a machine has failed one.

Ray could try again by itself, but would not say so. Here the rule is one for tasks and actors, each new attempt is told
with its reason, and a piece is not blamed for the loss of a machine that was lent for as long as nobody else wants it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from langvec.errors import InputError, TrainingError
from ray_jobs.cluster.capacity import capacity
from ray_jobs.stages import Entry, Place, Record
from ray_jobs.task import Begun, Owner, Task, told

WINDOW = 64  # pieces in flight besides four a core: waiting work is what an autoscaler looks at
CRASHES = 3  # of a worker: it may well be the piece that kills it; our own exceptions would only come again
LOSSES = 20  # of the node below it: a piece can take a whole machine down, too
GONE = "a node that Ray says is gone"
LOOK_S = 2.0  # between looks at how large the cluster is


class Told(Protocol):
    """Who wants to know what happens on the way."""

    def begun(self, entry: Entry, begun: Begun) -> None: ...
    def again(self, entry: Entry, why: BaseException) -> None: ...
    def waiting(self, handed: int, kept: int, place: Place) -> None: ...


@dataclass(frozen=True)
class Attempt:
    """A piece under way. The handle of its actor is kept here alone: an actor that nobody holds ends."""

    entry: Entry
    fell: tuple[str, ...] = ()  # the node of each attempt that failed; none if it died before it could say
    node: str = ""
    owner: Any = None

    @property
    def number(self) -> int:
        return 1 + len(self.fell)

    def next(self, why: BaseException, alive: Collection[str]) -> Attempt | None:
        """Another try after what a machine did, unless there were enough; `alive` are the nodes that are still there.

        A failure on a node that is gone by now was the node's. That is judged late, for Ray hears of it late.
        """
        fell = (*self.fell, self.node or (GONE if _node_gone(why) else ""))
        crashes = sum(not node or node in alive for node in fell)
        if not _of_a_machine(why) or crashes > CRASHES or len(fell) - crashes > LOSSES:
            return None
        return Attempt(self.entry, fell)


def in_flight(
    todo: Sequence[Entry], task_of: Callable[[Entry], Task], watch: Told
) -> Iterator[tuple[Entry, Record | BaseException]]:
    """Each entry with its result as it comes."""
    import ray

    waiting = [Attempt(entry) for entry in reversed(todo)]
    running: dict[Any, Attempt] = {}
    window = _Window(todo)
    while waiting or running:
        while waiting and len(running) < window.size():
            stream, attempt = _started(waiting.pop(), task_of)
            running[stream] = attempt
        watch.waiting(len(running), len(waiting), todo[0].piece.place)
        ready, _ = ray.wait(list(running), num_returns=1, timeout=LOOK_S)
        for stream in ready:
            said = _said(stream)
            if isinstance(said, Begun):
                running[stream] = replace(running[stream], node=said.node)
                watch.begun(running[stream].entry, said)
                continue
            attempt = running.pop(stream)
            if isinstance(said, BaseException) and (another := attempt.next(said, _alive())):
                watch.again(attempt.entry, said)
                waiting.append(another)
            else:
                yield attempt.entry, said


class _Window:
    """How many pieces may be in flight, on a cluster that grows while they wait."""

    def __init__(self, todo: Sequence[Entry]) -> None:
        self._place = todo[0].piece.place if todo else Place()
        self._looked, self._size = -LOOK_S, 0

    def size(self) -> int:
        if time.monotonic() - self._looked >= LOOK_S:
            self._looked, self._size = time.monotonic(), self._now()
        return self._size

    def _now(self) -> int:
        """One that starts processes by itself waits in a process of its own: as many as can work at some time."""
        import ray

        if not self._place.workers:
            return WINDOW + 4 * int(ray.cluster_resources().get("CPU", 0))
        return max(1, capacity().fit(self._place) // self._place.workers)


def _started(attempt: Attempt, task_of: Callable[[Entry], Task]) -> tuple[Any, Attempt]:
    """What is started says first where it runs, then what came out."""
    import ray

    piece, task = attempt.entry.piece, replace(task_of(attempt.entry), attempt=attempt.number)
    how: dict[str, Any] = {"num_cpus": piece.place.cpus, "num_gpus": piece.place.gpus}
    if piece.place.workers:
        how = {"num_cpus": 0, "scheduling_strategy": _here()}
    streamed: dict[str, Any] = {"name": piece.id, "num_returns": "streaming"}
    if piece.place.actor:
        # With no restart left, Ray would also give up every actor that waits for a place on a node that is lost.
        owner: Any = ray.remote(max_restarts=-1, max_task_retries=0, **how)(Owner).remote(piece.id)
        return owner.do.options(**streamed).remote(task), replace(attempt, owner=owner)
    return ray.remote(max_retries=0, **how)(told).options(**streamed).remote(task), attempt


def _here() -> Any:
    """Beside the command, on a machine that stays: what only waits for other processes must not go with one of them."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)


def _said(stream: Any) -> Begun | Record | BaseException:
    import ray

    try:
        said: Begun | Record = ray.get(next(stream))
        return said
    except ray.exceptions.RayTaskError as error:  # ours keep their traceback
        return error.cause if isinstance(error.cause, InputError | TrainingError) else error
    except ray.exceptions.RayError as error:
        return error


def _of_a_machine(error: BaseException) -> bool:
    """Whether a process, a node or the memory gave way, and not the work."""
    from ray import exceptions as e

    deaths = (e.WorkerCrashedError, e.ActorDiedError, e.ActorUnavailableError, e.NodeDiedError, e.OutOfMemoryError)
    return isinstance(error, (*deaths, e.ObjectLostError, e.LocalRayletDiedError))


def _node_gone(error: BaseException) -> bool:
    from ray import exceptions as e

    return isinstance(error, e.NodeDiedError | e.LocalRayletDiedError)


def _alive() -> set[str]:
    import ray

    return {node["NodeID"] for node in ray.nodes() if node["Alive"]}
