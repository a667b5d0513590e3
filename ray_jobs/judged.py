"""The stage that judges encoders: which pairs of each set find each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from masking import start
from masking.encoder import Embedding, Encoder
from masking.judging import METRICS, judged_vectors
from masking.mining import mine
from masking.pretrained import Pretrained
from ray_jobs.samples import DEV, read_sets
from ray_jobs.stages import Desk

FORMAT = 1  # raise when an encoder is judged otherwise than before
ITEMS = "items.parquet"
MINED = "mined.parquet"
_ITEMS = pa.schema([(name, pa.string()) for name in ("set", "pair", "id")] + [(name, pa.bool_()) for name in METRICS])
_TEXTS = [(name, pa.string()) for name in ("set", "pair", "source", "target")]
_MINED = pa.schema([*_TEXTS, ("margin", pa.float32()), ("right", pa.bool_())])


def judge(embedding: Embedding, samples: Path, encoder: Path, folder: Path) -> list[dict[str, Any]]:
    """Write every item and every mined pair of every set; the figures."""
    import torch

    loaded = start.load(encoder)
    model = loaded.model.eval().to("cuda" if torch.cuda.is_available() else "cpu")
    figures, items, mined = list[dict[str, Any]](), list[pa.Table](), list[dict[str, Any]]()
    with_model = Encoder(embedding, Pretrained(loaded.tokenizer, model))
    for (name, pair), (ids, source, target) in read_sets(samples).items():
        if name == DEV:  # training has looked at these
            continue
        vectors = with_model.embed(source), with_model.embed(target)
        found = judged_vectors(*vectors)
        about = {"set": name, "pair": pair}
        figures += [about | row for row in found.rows()]
        items.append(
            pa.Table.from_pydict(
                {"set": [name] * len(ids), "pair": [pair] * len(ids), "id": ids, **found._asdict()}, _ITEMS
            )
        )
        mined += [about | row for row in _pairs(vectors, source, target)]
    pq.write_table(pa.concat_tables(items), folder / ITEMS, compression="zstd")
    pq.write_table(pa.Table.from_pylist(mined, _MINED), folder / MINED, compression="zstd")
    return figures


def _pairs(vectors: tuple[Any, Any], source: list[str], target: list[str]) -> Iterator[dict[str, Any]]:
    pairs = mine(*vectors)
    for a, b, margin in zip(pairs.src.tolist(), pairs.tgt.tolist(), pairs.score.tolist(), strict=True):
        yield {"margin": margin, "right": a == b, "source": source[a], "target": target[b]}


def judge_piece(embedding: Embedding, desk: Desk) -> dict[str, Any]:
    """The work of a piece that needs an encoder and samples."""
    return {"figures": judge(embedding, desk.needed["samples"], desk.needed["encoder"], desk.folder)}
