"""A run directory on a disk and one in an object store."""

import uuid
from pathlib import Path

import pytest

from ray_jobs.store import Store


@pytest.fixture(params=["local", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "local":
        return Store.open(str(tmp_path / "run"))
    request.getfixturevalue("s3")
    return Store.open(f"s3://bucket/{uuid.uuid4().hex}")
