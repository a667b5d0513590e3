"""How far a stage is: a bar on a terminal, elsewhere one short line per interval."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from ray_jobs.watching.terminal import visible

INTERVAL_S = 10.0
BAR = 24


class Progress:
    """Written to standard error, so that standard output holds results alone."""

    def __init__(self, stage: str, total: int, done: int) -> None:
        self._stage, self._total, self._done, self._before = stage, total, done, done
        self._failed, self._again = 0, 0
        self._told = (done, 0)
        self._start = self._shown = time.monotonic()

    def __enter__(self) -> Progress:
        if self._done < self._total and sys.stderr.isatty():
            self._show("\r")
        return self

    def step(self, succeeded: bool) -> None:
        self._done += succeeded
        self._failed += not succeeded
        if sys.stderr.isatty():
            self._show("\r")
        elif time.monotonic() - self._shown > INTERVAL_S:
            self._shown = time.monotonic()
            self._show("")

    def again(self, piece: str, why: BaseException) -> None:
        """A machine has failed a piece: the reason of the first is told, the others are counted."""
        self._again += 1
        if self._again == 1:
            reason = (str(why).strip() or type(why).__name__).splitlines()[0].partition(". ")[0]
            self.note(f"{piece} is tried again: {reason}")

    def note(self, text: str) -> None:
        """A line of its own, above the bar if there is one."""
        clear = "\r\x1b[K" if sys.stderr.isatty() else ""
        print(f"{clear}{visible(text)}", file=sys.stderr, flush=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (self._done, self._failed) != self._told:
            self._show("\r" if sys.stderr.isatty() else "")
        if sys.stderr.isatty():
            print(file=sys.stderr)

    def _show(self, start: str) -> None:
        self._told = (self._done, self._failed)
        rate = (self._done - self._before) / max(time.monotonic() - self._start, 1e-9)
        full = BAR * self._done // max(self._total, 1)
        bar = f"[{'=' * full}{' ' * (BAR - full)}] " if start else ""
        failed = f"  {self._failed} failed" if self._failed else ""
        again = f"  {self._again} tried again" if self._again else ""
        text = f"{self._stage:<10} {bar}{self._done}/{self._total}  {rate:.1f}/s{failed}{again}"
        print(f"{start}{text}", end="" if start else "\n", file=sys.stderr, flush=True)
