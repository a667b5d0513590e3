"""What runs cost as they grow, but for the work itself: planning, dispatch, and what comes after the grid.

python benchmarks/scheduler.py [--planned 250x250 7000x448] [--walked 250x250 1000x64/256] [--after 500x100]
                               [--ngrams 5500]

A size is texts x models / texts_per_task. `planned` builds the stages of a real recipe and holds them against a run in
memory, once with nothing done and once with all of it; `walked` sends every piece, with work that takes no time,
through the real runner, Ray and store; `after` makes a matrix, distances and trees of random cells; `ngrams` learns and
reads so many lines of the Declaration, the one part of the work that no other table has. Each size has a process of its
own. Seconds are of its CPU, except where a name begins with `wall`. Sizes that are not asked for keep their rows.
"""

from __future__ import annotations

import argparse
import csv
import json
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
from grid_overhead import PER_TASK, nothing, stub
from ray import cloudpickle
from rows import keep

from langvec.alphabet import CharAlphabet
from langvec.cleaning import FOLDS
from langvec.constructions import TreeRecipe
from langvec.encoded import EncodedSplit
from langvec.glottolog import gold_tree
from langvec.languages import search
from langvec.lesson import Lesson
from langvec.matrix import COUNTS, EntropyMatrix
from langvec.ngram import NgramRecipe
from langvec.scoring import cells_table
from langvec.sources.udhr import Udhr, available
from langvec.support import judged
from langvec.vectors import PRESETS, distance_table, make_vectors
from ray_jobs.entropy2vec import stages
from ray_jobs.recipe import Recipe
from ray_jobs.runner import walk
from ray_jobs.stages import Entry, Record, Stage, Survey
from ray_jobs.store import MARKER, Store
from ray_jobs.task import Task

PLANNED = ("250x250", "500x500", "1000x1000", "2000x2000", "7000x100", "7000x448")
WALKED = ("250x250", "500x250", "1000x250", "500x64/16", "500x64/256")
AFTER = ("250x100", "500x100", "1000x100", "2000x100")
NGRAMS = ("550", "5500")
INTERVALS_UP_TO = 1000  # texts: of twice as many they take 18 GiB
SAMPLE = 50  # pieces of the grid whose dispatch is timed one by one
UP_TO_GRID = 5  # stages

Row = dict[str, Any]


def recipe(texts: int, models: int, per_task: int, folder: Path) -> Recipe:
    """Languages of the shipped table, all with the same text, read by n-grams."""
    file = folder / "text.txt"
    file.write_text("One line of text.\n")
    files = {language.code: str(file) for language in search("")[:texts]}
    whole: Row = {"corpora": [{"kind": "files", "files": files}], "alphabet": {"kind": "byte"}}
    whole |= {"models": [{"kind": "ngram"}], "compute": {"texts_per_task": per_task}}
    return Recipe.model_validate(whole | ({"landmarks": models} if models < texts else {}))


def planned(texts: int, models: int, per_task: int) -> Row:
    """The driver's part of a run, without Ray."""
    row: Row = {}
    with tempfile.TemporaryDirectory() as folder:
        with timed(row, "recipe_s"):
            made = recipe(texts, models, per_task, Path(folder))
        with timed(row, "stages_s"):
            whole = stages(made)
    row |= {"pieces": sum(len(stage.pieces) for stage in whole), "grid_pieces": len(_grid(whole).pieces)}
    row["stages_mib"] = _rss()
    with timed(row, "first_plan_s"):
        survey = Survey({})
        for stage in whole:
            survey.entries(stage.of(survey.done))
    return row | _all_done(whole)


def _all_done(whole: Sequence[Stage]) -> Row:
    """What the runner does for each stage: entries, tasks, records."""
    row: Row = {"entries_s": 0.0}
    survey, store = Survey({}), Store("/nowhere/run")
    for stage in whole:
        start = time.process_time()
        entries = survey.entries(stage.of(survey.done))
        row["entries_s"] = round(row["entries_s"] + time.process_time() - start, 2)
        if stage.name == "grid":
            row["entries_mib"] = _rss()
        if stage.name == "matrix":
            row["matrix_task_mib"] = round(_pickled(Task.of(entries[0], [], store, 60)) / 2**20, 1)
        for entry in entries:
            survey.finished(entry.piece, published(entry))
        if stage.name == "grid":
            row |= _dispatch(survey, entries, store)
    row["records_mib"], records = _rss(), survey.records
    del survey, entries
    with timed(row, "rerun_plan_s"):
        again = Survey(records)
        assert {e.state for s in whole for e in again.entries(s.of(again.done))} == {"done"}
    return row


