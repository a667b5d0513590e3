"""The job `entropy2vec` as a list of stages. So far: corpora, the alphabet, encoded corpora."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from langvec.alphabet import AlphabetRecipe, save_alphabet
from langvec.corpus import Corpus
from langvec.encoded import encode_corpus
from langvec.languages import find
from ray_jobs.recipe import Recipe
from ray_jobs.stages import Piece, Record, Stage
from ray_jobs.store import Store

FORMAT = {"corpus": 1, "alphabet": 1, "encoded": 1}  # raise one when its stage writes something else than before


def stages(recipe: Recipe) -> list[Stage]:
    corpora = {corpus.code: _corpus(corpus, recipe.seed) for corpus in recipe.descriptions()}
    alphabet = _alphabet(recipe.alphabet, corpora, recipe.seed)
    encoded = tuple(_encoded(code, corpus, alphabet, recipe.seed) for code, corpus in corpora.items())
    return [Stage("corpus", tuple(corpora.values())), Stage("alphabet", (alphabet,)), Stage("encoded", encoded)]


def _corpus(corpus: Corpus, seed: int) -> Piece:
    config = {"cleaning": corpus.cleaning.model_dump(), "split": corpus.split.model_dump(), "format": FORMAT["corpus"]}
    inputs = corpus.source.identity(corpus.code) | corpus.cleaning.tools()
    return Piece("corpus", corpus.code, partial(_write_corpus, corpus), config, inputs, seed=seed)


def _write_corpus(corpus: Corpus, needed: Mapping[str, Path], folder: Path) -> dict[str, Any]:
    return corpus.write(folder)


def _alphabet(recipe: AlphabetRecipe, corpora: Mapping[str, Piece], seed: int) -> Piece:
    config = recipe.model_dump() | {"format": FORMAT["alphabet"]}
    needs = corpora if recipe.fitted else {}
    return Piece("alphabet", recipe.kind, partial(_fit_alphabet, recipe), config, recipe.tools(), needs, seed)


def _fit_alphabet(recipe: AlphabetRecipe, needed: Mapping[str, Path], folder: Path) -> dict[str, Any]:
    alphabet = recipe.fit(needed)
    save_alphabet(alphabet, folder / "alphabet.json")
    return {"symbols": alphabet.symbols, "unknown_nats": alphabet.unknown_nats}


def _encoded(code: str, corpus: Piece, alphabet: Piece, seed: int) -> Piece:
    needs = {"corpus": corpus, "alphabet": alphabet}
    return Piece("encoded", code, _encode, {"format": FORMAT["encoded"]}, needs=needs, seed=seed)


def _encode(needed: Mapping[str, Path], folder: Path) -> dict[str, Any]:
    return encode_corpus(needed["corpus"], needed["alphabet"] / "alphabet.json", folder)


def write_results(store: Store, records: Mapping[str, Record]) -> pa.Table:
    """`results/corpora.{parquet,csv}`: one row per language, what came in and what became of it."""
    corpora = [(id.partition("/")[2], record) for id, record in records.items() if id.startswith("corpus/")]
    rows = [_row(code, record, records.get(f"encoded/{code}")) for code, record in corpora]
    columns = list(dict.fromkeys(name for row in rows for name in row if name.startswith("lines_")))
    table = pa.Table.from_pylist([row | {name: row.get(name, 0) for name in columns} for row in rows])
    for name, writer in (("parquet", pq.write_table), ("csv", pyarrow.csv.write_csv)):
        buffer = io.BytesIO()
        writer(table, buffer)
        store.write_if_new(f"results/corpora.{name}", buffer.getvalue())
    return table


def _row(code: str, corpus: Record, encoded: Record | None) -> dict[str, Any]:
    account = corpus.meta["account"]
    language = find(code)
    row: dict[str, Any] = {"lang": code, "name": language.name, "family": language.family[0] if language.family else ""}
    row |= {f"lines_{outcome.replace(' ', '_')}": count for outcome, count in account["lines"].items()}
    for split, counts in account["splits"].items():
        row |= {f"{split}_{unit}": count for unit, count in counts.items()}
        row[f"{split}_symbols"] = encoded.meta["account"][split]["symbols"] if encoded else None
    return row | {"stopped_at_max_lines": account["stopped_at_max_lines"]}
