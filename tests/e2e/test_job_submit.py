"""`ray job submit` against `ray start --head`: the same command, the same result."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY, contents

RAY = str(Path(sys.executable).parent / "ray")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def head() -> Iterator[dict[str, str]]:
    """A head node that asks for a token; gives the environment of a client that has it."""
    folder = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))  # socket paths must stay short
    environment = os.environ | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4}
    dashboard = free_port()
    words = [
        "--port",
        str(free_port()),
        "--dashboard-port",
        str(dashboard),
        "--dashboard-agent-listen-port",  # the usual one may be another cluster's
        str(free_port()),
        "--num-cpus",
        "2",
        "--temp-dir",
        str(folder),
    ]
    process = subprocess.Popen(
        [RAY, "start", "--head", "--block", "--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", *words],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    with socket.socket() as probe:
        while probe.connect_ex(("127.0.0.1", dashboard)) and time.monotonic() < deadline:
            time.sleep(0.1)
    yield environment | {"RAY_API_SERVER_ADDRESS": f"http://127.0.0.1:{dashboard}"}
    process.terminate()
    process.wait(30)
    shutil.rmtree(folder, ignore_errors=True)


def submit(head: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Again while a head on a busy machine has not started all of its parts."""
    command = [RAY, "job", "submit", "--working-dir", ".", "--", sys.executable, "-m", "ray_jobs", *words]
    deadline = time.monotonic() + 60
    while True:
        done = subprocess.run(command, cwd=REPOSITORY, env=head, capture_output=True, text=True, timeout=180)
        if "No available agent" not in done.stderr or time.monotonic() > deadline:
            return done


@pytest.mark.ray
def test_a_submitted_job_gives_the_result_of_the_local_command(head: dict[str, str], run: Path, tmp_path: Path) -> None:
    done = submit(head, "entropy2vec", "--recipe", "ci", "--run", str(tmp_path / "submitted"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert contents(tmp_path / "submitted") == contents(run)
    wrong = submit(head, "entropy2vec", "--recipe", "ci", "--run", str(tmp_path / "x"), "--set", "seed=-1")
    assert wrong.returncode == 1
    assert "seed: expected 0 or more" in wrong.stdout + wrong.stderr
