"""`langscape sweep dbscan`: every setting of the clustering on Ray Tune, and one table of them, best first.

A trial is a block of settings, for a setting takes milliseconds and a trial a third of a second to start. Each block is
a piece of the run: it publishes itself, a killed sweep goes on with the blocks that are missing, and the table is made
of the blocks and not of what Tune remembers.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from langvec.errors import InputError
from langvec.glottolog import EDITION, gold_tree
from langvec.matrix import EntropyMatrix
from langvec.sweep import Point, halves, measure, points, points_per_trial
from ray_jobs.cluster import connected, refuse_unshared
from ray_jobs.finished import FinishedRun
from ray_jobs.lock import exclusive
from ray_jobs.progress import Progress
from ray_jobs.report import PAGE, write_report
from ray_jobs.results import Shelf, write_table
from ray_jobs.stages import Desk, Entry, Piece, Record, Survey
from ray_jobs.store import Store
from ray_jobs.task import Task, disk_full_explained, do

FORMAT = 1  # raise when a block holds something else than before
STATE = ".tune"  # what Tune keeps while it works
RETRIES = 3  # of a trial whose worker died


def sweep_dbscan(uri: str, kind: str | None, address: str | None) -> list[str]:
    """Run what is missing of the sweep, write its table, and return the lines to print."""
    run = FinishedRun.open(uri, kind)
    matrix = run.matrix()
    gold = gold_tree(matrix.texts).tree
    one, other = halves(gold.leaves)
    entries = _entries(run, _blocks(run, matrix))
    todo = [entry for entry in entries if entry.state != "done"]
    with disk_full_explained(run.store), exclusive(run.store):
        if todo:
            with connected(address, run.recipe.compute.cpus):
                refuse_unshared(run.store)
                _tune(run.store, todo, len(entries))
            entries = _entries(run, [entry.piece for entry in entries])
        run.store.delete_folder(STATE)
        if any(entry.state != "done" for entry in entries):
            raise KeyboardInterrupt  # which Tune keeps to itself
        table = _table(run, [entry.record for entry in entries if entry.record])
        write_table(Shelf(run.store), f"sweep-dbscan{run.suffix}", table)
    return [
        f"{table.num_rows:,} settings on {len(matrix.texts)} languages, {run.kind} models",
        *_lines(table, len(one), len(other)),
        *(write_report(run.store, run.pieces(), run.recipe) if run.store.read(PAGE) else ()),
        f"all done  -> {run.store.uri}/results/sweep-dbscan{run.suffix}.csv",
    ]


def _blocks(run: FinishedRun, matrix: EntropyMatrix) -> list[Piece]:
    settings, size = points(matrix.square), points_per_trial(len(matrix.texts))
    of_kind = Piece("matrix", run.kind, _nothing, {})
    return [
        _block(run, settings[start : start + size], f"dbscan-{run.kind}-{start // size:04d}", of_kind)
        for start in range(0, len(settings), size)
    ]


def _block(run: FinishedRun, settings: Sequence[Point], name: str, matrix: Piece) -> Piece:
    config = {"settings": [point.model_dump() for point in settings], "gold": EDITION, "format": FORMAT}
    return Piece(
        "sweep", name, partial(_measure, tuple(settings)), config, needs={"matrix": matrix}, seed=run.recipe.seed
    )


def _nothing(desk: Desk) -> dict[str, Any]:
    raise AssertionError("the matrix of a finished run is there")


def _entries(run: FinishedRun, blocks: Sequence[Piece]) -> list[Entry]:
    survey = Survey(run.store.records())
    for piece in blocks[0].needs.values():
        survey.finished(piece, run.newest)
    return survey.entries(blocks)


def _measure(settings: Sequence[Point], desk: Desk) -> dict[str, Any]:
    matrix = EntropyMatrix.from_parquet(desk.needed["matrix"] / "matrix.parquet")
    rows = list(measure(matrix, settings, gold_tree(matrix.texts).tree))
    pq.write_table(pa.Table.from_pylist(rows, _SCHEMA), desk.folder / "settings.parquet")
    return {"settings": len(rows), "best_triplets": max(row["triplets"] or 0 for row in rows)}


_SCHEMA = pa.schema(
    [(name, pa.float64()) for name in ("triplets_half_1", "triplets_half_2", "triplets")]
    + [("clades", pa.int64())]
    + [(name, pa.string()) for name in ("orientation", "value", "scale", "metric", "construction")]
    + [(name, pa.float64()) for name in ("min_samples", "epsilon", "epsilon_quantile")]
)


def _tune(store: Store, todo: Sequence[Entry], total: int) -> None:
    """One trial for each block. Tune places them; what counts is that each block is published."""
    os.environ |= {"TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "RAY_AIR_NEW_OUTPUT": "0"}
    from ray import tune

    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    tasks = {entry.piece.name: Task.of(entry, [], store, 0) for entry in todo}
    with Progress("sweep", total=total, done=total - len(todo)) as progress:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(_trial, tasks=tasks), {"CPU": 1}),
            param_space={"block": tune.grid_search(sorted(tasks))},
            tune_config=tune.TuneConfig(reuse_actors=True),
            run_config=tune.RunConfig(
                name="dbscan",
                storage_path=f"{store.root}/{STATE}",
                storage_filesystem=store.filesystem,
                failure_config=tune.FailureConfig(max_failures=RETRIES),
                verbose=0,
                callbacks=[_steps(progress)],
            ),
        )
        failed = tuner.fit().errors
    if failed:
        raise InputError(
            f"{len(failed)} of {len(todo)} trials failed, the first with: {str(failed[0]).strip().splitlines()[-1]}. "
            f"What is finished stays; the same command tries the others again."
        )


def _trial(config: Mapping[str, str], tasks: Mapping[str, Task]) -> dict[str, Any]:
    record = do(tasks[config["block"]])
    return {**record.meta["account"], "wall_s": record.meta["cost"]["wall_s"]}


def _steps(progress: Progress) -> Any:
    from ray import tune

    class Steps(tune.Callback):
        def on_trial_complete(self, *_: Any, **__: Any) -> None:
            progress.step(True)

        def on_trial_error(self, *_: Any, **__: Any) -> None:
            progress.step(False)

    return Steps()


def _table(run: FinishedRun, blocks: Sequence[Record]) -> pa.Table:
    """All settings, best first: by the half of the families that settings are chosen on."""
    parts = [pq.read_table(run.store.fetch(record.folder, record.digest) / "settings.parquet") for record in blocks]
    best_first = [("triplets_half_1", "descending"), ("triplets", "descending")]
    return pa.concat_tables(parts).sort_by(best_first)


def _lines(table: pa.Table, *sizes: int) -> Iterator[str]:
    """The best setting of each half, by its score on the other."""
    for chosen, reported in ((1, 2), (2, 1)):
        row = table.sort_by([(f"triplets_half_{chosen}", "descending")]).slice(0, 1).to_pylist()[0]
        setting = ", ".join(f"{name} {_plain(row[name])}" for name in _SETTING if row[name] is not None)
        own, other, whole = (_number(row[f"triplets{part}"]) for part in (f"_half_{chosen}", f"_half_{reported}", ""))
        yield (
            f"best on half {chosen} of the families ({sizes[chosen - 1]} languages) with {own} of its triplets: "
            f"{other} on the other ({sizes[reported - 1]} languages), {whole} with those across both; {setting}"
        )


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _number(share: float | None) -> str:
    return "none" if share is None else f"{share:.3f}"


_SETTING = _SCHEMA.names[4:]