def _dispatch(survey: Survey, entries: Sequence[Entry], store: Store) -> Row:
    """Milliseconds of the driver for a piece at the end of its stage, when all others are done; kB of its task."""
    sample = entries[:: max(1, len(entries) // SAMPLE)]
    row: Row = {}
    with timed(row, "kin_ms", 1000 / len(sample), 3):
        for entry in sample:
            survey.kin(entry.piece)
    with timed(row, "task_ms", 1000 / len(sample), 3):
        tasks = [Task.of(entry, [], store, 60) for entry in sample]
    return row | {"task_kb": round(sum(map(_pickled, tasks)) / len(tasks) / 1000, 1)}


def _pickled(task: Task) -> int:
    return len(cloudpickle.dumps(task))


def published(entry: Entry) -> Record:
    """The record of a piece as a walk reads it back: of strings of its own."""
    piece, digest = entry.piece, entry.folder.encode().hex()[-64:].rjust(64, "0")
    meta = {"digest": digest, "files": {"cells.parquet": {"bytes": 1000, "sha256": digest}}, "stage": piece.stage}
    meta |= {"name": piece.name, **piece.essence(entry.needed), "account": {"cells": 64}}
    meta["cost"] = {"finished": "2026-01-01T00:00:00+00:00", "attempts": 1}
    return Record(entry.folder, json.loads(json.dumps(meta)), None)


def idle(whole: Sequence[Stage]) -> list[Stage]:
    """The same stages, of pieces that write small files and do nothing else."""
    return [replace(s, pieces=tuple(replace(p, work=_idle(s.name, p.name)) for p in s.pieces)) for s in whole]


def _idle(stage: str, name: str) -> Any:
    return partial(stub, name.partition(".")[0]) if stage == "grid" else partial(nothing, name)


def walked(texts: int, models: int, per_task: int) -> Row:
    import ray

    ray.init("local", include_dashboard=False, object_store_memory=100 << 20, log_to_driver=False)
    logging.getLogger("ray").setLevel(logging.ERROR)
    row: Row = {}
    with tempfile.TemporaryDirectory() as folder:
        whole = idle(stages(recipe(texts, models, per_task, Path(folder))))[:UP_TO_GRID]
        store = Store(str(Path(folder) / "run"))
        row["pieces"], row["grid_pieces"] = sum(len(s.pieces) for s in whole), len(_grid(whole).pieces)
        walk(store, whole[:-1])
        start, used, before = time.perf_counter(), time.process_time(), _rss()
        assert not walk(store, whole).failures
        row["wall_grid_s"] = round(time.perf_counter() - start, 1)
        row["wall_ms_per_piece"] = round(1000 * row["wall_grid_s"] / row["grid_pieces"], 1)
        row["driver_ms_per_piece"] = round(1000 * (time.process_time() - used) / row["grid_pieces"], 1)
        row["driver_grew_mib"] = _rss() - before
        row |= _on_disk(Path(store.uri))
        with timed(row, "records_s"):
            records = store.records()
        with timed(row, "rerun_plan_s"):
            survey = Survey(records)
            assert {e.state for s in whole for e in survey.entries(s.pieces)} == {"done"}
    ray.shutdown()
    return row


def _on_disk(run: Path) -> Row:
    files = [file for file in run.rglob("*") if file.is_file()]
    metas = [file.stat().st_size for file in files if file.name == MARKER and file.parts[-3] == "grid"]
    size = sum(file.stat().st_size for file in files)
    return {"objects": len(files), "mb": round(size / 1e6), "meta_kb": round(sum(metas) / len(metas) / 1000, 1)}


def after(texts: int, models: int, _: int) -> Row:
    """CPU seconds and MiB that one piece adds at its peak, of each kind of piece: from light to heavy."""
    row: Row = {}
    codes = [language.code for language in search("")[:texts]]
    matrix = _random(codes[:models], codes)
    with peaked(row, "matrix_mib"):
        table = cells_table(_cells(matrix))
        with timed(row, "matrix_s"):
            EntropyMatrix.from_cells(table, matrix.models, matrix.texts).to_table()
    del table
    vectors = make_vectors(matrix, PRESETS["best"])
    far, gold = vectors.distances(), gold_tree(codes).tree
    for name in ("average", "nj"):
        with timed(row, f"{name}_s"), peaked(row, f"{name}_mib"):
            tree = TreeRecipe(construction=name).grow(codes, far)
    with timed(row, "judged_s"), peaked(row, "judged_mib"):
        judged(tree, [], gold)
    if texts <= INTERVALS_UP_TO:
        with timed(row, "distances_s"), peaked(row, "distances_mib"):
            distance_table(vectors)
    return row


def ngrams(count: int) -> Row:
    """6-grams of so many lines in Latin letters, about 180 characters each, and a tenth as many held out."""
    source = Udhr(languages=[code for code in sorted(available()) if code.endswith("Latn")])
    lines = [text for code in source.codes() for batch in source.read(code) for text in batch.texts]
    np.random.default_rng(1).shuffle(lines)
    alphabet = CharAlphabet("".join(sorted(set("".join(lines)))))
    learnt, held = (EncodedSplit.of_lines(part, alphabet) for part in (lines[:count], lines[count:][: count // 10]))
    row: Row = {"symbols": learnt.ids.size, "held_out_symbols": held.ids.size}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(2):  # the second counts
            with timed(row, "train_s"):
                NgramRecipe().train(Lesson(learnt, held, 1, "und"), Path(folder))
            model = NgramRecipe().load(Path(folder))
            with timed(row, "read_s", digits=3):
                model.nats(held, np.arange(len(held)))
        row["model_mb"] = round(sum(file.stat().st_size for file in Path(folder).iterdir()) / 1e6, 1)
    return row


def _random(models: Sequence[str], texts: Sequence[str]) -> EntropyMatrix:
    draw, shape = np.random.default_rng(1), (len(models), len(texts))
    counts = {unit: draw.integers(5, 15, (len(texts), FOLDS)) for unit in COUNTS}
    nats = (1 + draw.random((*shape, 1)) + draw.random((*shape, FOLDS)) / 10) * counts["chars"]
    return EntropyMatrix(tuple(models), tuple(texts), nats, counts, np.ones(shape, np.int64), np.zeros(shape))


def _cells(matrix: EntropyMatrix) -> Iterator[Row]:
    for m, model in enumerate(matrix.models):
        for t, text in enumerate(matrix.texts):
            counts = {unit: matrix.counts[unit][t] for unit in COUNTS}
            named = {"model": model, "text": text, "key": f"{model} {text}".ljust(64)}
            yield {**named, "nats": matrix.nats[m, t], **counts, "scored": 1, "error": 0.0}


def _grid(whole: Sequence[Stage]) -> Stage:
    return next(stage for stage in whole if stage.name == "grid")


@contextmanager
def timed(row: Row, name: str, times: float = 1, digits: int = 2) -> Iterator[None]:
    """Seconds of this process, whatever else the machine does."""
    start = time.process_time()
    yield
    row[name] = round(times * (time.process_time() - start), digits)


@contextmanager
def peaked(row: Row, name: str) -> Iterator[None]:
    """MiB beyond what was held at the start. The kernel's mark is set back first, where it lets us."""
    Path("/proc/self/clear_refs").write_text("5")
    pa.default_memory_pool().release_unused()
    before = _rss()
    yield
    high = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    row[name] = round(int(high.split()[1]) / 1024) - before


def _rss() -> int:
    return round(psutil.Process().memory_info().rss / 2**20)


RUNS: dict[str, Callable[[int, int, int], Row]] = {"planned": planned, "walked": walked, "after": after}


def measured(how: str, size: str) -> list[Row]:
    """One row for each figure."""
    of, _, per_task = size.partition("/")
    numbers = [*map(int, of.split("x")), int(per_task or PER_TASK)]
    row = ngrams(numbers[0]) if how == "ngrams" else RUNS[how](*numbers)
    row["load"] = round(os.getloadavg()[0], 1)
    return [{"how": how, "size": size, "measure": name, "value": value} for name, value in row.items()]


def _kept() -> list[Row]:
    file = Path(__file__).with_suffix(".csv")
    with file.open(newline="") if file.exists() else nullcontext(()) as lines:
        return list(csv.DictReader(lines))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for how, sizes in (("planned", PLANNED), ("walked", WALKED), ("after", AFTER), ("ngrams", NGRAMS)):
        parser.add_argument(f"--{how}", nargs="*", default=sizes)
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled"}
    rows = _kept()
    for how, size in ((how, size) for how, sizes in vars(parser.parse_args()).items() for size in sizes):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found = pool.submit(measured, how, size).result()
        print(how, size, ", ".join(f"{row['measure']} {row['value']}" for row in found), flush=True)
        rows = [row for row in rows if (row["how"], row["size"]) != (how, size)] + found
        keep(__file__, rows)


if __name__ == "__main__":
    main()
