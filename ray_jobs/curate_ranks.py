"""The stages of `curate` that look at all pairs: ranks without texts, what is kept, and the whole table in parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from masking.curation.noise import KINDS
from masking.curation.ranking import best_first, curve, figures, histogram
from masking.draws import Draws
from ray_jobs.curate_blocks import REASONS, SCORES, refused
from ray_jobs.curate_pairs import SEEN, read_block
from ray_jobs.curate_recipe import (
    COSINE,
    GIVEN,
    HEURISTICS,
    MARGIN,
    ORACLE,
    RANDOM,
    RATIO,
    WORDS,
    CurateRecipe,
)
from ray_jobs.stages import Desk, Piece

FORMAT = 1  # raise when a stage writes something else than before
RANKS, KEPT, PART = "ranks.parquet", "kept", "pairs.parquet"
ALL = "all"  # kinds of noise together

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def ranked_piece(name: str, seed: int, pairs: Piece, filtered: Sequence[Piece], scored: Sequence[Piece]) -> Piece:
    needs = {"pairs": pairs, **_numbered("filtered", filtered), **_numbered("scored", scored)}
    config = {"ranking": name, "format": FORMAT}
    if name in (RANDOM, ORACLE):
        config["seed"] = seed
    return Piece("ranked", name, partial(_rank, name, seed, len(filtered)), config, needs=needs, seed=seed)


def _numbered(label: str, pieces: Sequence[Piece]) -> dict[str, Piece]:
    return {f"{label} {number:05}": piece for number, piece in enumerate(pieces)}


def _rank(name: str, seed: int, blocks: int, desk: Desk) -> dict[str, Any]:
    out = np.concatenate([refused(_folder(desk, "filtered", number)) for number in range(blocks)])
    noise = _noise(desk, blocks)
    scores = _scores(name, seed, blocks, noise, desk)
    alone, after = best_first(scores), best_first(scores, out)
    columns = {"score": scores.astype(np.float32), "rank_alone": _ranks(alone), "rank": _ranks(after), "refused": out}
    pq.write_table(pa.table(columns), desk.folder / RANKS, compression="zstd")
    account: dict[str, Any] = {
        "pairs": len(scores),
        "scored": int((~np.isnan(scores)).sum()),
        "passed": int((~out).sum()),
    }
    labelled = bool(noise.any()) and name != ORACLE
    account["histogram"] = histogram(scores, (noise > 0).astype(np.int64))
    account["figures"] = list(_judged(noise, {False: alone, True: after})) if labelled else []
    account["curves"] = _curves(noise, {False: alone, True: after}) if labelled else []
    return account


def _folder(desk: Desk, label: str, number: int) -> Path:
    return desk.needed[f"{label} {number:05}"]


def _ranks(order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The rank of each pair, from 1."""
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(1, len(order) + 1)
    return ranks


def _noise(desk: Desk, blocks: int) -> npt.NDArray[np.int64]:
    """Kind of noise of each pair by its number, from 1; 0 for none."""
    number: dict[str | None, int] = {None: 0}
    number |= {kind: place for place, kind in enumerate(KINDS, 1)}
    values = (read_block(desk.needed["pairs"], block, ["noise"])["noise"].to_pylist() for block in range(blocks))
    return np.array([number[value] for some in values for value in some], np.int64)


def _scores(name: str, seed: int, blocks: int, noise: npt.NDArray[np.int64], desk: Desk) -> Floats:
    """The score of every pair; nan where there is none."""
    chance = Draws.of(seed, "ranking").uniform(0, np.arange(len(noise)), np.zeros(len(noise), np.int64))
    if name in (RANDOM, ORACLE):
        return chance if name == RANDOM else (noise == 0) + chance / 2
    return np.concatenate([_block_scores(name, number, desk) for number in range(blocks)])


def _block_scores(name: str, number: int, desk: Desk) -> Floats:
    if name == GIVEN:
        return np.asarray(read_block(desk.needed["pairs"], number, [GIVEN])[GIVEN].to_numpy(), np.float64)
    if name in (RATIO, HEURISTICS):
        table = pq.read_table(_folder(desk, "filtered", number) / REASONS)
        fit = 1 / (1 + table["deviation"].to_numpy().astype(np.float64))
        several = table["reasons"].combine_chunks().value_lengths().to_numpy()
        return np.asarray(fit - several if name == HEURISTICS else fit)
    table = pq.read_table(_folder(desk, "scored", number) / SCORES)
    column = name.rpartition("-")[2]
    return np.asarray(table[column].to_numpy(), np.float64)


def _judged(noise: npt.NDArray[np.int64], orders: Mapping[bool, npt.NDArray[np.int64]]) -> Iterator[dict[str, Any]]:
    """How well good pairs are told from noise, of all kinds together and of each alone."""
    for filtered, order in orders.items():
        found = noise[order]
        for number, kind in enumerate((ALL, *KINDS)):
            own = found if kind == ALL else found[(found == 0) | (found == number)]
            yield from ({"filtered": filtered, "noise": kind} | row for row in figures(own == 0))


