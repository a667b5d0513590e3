"""What some taggers learn from the run's own text before they can tag it: counts of words, links between words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from langvec.cleaning import keys
from langvec.errors import InputError
from masking.entities import tagged
from masking.tagging import ProjectionRecipe, SalienceRecipe
from masking.tagging.base import Sentence, settings
from masking.tagging.projection import Tagged
from masking.tagging.salience import statistics
from ray_jobs import sentences
from ray_jobs.stages import Desk, Piece
from ray_jobs.tag_results import ENTITIES

FORMAT = 1  # raise when a stage writes something else than before
PAIRS = 200_000  # that an aligner learns from; more add little
INDEX = "partners.json"


def statistics_piece(recipe: SalienceRecipe, name: str, text: Piece) -> Piece:
    config = {"phrases": recipe.needs_phrases, "format": FORMAT}
    return Piece("learnt", name, partial(_count, recipe), config, needs={"sentences": text})


def _count(recipe: SalienceRecipe, desk: Desk) -> dict[str, Any]:
    counts = statistics(sentences.texts(desk.needed["sentences"]), phrases=recipe.needs_phrases)
    counts.save(desk.folder)
    return {"sentences": counts.sentences, "types": len(counts.counts)}


def aligner_piece(recipe: ProjectionRecipe, name: str, of: Piece, to: Piece) -> Piece:
    config = {"aligner": settings(recipe.aligner), "pairs": PAIRS, "format": FORMAT}
    return Piece("learnt", name, partial(_align, recipe), config, recipe.identity(), {"of": of, "sentences": to})


def _align(recipe: ProjectionRecipe, desk: Desk) -> dict[str, Any]:
    """Train the aligner, and note for each block in which blocks of the other side its partners are."""
    of, to = desk.needed["of"], desk.needed["sentences"]
    index = _index(of, to)
    (desk.folder / INDEX).write_text(json.dumps(index), encoding="utf-8")
    pairs = list(islice(_pairs(of, to, index), PAIRS))
    if not pairs:
        raise InputError(
            f"No sentence has a partner in {recipe.of}, whose tags are to be projected. Expected parallel text: the "
            f"same ids (or passages) on both sides, or files whose lines are translations of each other."
        )
    recipe.train(pairs, desk.folder)
    return {"pairs": len(pairs)}


def partners(desk: Desk, lesson: Path, of: str, number: int, rows: Sequence[Sentence]) -> dict[str, Tagged]:
    """Text and spans of the partners of the sentences of a block, by id; those that were set aside are none."""
    index: list[list[int]] = json.loads((lesson / INDEX).read_text(encoding="utf-8"))
    found = [pq.read_table(desk.needed[f"{of}.{block:05}"] / ENTITIES) for block in index[number]]
    if not found:
        return {}
    table = pa.concat_tables(found)
    wanted = pc.is_in(table["id"], pa.array([row.id for row in rows]))
    table = table.filter(pc.and_(wanted, pc.is_null(table["set_aside"])))
    return dict(zip(table["id"].to_pylist(), tagged(table), strict=True))


def _index(of: Path, to: Path) -> list[list[int]]:
    """For each block of one side the blocks of the other that hold partners; hashes of ids, so memory stays small."""
    blocks = [keys(_ids(file)) for file in sorted(of.glob("*.parquet"))]
    every = np.concatenate(blocks)
    numbers = np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])
    order = np.argsort(every, kind="stable")
    return [
        np.unique(_held(keys(_ids(file)), every[order], numbers[order])).tolist()
        for file in sorted(to.glob("*.parquet"))
    ]


def _held(wanted: np.ndarray, sorted_keys: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    at = np.minimum(np.searchsorted(sorted_keys, wanted), len(sorted_keys) - 1)
    return np.asarray(numbers[at[sorted_keys[at] == wanted]])


def _ids(file: Path) -> list[str]:
    return list(pq.read_table(file, columns=["id"])["id"].to_pylist())


def _pairs(of: Path, to: Path, index: Sequence[Sequence[int]]) -> Iterator[tuple[str, str]]:
    """Both texts of every two partners."""
    for number, blocks in enumerate(index):
        block = sentences.read_block(to, number)
        others: dict[str, str] = {}
        for other in blocks:
            table = sentences.read_block(of, other)
            others |= dict(zip(table["id"].to_pylist(), table["text"].to_pylist(), strict=True))
        for id, text in zip(block["id"].to_pylist(), block["text"].to_pylist(), strict=True):
            if text and others.get(id):
                yield others[id], text
