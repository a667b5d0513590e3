"""Killed at any moment and run again, a run ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from pyarrow.fs import FileSelector

from ray_jobs.store import Store
from tests.conftest import REPOSITORY, contents, langscape

# What the store holds when the command is killed: the moments between start, stages and end.
MOMENTS = ["recipe.yaml", "corpus/2", "alphabet/1", "model/2", "grid/1"]


def reached(store: Store, moment: str) -> bool:
    folder, _, count = moment.partition("/")
    if not count:
        return store.read(folder) is not None
    return sum(name.startswith(f"{folder}/") for name in store.records()) >= int(count)


def start_and_kill(recipe: Path, uri: str, moment: str) -> None:
    """SIGKILL the command with everything it started, as soon as the run has come to a moment."""
    words = [sys.executable, "-m", "ray_jobs", "entropy2vec", "--recipe", str(recipe), "--run", uri]
    command = subprocess.Popen(
        words, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    store = Store(uri)
    while not reached(store, moment):
        assert command.poll() is None, f"the command ended before {moment}"
        time.sleep(0.01)
    os.killpg(command.pid, signal.SIGKILL)
    command.wait()


def result(recipe: Path, uri: str) -> dict[str, bytes]:
    finished = langscape("entropy2vec", "--recipe", str(recipe), "--run", uri)
    assert finished.returncode == 0, finished.stderr
    store = Store(uri)
    found = {name: store.read(f"results/{name}") or b"" for name in store.names("results")}
    for record in store.records().values():
        assert record.damage is None
        found |= {
            f"{record.folder}/{name}": store.read(f"{record.folder}/{name}") or b"" for name in record.meta["files"]
        }
    return found


@pytest.mark.ray
def test_five_kills_leave_a_run_identical_to_an_undisturbed_one(
    write_recipe: Callable[..., Path], tmp_path: Path, s3: str
) -> None:
    recipe = write_recipe("alphabet: {kind: char}\n", lines=20_000)
    undisturbed = result(recipe, str(tmp_path / "undisturbed"))
    assert len(undisturbed) > 40
    for uri in (str(tmp_path / "killed"), f"s3://bucket/{uuid.uuid4().hex}"):
        for moment in MOMENTS if "://" not in uri else ["model/2"]:  # a store takes its time
            start_and_kill(recipe, uri, moment)
        assert result(recipe, uri) == undisturbed


def stamps(store: Store) -> dict[str, int | None]:
    """When each file and folder of a run was last changed."""
    infos = store.filesystem.get_file_info(FileSelector(store.root, recursive=True))
    return {info.path: info.mtime_ns for info in infos}


@pytest.mark.ray
def test_a_finished_rerun_changes_no_file_and_takes_less_than_five_seconds(
    write_recipe: Callable[..., Path], tmp_path: Path, s3: str
) -> None:
    recipe = write_recipe()
    for uri in (str(tmp_path / "run"), f"s3://bucket/{uuid.uuid4().hex}"):
        result(recipe, uri)
        before, start = stamps(Store(uri)), time.monotonic()
        again = langscape("entropy2vec", "--recipe", str(recipe), "--run", uri)
        assert time.monotonic() - start < 5
        assert again.returncode == 0 and "all done" in again.stdout
        assert stamps(Store(uri)) == before != {}


@pytest.mark.ray
def test_a_piece_damaged_after_the_fact_is_made_again_and_the_rest_is_kept(
    write_recipe: Callable[..., Path], tmp_path: Path
) -> None:
    recipe, run = write_recipe(), tmp_path / "run"
    result(recipe, str(run))
    before = contents(run)
    (victim,) = run.glob("corpus/nld*/train.parquet")
    untouched = {path: path.stat().st_mtime_ns for path in run.glob("*/deu*/*")}
    with victim.open("r+b") as file:
        file.truncate(100)
    plan = langscape("entropy2vec", "--recipe", str(recipe), "--run", str(run), "--plan")
    assert "nld_Latn     stale: damaged: train.parquet has 100 bytes" in plan.stdout
    assert result(recipe, str(run)) and contents(run) == before
    assert {path: path.stat().st_mtime_ns for path in run.glob("*/deu*/*")} == untouched


@pytest.mark.ray
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "timeout"])
def test_a_command_asked_to_end_says_that_finished_work_stays_and_leaves_no_lock(asked: int, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "ray_jobs", "entropy2vec", "--recipe", "demo", "--run", str(tmp_path / "run")]
    command = subprocess.Popen(words, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, start_new_session=True)
    store = Store(str(tmp_path / "run"))
    while not reached(store, "corpus/1"):
        time.sleep(0.01)
    command.send_signal(asked)
    _, said = command.communicate(timeout=30)
    assert command.returncode == 130
    assert "Stopped. What is finished stays" in said and "Traceback" not in said
    assert store.names(".lock") == []
