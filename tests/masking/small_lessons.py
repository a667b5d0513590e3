"""A lesson that an encoder of one layer learns in a second; as a program, the second process that learns it.

python -m tests.masking.small_lessons FOLDER
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import torch

from masking import group, pretraining
from masking.alignment import Tagged, encode
from masking.curriculum import Curriculum
from masking.masks import TokenMasks
from masking.pretraining import Lesson, pretrain
from masking.start import ScratchStart, load, save
from masking.tokens import Tokens

CURRICULUM = Curriculum(
    epochs=2, batch_tokens=160, learning_rate=0.01, warmup=0.2, weight_decay=0.01, precision="float32"
)
MASKS = TokenMasks(rate=0.3)
SCRATCH = ScratchStart(kind="scratch", layers=1, width=16, heads=2, pieces=60)


@dataclass
class Notebook:
    """A memory that keeps every state; the process is killed once it has this many."""

    kills_at: int | None = None
    states: list[bytes] = field(default_factory=list)
    drawn: list[dict[str, Any]] = field(default_factory=list)

    def load(self) -> bytes | None:
        return self.states[-1] if self.states else None

    def due(self) -> bool:
        return True

    def save(self, state: bytes, epochs: Sequence[dict[str, Any]] = ()) -> None:
        self.states.append(state)
        if len(self.states) == self.kills_at:
            raise KeyboardInterrupt

    def draw(self, epochs: Sequence[dict[str, Any]]) -> None:
        self.drawn = list(epochs)


def lines(count: int, seed: int = 1) -> list[str]:
    """Sentences that repeat themselves: an animal, what it does, and where."""
    draw, said = random.Random(seed), []
    for _ in range(count):
        animal = draw.choice(["cat", "dog", "bird", "fox"])
        said.append(
            f"the {animal} {draw.choice(['saw', 'met'])} a {animal} by the {draw.choice(['sea', 'old red gate'])}"
        )
    return said


def begun(folder: Path) -> Path:
    save(SCRATCH.begin(lambda: lines(60), 1)[0], folder)
    return folder


@cache
def tokens(start: Path, count: int, seed: int) -> Tokens:
    return encode(load(start).tokenizer, [Tagged(line, ()) for line in lines(count, seed)])


def lesson(start: Path, memory: Any = None, **changes: Any) -> Lesson:
    parts = {"train": tokens(start, 30, 1), "validation": tokens(start, 12, 2), "seed": 1, "name": "mono"}
    return Lesson(start, memory=memory or Notebook(), **(parts | changes))


def together(rank: int, folder: Path) -> None:
    """Train as one of two; leave the encoder of the first, and what each has added up."""
    pretraining.AT_ONCE = {"cpu": 64, "cuda": 64}  # several parts in a batch
    torch.distributed.init_process_group(
        "gloo", f"file://{folder / 'meeting'}", rank=rank, world_size=2, timeout=timedelta(seconds=120)
    )
    try:
        _learn_together(rank, folder)
    finally:
        torch.distributed.destroy_process_group()


def _learn_together(rank: int, folder: Path) -> None:
    sums = [torch.full((2, 3), 1.0 + rank), torch.arange(4.0) * rank, torch.tensor(float(10**rank))]
    group.add_up(sums)
    target = folder / "model" if rank == 0 else folder / f"other-{rank}"
    target.mkdir()
    account = pretrain(CURRICULUM, MASKS, lesson(folder / "start"), target)
    about = {"rank": group.rank(), "size": group.size(), "sums": [one.tolist() for one in sums], "account": account}
    (folder / f"{rank}.json").write_text(json.dumps(about))


if __name__ == "__main__":
    torch.set_num_threads(1)
    together(1, Path(sys.argv[1]))
