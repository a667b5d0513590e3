"""Nodes of a Ray cluster as real ones are: processes of their own, each with a /tmp of its own, that can be lost.

The head runs no work, as on a cloud. All of it asks for a token.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

RAY = str(Path(sys.executable).parent / "ray")
# A plug that can be pulled: with the first process all others of the node are gone, and nothing of its disk is left.
APART = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"]
IN_TMP = any(Path(place).is_relative_to("/tmp") for place in (sys.prefix, __file__))  # an empty /tmp would hide us
OWN_DISK = ("" if IN_TMP else "mount -t tmpfs tmpfs /tmp && ") + 'exec "$0" "$@"'
STORE = 80 << 20

# How soon a lost node is noticed; Ray itself takes half a minute.
WATCHFUL = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "4",
}


def apart() -> bool:
    """Whether this user may take processes apart on this machine."""
    tried = subprocess.run([*APART, OWN_DISK, "true"], capture_output=True)
    return tried.returncode == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Node:
    """A worker node that can be lost from one moment to the next."""

    process: subprocess.Popen[bytes]

    def lose(self) -> None:
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()


@dataclass
class Head:
    """A head node and its clients' environment."""

    port: int
    dashboard: int
    metrics: int
    folder: Path
    environment: dict[str, str]
    nodes: list[Node] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(2))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.dashboard}"

    def add(self, cpus: int = 1) -> Node:
        """A node with an address of its own."""
        words = [
            RAY,
            "start",
            f"--address={self.address}",
            "--block",
            f"--node-ip-address=127.0.0.{next(self.numbers)}",
        ]
        words += [f"--num-cpus={cpus}", f"--object-store-memory={STORE}"]
        command = [*APART, OWN_DISK, *words] if apart() else words
        node = Node(_started(command, self.environment, self.folder / f"node-{len(self.nodes)}.log"))
        self.nodes.append(node)
        return node

    @contextmanager
    def losing(self, every_s: float) -> Iterator[list[Node]]:
        """While the block runs, the oldest node is lost every few seconds and a new one comes; the lost ones."""
        lost: list[Node] = []
        over = threading.Event()

        def lose() -> None:
            while not over.wait(every_s):
                node = self.nodes.pop(0)
                node.lose()
                lost.append(node)
                self.add()

        monkey = threading.Thread(target=lose)
        monkey.start()
        try:
            yield lost
        finally:
            over.set()
            monkey.join()


@contextmanager
def autoscaled_head(types: Mapping[str, Mapping[str, float]], most: int) -> Iterator[Head]:
    """A head whose autoscaler brings nodes of these types, by their resources, when work waits, and lets idle ones go.

    The nodes are processes of Ray's own stand-in for a cloud. `ray.cluster_utils` has a class for it that needs a file
    which the wheel lacks.
    """
    import ray.util
    from ray.autoscaler._private.fake_multi_node.node_provider import FAKE_HEAD_NODE_ID

    kinds = {"ray.head.default": {"resources": {"CPU": 0}, "node_config": {}, "max_workers": 0}}
    for name, resources in types.items():
        whole = {**resources, "object_store_memory": STORE}
        kinds[name] = {"resources": whole, "node_config": {}, "min_workers": 0, "max_workers": most}
    port, node = free_port(), FAKE_HEAD_NODE_ID
    provider = {
        "type": "external",  # the name of the stand-in would ask for the missing file
        "module": "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider",
        "gcs_address": f"{ray.util.get_node_ip_address()}:{port}",
        "head_node_id": node,
        "launch_multiple": True,
        "use_node_id_as_ip": True,
        "disable_node_updaters": True,
        "disable_launch_config_check": True,
    }
    lists = ["initialization_commands", "setup_commands", "head_setup_commands", "worker_setup_commands"]
    lists += ["head_start_ray_commands", "worker_start_ray_commands"]
    lists += ["cluster_synced_files", "rsync_exclude", "rsync_filter"]
    config = {
        **{name: [] for name in lists},
        **{name: {} for name in ("auth", "docker", "file_mounts")},
        "file_mounts_sync_continuously": False,
        "cluster_name": "test",
        "provider": provider,
        "max_workers": most,
        "upscaling_speed": 1.0,
        "idle_timeout_minutes": 0.1,
        "head_node_type": "ray.head.default",
        "available_node_types": kinds,
    }
    v2 = {"RAY_enable_autoscaler_v2": "1", "RAY_CLOUD_INSTANCE_ID": node, "RAY_OVERRIDE_NODE_ID_FOR_TESTING": node}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir="/tmp") as file:
        json.dump(config, file)
        file.flush()
        with head(
            f"--autoscaling-config={file.name}", port=port, RAY_FAKE_CLUSTER="1", AUTOSCALER_UPDATE_INTERVAL_S="1", **v2
        ) as made:
            yield made


@contextmanager
def head(*more: str, port: int | None = None, **environment: str) -> Iterator[Head]:
    """A head that runs nothing itself, with the command line tool `python` that its jobs are started with."""
    folder = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))  # socket paths must stay short
    environment = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4, **WATCHFUL, **environment}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    made = Head(port or free_port(), free_port(), free_port(), folder, os.environ | environment | {"PATH": path})
    words = [
        f"--port={made.port}",
        f"--dashboard-port={made.dashboard}",
        f"--temp-dir={folder / 'ray'}",
        "--num-cpus=0",
    ]
    words += [
        f"--dashboard-agent-listen-port={free_port()}",
        f"--metrics-export-port={made.metrics}",
    ]  # others have the usual
    words += ["--node-ip-address=127.0.0.1", "--dashboard-host=127.0.0.1", f"--object-store-memory={STORE}", *more]
    process = _started([RAY, "start", "--head", "--block", *words], made.environment, folder / "head.log")
    try:
        _wait(lambda: answers(made.dashboard), process, folder / "head.log")
        yield made
    finally:
        for node in (*made.nodes, Node(process)):
            node.lose()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """An S3 server on loopback, in a process of its own, with the bucket `bucket`; the environment of its clients."""
    port = free_port()
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not answers(port):
        assert server.poll() is None and time.monotonic() < deadline, "the S3 server did not start"
        time.sleep(0.05)
    request = urllib.request.Request(f"http://127.0.0.1:{port}/bucket", method="PUT")
    urllib.request.urlopen(request).close()
    try:
        yield environment
    finally:
        server.kill()
        server.wait()


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _started(command: list[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(command, env=environment, stdout=file, stderr=file, start_new_session=True)


def _wait(there: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
