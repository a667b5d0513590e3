"""The DBSCAN sweep on one core and on two, and what a Tune trial costs beyond its work."""

from __future__ import annotations

import csv
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from ray_jobs.cluster import connected
from ray_jobs.command import run_job
from ray_jobs.sweep import sweep_dbscan

RECIPE = """
corpora:
  - {{kind: udhr, languages: [{languages}]}}
cleaning: {{romanise: uroman}}
models: [{{kind: ngram, order: 4}}]
trees: {{draws: 0}}
"""


def prepared(folder: Path, count: int) -> Path:
    """A finished run of so many languages."""
    import pyarrow.parquet as pq

    from langvec.sources.udhr import TABLE

    codes = sorted(set(pq.read_table(TABLE)["lang"].to_pylist()))[:: 448 // count][:count]
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(languages=", ".join(codes)))
    assert run_job(str(recipe), str(folder / "run"), [], False, None, None) == 0
    return folder / "run"


def measured(run: Path, cores: int) -> dict[str, float | int]:
    copy = run.with_name(f"copy-{cores}")
    shutil.copytree(run, copy)
    with connected(None, cores):
        start = time.perf_counter()
        sweep_dbscan(str(copy), None, None)
        wall = time.perf_counter() - start
    costs = [json.loads(file.read_text())["cost"]["wall_s"] for file in copy.glob("sweep/*/meta.json")]
    beyond = (wall * cores - sum(costs)) / len(costs)
    return {
        "cores": cores,
        "trials": len(costs),
        "seconds": wall,
        "work_s": sum(costs),
        "beyond_work_s_per_trial": beyond,
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    with tempfile.TemporaryDirectory() as folder:
        run = prepared(Path(folder), count)
        rows = [{"languages": count, **measured(run, cores)} for cores in (1, 2)]
    for row in rows:
        row["speed_up"] = rows[0]["seconds"] / row["seconds"]
    rows = [{name: round(value, 2) for name, value in row.items()} for row in rows]
    with Path(__file__).with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
