"""LinguAlchemy's targets: what a model is made to know of each language beside its task, and controls that know less.

The public code of LinguAlchemy used vectors as row numbers and never trained its projection. Here the loss is the
stated one, and scaled so that its weight means the same for any vectors: predicting 0 for everything costs 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from langvec.errors import InputError
from langvec.languages import find

Floats = npt.NDArray[np.float64]
Control = Literal["constant", "random", "shuffled", "one_hot", "script"]
CONTROLS: tuple[Control, ...] = get_args(Control)
NEEDS_VECTORS: frozenset[Control] = frozenset({"constant", "random", "shuffled"})  # for their size at least
_SHOWN = 5


class Block(NamedTuple):
    """Numbers about languages, shape (languages, dimensions); nan where one is not known."""

    codes: tuple[str, ...]
    values: Floats

    def of(self, codes: Sequence[str]) -> Floats:
        """The rows of these languages; nan for one that has none."""
        places = {code: place for place, code in enumerate(self.codes)}
        rows = np.full((len(codes), self.values.shape[1]), np.nan)
        for row, code in enumerate(codes):
            if code in places:
                rows[row] = self.values[places[code]]
        return rows


@dataclass(frozen=True, eq=False)
class Targets:
    """What is predicted of each language, and what a squared error in each dimension costs; both (languages, dims).

    A value that is not known costs nothing. Over the languages that are trained on, predicting 0 costs 1.
    """

    codes: tuple[str, ...]
    values: Floats
    costs: Floats

    @property
    def known(self) -> tuple[str, ...]:
        """Languages of which anything is known, and which can so be named by their vector."""
        return tuple(code for code, costs in zip(self.codes, self.costs, strict=True) if costs.any())


def targets(blocks: Sequence[Block], codes: Sequence[str], seen: Sequence[str]) -> Targets:
    """Vectors side by side: each dimension standardised over the seen languages, each block as important as another.

    Raises:
        InputError: a seen language has no vector, or the vectors do not tell the seen languages apart.
    """
    _refuse_absent(blocks, seen)
    found = [_standardised(block.of(codes), block.of(seen)) for block in blocks]
    values, costs = (np.hstack([part[side] for part in found]) for side in (0, 1))
    if not values.size:
        raise InputError(
            f"The vectors are the same for all {len(seen)} languages that are trained on, so that there is nothing to "
            f"predict. Expected some that differ; give other vectors, or train on more languages."
        )
    return _scaled(tuple(codes), values, costs, seen)


def control(kind: Control, like: Targets | None, codes: Sequence[str], seen: Sequence[str], seed: int) -> Targets:
    """Targets that say less than vectors do, or nothing: what vectors have to beat.

    Args:
        kind: `constant` is one vector for all languages, `random` a vector of noise for each, `shuffled` gives each
            seen language the vector of another, `one_hot` is the language itself, `script` its script.
        like: the vectors that are controlled for; `one_hot` and `script` do without.
        codes: all languages.
        seen: those that are trained on.
        seed: of the noise, and of the order.
    """
    random = np.random.default_rng([seed, CONTROLS.index(kind)])
    if kind == "one_hot":
        return targets([Block(tuple(seen), np.eye(len(seen)))], codes, seen)
    if kind == "script":
        return targets([_scripts(codes)], codes, seen)
    if like is None:
        raise InputError(f"The control {kind} is made like vectors, and none are given. Expected some in `vectors`.")
    if kind == "constant":
        row = random.choice([-1.0, 1.0], like.values.shape[1])
        return _scaled(tuple(codes), np.tile(row, (len(codes), 1)), np.ones((len(codes), len(row))), seen)
    if kind == "random":
        return targets([Block(tuple(codes), random.standard_normal((len(codes), like.values.shape[1])))], codes, seen)
    return _shuffled(like, seen, random)


def _refuse_absent(blocks: Sequence[Block], seen: Sequence[str]) -> None:
    for block in blocks:
        absent = [code for code, row in zip(seen, block.of(seen), strict=True) if np.isnan(row).all()]
        if absent:
            more = f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
            there = [code for code, row in zip(block.codes, block.values, strict=True) if not np.isnan(row).all()]
            raise InputError(
                f"There is no vector of {', '.join(absent[:_SHOWN])}{more}, which is trained on. Expected one of each "
                f"language in `seen`; give vectors that have it, or train on others (there are {len(there)}"
                f"{': ' + ', '.join(there[:_SHOWN]) if there else ''}{', ...' if len(there) > _SHOWN else ''})."
            )


def _standardised(all_of: Floats, of_seen: Floats) -> tuple[Floats, Floats]:
    """Values in deviations of the seen languages, without the dimensions in which these are all alike, and costs."""
    known = ~np.isnan(of_seen)
    several = known.sum(axis=0) > 1
    spans = np.where(known, of_seen, -np.inf).max(axis=0) - np.where(known, of_seen, np.inf).min(axis=0)
    kept = several & (spans > 0)
    mean, deviation = np.nanmean(of_seen[:, kept], axis=0), np.nanstd(of_seen[:, kept], axis=0)
    values = (all_of[:, kept] - mean) / deviation
    return np.nan_to_num(values, nan=0.0), np.where(np.isnan(values), 0.0, 1 / max(int(kept.sum()), 1))


def _scaled(codes: tuple[str, ...], values: Floats, costs: Floats, seen: Sequence[str]) -> Targets:
    of_seen = [codes.index(code) for code in seen]
    nothing = (costs * values**2)[of_seen].sum(axis=1).mean()
    return Targets(codes, values, costs / nothing)


def _scripts(codes: Sequence[str]) -> Block:
    own = [find(code).script for code in codes]
    return Block(tuple(codes), np.array([[float(one == script) for script in sorted(set(own))] for one in own]))


def _shuffled(like: Targets, seen: Sequence[str], random: np.random.Generator) -> Targets:
    """No seen language keeps its own: all go round in a random circle."""
    places = np.array([like.codes.index(code) for code in seen])
    circle = random.permutation(places)
    values, costs = like.values.copy(), like.costs.copy()
    values[circle], costs[circle] = like.values[np.roll(circle, 1)], like.costs[np.roll(circle, 1)]
    return Targets(like.codes, values, costs)
