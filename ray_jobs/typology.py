"""`langscape typology`: a run's distances held against a table of typological features."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from langvec.typology import agreement, read_typology
from ray_jobs.finished import FinishedRun
from ray_jobs.lookup import distances_of
from ray_jobs.results import Shelf

DRAWS = 999


def typology(file: str, uri: str, kind: str | None) -> list[str]:
    """Write `results/typology-<file>.csv` and return the lines to print."""
    run = FinishedRun.open(uri, kind)
    codes, distances = distances_of(run)
    table = read_typology(file, codes)
    places = [codes.index(code) for code in table.codes]
    rows = list(agreement(distances[np.ix_(places, places)], table, DRAWS, run.recipe.seed))
    name = f"typology-{Path(file).stem}{run.suffix}"
    Shelf(run.store).table(name, rows)
    return [
        f"{len(table.codes)} of {len(codes)} languages are in {file}, {table.features.shape[1]} features, "
        f"{table.coverage:.0%} of them known; {rows[0]['pairs']:,} pairs",
        f"{'controlled for':<28} {'rank correlation':>16} {'p':>7}",
        *(f"{row['controlled_for']:<28} {row['spearman']:>16.3f} {row['p']:>7.3f}" for row in rows),
        f"all done  -> {run.store.uri}/results/{name}.csv",
    ]
