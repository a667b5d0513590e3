"""The job `entropy2vec` as a list of stages: corpora, alphabet, encoded corpora, models, grid, matrix, vectors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from langvec.alphabet import AlphabetRecipe, load_alphabet, save_alphabet
from langvec.compare import kinship, same_script, triplets
from langvec.corpus import Corpus
from langvec.encoded import EncodedSplit, encode_corpus
from langvec.landmarks import landmarks
from langvec.lesson import Lesson
from langvec.matrix import EntropyMatrix
from langvec.models import ModelRecipe
from langvec.vectors import LanguageVectors, VectorRecipe, distance_table, make_vectors
from ray_jobs import grid
from ray_jobs.recipe import Recipe
from ray_jobs.stages import Desk, Piece, Place, Stage

# Raise one when its stage writes something else than before.
FORMAT = {"corpus": 1, "alphabet": 1, "encoded": 2, "model": 1, "matrix": 1, "vectors": 1}

Pieces = Mapping[str, Piece]  # by language


def stages(recipe: Recipe) -> list[Stage]:
    corpora = {corpus.code: _corpus(corpus, recipe.seed) for corpus in recipe.descriptions()}
    alphabet = _alphabet(recipe.alphabet, corpora, recipe.seed)
    encoded = {code: _encoded(code, corpus, alphabet, recipe.seed) for code, corpus in corpora.items()}
    first = [
        Stage("corpus", tuple(corpora.values())),
        Stage("alphabet", (alphabet,)),
        Stage("encoded", tuple(encoded.values())),
    ]
    return first + _of_models(recipe, alphabet, encoded)


def _of_models(recipe: Recipe, alphabet: Piece, encoded: Pieces) -> list[Stage]:
    """Models, grid, matrix and vectors, of each kind of model."""
    learnt = landmarks(list(encoded), recipe.landmarks) if recipe.landmarks else list(encoded)
    models, cells, matrices = list[Piece](), list[Piece](), list[Piece]()
    for kind in recipe.models:
        of_kind = {code: _model(kind, code, encoded[code], alphabet, recipe) for code in learnt}
        row = {code: _cells(kind, model, encoded, alphabet, recipe) for code, model in of_kind.items()}
        models += of_kind.values()
        cells += [piece for pieces in row.values() for piece in pieces]
        matrices.append(_matrix(kind, row, list(encoded), recipe.seed))
    vectors = [_vectors(recipe.vector_recipe, matrix, matrices, recipe.seed) for matrix in matrices]
    named = {"model": models, "grid": cells, "matrix": matrices, "vectors": vectors}
    return [Stage(name, tuple(pieces)) for name, pieces in named.items()]


def _corpus(corpus: Corpus, seed: int) -> Piece:
    config = {"cleaning": corpus.cleaning.model_dump(), "split": corpus.split.model_dump(), "format": FORMAT["corpus"]}
    inputs = corpus.source.identity(corpus.code) | corpus.cleaning.tools()
    return Piece("corpus", corpus.code, partial(_write_corpus, corpus), config, inputs, seed=seed)


def _write_corpus(corpus: Corpus, desk: Desk) -> dict[str, Any]:
    return corpus.write(desk.folder)


def _alphabet(recipe: AlphabetRecipe, corpora: Pieces, seed: int) -> Piece:
    config = recipe.model_dump() | {"format": FORMAT["alphabet"]}
    needs = corpora if recipe.fitted else {}
    return Piece("alphabet", recipe.kind, partial(_fit_alphabet, recipe), config, recipe.tools(), needs, seed)


def _fit_alphabet(recipe: AlphabetRecipe, desk: Desk) -> dict[str, Any]:
    alphabet = recipe.fit(desk.needed)
    save_alphabet(alphabet, desk.folder / "alphabet.json")
    return {"symbols": alphabet.symbols, "unknown_nats": alphabet.unknown_nats}


def _encoded(code: str, corpus: Piece, alphabet: Piece, seed: int) -> Piece:
    needs = {"corpus": corpus, "alphabet": alphabet}
    return Piece("encoded", code, _encode, {"format": FORMAT["encoded"]}, needs=needs, seed=seed)


def _encode(desk: Desk) -> dict[str, Any]:
    return encode_corpus(desk.needed["corpus"], desk.needed["alphabet"] / "alphabet.json", desk.folder)


def _model(kind: ModelRecipe, code: str, encoded: Piece, alphabet: Piece, recipe: Recipe) -> Piece:
    compute = recipe.compute
    place = Place(compute.cpus_per_model, compute.gpus_per_model, actor=True) if kind.actor else Place()
    config = kind.model_dump() | {"format": FORMAT["model"], "seed": recipe.seed}
    needs = {"encoded": encoded, "alphabet": alphabet}
    work = partial(_train, kind, code, recipe.seed)
    return Piece("model", f"{kind.kind}-{code}", work, config, needs=needs, seed=recipe.seed, place=place)


def _train(kind: ModelRecipe, code: str, seed: int, desk: Desk) -> dict[str, Any]:
    alphabet = load_alphabet(desk.needed["alphabet"] / "alphabet.json")
    train, validation = (
        EncodedSplit.open(desk.needed["encoded"], split, alphabet) for split in ("train", "validation")
    )
    return kind.train(Lesson(train, validation, seed, code, desk.memory), desk.folder)


def _cells(kind: ModelRecipe, model: Piece, encoded: Pieces, alphabet: Piece, recipe: Recipe) -> list[Piece]:
    compute = recipe.compute
    place = Place(gpus=compute.gpus_per_model if kind.actor else 0)
    return list(grid.pieces(model, kind, recipe.scoring, encoded, alphabet, place, compute.texts_per_task))


def _matrix(kind: ModelRecipe, rows: Mapping[str, list[Piece]], texts: list[str], seed: int) -> Piece:
    needs = {piece.name: piece for pieces in rows.values() for piece in pieces}
    config = {"models": list(rows), "texts": texts, "format": FORMAT["matrix"]}
    return Piece("matrix", kind.kind, partial(_write_matrix, list(rows), texts), config, needs=needs, seed=seed)


def _write_matrix(models: list[str], texts: list[str], desk: Desk) -> dict[str, Any]:
    cells = pa.concat_tables(pq.read_table(folder / grid.CELLS) for folder in desk.needed.values())
    matrix = EntropyMatrix.from_cells(cells, models, texts)
    pq.write_table(matrix.to_table(), desk.folder / "matrix.parquet", compression="zstd")
    pyarrow.csv.write_csv(matrix.to_csv_table(), desk.folder / "matrix.csv")
    return {"cells": len(models) * len(texts), "scored_symbols": int(matrix.counts["symbols"].sum())}


def _vectors(how: VectorRecipe, matrix: Piece, matrices: list[Piece], seed: int) -> Piece:
    ngram = [piece for piece in matrices if piece.name == "ngram" and how.value == "excess_text"]
    config = how.model_dump() | {"format": FORMAT["vectors"], "seed": seed}
    needs = {"matrix": matrix} | dict(zip(["own"], ngram, strict=False))
    work = partial(_write_vectors, how, seed)
    return Piece("vectors", matrix.name, work, config, needs=needs, seed=seed)


def _write_vectors(how: VectorRecipe, seed: int, desk: Desk) -> dict[str, Any]:
    matrix = EntropyMatrix.from_parquet(desk.needed["matrix"] / "matrix.parquet")
    own = _own(EntropyMatrix.from_parquet(desk.needed["own"] / "matrix.parquet")) if "own" in desk.needed else None
    vectors = make_vectors(matrix, how, own)
    vectors.save(desk.folder / "vectors.parquet")
    pyarrow.csv.write_csv(vectors.to_csv_table(), desk.folder / "vectors.csv")
    table = distance_table(vectors, own, seed=seed)
    pq.write_table(table, desk.folder / "distances.parquet", compression="zstd")
    pyarrow.csv.write_csv(table, desk.folder / "distances.csv")
    return _scores(matrix, vectors)


def _own(matrix: EntropyMatrix) -> dict[str, float]:
    """Nats per character of each text under the model of its own language."""
    return dict(zip(matrix.texts, matrix.per("char").diagonal().tolist(), strict=True)) if matrix.square else {}


def _scores(matrix: EntropyMatrix, vectors: LanguageVectors) -> dict[str, Any]:
    """What says whether the models and the vectors are any good."""
    nats, texts = matrix.per("char"), list(matrix.texts)
    own = [(matrix.models.index(code), place) for place, code in enumerate(texts) if code in matrix.models]
    best = sum(nats[model, text] == nats[:, text].min() for model, text in own)
    agreement = triplets(vectors.distances(), kinship(vectors.codes))
    return {
        "own_nats_per_char": float(np.mean([nats[cell] for cell in own])),
        "own_texts": len(own),
        "own_model_best": int(best),
        "share_scored": float(matrix.counts["chars"].sum() / (matrix.whole.sum() * len(matrix.models))),
        "triplets": agreement.share,
        "triplets_by_script_alone": triplets(same_script(vectors.codes), kinship(vectors.codes)).share,
        "triplets_resolved": agreement.count,
    }
