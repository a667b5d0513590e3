"""Which Ray cluster a command works on: one that others started, or a private one."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from langvec.errors import InputError
from ray_jobs.cluster.own_folder import own_folder

LONGEST = 40  # bytes of the path of its folder, of which sockets have 107

# Ray reads these when it is imported and passes them on to its workers.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # no telemetry
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # under `uv run` Ray would upload the working directory
    "RAY_task_oom_retries": "1",  # the default is to retry for ever
}


@contextmanager
def connected(address: str | None, cpus: int | None) -> Iterator[None]:
    """A Ray cluster: the one at `address` or in RAY_ADDRESS, else a private one on this machine."""
    if "ray" in sys.modules and sys.modules["ray"].is_initialized():  # called from a program that has its own cluster
        yield
        return
    os.environ.update({name: value for name, value in _QUIET.items() if name not in os.environ})
    address = address or os.environ.get("RAY_ADDRESS")
    settings = _shared(address) if address else _private(cpus)
    import ray

    try:
        ray.init(address=address or "local", log_to_driver=False, logging_level=logging.ERROR, **settings)
    except (ConnectionError, RuntimeError, ValueError) as error:
        if not address:
            raise
        raise InputError(
            f"The Ray cluster at {address} did not let this command in ({str(error).strip().splitlines()[0]}). If it "
            f"asks for a token, set RAY_AUTH_MODE=token and RAY_AUTH_TOKEN; Ray and Python have to be of its versions, "
            f"and this machine on the network of its nodes. `langscape submit` needs none of the last two."
        ) from None
    _hush()
    _as_ctrl_c()
    try:
        yield
    finally:
        ray.shutdown()


def _as_ctrl_c() -> None:
    """What `timeout`, Slurm and Kubernetes send ends a command in words, too: Ray would print its own stack."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))


def _hush() -> None:
    """Ray prints what its daemon complains of to standard output, where results belong: of every worker that ends with
    a command that is stopped, say. What matters comes as an exception, too.
    """
    from ray._private import worker

    worker.print_to_stdstream = lambda *_, **__: None


def _shared(address: str) -> dict[str, Any]:
    """A cluster that others started: it must be there, and its workers do not have our environment."""
    if "://" in address:
        raise InputError(
            f"--address {address}: expected HOST:PORT of the head, such as 10.0.0.7:6379, or auto. The URL of a "
            f"dashboard is for `langscape submit`."
        )
    host, _, port = address.rpartition(":")
    try:
        if port.isdecimal():  # not `auto`, which Ray resolves
            socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:  # Ray itself would try for minutes
        raise InputError(
            f"No Ray cluster answers at {address} ({error}). Start one with `ray start --head`, check the address, or "
            f"leave --address and RAY_ADDRESS out to use this machine alone."
        ) from None
    passed_on = {name: value for name, value in os.environ.items() if name == "AWS_ENDPOINT_URL"}
    return {"runtime_env": {"env_vars": passed_on}} if passed_on else {}


def _private(cpus: int | None) -> dict[str, Any]:
    """A cluster that only this process can use. Texts go through files, so the object store is small."""
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    # As Ray does on a Mac: its servers listen on loopback alone, else on every address of the machine.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    return {
        "num_cpus": cpus,
        "include_dashboard": False,
        "object_store_memory": 100 << 20,
        "_temp_dir": str(_folder_for_sockets()),
    }


def _folder_for_sockets() -> Path:
    """Ray lets every user of the machine write to its folders, and takes objects from whoever is behind a socket."""
    folder = own_folder(os.environ.get("RAY_TMPDIR")) / "ray"
    return folder if len(os.fsencode(folder)) <= LONGEST else own_folder("/tmp") / "ray"  # noqa: S108 - ours alone
