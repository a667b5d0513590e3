"""Two workers against one: the same run with one core and with two, stage by stage.

python benchmarks/scaling.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from rows import keep

RECIPE = """
corpora: [{kind: udhr, languages: [ces, deu, eng, fra, ind, spa, tur, vie]}]
alphabet: {kind: byte}
models:
  - {kind: transformer, layers: 4, width: 256, heads: 4, context: 128, batch_symbols: 1024, epochs: 4, patience: 4}
scoring: {tolerance: 0}
"""
TURNS = 2


def run(cores: int) -> Mapping[str, tuple[float, float]]:
    """Of each stage the seconds from its first start to its last end, and the seconds of all its pieces together."""
    with tempfile.TemporaryDirectory() as folder:
        recipe, target = Path(folder) / "recipe.yaml", Path(folder) / "run"
        recipe.write_text(RECIPE + f"compute: {{cpus: {cores}}}\n")
        words = ["-m", "ray_jobs", "entropy2vec", "--recipe", str(recipe), "--run", str(target)]
        subprocess.run([sys.executable, *words], check=True, capture_output=True)
        metas = [json.loads(file.read_text()) for file in target.glob("*/*/meta.json")]
    return {stage: times([m["cost"] for m in metas if m["stage"] == stage]) for stage in ("model", "grid")}


def times(costs: list[dict[str, str]]) -> tuple[float, float]:
    ends = [datetime.fromisoformat(cost["finished"]).timestamp() for cost in costs]
    starts = [end - float(cost["wall_s"]) for end, cost in zip(ends, costs, strict=True)]
    return max(ends) - min(starts), sum(float(cost["wall_s"]) for cost in costs)


def main() -> None:
    rows = []
    for turn in range(TURNS):
        one, two = run(1), run(2)
        for stage, (alone, work) in one.items():
            both, work_of_two = two[stage]
            row = {"stage": stage, "turn": turn, "one_s": round(alone, 1), "two_s": round(both, 1)}
            rows.append(row | {"ratio": round(alone / both, 2), "work_grew": round(work_of_two / work, 2)})
            print(", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    keep(__file__, rows)


if __name__ == "__main__":
    main()
