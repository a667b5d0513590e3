"""Trainers, scorers, nodes and drivers die; the matrix does not notice."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from ray_jobs.store import Store
from tests.conftest import REPOSITORY, contents, langscape

MODELS = """alphabet: {kind: byte}
models:
  - {kind: transformer, layers: 1, width: 32, heads: 2, context: 64, batch_symbols: 512, learning_rate: 0.01, epochs: 3}
  - {kind: ngram, order: 3}
scoring: {tolerance: 0}
compute: {cpus: 2, checkpoint_every_s: 0}
"""


@pytest.fixture
def recipe(write_recipe: Callable[..., Path]) -> Path:
    return write_recipe(MODELS, lines=400)


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
    recipe: Path, tmp_path: Path
) -> None:
    calm, wild = tmp_path / "calm", tmp_path / "wild"
    assert langscape("entropy2vec", "--recipe", str(recipe), "--run", str(calm)).returncode == 0

    process = command(recipe, wild)
    wait_for(process, lambda: checkpoints(wild))
    for trainer in workers(process, "Owner.do"):  # in mid-epoch: every step is followed by a checkpoint
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
def test_a_cell_file_cut_short_a_model_and_a_checkpoint_gone_bad_are_made_again(recipe: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert langscape("entropy2vec", "--recipe", str(recipe), "--run", str(run)).returncode == 0
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
def test_a_new_language_costs_one_model_one_row_and_one_column(recipe: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert langscape("entropy2vec", "--recipe", str(recipe), "--run", str(run)).returncode == 0
    before = {file: file.stat().st_mtime_ns for file in run.glob("model/*/*")}
    old = pq.read_table(run / "results/matrix.parquet").to_pylist()
    text = recipe.read_text().replace("hin:", f"sin: {tmp_path / 'deu.txt'}, hin:")
    recipe.write_text(text)
    assert langscape("entropy2vec", "--recipe", str(recipe), "--run", str(run)).returncode == 0
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert len(list(run.glob("model/*/meta.json"))) == 8
    new = pq.read_table(run / "results/matrix.parquet").to_pylist()
    assert len(new) == 16
    assert [row for row in new if "sin_Sinh" not in (row["model"], row["text"])] == old
    accounts = [
        record.meta["account"] for record in Store(str(run)).records().values() if record.meta["stage"] == "grid"
    ]
    assert sum(account["scored"] for account in accounts) == 2 * 16  # of both kinds every cell once


NODE_LOST = """
import sys, threading, time
from ray.cluster_utils import Cluster
from ray_jobs.command import run_job
from ray_jobs.entropy2vec import JOB
from ray_jobs.store import Store
recipe, run = sys.argv[1:]
head = {"num_cpus": 1, "object_store_memory": 80 << 20}
cluster = Cluster(initialize_head=True, connect=True, head_node_args=head)  # later Ray might choose the other node
node = cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
status = []
job = threading.Thread(target=lambda: status.append(run_job(JOB, recipe, run, [], False, None, None)))
job.start()
store = Store(run)
while not any(name.startswith("model/transformer") for name in store.records()):
    time.sleep(0.1)
cluster.remove_node(node, allow_graceful=False)
job.join()
print("exit", *status)
"""


@pytest.mark.ray
def test_a_node_that_vanishes_takes_nothing_with_it(recipe: Path, tmp_path: Path, s3: str) -> None:
    run = f"s3://bucket/{uuid.uuid4().hex}"
    fast = {"RAY_health_check_initial_delay_ms": "500", "RAY_health_check_period_ms": "300"}
    fast |= {"RAY_health_check_timeout_ms": "1000", "RAY_health_check_failure_threshold": "3"}
    done = subprocess.run(
        [sys.executable, "-c", NODE_LOST, str(recipe), run],
        cwd=REPOSITORY,
        env=os.environ | fast,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert "exit 0\n" in done.stdout, done.stdout + done.stderr
    assert langscape("entropy2vec", "--recipe", str(recipe), "--run", str(tmp_path / "calm")).returncode == 0
    store = Store(run)
    results = {f"results/{name}": store.read(f"results/{name}") for name in store.names("results")}
    calm = {name: data for name, data in contents(tmp_path / "calm").items() if name.startswith("results/")}
    assert results == calm
