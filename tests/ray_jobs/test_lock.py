"""One command at a time on one run; the dead hold nothing."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from langvec.errors import InputError
from ray_jobs import lock
from ray_jobs.store import Store

HOLD = "import sys, time; from ray_jobs.lock import *; from ray_jobs.store import Store\n"
HOLD += "with exclusive(Store(sys.argv[1])): print('held', flush=True); time.sleep(60)"


@pytest.fixture
def holder(store: Store) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, store.uri], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_command_is_refused_and_told_who_holds_the_run(store: Store, holder: subprocess.Popen[str]) -> None:
    with (
        pytest.raises(InputError, match=rf"in use by process {holder.pid} on .* use another --run"),
        lock.exclusive(store),
    ):
        pass


def test_the_lock_of_a_killed_command_is_free_at_once(store: Store, holder: subprocess.Popen[str]) -> None:
    holder.kill()
    holder.wait()
    with lock.exclusive(store):
        assert len(store.names(lock.FOLDER)) == 1


def test_the_lock_is_free_after_the_block_even_if_it_fails(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), lock.exclusive(store):
        raise ZeroDivisionError
    assert store.names(lock.FOLDER) == []


def claim_from_elsewhere(store: Store, age_s: float) -> None:
    claim = {"host": "elsewhere", "pid": 1, "started": 0.0, "since": "today", "renewed": time.time() - age_s}
    store.write(f"{lock.FOLDER}/other.json", json.dumps(claim).encode())


def test_a_claim_from_another_host_holds_while_it_is_renewed(store: Store) -> None:
    claim_from_elsewhere(store, age_s=lock.DEAD_AFTER_S - 10)
    with pytest.raises(InputError, match="process 1 on elsewhere"), lock.exclusive(store):
        pass
    claim_from_elsewhere(store, age_s=lock.DEAD_AFTER_S + 10)
    with lock.exclusive(store):
        pass


def test_a_held_lock_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "RENEW_S", 0.05)
    store = Store.open(str(tmp_path / "run"))
    with lock.exclusive(store):
        (name,) = store.names(lock.FOLDER)
        first = store.read(f"{lock.FOLDER}/{name}")
        deadline = time.monotonic() + 5
        while store.read(f"{lock.FOLDER}/{name}") == first and time.monotonic() < deadline:
            time.sleep(0.02)
        assert store.read(f"{lock.FOLDER}/{name}") != first
