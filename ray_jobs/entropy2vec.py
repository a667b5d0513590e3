"""The job `entropy2vec` as a list of stages: corpora, alphabet, encoded, models, grid, matrix, vectors, trees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from langvec.alphabet import AlphabetRecipe, load_alphabet, save_alphabet
from langvec.baselines import script_tree
from langvec.compare import nearest_is_kin, triplets, triplets_of_distances
from langvec.corpus import Corpus
from langvec.encoded import EncodedSplit, encode_corpus
from langvec.glottolog import gold_tree
from langvec.landmarks import landmarks
from langvec.lesson import Lesson
from langvec.matrix import EntropyMatrix
from langvec.models import ModelRecipe
from langvec.ngram import NgramRecipe
from langvec.vectors import LanguageVectors, VectorRecipe, distance_table, make_vectors
from ray_jobs import grid, trees
from ray_jobs.job import Job
from ray_jobs.recipe import Recipe
from ray_jobs.report import write_report
from ray_jobs.results import write_results
from ray_jobs.spreadsheet import to_csv
from ray_jobs.stages import Desk, Piece, Place, Stage

# Raise one when its stage writes something else than before.
FORMAT = {"corpus": 1, "alphabet": 1, "encoded": 2, "model": 1, "matrix": 1, "vectors": 2}

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
    models: dict[str, Pieces] = {
        kind.kind: {code: _model(kind, code, encoded[code], alphabet, recipe) for code in learnt}
        for kind in recipe.models
    }
    texts = grid.Texts(encoded, alphabet, recipe.scoring, recipe.compute.texts_per_task, recipe.compute.gpus_per_model)
    cells: dict[str, list[Piece]] = {kind.kind: _cells(kind, models, texts, recipe.models) for kind in recipe.models}
    matrices = {kind: _matrix(kind, pieces, learnt, list(encoded), recipe.seed) for kind, pieces in cells.items()}
    vectors = [_vectors(recipe.vector_recipe, kind, matrices, recipe.seed) for kind in matrices]
    grown = trees.pieces(recipe, matrices, learnt if recipe.vector_recipe.orientation == "row" else list(encoded))
    return [
        Stage("model", tuple(piece for of_kind in models.values() for piece in of_kind.values())),
        Stage("grid", tuple(piece for pieces in cells.values() for piece in pieces)),
        Stage("matrix", tuple(matrices.values())),
        Stage("vectors", tuple(vectors)),
        Stage("tree", tuple(grown)),
    ]


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


def _cells(
    kind: ModelRecipe, models: Mapping[str, Pieces], texts: grid.Texts, kinds: Sequence[ModelRecipe]
) -> list[Piece]:
    """The grid of one kind. What n-grams make of a text tells neural models which parts they need not read."""
    guide = next((other for other in kinds if isinstance(other, NgramRecipe) and kind.actor), None)
    guides = models["ngram"] if guide else {}
    return [
        piece
        for code, model in models[kind.kind].items()
        for piece in grid.pieces(texts, grid.Reader(kind, code, guide), model, guides.get(code))
    ]


def _matrix(kind: str, cells: list[Piece], models: list[str], texts: list[str], seed: int) -> Piece:
    config = {"models": models, "texts": texts, "format": FORMAT["matrix"]}
    needs = {piece.name: piece for piece in cells}
    return Piece("matrix", kind, partial(_write_matrix, models, texts), config, needs=needs, seed=seed)


def _write_matrix(models: list[str], texts: list[str], desk: Desk) -> dict[str, Any]:
    cells = pa.concat_tables(pq.read_table(folder / grid.CELLS) for folder in desk.needed.values())
    matrix = EntropyMatrix.from_cells(cells, models, texts)
    pq.write_table(matrix.to_table(), desk.folder / "matrix.parquet", compression="zstd")
    (desk.folder / "matrix.csv").write_bytes(to_csv(matrix.to_csv_table()))
    return {"cells": len(models) * len(texts), "scored_symbols": int(matrix.scored.sum())}


def _vectors(how: VectorRecipe, kind: str, matrices: Pieces, seed: int) -> Piece:
    config = how.model_dump() | {"format": FORMAT["vectors"], "seed": seed}
    needs = trees.needs(how, kind, matrices)
    return Piece("vectors", kind, partial(_write_vectors, how, seed), config, needs=needs, seed=seed)


def _write_vectors(how: VectorRecipe, seed: int, desk: Desk) -> dict[str, Any]:
    matrix, own = trees.scores(desk)
    vectors = make_vectors(matrix, how, own)
    vectors.save(desk.folder / "vectors.parquet")
    (desk.folder / "vectors.csv").write_bytes(to_csv(vectors.to_csv_table()))
    table = distance_table(vectors, own, seed=seed)
    pq.write_table(table, desk.folder / "distances.parquet", compression="zstd")
    (desk.folder / "distances.csv").write_bytes(to_csv(table))
    return _worth(matrix, vectors)


def _worth(matrix: EntropyMatrix, vectors: LanguageVectors) -> dict[str, Any]:
    """What says whether the models and the vectors are any good."""
    nats, texts = matrix.per("char"), list(matrix.texts)
    own = [(matrix.models.index(code), place) for place, code in enumerate(texts) if code in matrix.models]
    best = sum(nats[model, text] == nats[:, text].min() for model, text in own)
    gold = gold_tree(vectors.codes).tree
    places = [vectors.place(code) for code in gold.leaves]
    distances = vectors.distances()[np.ix_(places, places)]
    agreement, nearest = triplets_of_distances(distances, gold), nearest_is_kin(distances, gold)
    return {
        "own_nats_per_char": float(np.mean([nats[cell] for cell in own])),
        "own_texts": len(own),
        "own_model_best": int(best),
        "share_scored": float(matrix.scored.sum() / (matrix.counts["symbols"].sum() * len(matrix.models))),
        "triplets": agreement.share,
        "triplets_by_script_alone": triplets(script_tree(gold.leaves), gold).share,
        "triplets_resolved": agreement.count,
        "nearest_is_kin": nearest.share,
        "nearest_is_kin_by_chance": nearest.by_chance,
    }


JOB = Job("entropy2vec", Recipe, stages, write_results, ("cpus_per_model", "gpus_per_model"), write_report)
