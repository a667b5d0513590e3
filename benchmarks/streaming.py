"""Five million lines in five languages through clean, split and encode: lines a second, and peak memory.

Memory is the proportional set size of the command with everything it starts, Ray included, sampled five times a
second. The same command runs on one core and on two.

    python benchmarks/streaming.py [--lines 1000000]
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ALPHABETS = {
    "deu": "abcdefghijklmnopqrstuvwxyzäöüß",
    "ell": "αβγδεζηθικλμνξοπρστυφχψω",
    "rus": "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "hin": "अआइईउऊएऐओऔकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसह",
    "jpn": "あいうえおかきくけこさしすせそたちつてとなにぬねの日本国人年大十二三月",
}
COLUMNS = ("alphabet", "cpus", "lines", "seconds", "lines_per_s", "peak_mib", "machine")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--lines", type=int, default=1_000_000, help="lines per language")
    lines = arguments.parse_args().lines
    folder = Path(tempfile.mkdtemp(prefix="streaming-"))
    try:
        recipe = prepare(folder, lines)
        rows = [measure(folder, recipe, kind, cpus, lines) for kind in ("char", "byte") for cpus in (1, 2)]
    finally:
        shutil.rmtree(folder)
    with (Path(__file__).parent / "streaming.csv").open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerows([COLUMNS, *rows])


def prepare(folder: Path, lines: int) -> Path:
    """Words are drawn with falling frequency and a few lines repeat, as in real text."""
    for lang, letters in ALPHABETS.items():
        draw = random.Random(lang)
        words = ["".join(draw.choices(letters, k=draw.randint(2, 9))) for _ in range(20_000)]
        weights = [1 / rank for rank in range(1, len(words) + 1)]
        with (folder / f"{lang}.txt").open("w", encoding="utf-8") as file:
            for start in range(0, lines, 10_000):
                drawn = draw.choices(words, weights, k=12 * min(10_000, lines - start))
                file.writelines(" ".join(drawn[i : i + 12]) + "\n" for i in range(0, len(drawn), 12))
    files = ", ".join(f"{lang}: {folder / lang}.txt" for lang in ALPHABETS)
    recipe = folder / "recipe.yaml"
    recipe.write_text(f"corpora: [{{kind: files, files: {{{files}}}}}]\n")
    return recipe


def measure(folder: Path, recipe: Path, alphabet: str, cpus: int, lines: int) -> tuple[object, ...]:
    run = folder / f"{alphabet}-{cpus}"
    words = ["entropy2vec", "--recipe", str(recipe), "--run", str(run)]
    settings = ["--set", f"alphabet.kind={alphabet}", "--set", f"compute.cpus={cpus}"]
    start = time.monotonic()
    command = psutil.Popen([sys.executable, "-m", "ray_jobs", *words, *settings], stdout=subprocess.DEVNULL)
    peak = 0
    while command.poll() is None:
        peak = max(peak, sum(map(pss, [command, *children(command)])))
        time.sleep(0.2)
    seconds = time.monotonic() - start
    if command.returncode:
        raise SystemExit(f"the command ended with exit status {command.returncode}")
    total = lines * len(ALPHABETS)
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    row = (alphabet, cpus, total, round(seconds, 1), round(total / seconds), peak >> 20, machine)
    print(dict(zip(COLUMNS, row, strict=True)), flush=True)
    return row


def children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def pss(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


if __name__ == "__main__":
    main()
