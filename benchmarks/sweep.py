"""The DBSCAN sweep on one core and on two, and what a Tune trial costs beyond its work."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq
import yaml
from rows import keep

from langvec.sources.udhr import TABLE

RECIPE = """
corpora:
  - {{kind: udhr, languages: [{languages}]}}
cleaning: {{romanise: uroman}}
models: [{{kind: ngram, order: 4}}]
trees: {{draws: 0}}
"""


def prepared(folder: Path, count: int) -> Path:
    """A finished run of so many languages."""
    codes = sorted(set(pq.read_table(TABLE)["lang"].to_pylist()))[:: 448 // count][:count]
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(languages=", ".join(codes)))
    command("entropy2vec", "--recipe", str(recipe), "--run", str(folder / "run"), "--no-report")
    return folder / "run"


def command(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "ray_jobs", *words], check=True, capture_output=True)


def measured(run: Path, cores: int) -> dict[str, float | int]:
    """The whole command, with the start and stop of Ray."""
    copy = run.with_name(f"copy-{cores}")
    shutil.copytree(run, copy)
    recipe = yaml.safe_load((copy / "recipe.yaml").read_text())
    recipe["compute"]["cpus"] = cores
    (copy / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    start = time.perf_counter()
    command("sweep", "dbscan", "--run", str(copy))
    wall = time.perf_counter() - start
    costs = [json.loads(file.read_text())["cost"] for file in copy.glob("sweep/*/meta.json")]
    ends = [datetime.fromisoformat(cost["finished"]).timestamp() for cost in costs]
    span = max(ends) - min(end - cost["wall_s"] for end, cost in zip(ends, costs, strict=True))
    work = sum(cost["wall_s"] for cost in costs)
    return {
        "cores": cores,
        "trials": len(costs),
        "command_s": wall,
        "trials_s": span,
        "work_s": work,
        "overhead_s_per_trial": (span * cores - work) / len(costs),
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 220
    with tempfile.TemporaryDirectory() as folder:
        run = prepared(Path(folder), count)
        rows = [{"languages": count, **measured(run, cores)} for cores in (1, 2)]
    for row in rows:
        row["speed_up"] = rows[0]["trials_s"] / row["trials_s"]
    rows = [{name: round(value, 2) for name, value in row.items()} for row in rows]
    keep(__file__, rows)
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
