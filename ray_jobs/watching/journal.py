"""What workers say of their pieces, a line of JSON each, in the logs that Ray keeps and its dashboard shows.

Each line names the run, the stage, the piece, its languages and the attempt, so that a search over the logs of a whole
cluster finds everything about one of them.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_LOG = logging.getLogger("langscape.pieces")
_CODE = re.compile(r"(?<![a-z])[a-z]{3}_[A-Z][a-z]{3}(?![a-z])")


@contextmanager
def told(run: str, stage: str, piece: str, attempt: int) -> Iterator[Callable[..., None]]:
    """Say that the work of a piece begins, and how it ends; the block is given a function that takes what it cost."""
    _prepare()
    about = {"run": run, "stage": stage, "piece": piece, "languages": _CODE.findall(piece), "attempt": attempt}
    _say("begun", about)
    try:
        yield lambda **cost: _say("done", about | cost)
    except BaseException as error:
        _say("failed", about | {"why": f"{type(error).__name__}: {error}"})
        raise


def _say(event: str, facts: dict[str, Any]) -> None:
    _LOG.info(json.dumps({"at": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "event": event, **facts}, ensure_ascii=False))


def _prepare() -> None:
    """To standard error, which Ray writes to the worker's log. Once a process, and only in workers of Ray."""
    if not _LOG.handlers and _in_worker():
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        _LOG.addHandler(handler)
        _LOG.setLevel(logging.INFO)
        _LOG.propagate = False


def _in_worker() -> bool:
    ray = sys.modules.get("ray")
    return bool(ray and ray.is_initialized() and ray.get_runtime_context().worker.mode == ray.WORKER_MODE)
