"""Encoders whose training is killed, in a worker or as a whole, end as if nothing had happened; so do sweeps."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from ray_jobs.command import run_job
from ray_jobs.lem import JOB
from ray_jobs.lem_recipe import LemRecipe
from ray_jobs.loading import load_recipe
from ray_jobs.sweep_entities import sweep_entities
from tests.conftest import REPOSITORY, contents
from tests.ray_jobs.test_export import made

RECIPE = """
corpora: [{{kind: files, files: {{eng: {folder}/en.txt, deu: {folder}/de.txt}}}}]
taggers:
  eng: {{kind: lexicon, file: {folder}/en.tsv, tags: upos}}
  deu: {{kind: projection, of: eng}}
pairs: [[eng, deu]]
encoder: {{kind: scratch, layers: 1, width: 32, heads: 2, pieces: 300}}
arms: {{lem: {{strategy: lem}}}}
baseline: untouched
division: {{dev: 0.1, test: 0.2}}
mono: null
para: {{epochs: 6, batch_tokens: 512, learning_rate: 2.e-3}}
compute: {{cpus: 2, cpus_per_worker: 2}}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """Two languages of a hundred words each, which stand for each other one by one."""
    lines = [[(line * 7 + step * (3 + line % 5)) % 100 for step in range(4 + line % 6)] for line in range(260)]
    for code, word in (("en", "word"), ("de", "wort")):
        text = "".join(" ".join(f"{word}{number}" for number in line) + "\n" for line in lines)
        (tmp_path / f"{code}.txt").write_text(text)
    (tmp_path / "en.tsv").write_text("".join(f"word{number}\tNOUN\n" for number in range(0, 100, 3)))
    file = tmp_path / "recipe.yaml"
    file.write_text(RECIPE.format(folder=tmp_path))
    return file


def started(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ray_jobs", *words]
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def wait_for(command: subprocess.Popen[bytes], there: Callable[[], bool]) -> None:
    while not there():
        assert command.poll() is None, command.stderr.read().decode() if command.stderr else ""
        time.sleep(0.01)


def killed(command: subprocess.Popen[bytes]) -> None:
    """With all of its workers, one of which might save once more."""
    family = psutil.Process(command.pid).children(recursive=True)
    os.killpg(command.pid, signal.SIGKILL)
    command.wait()
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, 30)


def workers(command: subprocess.Popen[bytes], name: str) -> list[psutil.Process]:
    return [one for one in psutil.Process(command.pid).children(recursive=True) if name in one.name()]


def encoders(run: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(run).items() if name.startswith(("para/", "judged/"))}


def account(run: Path, piece: str) -> dict[str, object]:
    (meta,) = run.glob(f"{piece}-*/meta.json")
    return dict(json.loads(meta.read_text())["account"])


@pytest.mark.ray
def test_killed_in_a_worker_and_as_a_whole_and_its_checkpoint_cut_an_encoder_is_the_same(
    cluster: None, recipe: Path, tmp_path: Path
) -> None:
    made(load_recipe(LemRecipe, str(recipe)), tmp_path / "calm")  # in this process, without Ray
    run = tmp_path / "killed"
    shutil.copytree(tmp_path / "calm", run, ignore=shutil.ignore_patterns("para", "judged", "results", "tensorboard"))

    command = started("lem", "--recipe", str(recipe), "--run", str(run), "--set", "compute.save_every_s=0")
    wait_for(command, lambda: bool(list(run.glob(".checkpoints/para/*"))))
    (checkpoint,) = run.glob(".checkpoints/para/*")
    (worker,) = workers(command, "RayTrainWorker")
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(30)
    saved = checkpoint.stat().st_mtime_ns
    wait_for(command, lambda: checkpoint.stat().st_mtime_ns > saved)  # another has gone on
    killed(command)
    os.truncate(checkpoint, checkpoint.stat().st_size // 2)
    (start,) = run.glob("start/*/meta.json")
    finished = start.stat().st_mtime_ns

    assert run_job(JOB, str(recipe), str(run), [], False, None, None) == 0
    assert account(run, "para/eng_Latn-deu_Latn.lem.1")["notes"] == [
        "the checkpoint was damaged: trained from the start"
    ]
    assert start.stat().st_mtime_ns == finished
    assert encoders(run) == encoders(tmp_path / "calm")
    assert not list(run.glob(".checkpoints/*/*"))

    sweep_goes_on(run)


def sweep_goes_on(run: Path) -> None:
    """A killed sweep repeats no trial that was finished."""
    arms = "lem-noun,mlm"
    command = started("sweep", "entities", "--run", str(run), "--only", arms)
    wait_for(command, lambda: bool(list(run.glob("sweep/*/meta.json"))))
    killed(command)
    before = {meta: meta.stat().st_mtime_ns for meta in run.glob("sweep/*/meta.json")}
    assert len(before) == 1

    lines = list(sweep_entities(str(run), "contrasts", arms, None, False, None))
    assert not (run / ".tune").exists()
    assert lines[0] == "2 of 2 trials finished"
    assert {meta: meta.stat().st_mtime_ns for meta in before} == before
    table = pq.read_table(run / "results" / "sweep-entities.parquet").to_pylist()
    assert sorted(row["arm"] for row in table) == sorted(arms.split(","))
    assert {row["state"] for row in table} == {"done"}
    assert len({row["para_tokens"] for row in table}) == 1  # an equal budget
    assert [row["recall"] for row in table] == sorted((row["recall"] for row in table), reverse=True)
    masks = {row["arm"]: row["para_masks_on_noun"] for row in table}
    assert masks["lem-noun"] > 2 * masks["mlm"]
