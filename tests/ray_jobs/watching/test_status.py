"""How far a run is, told from what the command at work renews, and from its lock when it does no more."""

import json
import os
import socket
import time
from pathlib import Path

import pytest

from ray_jobs.store import RECIPE, Store
from ray_jobs.watching.standing import FILE, Failure, Running, StageStanding, Standing
from ray_jobs.watching.status import status
from tests.conftest import langscape


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store.open(str(tmp_path / "run"))
    made.write(RECIPE, b"{}")
    return made


def standing(**changes: object) -> Standing:
    now = time.time()
    done = StageStanding("corpus", 3, 3, weight=3, weight_done=3, began=now - 700, ended=now - 690)
    under_way = StageStanding("model", 40, 10, 1, 2, weight=4_000, weight_done=1_000, began=now - 600)
    made = Standing("somewhere", 1, now - 700, now, [done, under_way, StageStanding("grid", 0)])
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def test_a_run_at_work_is_told_with_what_runs_waits_and_failed_and_when_its_stage_may_end(store: Store) -> None:
    running = [Running("model/ngram-deu_Latn", "node-7", time.time() - 75)]
    failures = [Failure("model/ngram-nld_Latn", "the text is gone")]
    now = standing(queued=29, running_in_all=3, running=running, failures=failures)
    now.save(store)
    since = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()[19]
    claim = {"host": socket.gethostname(), "pid": os.getpid(), "started": since, "since": "noon", "renewed": 0}
    store.write(".lock/one.json", json.dumps(claim).encode())
    said = "\n".join(status(store.uri))
    assert f"at work is process {os.getpid()}" in said
    end = time.strftime("%Y-%m-%d %H:%M", time.localtime(now.told + 1_800))  # a quarter took ten minutes
    assert f"until about {end}" in said
    assert "model/ngram-deu_Latn on node-7, 1 min 15 s" in said and "and 2 more" in said
    assert "waiting for a place: 29" in said and "model/ngram-nld_Latn: the text is gone" in said
    (grid,) = (line for line in said.splitlines() if line.startswith("grid"))
    assert grid.split()[1] == "?" and grid.endswith("to come")


@pytest.mark.parametrize(("state", "word"), [("running", "was killed"), ("stopped", "was stopped")])
def test_a_run_that_nobody_works_on_says_how_the_last_command_ended(store: Store, state: str, word: str) -> None:
    standing(state=state).save(store)
    first, *rest = status(store.uri)
    assert f"nobody is at work; the last command {word}" in first and "run again goes on" in first
    assert not any("until about" in line for line in rest)


def test_a_standing_of_another_version_or_cut_in_half_is_taken_for_none(store: Store) -> None:
    standing().save(store)
    whole = store.read(FILE) or b""
    for data in (whole[: len(whole) // 2], b'{"stages": [], "more": 1}', b"[]"):
        store.write(FILE, data)
        assert "no command has said how far it came" in status(store.uri)[0]


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    done = langscape("status", "--run", str(tmp_path / "none"))
    assert done.returncode == 2 and "is no run yet" in done.stderr
