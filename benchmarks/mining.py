"""Mining 20,000 by 20,000 unit vectors of 384 dimensions: tile by tile, with the whole matrix, and with FAISS.

Each way in a process of its own, for the peak of its memory. FAISS takes part where it is installed (faiss-cpu).

python benchmarks/mining.py
"""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from masking.mining import mine

SENTENCES, WIDTH, NEIGHBOURS = 20_000, 384, 4
NOISE = 1.5  # between translations, where a translation's own length is 1
ROUNDS, WARM_UP = 3, 1000
Found = set[tuple[int, int]]
Vectors = np.ndarray[Any, np.dtype[np.float32]]


def sides() -> tuple[Vectors, Vectors]:
    rng = np.random.default_rng(0)
    source = unit(rng.standard_normal((SENTENCES, WIDTH), dtype=np.float32))
    return source, unit(source + NOISE * unit(rng.standard_normal((SENTENCES, WIDTH), dtype=np.float32)))


def unit(vectors: Vectors) -> Vectors:
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def tiles(memory_mb: float) -> Callable[[Vectors, Vectors], Found]:
    def found(source: Vectors, target: Vectors) -> Found:
        pairs = mine(source, target, NEIGHBOURS, memory_mb=memory_mb)
        return set(zip(pairs.src.tolist(), pairs.tgt.tolist(), strict=True))

    return found


def dense(source: Vectors, target: Vectors) -> Found:
    """As it is usually written."""
    cosines = source @ target.T
    of_source = np.partition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS:].mean(axis=1)
    of_target = np.partition(cosines, -NEIGHBOURS, axis=0)[-NEIGHBOURS:].mean(axis=0)
    margins = cosines / ((of_source[:, None] + of_target[None, :]) / 2)
    return agreed(margins.argmax(axis=1), margins.argmax(axis=0))


def faiss(source: Vectors, target: Vectors) -> Found:
    """The usual way in large: exact search both ways, then the margins of the nearest few alone."""
    import faiss as library  # type: ignore[import-not-found, unused-ignore]

    library.omp_set_num_threads(1)
    both = []
    for queries, index in ((source, library.IndexFlatIP(WIDTH)), (target, library.IndexFlatIP(WIDTH))):
        index.add(target if queries is source else source)
        both.append(index.search(queries, NEIGHBOURS))
    (forward, to_target), (backward, to_source) = both
    of_source, of_target = forward.mean(axis=1), backward.mean(axis=1)
    by_forward = forward / ((of_source[:, None] + of_target[to_target]) / 2)
    by_backward = backward / ((of_target[:, None] + of_source[to_source]) / 2)
    rows = np.arange(len(source))
    return agreed(to_target[rows, by_forward.argmax(axis=1)], to_source[rows, by_backward.argmax(axis=1)])


def agreed(of_source: Vectors, of_target: Vectors) -> Found:
    kept = np.flatnonzero(of_target[of_source] == np.arange(len(of_source)))
    return set(zip(kept.tolist(), of_source[kept].tolist(), strict=True))


WAYS: dict[str, Callable[[Vectors, Vectors], Found]] = {
    "langscape, 16 MB": tiles(16),
    "langscape, 64 MB": tiles(64),
    "langscape, 256 MB": tiles(256),
    "whole matrix": dense,
    **({"faiss, flat index": faiss} if find_spec("faiss") else {}),
}


def measured(name: str, folder: Path) -> None:
    """Seconds, peak memory over what the process had before, pairs, and how many are right, on one line."""
    source, target = np.load(folder / "source.npy"), np.load(folder / "target.npy")
    WAYS[name](source[:WARM_UP], target[:WARM_UP])  # so that libraries have their buffers
    before, start = psutil.Process().memory_info().rss / 2**20, time.perf_counter()
    found = WAYS[name](source, target)
    took = time.perf_counter() - start
    right = sum(a == b for a, b in found)
    print(round(took, 2), round(peak_mb() - before), len(found), right)


def peak_mb() -> float:
    """Of this process; what getrusage says may be its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def main() -> None:
    if len(sys.argv) > 1:
        measured(sys.argv[1], Path(sys.argv[2]))
        return
    rows: dict[str, list[list[float]]] = {name: [] for name in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for side, vectors in zip(("source", "target"), sides(), strict=True):
            np.save(Path(folder) / f"{side}.npy", vectors)
        for _ in range(ROUNDS):  # in turns, so that the noise of the machine falls on all
            for name, times in rows.items():
                words = [sys.executable, __file__, name, folder]
                done = subprocess.run(words, capture_output=True, text=True, check=True)
                times.append([float(figure) for figure in done.stdout.split()])
                print(name, times[-1], flush=True)
    with Path(__file__).with_suffix(".csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["way", "s_median", "s_fastest", "peak_mb_over_vectors", "pairs", "pairs_right"])
        for name, times in rows.items():
            seconds = sorted(row[0] for row in times)
            writer.writerow([name, seconds[ROUNDS // 2], seconds[0], *(int(figure) for figure in times[-1][1:])])


if __name__ == "__main__":
    main()
