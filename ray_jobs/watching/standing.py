"""How far a run is, as a small file in it that the command at work renews: what `langscape status` reads."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from ray_jobs.stages import Record
from ray_jobs.store import Store

FILE = ".standing.json"


@dataclass
class StageStanding:
    """Counts of pieces. Weights stand for the work that was to do and for what of it is done."""

    name: str
    total: int
    done: int = 0
    failed: int = 0
    repeats: int = 0  # attempts beyond the first, that machines cost
    weight: int = 0
    weight_done: int = 0
    began: float | None = None
    ended: float | None = None

    def begin(self, total: int, done: int, weight: int) -> None:
        self.total, self.done, self.weight, self.began = total, done, weight, time.time()

    def ended_one(self, record: Record | None, weight: int) -> None:
        self.weight_done += weight
        if record:
            self.done += 1
            self.repeats += record.meta["cost"]["attempts"] - 1
        else:
            self.failed += 1

    def expected_end(self, told: float) -> float | None:
        """If the rest goes like what is done; unknown before a tenth of it is."""
        if self.began is None or self.ended or self.weight_done < self.weight / 10:
            return None
        return told + (told - self.began) * (self.weight - self.weight_done) / max(self.weight_done, 1)


@dataclass(frozen=True)
class Running:
    piece: str
    host: str
    since: float


@dataclass(frozen=True)
class Failure:
    piece: str
    said: str


@dataclass
class Standing:
    """What the command at work last told. Times are seconds since 1970."""

    host: str
    pid: int
    since: float
    told: float
    stages: list[StageStanding]
    state: Literal["running", "ended", "stopped"] = "running"
    queued: int = 0
    running_in_all: int = 0
    running: list[Running] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    job: str = ""  # its name, if it was submitted

    def save(self, store: Store) -> None:
        store.write(FILE, json.dumps(asdict(self)).encode())

    @classmethod
    def load(cls, store: Store) -> Standing | None:
        """None if no command has told anything, or nothing that this version can read."""
        try:
            told: dict[str, Any] = json.loads(store.read(FILE) or b"{}")
            told["stages"] = [StageStanding(**stage) for stage in told["stages"]]
            told["running"] = [Running(**one) for one in told["running"]]
            told["failures"] = [Failure(**one) for one in told["failures"]]
            return cls(**told)
        except (ValueError, KeyError, TypeError):
            return None
