"""What lost nodes cost: a demo on three nodes of one core each, in peace and with the oldest node lost again and again.

The nodes have disks of their own and share an S3 store. Both runs have to end with the same bytes.

python benchmarks/losses.py [--every 20] [--demo lem]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from rows import keep

sys.path.insert(0, str(Path(__file__).parent.parent))
from ray_jobs.store import Store
from tests.nodes import Head, Node, head, s3_server

# Of lem, training saves as often as nodes go; the recipe's two minutes are for nodes that stay longer than one.
DEMOS = {"entropy2vec": ["--recipe", "demo"], "lem": ["--recipe", "lem-demo", "--set", "compute.save_every_s=5"]}


def run(cluster: Head, verb: str, every_s: float | None) -> tuple[str, float, int]:
    """Where the run is, seconds to its end, and nodes lost."""
    place = f"s3://bucket/{verb}-{'wild' if every_s else 'calm'}"
    words = ["-m", "ray_jobs", "submit", "--address", cluster.url, "--working-dir", str(cluster.folder / "empty"), "--"]
    losing: AbstractContextManager[list[Node]] = cluster.losing(every_s) if every_s else nullcontext([])
    start = time.monotonic()
    with losing as lost:
        command = [sys.executable, *words, verb, *DEMOS[verb], "--run", place]
        subprocess.run(command, env=cluster.environment, check=True)
    return place, time.monotonic() - start, len(lost)


def contents(store: Store) -> Iterator[tuple[str, bytes | None]]:
    for record in store.records().values():
        for name in record.meta["files"]:
            yield f"{record.folder}/{name}", store.read(f"{record.folder}/{name}")


def compare(cluster: Head, verb: str, every_s: float) -> dict[str, Any]:
    (calm, calm_s, _), (wild, wild_s, lost) = run(cluster, verb, None), run(cluster, verb, every_s)
    pieces = [record.meta["cost"] for record in Store(wild).records().values()]
    if dict(contents(Store(calm))) != dict(contents(Store(wild))):
        raise AssertionError(f"{verb}: lost nodes have changed a result")
    row = {"demo": verb, "pieces": len(pieces), "every_s": every_s, "calm_s": round(calm_s, 1)}
    row |= {"wild_s": round(wild_s, 1), "ratio": round(wild_s / calm_s, 2), "nodes_lost": lost}
    return row | {"repeats": sum(cost["attempts"] - 1 for cost in pieces)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=float, default=20, help="seconds from one loss to the next")
    parser.add_argument("--demo", choices=DEMOS, action="append", help="one of them; none: both")
    every_s, demos = parser.parse_args().every, parser.parse_args().demo or list(DEMOS)
    with s3_server() as environment:
        os.environ.update(environment)
        with head() as cluster:
            (cluster.folder / "empty").mkdir()
            for _ in range(3):
                cluster.add()
            rows = []
            for verb in demos:
                rows.append(compare(cluster, verb, every_s))
                print(", ".join(f"{name} {value}" for name, value in rows[-1].items()), flush=True)
    keep(__file__, rows)


if __name__ == "__main__":
    main()
