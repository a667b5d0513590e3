"""Sentences with what each arm hides in them: the same sentences and the same draws for all, so that they compare."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa

from langvec.pictures.families import name_of
from masking.alignment import Tagged, encode
from masking.collator import KINDS_BY_RANK
from masking.draws import Draws
from masking.masks import AnyMasks, LemMasks, RareWordMasks, choose_masks
from masking.parallel import with_wrong_tags
from masking.tagging.kinds import Kind
from masking.tokenizers import load_tokenizer
from masking.tokens import BITS, Tokens
from ray_jobs.lem_recipe import LemRecipe
from ray_jobs.report.lem import BLOCK, languages
from ray_jobs.stages import Record
from ray_jobs.store import Store

SHOWN = 3  # sentences of a language
SHORTEST, LONGEST = 40, 220  # characters of a sentence that is worth showing

_BLANK = " \u2581\u0120"  # white space, as tokenizers of different kinds write it
_JOINER = "\u200d"  # makes one letter of what stands before it and after it

Block = Mapping[str, Tagged]  # sentences by id


@dataclass(frozen=True)
class Segment:
    """Some letters of a sentence: of what kind of word, and whether they are hidden."""

    text: str
    kind: Kind | None = None
    hidden: bool = False


@dataclass(frozen=True)
class Example:
    """One language: for each sentence, what each arm makes of it."""

    label: str
    sentences: tuple[Mapping[str, tuple[Segment, ...]], ...]  # by arm


def examples(store: Store, pieces: Sequence[Record], recipe: LemRecipe) -> Iterator[Example]:
    """A few sentences of each language whose entities and whose tokenizer are there."""
    blocks = {code: _block(store, code, recipe) for code in languages(recipe)}
    blocks = {code: block for code, block in blocks.items() if block}
    begun = next((piece for piece in pieces if piece.meta["stage"] == "start"), None)
    if not blocks or begun is None:
        return
    tokenizer = load_tokenizer(str(store.fetch(begun.folder, begun.digest)))
    arms = _arms(store, pieces, recipe, len(tokenizer))
    for code, chosen in _chosen(blocks).items():
        tokens = encode(tokenizer, chosen, recipe.layout.max_tokens)
        drawn: list[dict[str, tuple[Segment, ...]]] = [{} for _ in chosen]
        for arm, (how, counts) in arms.items():
            hidden = choose_masks(tokens, how, Draws.of(recipe.seed, "report"), counts)
            for place, one in enumerate(chosen):
                drawn[place][arm] = tuple(segments(one.text, tokenizer, _cut(tokens, hidden, place), how))
        yield Example(name_of(code), tuple(drawn))


def _block(store: Store, code: str, recipe: LemRecipe) -> Block:
    """The sentences of a first block that have tags and a length that fits a page; all with tags, if none fits."""
    table: pa.Table | None = store.table(f"results/{BLOCK.format(code=code)}", ["id", "text", "spans"])
    if table is None:
        return {}
    every = dict(
        zip(table["id"].to_pylist(), with_wrong_tags(table, recipe.division.wrong_tags, recipe.seed), strict=True)
    )
    some = {id: one for id, one in every.items() if one.spans}
    return {id: one for id, one in some.items() if SHORTEST <= len(one.text) <= LONGEST} or some


def _chosen(blocks: Mapping[str, Block]) -> dict[str, list[Tagged]]:
    """Translations of each other come first."""
    common = set.intersection(*(set(block) for block in blocks.values()))
    return {
        code: [block[id] for id in sorted(block, key=lambda id: id not in common)[:SHOWN]]
        for code, block in blocks.items()
    }


def _arms(
    store: Store, pieces: Sequence[Record], recipe: LemRecipe, size: int
) -> dict[str, tuple[AnyMasks, np.ndarray | None]]:
    """Each arm with the counts that it draws by; it is left out where they are missing."""
    counts = (
        _counts(store, pieces, size) if any(isinstance(how, RareWordMasks) for how in recipe.arms.values()) else None
    )
    return {
        arm: (how, counts)
        for arm, how in recipe.arms.items()
        if counts is not None or not isinstance(how, RareWordMasks)
    }


def _counts(store: Store, pieces: Sequence[Record], size: int) -> np.ndarray | None:
    """How often each token stands in the sentences that are learnt from."""
    tables = [
        store.table(f"{piece.folder}/mono.parquet", ["ids"]) for piece in pieces if piece.meta["stage"] == "samples"
    ]
    ids = [table["ids"].combine_chunks().flatten().to_numpy(zero_copy_only=False) for table in tables if table]
    return np.bincount(np.concatenate(ids), minlength=size) if ids else None


def _cut(tokens: Tokens, hidden: np.ndarray, place: int) -> tuple[list[int], list[bool]]:
    """Kinds of the tokens of one sentence, and which are hidden."""
    part = slice(tokens.starts[place], tokens.starts[place + 1])
    return tokens.kinds[part].tolist(), hidden[part].tolist()


def segments(text: str, tokenizer: Any, of_tokens: tuple[list[int], list[bool]], how: AnyMasks) -> Iterator[Segment]:
    """The whole text, cut where what is hidden or tagged begins and ends; white space is never marked."""
    (encoding,) = tokenizer([text], truncation=True, max_length=len(of_tokens[0])).encodings
    asked = how.kinds if isinstance(how, LemMasks) else ()
    ranked = sorted(KINDS_BY_RANK, key=lambda kind: kind not in asked)
    first, marked = _first_of_letters(text), dict[int, tuple[Kind | None, bool]]()
    for token, (begin, end), bits, mask in zip(encoding.tokens, encoding.offsets, *of_tokens, strict=True):
        kind = next((kind for kind in ranked if bits & BITS[kind]), None)
        for place in first[begin:end] if token.strip(_BLANK) else ():
            before = marked.get(place, (None, False))
            marked[place] = (before[0] or kind, before[1] or mask)
    for (kind, hidden), run in groupby(range(len(text)), lambda place: _mark(text, first[place], marked)):
        yield Segment("".join(text[place] for place in run), kind, hidden)


def _mark(text: str, place: int, marked: Mapping[int, tuple[Kind | None, bool]]) -> tuple[Kind | None, bool]:
    return (None, False) if text[place].isspace() else marked.get(place, (None, False))


def _first_of_letters(text: str) -> list[int]:
    """For each character where its letter begins: no browser draws half of a letter, such as a vowel sign alone."""
    found: list[int] = []
    for place, character in enumerate(text):
        joined = unicodedata.category(character).startswith("M") or _JOINER in text[max(0, place - 1) : place + 1]
        found.append(found[-1] if place and joined else place)
    return found
