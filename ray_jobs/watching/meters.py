"""Metrics of a run, as Ray exports them to its dashboard and to Prometheus.

All are kept by the command, which hears of every piece: they cost nothing on the way, and nothing is counted twice.
"""

from __future__ import annotations

from ray_jobs.stages import Record

COUNTERS = {
    "langscape_pieces_done": "Pieces that were finished and published",
    "langscape_pieces_failed": "Pieces that failed for good",
    "langscape_repeats": "Attempts beyond the first, after a worker or a node was lost",
    "langscape_cells": "Cells of the grid, each a model on a text",
    "langscape_symbols": "Symbols that models have scored for the grid",
    "langscape_bytes": "Bytes that were published",
    "langscape_cpu_seconds": "CPU seconds of finished pieces",
    "langscape_gpu_seconds": "GPU seconds of finished pieces, as reserved",
}
GAUGES = {
    "langscape_pieces_running": "Pieces at work",
    "langscape_pieces_queued": "Pieces that wait for a place",
}
TAGS = ("run", "stage")


class Meters:
    """Of one run. Ray adds nodes and jobs by itself."""

    def __init__(self, run: str) -> None:
        from ray.util.metrics import Counter, Gauge

        self._run = run
        self._counters = {name: Counter(name, about, TAGS) for name, about in COUNTERS.items()}
        self._gauges = {name: Gauge(name, about, TAGS) for name, about in GAUGES.items()}
        self._queued = ("", 0, 0)

    def ended(self, stage: str, result: Record | BaseException) -> None:
        if not isinstance(result, Record):
            self._add(stage, "langscape_pieces_failed", 1)
            return
        account, cost = result.meta["account"], result.meta["cost"]
        self._add(stage, "langscape_pieces_done", 1)
        self._add(stage, "langscape_repeats", cost["attempts"] - 1)
        self._add(stage, "langscape_bytes", sum(file["bytes"] for file in result.meta["files"].values()))
        self._add(stage, "langscape_cpu_seconds", cost["cpu_s"])
        self._add(stage, "langscape_gpu_seconds", cost["gpu_s"])
        if stage == "grid":
            self._add(stage, "langscape_cells", account["cells"])
            self._add(stage, "langscape_symbols", account["symbols"])

    def queue(self, stage: str, running: int, queued: int) -> None:
        if (stage, running, queued) != self._queued:
            self._queued = (stage, running, queued)
            for name, value in zip(GAUGES, (running, queued), strict=True):
                self._gauges[name].set(value, {"run": self._run, "stage": stage})

    def close(self) -> None:
        """Nothing runs and nothing waits when the command ends."""
        if self._queued[0]:
            self.queue(self._queued[0], 0, 0)

    def _add(self, stage: str, name: str, value: float) -> None:
        if value > 0:  # Ray refuses to count zero
            self._counters[name].inc(value, {"run": self._run, "stage": stage})
