"""A run directory that not every node can see is refused before work starts."""

import os
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, langscape

TWO_NODES = """
import sys
from ray.cluster_utils import Cluster
from langvec.errors import InputError
from ray_jobs.command import run_job
from ray_jobs.entropy2vec import JOB
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 80 << 20})
cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
for run in sys.argv[2:]:
    try:
        print("exit", run_job(JOB, sys.argv[1], run, [], False, cluster.address, None))
    except InputError as error:
        print("refused", error)
"""

LISTENING = """
import os, psutil
from ray_jobs.cluster import connected
with connected(None, 1):
    import ray

    @ray.remote
    class Worker:
        def mode(self):
            return os.environ.get("RAY_AUTH_MODE")

    assert ray.get(Worker.remote().mode.remote()) == "token"
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        for connection in process.net_connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                print(connection.laddr.ip)
        assert os.environ["RAY_AUTH_TOKEN"] not in " ".join(process.cmdline())
"""


@pytest.mark.ray
def test_a_cluster_of_our_own_listens_on_loopback_alone_and_wants_a_token_that_no_command_line_shows() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LISTENING], cwd=REPOSITORY, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 5
    assert {address.removeprefix("::ffff:") for address in done.stdout.split()} == {"127.0.0.1"}


@pytest.mark.ray
def test_a_local_run_directory_is_refused_on_two_nodes_and_shared_storage_is_not(
    write_recipe: Callable[..., Path], tmp_path: Path, s3: str
) -> None:
    words = [str(write_recipe()), str(tmp_path / "run"), f"s3://bucket/{uuid.uuid4().hex}"]
    done = subprocess.run(
        [sys.executable, "-c", TWO_NODES, *words],
        cwd=REPOSITORY,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "is on the local disk of" in done.stdout and "the cluster has 2 nodes" in done.stdout, done.stderr
    assert "exit 0" in done.stdout, done.stderr
    assert not list((tmp_path / "run").glob("corpus*"))


def test_a_cluster_that_does_not_answer_is_named(write_recipe: Callable[..., Path], tmp_path: Path) -> None:
    words = ["--recipe", str(write_recipe()), "--run", str(tmp_path / "run"), "--address", "127.0.0.1:1"]
    done = langscape("entropy2vec", *words)
    assert done.returncode == 2
    assert "No Ray cluster answers at 127.0.0.1:1" in done.stderr
