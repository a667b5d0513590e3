"""What scheduling costs: a grid of many cells whose scoring takes no time, through the real runner and store.

python benchmarks/grid_overhead.py [--languages 400]
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq
from rows import keep

from langvec.cleaning import FOLDS
from langvec.matrix import COUNTS
from langvec.ngram import NgramRecipe
from langvec.scoring import Scoring, cells_table
from ray_jobs import grid
from ray_jobs.runner import walk
from ray_jobs.stages import Desk, Piece, Stage, Survey
from ray_jobs.store import Store

PER_TASK = 64


def nothing(name: str, desk: Desk) -> dict[str, Any]:
    (desk.folder / "stub").write_text(name)
    return {}


def stub(language: str, desk: Desk) -> dict[str, Any]:
    """Cells of ones, written as real ones are."""
    texts = [label.removeprefix("text ") for label in desk.needed if label.startswith("text ")]
    cell = {"nats": np.ones(FOLDS), **{unit: np.ones(FOLDS, np.int64) for unit in COUNTS}, "scored": 64, "error": 0.0}
    table = cells_table({"model": language, "text": code, "key": f"{language} {code}", **cell} for code in texts)
    pq.write_table(table, desk.folder / grid.CELLS, compression="zstd")
    return {"cells": len(texts), "scored": len(texts), "symbols": len(texts)}


def stages(count: int) -> list[Stage]:
    codes = [f"x{number:04}" for number in range(count)]
    alphabet = Piece("alphabet", "byte", partial(nothing, "byte"), {})
    encoded = {code: Piece("encoded", code, partial(nothing, code), {}) for code in codes}
    models = {code: Piece("model", f"ngram-{code}", partial(nothing, code), {}) for code in codes}
    texts = grid.Texts(encoded, alphabet, Scoring(), PER_TASK, 0)
    cells = [
        replace(piece, work=partial(stub, code))
        for code, model in models.items()
        for piece in grid.pieces(texts, grid.Reader(NgramRecipe(), code, None), model, None)
    ]
    named = {"alphabet": (alphabet,), "encoded": encoded.values(), "model": models.values(), "grid": cells}
    return [Stage(name, tuple(pieces)) for name, pieces in named.items()]


def measure(count: int) -> Iterator[tuple[str, float]]:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(str(Path(folder) / "run"))
        made = stages(count)
        walk(store, made[:3])
        before, start = _memory(), time.perf_counter()
        outcome = walk(store, made)
        seconds = time.perf_counter() - start
        assert not outcome.failures
        start = time.perf_counter()
        survey = Survey(store.records())
        states = {entry.state for stage in made for entry in survey.entries(stage.pieces)}
        assert states == {"done"}
        yield "languages", count
        yield "cells", count * count
        yield "tasks", len(made[-1].pieces)
        yield "grid_s", round(seconds, 1)
        yield "ms_per_cell", round(1000 * seconds / count**2, 3)
        yield "ms_per_task", round(1000 * seconds / len(made[-1].pieces), 1)
        yield "driver_grew_mib", round(_memory() - before)
        yield "finished_rerun_s", round(time.perf_counter() - start, 1)


def _memory() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--languages", type=int, nargs="+", default=[100, 200, 400])
    counts = parser.parse_args().languages
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    import ray

    ray.init(address="local", include_dashboard=False, object_store_memory=100 << 20, logging_level=logging.ERROR)
    rows = [dict(measure(count)) for count in counts]
    for row in rows:
        print(", ".join(f"{name} {value:g}" for name, value in row.items()), flush=True)
    keep(__file__, rows)


if __name__ == "__main__":
    main()