def _curves(noise: npt.NDArray[np.int64], orders: Mapping[bool, npt.NDArray[np.int64]]) -> list[dict[str, Any]]:
    return [{"filtered": filtered} | point for filtered, order in orders.items() for point in curve(noise[order] == 0)]


def kept_piece(ranking: Piece, pairs: Piece, top: int, threshold: float | None = None) -> Piece:
    """The best pairs of a ranking that no filter refuses, best first."""
    config = {"top": top, "threshold": threshold, "format": FORMAT}
    end = "" if threshold is None else ".threshold"
    return Piece(
        "kept",
        f"{ranking.name}.{top}{end}",
        partial(_keep, top, threshold),
        config,
        needs={"pairs": pairs, "ranked": ranking},
    )


def _keep(top: int, threshold: float | None, desk: Desk) -> dict[str, Any]:
    ranks = pq.read_table(desk.needed["ranked"] / RANKS)
    score, rank = ranks["score"].to_numpy(), ranks["rank"].to_numpy()
    wanted = (rank <= top) & ~ranks["refused"].to_numpy(zero_copy_only=False) & ~np.isnan(score)
    if threshold is not None:
        wanted &= score >= threshold
    table = pa.concat_tables(_chosen(desk.needed["pairs"], wanted, rank, score)).sort_by("rank")
    pq.write_table(table, desk.folder / f"{KEPT}.parquet", compression="zstd")
    _write_tsv(table, desk.folder / f"{KEPT}.tsv")
    return {"pairs": len(table), "least_score": float(score[wanted].min()) if wanted.any() else None}


def _chosen(pairs: Path, wanted: Flags, rank: npt.NDArray[np.int64], score: Floats) -> Iterator[pa.Table]:
    start = 0
    for number in range(len(sorted(pairs.glob("*.parquet")))):
        block = read_block(pairs, number, ["id", "source", "target"])
        here = slice(start, start + len(block))
        own = np.flatnonzero(wanted[here])
        some = block.take(pa.array(own))
        yield some.add_column(0, "rank", pa.array(rank[here][own])).add_column(1, "score", pa.array(score[here][own]))
        start += len(block)


def _write_tsv(table: pa.Table, path: Path) -> None:
    """Tabs and quotes are text in a pair, so nothing is quoted: cleaned text has no tab in it."""
    with path.open("w", encoding="utf-8") as file:
        file.write("\t".join(table.column_names) + "\n")
        for rank, score, *texts in zip(*(column.to_pylist() for column in table.columns), strict=True):
            file.write("\t".join((str(rank), f"{score:.6f}", *texts)) + "\n")


def read_kept(folder: Path) -> list[tuple[str, str]]:
    table = pq.read_table(folder / f"{KEPT}.parquet")
    return list(zip(table["source"].to_pylist(), table["target"].to_pylist(), strict=True))


def curated_piece(number: int, sizes: Sequence[int], pairs: Piece, filtered: Piece, ranked: Sequence[Piece]) -> Piece:
    """One block of the whole table: texts, reasons, scores, ranks."""
    needs = {"pairs": pairs, "filtered": filtered, **{f"ranked {one.name}": one for one in ranked}}
    start = sum(sizes[:number])
    config = {"block": number, "rankings": [one.name for one in ranked], "format": FORMAT}
    work = partial(_curate, number, slice(start, start + sizes[number]), [one.name for one in ranked])
    return Piece("curated", f"{number:05}", work, config, needs=needs)


def _curate(number: int, here: slice, rankings: Sequence[str], desk: Desk) -> dict[str, Any]:
    table = read_block(desk.needed["pairs"], number).drop_columns([f"seen_{side}" for side in SEEN])
    reasons = pq.read_table(desk.needed["filtered"] / REASONS)
    table = table.append_column("reasons", _joined(reasons["reasons"]))
    for name in rankings:
        ranks = pq.read_table(desk.needed[f"ranked {name}"] / RANKS, columns=["score", "rank"])
        some = ranks.slice(here.start, here.stop - here.start)
        table = table.append_column(f"score {name}", some["score"]).append_column(f"rank {name}", some["rank"])
    pq.write_table(table, desk.folder / PART, compression="zstd")
    return {"pairs": len(table)}


def _joined(reasons: pa.ChunkedArray) -> pa.Array:
    return pa.array([", ".join(some) for some in reasons.to_pylist()], pa.string())


def ranking_scored_by(recipe: CurateRecipe, name: str) -> str:
    """The encoder, or the words, whose scores a ranking sorts by; nothing for one that needs none."""
    of_encoders = {f"{one}-{how}": one for one in recipe.encoders for how in (MARGIN, COSINE)}
    return of_encoders.get(name, WORDS if name == WORDS else "")
