"""What is predicted beside a task: vectors or a control, and how much it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langvec.alchemy import Control, Targets, control, targets
from ray_jobs.language_vectors import read_block

_LABEL = "vectors "  # of what a piece needs, before the name


@dataclass(frozen=True)
class Second:
    """The second task of an arm. With a control, `blocks` are the vectors that it is made like."""

    blocks: tuple[str, ...]
    control: Control | None
    weighting: Any  # a number, scale or learned
    label: str

    @property
    def name(self) -> str:
        shown = f"{self.weighting:g}" if isinstance(self.weighting, float | int) else str(self.weighting)
        return f"{self.label}-{shown}"

    def config(self) -> dict[str, Any]:
        return {"vectors": self.blocks, "control": self.control, "weighting": self.weighting}

    def targets(self, needed: Mapping[str, Path], codes: Sequence[str], seen: Sequence[str], seed: int) -> Targets:
        blocks = [read_block(needed[f"{_LABEL}{name}"]) for name in self.blocks]
        made = targets(blocks, codes, seen) if blocks else None
        if self.control:
            return control(self.control, made, codes, seen, seed)
        if made is None:
            raise AssertionError("a second task without vectors is a control")
        return made
