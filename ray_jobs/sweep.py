"""`langscape sweep dbscan`: every setting of the clustering on Ray Tune, and one table of them, best first.

A trial is a block of settings, for a setting takes milliseconds and a trial a third of a second to start. Each block is
a piece of the run: it publishes itself, a killed sweep goes on with the blocks that are missing, and the table is made
of the blocks and not of what Tune remembers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from langvec.errors import InputError
from langvec.glottolog import EDITION, gold_tree
from langvec.matrix import EntropyMatrix
from langvec.sweep import Point, halves, measure, points, points_per_trial
from ray_jobs.cluster.connection import connected
from ray_jobs.cluster.preflight import preflight
from ray_jobs.finished import FinishedRun
from ray_jobs.lock import exclusive
from ray_jobs.report import PAGE, write_report
from ray_jobs.results import Shelf, write_table
from ray_jobs.stages import Desk, Entry, Piece, Place, Record, Survey
from ray_jobs.task import Task, disk_full_explained
from ray_jobs.trials import STATE, Sweep, run_trials

FORMAT = 1  # raise when a block holds something else than before


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
                preflight(run.store, [Place()], ("cpus", "gpus_per_model"), address)
                tasks = {entry.piece.name: Task.of(entry, [], run.store, 0) for entry in todo}
                failed = run_trials(run.store, Sweep("dbscan", Place(), reuse_actors=True), tasks, len(entries))
            if failed:
                raise InputError(
                    f"{len(failed)} of {len(todo)} trials failed, the first with: {next(iter(failed.values()))}. What "
                    f"is finished stays; the same command tries the others again."
                )
            entries = _entries(run, [entry.piece for entry in entries])
        run.store.delete_folder(STATE)  # also what a killed sweep has left
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
