"""Pieces whose workers die are tried again and counted; what a piece does to itself, or says, is not tried for ever."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from ray import exceptions

from langvec.errors import InputError
from ray_jobs.flight import CRASHES, LOSSES, Attempt
from ray_jobs.runner import walk
from ray_jobs.stages import Desk, Entry, Piece, Place, Stage
from ray_jobs.store import RECIPE, Store
from ray_jobs.watching.standing import Standing
from ray_jobs.watching.status import status


def dies(times: int, marks: Path, desk: Desk) -> dict[str, Any]:
    """Kills its own worker so often, then writes a file."""
    marks.mkdir(exist_ok=True)
    if len(list(marks.iterdir())) < times:
        (marks / str(time.monotonic_ns())).touch()
        os._exit(3)
    (desk.folder / "result").write_text("done")
    return {"cells": 3, "symbols": 5}


def refuses(marks: Path, desk: Desk) -> dict[str, Any]:
    marks.mkdir(exist_ok=True)
    (marks / str(time.monotonic_ns())).touch()
    raise InputError("expected another text")


def stage(tmp_path: Path, actor: bool) -> Stage:
    place = Place(actor=actor)
    deaths = {"steady": 0, "unlucky-deu_Latn": 2, "poison": 99}
    works: dict[str, Any] = {name: partial(dies, times, tmp_path / name) for name, times in deaths.items()}
    works["strict"] = partial(refuses, tmp_path / "strict")
    return Stage("grid", tuple(Piece("grid", name, work, {}, place=place) for name, work in works.items()))


@pytest.mark.ray
@pytest.mark.parametrize("actor", [False, True], ids=["tasks", "actors"])
def test_a_lost_worker_is_made_up_for_and_counted_and_poison_is_given_up(
    cluster: None, actor: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(str(tmp_path / "run"))
    outcome = walk(store, [stage(tmp_path, actor)])
    assert {name: record.meta["cost"]["attempts"] for name, record in outcome.records.items()} == {
        "grid/steady": 1,
        "grid/unlucky-deu_Latn": 3,
    }
    assert len(list((tmp_path / "poison").iterdir())) == 1 + CRASHES
    assert len(list((tmp_path / "strict").iterdir())) == 1
    assert outcome.failures.keys() == {"grid/poison", "grid/strict"}
    assert str(outcome.failures["grid/strict"]) == "expected another text"
    said = capsys.readouterr().err
    assert "is tried again: The " in said and "2/4" in said and "2 failed  5 tried again" in said

    standing = Standing.load(store)
    assert standing and (standing.stages[0].done, standing.stages[0].failed, standing.stages[0].repeats) == (2, 2, 2)
    store.write(RECIPE, b"{}")
    told = "\n".join(status(store.uri))
    assert "the last command ended with failures" in told
    assert "  grid/strict: expected another text" in told


@pytest.mark.ray
def test_workers_write_lines_that_name_run_stage_piece_language_and_attempt(cluster: None, tmp_path: Path) -> None:
    from ray._private.worker import _global_node

    store = Store.open(str(tmp_path / "run"))
    walk(store, [stage(tmp_path, actor=False)])
    logs = Path(_global_node.get_logs_dir_path()).glob("worker-*.err")
    lines = [json.loads(line) for log in logs for line in log.read_text().splitlines() if store.uri in line]
    unlucky = sorted((line for line in lines if line["piece"] == "unlucky-deu_Latn"), key=lambda line: line["attempt"])
    assert [(line["event"], line["attempt"]) for line in unlucky] == [
        ("begun", 1),
        ("begun", 2),
        ("begun", 3),
        ("done", 3),
    ]
    assert unlucky[-1]["languages"] == ["deu_Latn"] and unlucky[-1]["stage"] == "grid"
    assert unlucky[-1]["wall_s"] >= 0
    assert any(line["piece"] == "strict" and "expected another text" in line.get("why", "") for line in lines)


def test_the_loss_of_a_node_is_not_the_fault_of_the_piece() -> None:
    entry = Entry(Piece("grid", "one", dict, {}), "to run")
    crashed = exceptions.WorkerCrashedError()
    after = Attempt(entry, fell=("gone",) * (LOSSES - 1) + ("here",) * CRASHES)
    lost = replace(after, node="gone").next(crashed, alive={"here"})
    assert lost and lost.number == 1 + LOSSES + CRASHES
    assert replace(lost, node="gone").next(crashed, alive={"here"}) is None  # it may take whole machines down
    assert replace(after, node="here").next(crashed, alive={"here"}) is None
    assert replace(after, node="here").next(crashed, alive=set()) is None  # all were lost, but there were too many
    early = Attempt(entry, fell=("",) * CRASHES)  # before they could say where they were
    assert early.next(exceptions.NodeDiedError("gone"), alive={"here"})
    assert early.next(crashed, alive={"here"}) is None
    assert replace(Attempt(entry), node="here").next(InputError("it would only come again"), alive={"here"}) is None
