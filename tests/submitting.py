"""`langscape submit` as a user types it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.nodes import Head


def submit(cluster: Head, folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Again while a head on a busy machine has not started all of its parts."""
    command = [sys.executable, "-m", "ray_jobs", "submit", "--address", cluster.url, "--working-dir", str(folder)]
    deadline = time.monotonic() + 60
    while True:
        done = subprocess.run(
            [*command, *words],
            cwd=REPOSITORY,
            env=cluster.environment | environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if "No available agent" not in done.stderr or time.monotonic() > deadline:
            return done
