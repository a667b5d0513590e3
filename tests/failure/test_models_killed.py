"""Trainers, scorers, nodes and drivers die; the matrix does not notice."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from ray_jobs.store import Store
from tests.conftest import REPOSITORY, contents, langscape, recipe_in

MODELS = """alphabet: {kind: byte}
models:
  - {kind: transformer, layers: 1, width: 32, heads: 2, context: 64, batch_symbols: 512, learning_rate: 0.01, epochs: 3}
  - {kind: ngram, order: 3}
scoring: {tolerance: 0}
compute: {cpus: 2, checkpoint_every_s: 0}
"""


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("calm")
    recipe = recipe_in(folder, MODELS, lines=400)
    assert langscape("entropy2vec", "--recipe", str(recipe), "--run", str(folder / "run")).returncode == 0
    return folder / "run"


@pytest.fixture
def recipe(calm: Path) -> Path:
    return calm.parent / "recipe.yaml"


@pytest.fixture
def run(calm: Path, tmp_path: Path) -> Path:
    """A copy of the finished run."""
    return Path(shutil.copytree(calm, tmp_path / "run"))


def command(recipe: Path, run: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "ray_jobs", "entropy2vec", "--recipe", str(recipe), "--run", str(run), "--no-report"]
    return subprocess.Popen(
        words, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def workers(process: subprocess.Popen[str], title: str) -> list[psutil.Process]:
    """Ray workers of a command that are at work on something just now."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        try:
            found += [child] if " ".join(child.cmdline()).startswith(f"ray::{title}") else []
        except psutil.NoSuchProcess:
            continue
    return found


def wait_for(process: subprocess.Popen[str], moment: Callable[[], object]) -> None:
    while not moment():
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)


def checkpoints(run: Path) -> list[Path]:
    return list(run.glob(".checkpoints/model/*"))


@pytest.mark.ray
def test_killed_trainers_scorers_and_drivers_leave_the_results_of_an_undisturbed_run(
    recipe: Path, calm: Path, tmp_path: Path
) -> None:
    wild = tmp_path / "wild"
    process = command(recipe, wild)
    wait_for(process, lambda: checkpoints(wild))
    trainers = workers(process, "model/transformer")  # in mid-epoch: every step is followed by a checkpoint
    assert trainers
    for trainer in trainers:
        trainer.kill()
    wait_for(process, lambda: any(wild.glob("model/transformer-*/meta.json")))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    process = command(recipe, wild)
    wait_for(process, lambda: len(list(wild.glob("model/*/meta.json"))) == 6 and workers(process, "grid/transformer"))
    for scorer in workers(process, "grid/transformer"):
        scorer.kill()
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert contents(wild) == contents(calm)
    assert checkpoints(wild) == []


@pytest.mark.ray
def test_a_cell_file_cut_short_a_model_and_a_checkpoint_gone_bad_are_made_again(recipe: Path, run: Path) -> None:
    before = contents(run)
    for pattern in ("grid/ngram-nld*/cells.parquet", "model/transformer-deu*/model.safetensors"):
        (victim,) = run.glob(pattern)
        os.truncate(victim, victim.stat().st_size - 7)
    (model,) = run.glob("model/transformer-deu*")
    (run / ".checkpoints/model").mkdir(parents=True, exist_ok=True)
    (run / ".checkpoints/model" / model.name).write_bytes(b"not what was saved")
    plan = langscape("entropy2vec", "--recipe", str(recipe), "--run", str(run), "--plan").stdout
    assert "damaged: cells.parquet" in plan and "damaged: model.safetensors" in plan
    again = langscape("entropy2vec", "--recipe", str(recipe), "--run", str(run))
    assert again.returncode == 0, again.stderr
    assert "transformer-deu_Latn: the checkpoint was damaged: trained from the start" in again.stdout
    assert contents(run) == before


@pytest.mark.ray
def test_a_loss_that_is_no_number_fails_by_name_while_the_others_finish(recipe: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    wild = ("--set", "models.0.learning_rate=0.99", "--set", "models.0.clip=1e30", "--set", "models.0.warmup=0")
    wild += ("--set", "models.0.layers=8", "--set", "models.0.weight_decay=1e12")
    done = langscape("entropy2vec", "--recipe", str(recipe), "--run", str(run), *wild)
    assert done.returncode == 1
    assert "model/transformer-deu_Latn failed. The loss of deu_Latn is no longer a number" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Not tried, since they need what failed: grid/transformer-" in done.stderr
    assert pq.read_table(run / "results/matrix-ngram.parquet").num_rows == 9
    mended = langscape("entropy2vec", "--recipe", str(recipe), "--run", str(run))
    assert mended.returncode == 0 and pq.read_table(run / "results/matrix.parquet").num_rows == 9


@pytest.mark.ray
def test_a_new_language_costs_one_model_one_row_and_one_column(recipe: Path, run: Path, tmp_path: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in run.glob("model/*/*")}
    old = pq.read_table(run / "results/matrix.parquet").to_pylist()
    with_another = tmp_path / "recipe.yaml"
    with_another.write_text(recipe.read_text().replace("hin:", f"sin: {recipe.parent / 'deu.txt'}, hin:"))
    assert langscape("entropy2vec", "--recipe", str(with_another), "--run", str(run)).returncode == 0
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert len(list(run.glob("model/*/meta.json"))) == 8
    new = pq.read_table(run / "results/matrix.parquet").to_pylist()
    assert len(new) == 16
    assert [row for row in new if "sin_Sinh" not in (row["model"], row["text"])] == old
    accounts = [
        record.meta["account"] for record in Store(str(run)).records().values() if record.meta["stage"] == "grid"
    ]
    assert sum(account["scored"] for account in accounts) == 2 * 16  # of both kinds every cell once
