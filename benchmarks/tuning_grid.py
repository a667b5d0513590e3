"""A grid of fine-tunings on two cores against one, and what Ray adds to the work of each.

python benchmarks/tuning_grid.py
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from rows import keep
from scaling import times

LANGUAGES = "ces, deu, eng, fra, ind, spa, tur, vie"
SETTINGS = {
    "data.languages": f"[{LANGUAGES}]",
    "seen": "[ces, deu, eng, fra, ind, spa]",
    "vectors": "{}",
    "controls": "[one_hot]",
    "seeds": "3",
    "baselines": "{}",
    "tuning.epochs": "10",
}
TURNS = 1


def run(cores: int) -> tuple[float, float, int]:
    """Seconds from the first start to the last end of the fine-tunings, those of all together, and how many."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", "ray_jobs", "alchemy", "--recipe", "alchemy-demo", "--run", f"{folder}/run", "--no-report"]
        settings = SETTINGS | {"compute.cpus": str(cores)}
        sets = [word for name, value in settings.items() for word in ("--set", f"{name}={value}")]
        subprocess.run([sys.executable, *words, *sets], check=True, capture_output=True)
        costs = [json.loads(file.read_text())["cost"] for file in Path(folder).glob("run/tuned/*/meta.json")]
    return *times(costs), len(costs)


def main() -> None:
    rows = []
    for turn in range(TURNS):
        (alone, work, pieces), (both, work_of_two, _) = run(1), run(2)
        row = {"turn": turn, "fine_tunings": pieces, "one_s": round(alone, 1), "two_s": round(both, 1)}
        row |= {"ratio": round(alone / both, 2), "work_grew": round(work_of_two / work, 2)}
        rows.append(row | {"between_them_s": round((alone - work) / pieces, 2)})
        print(", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    keep(__file__, rows)


if __name__ == "__main__":
    main()
