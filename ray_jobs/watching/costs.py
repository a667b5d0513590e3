"""What the pieces of a run took, stage by stage, out of what each has noted of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ray_jobs.stages import Record


@dataclass
class Cost:
    """Sums over pieces. GPU seconds are those for which a GPU, or a share of one, was held."""

    stage: str
    pieces: int = 0
    wall_s: float = 0
    cpu_s: float = 0
    gpu_s: float = 0
    repeats: int = 0  # attempts beyond the first, after a machine had failed one
    peak_mib: int = 0  # the most that one process held

    def add(self, record: Record) -> None:
        cost = record.meta["cost"]
        self.pieces += 1
        for name in ("wall_s", "cpu_s", "gpu_s"):
            setattr(self, name, getattr(self, name) + float(cost.get(name) or 0))
        self.repeats += int(cost.get("attempts") or 1) - 1
        self.peak_mib = max(self.peak_mib, int(cost.get("worker_peak_mib") or 0))


def stage_alone(record: Record) -> str:
    return str(record.meta["stage"])


def costs_of(records: Iterable[Record], stage_of: Callable[[Record], str] = stage_alone) -> list[Cost]:
    """One for each stage, in the order in which they began."""
    costs: dict[str, Cost] = {}
    for record in sorted(records, key=lambda record: str(record.meta["cost"].get("started", ""))):
        stage = stage_of(record)
        costs.setdefault(stage, Cost(stage)).add(record)
    return list(costs.values())


def sum_of(costs: Sequence[Cost]) -> Cost:
    whole = Cost("all")
    for cost in costs:
        for name in ("pieces", "wall_s", "cpu_s", "gpu_s", "repeats"):
            setattr(whole, name, getattr(whole, name) + getattr(cost, name))
        whole.peak_mib = max(whole.peak_mib, cost.peak_mib)
    return whole
