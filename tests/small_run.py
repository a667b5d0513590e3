"""A finished run of seven languages, made of small tables: for tests of what is drawn from a run."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from langvec.tree import Tree
from ray_jobs.recipe import Recipe
from ray_jobs.store import Store

HOSTILE = "<script>alert(1)</script>"
CODES = ("deu_Latn", "nld_Latn", "fra_Latn", "spa_Latn", "hin_Deva", "eus_Latn", "fin_Latn")
TREES = {
    "consensus": (
        "(((deu_Latn:1,nld_Latn:1)0.97:1,(fra_Latn:1,spa_Latn:1)0.88:1)0.5:2,hin_Deva:3,eus_Latn:3,fin_Latn:3);"
    ),
    "nested-min0.3": "((deu_Latn,nld_Latn),(fra_Latn,spa_Latn),hin_Deva,(eus_Latn,fin_Latn));",
}
GOLD = (
    "(((deu_Latn:1,nld_Latn:1)Germanic:1,(fra_Latn:1,spa_Latn:1)Italic:1,hin_Deva:1)'Indo-European':1,"
    "eus_Latn:1,fin_Latn:1);"
)
SCORES = ("triplets", "triplets_within_script", "quartet_distance", "lca_spearman", "lca_gap")
RF = ("rf_rooted", "rf_rooted_normalised", "rf_unrooted", "rf_unrooted_normalised")


def recipe(**changes: Any) -> Recipe:
    corpora = [{"kind": "udhr", "languages": list(CODES)}]
    return Recipe.model_validate({"corpora": corpora, "models": [{"kind": "transformer"}, {"kind": "ngram"}]} | changes)


def make_run(folder: Path) -> Store:
    """Everything a report can show, in a new run directory."""
    store = Store.open(str(folder / "run"))
    store.write("recipe.yaml", recipe().to_yaml().encode())
    for place, suffix in enumerate(("", "-ngram")):
        matrix, distances = matrix_table(place), distance_table(place)
        put(store, f"results/matrix{suffix}.parquet", matrix)
        put(store, f"results/distances{suffix}.parquet", distances)
        store.write(f"results/tree-consensus{suffix}.nwk", TREES["consensus"].encode())
    store.write("results/tree-consensus-consensus.nwk", GOLD.encode())
    store.write("results/tree-nested-min0.3-ngram.nwk", TREES["nested-min0.3"].encode())
    store.write("results/tree-gold.nwk", GOLD.encode())
    put(store, "results/corpora.parquet", rows([corpus_row(code) for code in CODES]))
    put(store, "results/scores.parquet", rows([score_row("transformer"), score_row("ngram")]))
    put(store, "results/trees.parquet", rows([tree_row(name, i) for i, name in enumerate([*TREES, "star", "script"])]))
    put(
        store,
        "results/sweep-dbscan.parquet",
        rows([{"trial": i, "eps": 10.0 - i, "triplets": None} for i in range(12)]),
    )
    for code in CODES:
        log = rows([{"epoch": i, "validation_nats_per_symbol": 3.0 / i} for i in range(1, 4)])
        put_piece(store, "model", f"transformer-{code}", {"log.parquet": data_of(log)})
    put_piece(store, "vectors", "transformer", {})
    return store


def matrix_table(seed: int) -> pa.Table:
    nats = np.random.default_rng(seed).uniform(1, 5, len(CODES) ** 2)
    models, texts = np.repeat(CODES, len(CODES)), np.tile(CODES, len(CODES))
    ends = {"nats_per_char_low": nats - 0.25, "nats_per_char_high": nats + 0.25}
    return pa.table({"model": models, "text": texts, "nats_per_char": nats, **ends})


def distance_table(seed: int) -> pa.Table:
    a, b = np.triu_indices(len(CODES), 1)
    far = np.random.default_rng(seed).uniform(0.1, 1, len(a))
    codes = np.array(CODES)
    return pa.table({"lang_a": codes[a], "lang_b": codes[b], "distance": far, "low": far - 0.05, "high": far + 0.05})


def corpus_row(code: str) -> dict[str, Any]:
    row = {"lang": code, "name": f"Name of {code}", "family": "", "lines_kept": 1200, "lines_too_short": 3}
    return row | {"train_chars": 9000, "train_symbols": 9000, "stopped_at_max_lines": False}


def score_row(kind: str) -> dict[str, Any]:
    row = {"kind": kind, "own_nats_per_char": 2.2, "own_texts": 7, "own_model_best": 6, "triplets": 0.75}
    return row | {"triplets_resolved": 30, "triplets_by_script_alone": 0.4}


def tree_row(tree: str, place: int) -> dict[str, Any]:
    baseline = tree not in TREES
    row = {"kind": "transformer", "tree": tree, "role": "baseline" if baseline else "construction"}
    row |= {"clades": 5, "clades_gold": 4, "clades_shared": 3} | dict.fromkeys(RF, 0.5)
    for score in SCORES:
        ends = (None, None) if baseline else (0.6, 0.9)
        row |= {score: 0.8 - place / 10, f"{score}_low": ends[0], f"{score}_high": ends[1]}
    return row | {"lca_gap": float("nan")}


def put_piece(store: Store, stage: str, name: str, files: Mapping[str, bytes], **meta: Any) -> None:
    folder = f"{stage}/{name}-0123456789ab"
    for file, data in files.items():
        store.write(f"{folder}/{file}", data)
    cost = {"started": "2026-01-01T00:00:00", "finished": "2026-01-01T00:00:09", "wall_s": 9.0, "cpu_s": 8.0}
    record = {
        "digest": name,
        "files": {file: {"bytes": len(data)} for file, data in files.items()},
        "stage": stage,
        "name": name,
        "cost": cost | {"worker_peak_mib": 321},
        "host": {"name": "somewhere", "cores": 2, "memory_gib": 8, "system": "Linux"},
        "versions": {"python": "3.11"},
    }
    store.write(f"{folder}/meta.json", json.dumps(record | meta).encode())


def rows(found: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(found)


def put(store: Store, name: str, table: pa.Table) -> None:
    store.write(name, data_of(table))


def data_of(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def trees() -> dict[str, Tree]:
    return {name: Tree.from_newick(newick) for name, newick in {**TREES, "gold": GOLD}.items()}
