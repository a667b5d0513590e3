"""The stages of `curate` that work block by block: reasons to leave pairs out, what words learn, and scores."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from langvec.identify import identifier
from langvec.languages import find
from langvec.sources.markup import has_letter
from langvec.sources.udhr import Udhr
from masking.curation.filters import AnyFilter, Candidates, counts, deviations, reasons
from masking.curation.lexical import FOLDS, WordScore, explained
from masking.draws import Draws
from masking.encoder import Embedding, Encoder, EncoderRecipe
from masking.mining import score_pairs
from masking.tagging.wordalign import WordAligner
from ray_jobs.curate_pairs import CENTRES, SEEN, read_block
from ray_jobs.curate_recipe import COSINE, MARGIN, WORDS, CurateRecipe
from ray_jobs.stages import Desk, Piece, Place

FORMAT = 1  # raise when a stage writes something else than before
FILTERED = 2  # and this for the filters alone
REASONS, SCORES = "reasons.parquet", "scores.parquet"
NOT_NOISE = "none"
_KEPT = 2  # encoders that a worker keeps loaded
_REASONS = pa.schema([("reasons", pa.list_(pa.string())), ("deviation", pa.float32())])

Flags = npt.NDArray[np.bool_]


def filtered_piece(recipe: CurateRecipe, number: int, known: Mapping[str, str], pairs: Piece) -> Piece:
    config = {"filters": [one.model_dump() for one in recipe.filters], "block": number, "format": FILTERED}
    work = partial(_filter, recipe.filters, number)
    return Piece("filtered", f"{number:05}", work, config, known, {"pairs": pairs})


def known_languages(recipe: CurateRecipe) -> dict[str, str]:
    """What languages are told by, each with its hash."""
    if (asked := recipe.language_filter()) is None:
        return {}
    codes = {code for one in recipe.bitexts.values() for code in one.languages} | set(asked.others)
    source = Udhr(languages=tuple(sorted(codes)))
    return {code: source.identity(code)["udhr"] for code in source.codes()}


def _filter(filters: Sequence[AnyFilter], number: int, desk: Desk) -> dict[str, Any]:
    block = read_block(desk.needed["pairs"], number)
    pairs = candidates(block, json.loads((desk.needed["pairs"] / CENTRES).read_text(encoding="utf-8")))
    found = reasons(filters, pairs)
    table = pa.table([pa.array(found, _REASONS.types[0]), pa.array(deviations(pairs), pa.float32())], schema=_REASONS)
    pq.write_table(table, desk.folder / REASONS, compression="zstd")
    kinds = [kind or NOT_NOISE for kind in block["noise"].to_pylist()]
    rows = []
    for kind in dict.fromkeys(kinds):
        own = [one for one, of in zip(found, kinds, strict=True) if of == kind]
        rows += [{"noise": kind, **row} for row in counts(own, filters)]
    return {"pairs": len(block), "refused": sum(map(bool, found)), "kinds": dict(Counter(kinds)), "reasons": rows}


def candidates(block: pa.Table, centres: Mapping[str, float]) -> Candidates:
    """The pairs of a block with all that filters ask for."""
    languages = block["source_lang"][0].as_py(), block["target_lang"][0].as_py()
    sides = block["source"].to_pylist(), block["target"].to_pylist()

    def margin(side: int, others: tuple[str, ...]) -> Any:
        codes = tuple(sorted({languages[side], *others}))
        return identifier(codes).margins(sides[side], languages[side])

    first, second = (partial(has_letter, script=find(code).script) for code in languages)
    seen: Any = {side: np.array(block[f"seen_{side}"].to_pylist(), bool) for side in SEEN}
    return Candidates(*sides, seen, (first, second), centres["-".join(languages)], margin)


def words_piece(how: WordScore, seed: int, fold: int, pairs: Piece, filtered: Mapping[str, Piece]) -> Piece:
    """A lexicon of all that is in other folds; it scores the pairs of this one."""
    config = {"how": how.model_dump(), "fold": fold, "seed": seed, "format": FORMAT}
    work = partial(_learn_words, how, seed, fold, len(filtered))
    return Piece("learnt", f"{WORDS}.{fold}", work, config, needs={"pairs": pairs, **filtered}, seed=seed)


def _learn_words(how: WordScore, seed: int, fold: int, blocks: int, desk: Desk) -> dict[str, Any]:
    learnt = 0

    def read() -> Iterator[tuple[str, str]]:
        nonlocal learnt
        for number in range(blocks):
            block = read_block(desk.needed["pairs"], number, ["id", "source", "target"])
            good = ~refused(desk.needed[f"filtered {number:05}"]) & (folds(block["id"].to_pylist(), seed) != fold)
            some = block.filter(pa.array(good))
            for pair in zip(some["source"].to_pylist(), some["target"].to_pylist(), strict=True):
                if learnt == how.pairs:
                    return
                learnt += 1
                yield pair

    WordAligner.train(read(), how.alignment).save(desk.folder)
    return {"pairs": learnt}


def folds(ids: Sequence[str], seed: int) -> npt.NDArray[np.int64]:
    return np.array([Draws.of(seed, "fold", id).key % FOLDS for id in ids], np.int64)


def refused(folder: Path) -> Flags:
    """Which pairs of a block have a reason to be left out."""
    lengths = pq.read_table(folder / REASONS, columns=["reasons"])["reasons"].combine_chunks().value_lengths()
    return np.asarray(lengths.to_numpy() > 0)


def encoder_piece(
    recipe: CurateRecipe, name: str, number: int, identity: Mapping[str, str], pairs: Piece, filtered: Piece
) -> Piece:
    encoder = recipe.encoders[name]
    embedding = Embedding(**encoder.model_dump(include=set(Embedding.model_fields)))
    # How many are encoded at once changes the last digits at most.
    config = {"embedding": embedding.model_dump(exclude={"batch_tokens"}), "neighbours": recipe.neighbours}
    config |= {"block": number, "format": FORMAT}
    work = partial(_score_by_encoder, encoder, recipe.neighbours, number)
    return Piece(
        "scored", f"{name}.{number:05}", work, config, identity, _needs(recipe, pairs, filtered), place=place_of(recipe)
    )


def words_score_piece(
    recipe: CurateRecipe, number: int, pairs: Piece, filtered: Piece, learnt: Mapping[str, Piece]
) -> Piece:
    config = {"block": number, "seed": recipe.seed, "format": FORMAT}
    needs = _needs(recipe, pairs, filtered) | dict(learnt)
    work = partial(_score_by_words, number, recipe.seed)
    return Piece("scored", f"{WORDS}.{number:05}", work, config, needs=needs, place=place_of(recipe))


def place_of(recipe: CurateRecipe) -> Place:
    """What an encoder asks of the cluster."""
    return Place(recipe.compute.cpus_per_encoder, recipe.compute.gpus_per_encoder)


def _needs(recipe: CurateRecipe, pairs: Piece, filtered: Piece) -> dict[str, Piece]:
    """Where all pairs are scored, other filters change no score."""
    return {"pairs": pairs} if recipe.score_refused else {"pairs": pairs, "filtered": filtered}


def _score_by_encoder(recipe: EncoderRecipe, neighbours: int, number: int, desk: Desk) -> dict[str, Any]:
    block, wanted = _wanted(number, desk)
    vectors = [_loaded(recipe.model_dump_json()).embed(block[side].to_pylist()) for side in ("source", "target")]
    scored = score_pairs(vectors[0], vectors[1], neighbours)
    return _written({COSINE: scored.cosine, MARGIN: scored.score}, wanted, desk)


def _score_by_words(number: int, seed: int, desk: Desk) -> dict[str, Any]:
    block, wanted = _wanted(number, desk)
    of_pair, found = folds(block["id"].to_pylist(), seed), np.full(len(block), np.nan)
    for fold in range(FOLDS):
        own = np.flatnonzero(of_pair == fold)
        some = block.take(pa.array(own))
        aligner = WordAligner.load(desk.needed[f"learnt {fold}"])
        found[own] = explained(aligner, some["source"].to_pylist(), some["target"].to_pylist())
    return _written({WORDS: found}, wanted, desk)


def _wanted(number: int, desk: Desk) -> tuple[pa.Table, Flags]:
    """The pairs of a block that are to be scored, and which of all they are."""
    block = read_block(desk.needed["pairs"], number, ["id", "source", "target"])
    wanted = ~refused(desk.needed["filtered"]) if "filtered" in desk.needed else np.ones(len(block), bool)
    return block.filter(pa.array(wanted)), wanted


def _written(columns: Mapping[str, Any], wanted: Flags, desk: Desk) -> dict[str, Any]:
    table = {}
    for name, values in columns.items():
        every = np.full(len(wanted), np.nan, np.float32)
        every[wanted] = values
        table[name] = pa.array(every)
    pq.write_table(pa.table(table), desk.folder / SCORES, compression="zstd")
    return {"scored": int(wanted.sum())}


@lru_cache(_KEPT)
def _loaded(recipe: str) -> Encoder:
    """A worker that scores many blocks loads its encoder once."""
    return EncoderRecipe.model_validate_json(recipe).load()
