"""What a training remembers across kills: a checkpoint in the run, and its learning curves for TensorBoard."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from langvec.lesson import Epochs
from ray_jobs.cluster.leaving import EVERY_S, leaving
from ray_jobs.store import Store

CHECKPOINTS = ".checkpoints"
CURVES = "tensorboard"


class RunMemory:
    """The memory of one piece. Its checkpoint is replaced as a whole, and removed once the piece is published."""

    def __init__(self, store: Store, stage: str, name: str, folder: str, every_s: float) -> None:
        self._store, self._every_s = store, every_s
        self._checkpoint = checkpoint(folder)
        self._curves = f"{CURVES}/{stage}/{name}/events.out.tfevents.0.langscape"
        self._saved = time.monotonic()

    def load(self) -> bytes | None:
        return self._store.read(self._checkpoint)

    def due(self) -> bool:
        """Also when the machine is about to go, whatever the recipe says."""
        since = time.monotonic() - self._saved
        return since >= self._every_s or (since >= EVERY_S and leaving())

    def save(self, state: bytes, epochs: Epochs = ()) -> None:
        self._store.write(self._checkpoint, state)
        if epochs:
            self.draw(epochs)
        self._saved = time.monotonic()

    def draw(self, epochs: Epochs) -> None:
        """The curves so far, as one file that TensorBoard reads."""
        self._store.write(self._curves, _events(epochs))


def checkpoint(folder: str) -> str:
    """Where the checkpoint of a piece lies while it is not finished."""
    return f"{CHECKPOINTS}/{folder}"


def _events(epochs: Epochs) -> bytes:
    from tensorboardX import SummaryWriter

    with tempfile.TemporaryDirectory() as folder:
        with SummaryWriter(folder, write_to_disk=True) as writer:
            for row in epochs:
                _add(writer, row)
        (file,) = Path(folder).iterdir()
        return file.read_bytes()


def _add(writer: Any, row: dict[str, Any]) -> None:
    for name, value in row.items():
        if name not in ("epoch", "step") and value is not None:
            writer.add_scalar(name, value, row["epoch"])
