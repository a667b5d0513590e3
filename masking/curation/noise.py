"""Noise of five kinds, as Khayrallah and Koehn (2018) found it in crawled text, put into pairs that are good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import Field, model_validator

from langvec.config import Strict
from masking.draws import Draws
from masking.parallel import plain

KINDS = ("misaligned", "misordered", "wrong_language", "untranslated", "truncated")
_LEFT = (0.2, 0.5)  # of a truncated side


class Noise(Strict):
    """Share of all pairs that gets noise of each kind. Where noise would change nothing, a pair stays good."""

    misaligned: float = Field(0.1, ge=0, le=1, description="the target of another pair")
    misordered: float = Field(0.1, ge=0, le=1, description="the words of the target in random order")
    wrong_language: float = Field(0.1, ge=0, le=1, description="text of a third language as target; needs `foreign`")
    untranslated: float = Field(0.1, ge=0, le=1, description="the source as target")
    truncated: float = Field(0.1, ge=0, le=1, description="a fifth to a half of the target")

    @model_validator(mode="after")
    def _shares_leave_good_pairs(self) -> Noise:
        if sum(self.shares()) >= 1:
            raise ValueError(f"the shares add up to {sum(self.shares()):g}; expected less than 1, for some good pairs")
        return self

    def shares(self) -> list[float]:
        return [getattr(self, kind) for kind in KINDS]


class Noisy(NamedTuple):
    targets: list[str]
    kinds: list[str | None]  # None: as it was


def noisy(
    how: Noise, sources: Sequence[str], targets: Sequence[str], foreign: Sequence[str], seed: int, first: int = 0
) -> Noisy:
    """Targets with noise. `first` is the number of the first pair in all: a pair's lot does not depend on its block.

    Misaligned pairs swap their targets among themselves: no good pair loses its own or finds it twice.
    """
    numbers = np.arange(first, first + len(targets))
    draws = Draws.of(seed, "noise").uniform(0, numbers, np.zeros_like(numbers))
    lots = np.searchsorted(np.cumsum(how.shares()), draws, side="right")
    made: dict[str, Callable[[int, np.random.Generator], str]] = {
        "misordered": lambda place, random: _shuffled(targets[place], random),
        "wrong_language": lambda _, random: foreign[int(random.integers(len(foreign)))],
        "untranslated": lambda place, _: sources[place],
        "truncated": lambda place, random: _cut(targets[place], random),
    }
    found, kinds = list(targets), list[str | None]([None] * len(targets))
    swapped = np.flatnonzero(lots == KINDS.index("misaligned")).tolist()
    partner = dict(zip(swapped, np.roll(swapped, 1).tolist(), strict=True))
    for place, lot in enumerate(lots.tolist()):
        if lot < len(KINDS):
            random = np.random.default_rng(Draws.of(seed, "noise", first + place).key)
            kind = KINDS[lot]
            text = targets[partner[place]] if place in partner else made[kind](place, random)
            if plain(text) != plain(targets[place]):
                found[place], kinds[place] = text, kind
    return Noisy(found, kinds)


def _shuffled(text: str, random: np.random.Generator) -> str:
    found = text.split()
    return " ".join(found[place] for place in random.permutation(len(found)))


def _cut(text: str, random: np.random.Generator) -> str:
    """The first words; of one word, or of a script without spaces, the first characters."""
    found, share = text.split(), random.uniform(*_LEFT)
    if len(found) == 1:
        return text[: max(1, round(len(text) * share))]
    return " ".join(found[: max(1, round(len(found) * share))])
