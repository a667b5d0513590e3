"""The stage of candidates of `curate`: blocks of pairs, with noise if asked for, and with what has been seen before."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from langvec.cleaning import clean, keys
from langvec.corpus import SeenKeys
from langvec.errors import InputError
from langvec.sources import AnySource
from langvec.sources.bitext import AnyBitext
from masking.curation.filters import log_ratios
from masking.curation.noise import Noise, noisy
from masking.parallel import plain
from ray_jobs.curate_held import held_texts
from ray_jobs.curate_read import Pair, identities, read_pairs
from ray_jobs.curate_recipe import CurateRecipe
from ray_jobs.stages import Desk, Piece

FORMAT = 1  # raise when a stage writes something else than before
CENTRES = "centres.json"  # the median length ratio of each pair of languages
SEEN = ("pair", "source", "target")
_TEXTS = [(name, pa.string()) for name in ("id", "corpus", "source_lang", "target_lang", "source", "target", "noise")]
SCHEMA = pa.schema([*_TEXTS, ("given", pa.float32()), *((f"seen_{side}", pa.bool_()) for side in SEEN)])
_FOREIGN = 20_000  # lines of a third language, of 20 characters or more
_LEAST_FOREIGN = 20
_STEP, _WIDEST = 0.01, 10.0  # bins of the histogram of length ratios, and where it ends


def pairs_piece(recipe: CurateRecipe, held_out: Piece | None) -> Piece:
    config: dict[str, Any] = {"pairs_per_block": recipe.pairs_per_block, "format": FORMAT}
    inputs = identities(recipe.bitexts)
    if recipe.noise:
        config |= {"noise": recipe.noise.model_dump(), "seed": recipe.seed}
        if recipe.foreign:
            of = {code: recipe.foreign.identity(code) for code in recipe.foreign.codes()}
            inputs |= {f"foreign {code} {what}": which for code, found in of.items() for what, which in found.items()}
    work = partial(_write, recipe.bitexts, recipe.noise, recipe.foreign, recipe.pairs_per_block, recipe.seed)
    needs = {"held_out": held_out} if held_out else {}
    return Piece("pairs", "pairs", work, config, inputs, needs, recipe.seed)


def block_file(number: int) -> str:
    return f"{number:05}.parquet"


def read_block(folder: Path, number: int, columns: Sequence[str] | None = None) -> pa.Table:
    return pq.read_table(folder / block_file(number), columns=columns)


def _write(
    bitexts: Mapping[str, AnyBitext],
    noise: Noise | None,
    foreign: AnySource | None,
    per_block: int,
    seed: int,
    desk: Desk,
) -> dict[str, Any]:
    texts = _foreign(foreign) if noise and noise.wrong_language and foreign else []
    held = held_texts(desk)
    blocks = _Blocks(desk.folder, per_block, noise, texts, seed)
    counts: dict[str, Counter[str]] = {}
    for name, bitext in bitexts.items():
        counts[name] = Counter(dict.fromkeys(("read", "no source", "no target", "held out"), 0))
        blocks.begin(name, bitext.languages)
        for pairs in read_pairs(name, bitext, counts[name]):
            kept = [pair for pair in pairs if not held & {plain(pair.source), plain(pair.target)}]
            counts[name]["held out"] += len(pairs) - len(kept)
            blocks.add(kept)
        blocks.close()
    if not blocks.written:
        told = "; ".join(
            f"{name}: {', '.join(f'{number} {why}' for why, number in count.items())}" for name, count in counts.items()
        )
        raise InputError(f"There is no pair with text on both sides. Found {told}. Check the files and columns.")
    centres = {languages: ratios.median() for languages, ratios in blocks.ratios.items()}
    (desk.folder / CENTRES).write_text(json.dumps(centres, sort_keys=True), encoding="utf-8")
    return {
        "blocks": blocks.sizes,
        "pairs": sum(blocks.sizes),
        "counts": {name: dict(count) for name, count in counts.items()},
        "centres": centres,
        "noise": dict(blocks.noise_counts),
    }


def _foreign(source: AnySource) -> list[str]:
    """Some text of a third language."""
    found: list[str] = []
    for code in source.codes():
        for batch in source.read(code):
            found += [line for line in clean("\n".join(batch.texts)) if len(line) >= _LEAST_FOREIGN]
            if len(found) >= _FOREIGN:
                break
    if not found:
        raise InputError(f"foreign: no text of {_LEAST_FOREIGN} characters or more. Expected some for noise.")
    return found[:_FOREIGN]


@dataclass
class _Ratios:
    """A histogram of length ratios, which takes no more memory for a larger corpus."""

    counts: Any = field(default_factory=lambda: np.zeros(round(2 * _WIDEST / _STEP), np.int64))

    def add(self, ratios: Any) -> None:
        places = np.clip((ratios + _WIDEST) / _STEP, 0, len(self.counts) - 1).astype(np.int64)
        self.counts += np.bincount(places, minlength=len(self.counts))

    def median(self) -> float:
        place = int(np.searchsorted(np.cumsum(self.counts), self.counts.sum() / 2))
        return round((place + 0.5) * _STEP - _WIDEST, 6)


class _Blocks:
    """Files of so many pairs each, all of one bitext, with noise and with what has been seen before."""

    def __init__(self, folder: Path, per_block: int, noise: Noise | None, foreign: Sequence[str], seed: int) -> None:
        self._folder, self._per_block, self._noise, self._foreign, self._seed = folder, per_block, noise, foreign, seed
        self._pairs: list[Pair] = []
        self._seen = {side: SeenKeys() for side in SEEN}
        self._about = ("", ("", ""))
        self.sizes: list[int] = []
        self.ratios: dict[str, _Ratios] = {}
        self.noise_counts = Counter[str]()

    @property
    def written(self) -> int:
        return len(self.sizes)

    def begin(self, corpus: str, languages: tuple[str, str]) -> None:
        self._about = corpus, languages

    def add(self, pairs: Sequence[Pair]) -> None:
        self._pairs += pairs
        while len(self._pairs) >= self._per_block:
            self._write(self._per_block)

    def close(self) -> None:
        if self._pairs:
            self._write(len(self._pairs))

    def _write(self, count: int) -> None:
        some, self._pairs = self._pairs[:count], self._pairs[count:]
        corpus, languages = self._about
        sources, targets = [pair.source for pair in some], [pair.target for pair in some]
        kinds: list[str | None] = [None] * count
        if self._noise:
            targets, kinds = noisy(self._noise, sources, targets, self._foreign, self._seed, sum(self.sizes))
            self.noise_counts.update(kind or "none" for kind in kinds)
        self.ratios.setdefault("-".join(languages), _Ratios()).add(log_ratios(sources, targets))
        columns: dict[str, Any] = {"id": [pair.id for pair in some], "corpus": [corpus] * count}
        columns |= {"source_lang": [languages[0]] * count, "target_lang": [languages[1]] * count}
        columns |= {"source": sources, "target": targets, "noise": kinds}
        columns |= {"given": pa.array([pair.given for pair in some], pa.float32()), **self._again(sources, targets)}
        table = pa.table([columns[name] for name in SCHEMA.names], schema=SCHEMA)
        pq.write_table(table, self._folder / block_file(self.written), compression="zstd")
        self.sizes.append(count)

    def _again(self, sources: Sequence[str], targets: Sequence[str]) -> dict[str, Any]:
        """Which pairs, sources and targets came before, as neither case nor spaces tell them apart."""
        sides = [plain(text) for text in sources], [plain(text) for text in targets]
        texts = {"pair": ["\n".join(pair) for pair in zip(*sides, strict=True)], "source": sides[0], "target": sides[1]}
        found = {}
        for side, some in texts.items():
            again = np.ones(len(some), bool)
            again[self._seen[side].new(keys(some))] = False
            found[f"seen_{side}"] = again
        return found
