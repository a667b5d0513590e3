"""One finished run that many commands are tried on."""

from pathlib import Path

import pytest

from tests.conftest import langscape


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the recipe `ci`. Whoever wants to add to it makes a copy."""
    folder = tmp_path_factory.mktemp("runs") / "ci"
    done = langscape("entropy2vec", "--recipe", "ci", "--run", str(folder), "--report")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"all done  -> {folder}/results/\n")
    return folder
