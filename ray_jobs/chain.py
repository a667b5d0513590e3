"""Both steps of pre-training in one process, as a trial of a sweep: what a kill interrupts goes on in its step."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from langvec.lesson import Memory
from masking.pretraining import LOG
from ray_jobs.stages import Desk
from ray_jobs.training import Training

WEIGHTS = "model.safetensors"
_DIGEST, _LENGTH = hashlib.sha256().digest_size, 8


@dataclass
class _Place:
    """Where a chain is: steps that are done, with their accounts and the last one's weights, and the state within."""

    accounts: dict[str, Any] = field(default_factory=dict)
    weights: bytes = b""
    state: bytes = b""

    def packed(self) -> bytes:
        head = json.dumps({"accounts": self.accounts, "weights": len(self.weights)}).encode()
        whole = len(head).to_bytes(_LENGTH, "little") + head + self.weights + self.state
        return hashlib.sha256(whole).digest() + whole

    @classmethod
    def unpacked(cls, data: bytes | None) -> _Place:
        """The beginning, where nothing was kept or what was kept is damaged."""
        if not data or hashlib.sha256(data[_DIGEST:]).digest() != data[:_DIGEST]:
            return cls()
        start = _DIGEST + _LENGTH
        body = start + int.from_bytes(data[_DIGEST:start], "little")
        head = json.loads(data[start:body])
        end = body + head["weights"]
        return cls(head["accounts"], data[body:end], data[end:])


@dataclass(frozen=True)
class _Memory:
    """The memory of a step, which keeps what came before the step as well."""

    whole: Memory
    place: _Place

    def load(self) -> bytes | None:
        return self.place.state or None

    def due(self) -> bool:
        return self.whole.due()

    def save(self, state: bytes, epochs: Sequence[dict[str, Any]] = ()) -> None:
        self.whole.save(replace(self.place, state=state).packed(), epochs)

    def draw(self, epochs: Sequence[dict[str, Any]]) -> None:
        self.whole.draw(epochs)


@contextmanager
def run_chain(steps: Sequence[Training], desk: Desk) -> Iterator[tuple[dict[str, Any], Path]]:
    """Account of each step, by name, and the trained encoder, gone afterwards; logs go into the desk's folder."""
    with tempfile.TemporaryDirectory() as scratch:
        yield _run(steps, desk, Path(scratch))


def _run(steps: Sequence[Training], desk: Desk, scratch: Path) -> tuple[dict[str, Any], Path]:
    place, begun = _Place.unpacked(desk.memory.load()), desk.needed["start"]
    if place.weights:
        begun = _like(begun, scratch / "before")
        (begun / WEIGHTS).write_bytes(place.weights)
    for training in steps[len(place.accounts) :]:
        folder = scratch / training.step
        folder.mkdir()
        account = training.run(replace(desk, memory=_Memory(desk.memory, place)), begun, folder, desk.tell)
        shutil.copy(folder / LOG, desk.folder / f"{training.step}-{LOG}")
        place = _Place(place.accounts | {training.step: account}, (folder / WEIGHTS).read_bytes())
        begun = folder
        desk.memory.save(place.packed())
    return place.accounts, begun


def _like(begun: Path, folder: Path) -> Path:
    """Shape and tokenizer of an encoder, without its weights."""
    shutil.copytree(begun, folder, ignore=shutil.ignore_patterns(WEIGHTS))
    return folder
