"""What not every node can see is refused before work starts; a cluster of our own is closed to others."""

import os
import subprocess
import sys
import tempfile
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
import contextlib, os, pathlib, psutil, sys
from ray_jobs.cluster.connection import connected
with connected(None, 1):
    import ray

    @ray.remote
    class Worker:
        def mode(self):
            return os.environ.get("RAY_AUTH_MODE")

    assert ray.get(Worker.remote().mode.remote()) == "token"
    me = psutil.Process()
    for process in [me, *me.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # Ray starts workers ahead, and ends them
            for connection in process.net_connections("inet"):
                if connection.status == psutil.CONN_LISTEN:
                    print(connection.laddr.ip)
            assert os.environ["RAY_AUTH_TOKEN"] not in " ".join(process.cmdline())
            for connection in process.net_connections("unix"):
                if "plasma" in connection.laddr or "raylet" in connection.laddr:
                    top = pathlib.Path(connection.laddr).parents[3]
                    print("socket", oct(top.stat().st_mode)[-3:], top, file=sys.stderr)
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
@pytest.mark.parametrize("deep", [False, True])
def test_no_other_user_reaches_the_sockets_of_a_cluster_of_our_own(tmp_path: Path, deep: bool) -> None:
    """Also where the folder for temporary files lies too deep for a socket."""
    place = tmp_path / ("x" * 60) if deep else Path(tempfile.mkdtemp())
    place.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", LISTENING],
        cwd=REPOSITORY,
        env=os.environ | {"TMPDIR": str(place)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    folder = Path("/tmp" if deep else place) / f"langscape-{os.getuid()}"
    sockets = {line for line in done.stderr.splitlines() if line.startswith("socket ")}
    assert sockets == {f"socket 700 {folder}"}


@pytest.mark.ray
def test_a_run_or_a_text_on_a_local_disk_is_refused_on_two_nodes(
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
    assert "The recipe names files on the local disk of" in done.stdout and "/deu.txt" in done.stdout
    assert not list((tmp_path / "run").glob("corpus*"))


def test_a_cluster_that_does_not_answer_is_named(write_recipe: Callable[..., Path], tmp_path: Path) -> None:
    words = ["--recipe", str(write_recipe()), "--run", str(tmp_path / "run"), "--address", "127.0.0.1:1"]
    done = langscape("entropy2vec", *words)
    assert done.returncode == 2
    assert "No Ray cluster answers at 127.0.0.1:1" in done.stderr
