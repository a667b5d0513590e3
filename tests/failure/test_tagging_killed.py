"""Tagging that is killed, in one of its workers or as a whole, ends as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from ray_jobs.command import run_job
from ray_jobs.tagging import JOB
from tests.conftest import REPOSITORY, contents

BLOCKS = 40


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """English that a lexicon tags, in blocks that take a moment each."""
    words = [f"word{number}" for number in range(500)]
    lines = [" ".join(words[(line * 7 + step * 13) % 500] for step in range(20)) for line in range(BLOCKS * 100)]
    (tmp_path / "en.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "en.tsv").write_text("".join(f"{word}\tNOUN\n" for word in words[::3]))
    file = tmp_path / "recipe.yaml"
    file.write_text(
        f"corpora: [{{kind: files, files: {{eng: {tmp_path / 'en.txt'}}}}}]\n"
        f"taggers: {{eng: {{kind: lexicon, file: {tmp_path / 'en.tsv'}, tags: upos}}}}\n"
        f"sentences_per_block: 100\ncompute: {{cpus: 2}}\n"
    )
    return file


def started(recipe: Path, run: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "ray_jobs", "tag", "--recipe", str(recipe), "--run", str(run)]
    return subprocess.Popen(
        words, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def wait_for(command: subprocess.Popen[bytes], run: Path, blocks: int) -> None:
    while len(list(run.glob("entities/*/meta.json"))) < blocks:
        assert command.poll() is None, command.stderr.read() if command.stderr else ""
        time.sleep(0.01)


def workers(command: subprocess.Popen[bytes]) -> list[psutil.Process]:
    every = psutil.Process(command.pid).children(recursive=True)
    return [process for process in every if process.name().startswith("ray::MapWorker")]


@pytest.mark.ray
def test_a_killed_worker_and_a_killed_command_cost_nothing_that_was_done(
    cluster: None, recipe: Path, tmp_path: Path
) -> None:
    assert run_job(JOB, str(recipe), str(tmp_path / "calm"), [], False, None, None) == 0
    run = tmp_path / "killed"

    command = started(recipe, run)
    wait_for(command, run, 2)
    os.kill(workers(command)[0].pid, signal.SIGKILL)
    wait_for(command, run, 12)
    os.killpg(command.pid, signal.SIGKILL)
    command.wait()
    done = {meta: meta.stat().st_mtime_ns for meta in run.glob("entities/*/meta.json")}
    assert 12 <= len(done) < BLOCKS

    assert run_job(JOB, str(recipe), str(run), [], False, None, None) == 0
    assert contents(run) == contents(tmp_path / "calm")
    assert {meta: meta.stat().st_mtime_ns for meta in done} == done
