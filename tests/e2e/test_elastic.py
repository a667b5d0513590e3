"""A cluster with no worker at all: our jobs bring nodes up while they have work, and let them go."""

import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from ray_jobs.store import Store
from tests.nodes import Head, autoscaled_head
from tests.submitting import submit

WATCH = """
import sys, time
import ray
ray.init(sys.argv[1], log_to_driver=False, logging_level="ERROR")
while True:
    print(sum(node["Alive"] for node in ray.nodes()), flush=True)
    time.sleep(0.5)
"""


@pytest.fixture(scope="module")
def cluster(s3: str) -> Iterator[Head]:
    with autoscaled_head({"cpu": {"CPU": 1}}, most=2) as made:
        yield made


@pytest.mark.ray
def test_nodes_come_while_there_is_work_and_go_when_there_is_none(cluster: Head, tmp_path: Path) -> None:
    run = f"s3://bucket/{uuid.uuid4().hex}"
    recipe = tmp_path / "mine.yaml"
    recipe.write_text("corpora: [{kind: udhr, languages: [deu, nld, fin, ind]}]\ntrees: {draws: 0}\n")
    words = ("--", "entropy2vec", "--recipe", "mine.yaml", "--run", run, "--no-report")

    never = submit(
        cluster, tmp_path, *words, "--set", "compute.gpus_per_model=1", "--set", "models=[{kind: transformer}]"
    )
    assert never.returncode == 2
    assert "It would wait for ever" in never.stdout and "cpu: 1 CPU, 0 GPU, up to 2" in never.stdout
    nowhere = submit(cluster, tmp_path, *words[:-2], str(tmp_path / "run"))
    assert nowhere.returncode == 2 and "nodes that come and go" in nowhere.stdout

    watching = [sys.executable, "-c", WATCH, cluster.address]
    watch = subprocess.Popen(watching, env=cluster.environment, stdout=subprocess.PIPE, text=True)
    counts: list[int] = []
    try:
        done = submit(cluster, tmp_path, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        assert Store(run).read("results/matrix.parquet")
        deadline = time.monotonic() + 90
        for line in watch.stdout or ():
            counts += [int(line)] if line.strip().isdigit() else []  # Ray has a word to say, too
            assert time.monotonic() < deadline, counts
            if max(counts) > 1 and counts[-1] == 1:
                break
    finally:
        watch.kill()
    assert counts[0] == 1 and max(counts) == 3
