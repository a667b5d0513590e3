"""Pieces as trials of Ray Tune: what fails is told by name, and the others end."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from langvec.errors import InputError
from ray_jobs.stages import Desk, Piece, Place, Survey
from ray_jobs.store import Store
from ray_jobs.task import Task
from ray_jobs.trials import Sweep, run_trials


def work(name: str, desk: Desk) -> dict[str, Any]:
    if name == "mistaken":
        raise InputError("no such file; expected one")
    if name == "broken":
        raise ZeroDivisionError("by nought")
    if name == "dies_once" and desk.memory.load() is None:
        desk.memory.save(b"was here")
        os._exit(1)
    desk.tell({"score": 1.0})
    (desk.folder / "done").write_text(name)
    return {"name": name}


@pytest.mark.ray
def test_a_trial_that_fails_is_told_one_that_dies_is_repeated_and_the_others_end(cluster: None, tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "run"))
    pieces = [Piece("sweep", name, partial(work, name), {}) for name in ("good", "mistaken", "broken", "dies_once")]
    tasks = {entry.piece.name: Task.of(entry, [], store, 0) for entry in Survey({}).entries(pieces)}
    failed = run_trials(store, Sweep("test", Place()), tasks, len(tasks))
    assert failed.keys() == {"mistaken", "broken"}
    assert failed["mistaken"] == "no such file; expected one"
    assert "by nought" in failed["broken"]
    assert {record.meta["name"] for record in store.records().values()} == {"good", "dies_once"}
