"""One command at a time on one run, on file systems that have no locks.

Every command writes a claim of its own and then looks at the others: of two that start together at least one sees the
other (they may both give way). A claim is dead when its process is gone, or, from another host, when it has not been
renewed for a while: that rests on the two hosts' clocks, and on no holder being frozen for as long.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from langvec.errors import InputError
from ray_jobs.store import Store

FOLDER = ".lock"
RENEW_S = 20.0
DEAD_AFTER_S = 120.0


@contextmanager
def exclusive(store: Store) -> Iterator[None]:
    """Hold the run while the block runs; InputError names the holder if somebody else does."""
    name = f"{FOLDER}/{uuid.uuid4().hex}.json"
    try:
        _write_claim(store, name)
    except OSError as error:
        raise InputError(
            f"--run {store.uri} cannot be written to ({error}). Expected a place where this user may make files; check "
            f"the rights, the bucket and the space left, or choose another --run."
        ) from None
    stop = threading.Event()
    keeper = threading.Thread(target=_renew, args=(store, name, stop), daemon=True)
    keeper.start()
    try:
        _refuse_if_held(store, name)
        yield
    finally:
        stop.set()
        keeper.join()
        store.delete(name)


def holder(store: Store) -> dict[str, Any] | None:
    """The claim of the command that works on the run now, if there is one."""
    claims = (json.loads(store.read(f"{FOLDER}/{file}") or b"{}") for file in store.names(FOLDER))
    return next((claim for claim in claims if claim and _alive(claim)), None)


def _refuse_if_held(store: Store, mine: str) -> None:
    for file in (file for file in store.names(FOLDER) if file.endswith(".json")):
        name = f"{FOLDER}/{file}"
        claim = json.loads(store.read(name) or b"{}") if name != mine else {}
        if claim and _alive(claim):
            raise InputError(
                f"The run {store.uri} is in use by process {claim['pid']} on {claim['host']} (since {claim['since']}). "
                f"Two commands cannot work on one run: wait for it, stop it, or use another --run."
            )
        if claim:
            store.delete(name)


def _alive(claim: dict[str, Any]) -> bool:
    if claim["host"] == socket.gethostname():
        try:
            return bool(_start(claim["pid"]) == claim["started"])
        except psutil.NoSuchProcess:
            return False
    return bool(time.time() - claim["renewed"] < DEAD_AFTER_S)


def _start(pid: int) -> str:
    """When a process began, by a clock that nobody sets where there is one; a zombie is gone already."""
    process = psutil.Process(pid)
    if process.status() == psutil.STATUS_ZOMBIE:
        raise psutil.NoSuchProcess(pid)
    stat = Path(f"/proc/{pid}/stat")
    return stat.read_text().rpartition(")")[2].split()[19] if stat.exists() else str(process.create_time())


def _write_claim(store: Store, name: str) -> None:
    process = psutil.Process()
    since = time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(process.create_time()))
    claim = {"host": socket.gethostname(), "pid": os.getpid(), "started": _start(os.getpid()), "since": since}
    store.write(name, json.dumps(claim | {"renewed": time.time()}).encode())


def _renew(store: Store, name: str, stop: threading.Event) -> None:
    while not stop.wait(RENEW_S):
        with suppress(OSError):  # a full disk, a network gone for a moment: the next renewal makes up for it
            _write_claim(store, name)
