"""The first stage of `curate`: pairs that translators are stopped and judged by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from langvec.errors import InputError
from langvec.sources.bitext import AnyBitext
from masking.draws import Draws
from masking.parallel import plain
from ray_jobs.curate_read import Pair, identities, read_pairs
from ray_jobs.curate_recipe import CurateRecipe, HeldOut
from ray_jobs.stages import Desk, Piece

FORMAT = 1  # raise when the stage writes something else than before
PARTS = ("dev", "test")
_HELD = pa.schema([(name, pa.string()) for name in ("id", "source", "target")])
_UNIT = float(1 << 64)
_SPARE = 4  # times as many pairs are remembered as are kept back, since some are alike


def held_out_piece(recipe: CurateRecipe) -> Piece | None:
    if recipe.held_out is None:
        return None
    config = {"held_out": recipe.held_out.model_dump(), "seed": recipe.seed, "format": FORMAT}
    inputs = identities(recipe.bitexts) | (identities({"tests": recipe.tests}) if recipe.tests else {})
    work = partial(_hold_out, recipe.bitexts, recipe.tests, recipe.held_out, recipe.seed)
    return Piece("held_out", "pairs", work, config, inputs, seed=recipe.seed)


def read_held(folder: Path, part: str) -> list[tuple[str, str]]:
    table = pq.read_table(folder / f"{part}.parquet")
    return list(zip(table["source"].to_pylist(), table["target"].to_pylist(), strict=True))


def _hold_out(
    bitexts: Mapping[str, AnyBitext], tests: AnyBitext | None, how: HeldOut, seed: int, desk: Desk
) -> dict[str, Any]:
    taken = set[str]()
    if tests:
        test = [pair for pairs in read_pairs("tests", tests, Counter()) for pair in pairs]  # a published set, whole
        taken |= {plain(text) for pair in test for text in (pair.source, pair.target)}
    else:
        test = _different(_drawn(bitexts, how, (0.0, how.test), seed), taken, how.most)
    dev = _different(_drawn(bitexts, how, (how.test, how.test + how.dev), seed), taken, how.most)
    found = {"test": test, "dev": dev}
    for part, pairs in found.items():
        rows = [{name: getattr(pair, name) for name in _HELD.names} for pair in pairs]
        pq.write_table(pa.Table.from_pylist(rows, _HELD), desk.folder / f"{part}.parquet")
    if short := [part for part in PARTS if len(found[part]) < 2]:  # noqa: PLR2004
        raise InputError(
            f"held_out: fewer than two pairs for {' and '.join(short)}. Expected more: give more text, raise its share "
            f"or lower held_out.least_words (now {how.least_words})."
        )
    return {part: len(pairs) for part, pairs in found.items()}


def _drawn(bitexts: Mapping[str, AnyBitext], how: HeldOut, within: tuple[float, float], seed: int) -> list[Pair]:
    """Pairs whose lot, a hash of the id, falls into a part; the lowest lots first."""
    lots: list[tuple[float, Pair]] = []
    for name, bitext in bitexts.items():
        for pairs in read_pairs(name, bitext, Counter()):
            drawn = ((Draws.of(seed, "held_out", pair.id).key / _UNIT, pair) for pair in pairs)
            lots += [(lot, pair) for lot, pair in drawn if within[0] <= lot < within[1] and _fit(pair, how)]
            if len(lots) > 2 * _SPARE * how.most:
                lots = sorted(lots)[: _SPARE * how.most]
    return [pair for _, pair in sorted(lots)]


def _fit(pair: Pair, how: HeldOut) -> bool:
    short = min(len(pair.source.split()), len(pair.target.split())) < how.least_words
    return not short and plain(pair.source) != plain(pair.target)


def _different(pairs: Sequence[Pair], taken: set[str], most: int) -> list[Pair]:
    """So many pairs of which no text stands anywhere else among what is held out."""
    found: list[Pair] = []
    for pair in pairs:
        sides = {plain(pair.source), plain(pair.target)}
        if len(found) < most and not sides & taken:
            found.append(pair)
            taken |= sides
    return found


def held_texts(desk: Desk) -> AbstractSet[str]:
    """What may stand in no candidate, as `plain` writes it."""
    if "held_out" not in desk.needed:
        return frozenset()
    pairs = [pair for part in PARTS for pair in read_held(desk.needed["held_out"], part)]
    return frozenset(plain(text) for pair in pairs for text in pair)
