"""One finished run that many commands are tried on."""

import os
from pathlib import Path

import pytest
from filelock import FileLock

from tests.conftest import langscape


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the recipe `ci`, one for all processes of tests. Whoever wants to add to it makes a copy."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "runs" / "ci"
    folder.parent.mkdir(exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "results/report.html").exists():
            done = langscape("entropy2vec", "--recipe", "ci", "--run", str(folder), "--report")
            assert done.returncode == 0, done.stderr
            assert done.stdout.endswith(f"all done  -> {folder}/results/\n")
    return folder
