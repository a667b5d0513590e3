"""Processes that share the work: what they add up, and that two of them learn what one learns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from masking import group, pretraining
from masking.pretraining import LOG, pretrain
from tests.conftest import REPOSITORY
from tests.masking.small_lessons import CURRICULUM, MASKS, begun, lesson, together


def test_one_process_is_the_first_and_only_one_and_its_sums_are_what_it_has() -> None:
    assert (group.rank(), group.size()) == (0, 1)
    tensors = [torch.arange(3.0), torch.ones(2, 2)]
    group.add_up(iter(tensors))
    assert tensors[0].tolist() == [0, 1, 2] and tensors[1].tolist() == [[1, 1], [1, 1]]
    group.add_up([])


def test_two_processes_add_up_and_learn_what_one_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretraining, "AT_ONCE", pretraining.AT_ONCE)  # put back afterwards
    begun(tmp_path / "start")
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, "-m", "tests.masking.small_lessons", str(tmp_path)]
    second = subprocess.Popen(words, cwd=REPOSITORY, env=environment)
    try:
        together(0, tmp_path)
        assert second.wait(timeout=60) == 0
    finally:
        second.kill()
    alone = tmp_path / "alone"
    alone.mkdir()
    account = pretrain(CURRICULUM, MASKS, lesson(tmp_path / "start"), alone)

    said = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    assert [(one["rank"], one["size"]) for one in said] == [(0, 2), (1, 2)]
    assert all(one["sums"] == [[[3.0] * 3] * 2, [0, 1, 2, 3], 11] for one in said)
    assert not list((tmp_path / "other-1").iterdir())  # the first alone writes
    one, two = load_file(alone / "model.safetensors"), load_file(tmp_path / "model" / "model.safetensors")
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 1e-4
    logs = [pq.read_table(folder / LOG).to_pylist() for folder in (alone, tmp_path / "model")]
    assert [row["tokens"] for row in logs[0]] == [row["tokens"] for row in logs[1]]
    for first, second in zip(*logs, strict=True):
        assert second == pytest.approx(first, abs=1e-4)
    assert [one["account"]["tokens"] for one in said] == [account["tokens"]] * 2
    assert (account["processes"], said[0]["account"]["processes"]) == (1, 2)
