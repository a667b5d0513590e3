"""`langscape masks`: where the masks of a strategy fall on tagged text, in numbers and to be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from langvec.errors import InputError
from masking.alignment import MAX_TOKENS, Tagged, encode
from masking.collator import KINDS_BY_RANK, MaskCounts, counted
from masking.draws import Draws
from masking.entities import read_entities, tagged
from masking.masks import AnyMasks, LemMasks, Masking, choose_masks
from masking.tagging.kinds import Kind
from masking.tokenizers import learn_tokenizer, load_tokenizer
from masking.tokens import BITS, Tokens
from ray_jobs.described import described

STRATEGY = TypeAdapter[AnyMasks](AnyMasks)
CHUNK = 2000  # sentences encoded at once
COLOURS: dict[Kind | None, int] = {"NE": 33, "VERB": 32, "NOUN": 36, "SALIENT": 35, None: 37}  # of terminals
OTHER = "other words"
SHOWN_PIECES = 500  # so few that words fall into several


def masks(file: str, strategy: str, tokenizer: str | None, show: int, seed: int, coloured: bool) -> Iterator[str]:
    """The lines to print: some sentences with their masks, then what the masks of the whole file fall on."""
    how = _strategy(strategy)
    texts = [one for one in tagged(read_entities(Path(file))) if one.text.strip()]
    if not texts:
        raise InputError(f"{file} holds no sentence. Expected an entity table with text in it.")
    loaded = load_tokenizer(tokenizer) if tokenizer else learn_tokenizer((one.text for one in texts), SHOWN_PIECES)
    if not tokenizer:
        yield f"No --tokenizer given: {len(loaded):,} pieces learnt from {file}."
    hidden, tokens = _hidden(texts, loaded, how, seed)
    if show:
        yield _legend(coloured)
    asked = how.kinds if isinstance(how, LemMasks) else ()
    for place in range(min(show, len(texts))):
        part = slice(tokens.starts[place], tokens.starts[place + 1])
        yield _drawn(texts[place].text, loaded, tokens.kinds[part], hidden[part], asked, coloured)
    yield from _account(how, len(texts), counted(tokens, hidden, asked))
    for kind in (kind for kind in asked if not (tokens.kinds & BITS[kind]).any()):
        yield f"{file} holds no {kind}."


def _strategy(text: str) -> AnyMasks:
    """`lem`, or a mapping such as `{strategy: lem, kinds: [NE]}`."""
    expected = (
        "the name of a strategy (lem, mlm, whole_word, span, random_word, rare_word) or a mapping such as "
        "{strategy: lem, kinds: [NE, VERB], per_entity: 1}"
    )
    mapping = f"{{strategy: {text}}}" if text.isidentifier() else text
    return described("--masks", mapping, STRATEGY, Masking, expected, strategy=LemMasks().strategy)


def _hidden(texts: Sequence[Tagged], tokenizer: Any, how: AnyMasks, seed: int) -> tuple[np.ndarray, Tokens]:
    parts = [encode(tokenizer, texts[start : start + CHUNK], MAX_TOKENS) for start in range(0, len(texts), CHUNK)]
    samples = [part[place] for part in parts for place in range(len(part))]
    tokens = Tokens.of([{**sample, "sample": place} for place, sample in enumerate(samples)])
    counts = np.bincount(tokens.ids, minlength=len(tokenizer))
    return choose_masks(tokens, how, Draws.of(seed), counts), tokens


def _legend(coloured: bool) -> str:
    if not coloured:
        return "[NE:x] hides x, which is part of a name; [x] hides x in another word; the rest is shown to the model."
    names = [_painted(kind or OTHER, kind, True) for kind in COLOURS]
    return f"{'  '.join(names)}   hidden; in colour without a box: tagged and shown to the model"


def _drawn(
    text: str, tokenizer: Any, kinds: np.ndarray, hidden: np.ndarray, asked: Sequence[Kind], coloured: bool
) -> str:
    """The text, its hidden tokens marked."""
    (encoding,) = tokenizer([text], truncation=True, max_length=MAX_TOKENS).encodings
    drawn, done = [], 0
    for (begin, end), bits, mask in zip(encoding.offsets, kinds.tolist(), hidden.tolist(), strict=True):
        start = max(begin + len(text[begin:end]) - len(text[begin:end].lstrip()), done)
        if start < end:
            ranked = sorted(KINDS_BY_RANK, key=lambda kind: kind not in asked)
            kind = next((kind for kind in ranked if bits & BITS[kind]), None)
            drawn += [text[done:start], _mark(text[start:end], kind, mask, coloured)]
            done = end
    return "".join(drawn) + text[done:]


def _mark(text: str, kind: Kind | None, mask: bool, coloured: bool) -> str:
    if coloured:
        return _painted(text, kind, mask) if mask or kind else text
    return f"[{kind}:{text}]" if mask and kind else f"[{text}]" if mask else text


def _painted(text: str, kind: Kind | None, mask: bool) -> str:
    return f"\x1b[{COLOURS[kind]}{';7' if mask else ''}m{text}\x1b[0m"


def _account(how: AnyMasks, sentences: int, counts: MaskCounts) -> Iterator[str]:
    share = f"{counts.hidden:,} of {counts.tokens:,} tokens hidden ({counts.rate:.1%})"
    yield f"{how.strategy}: {share} in {sentences:,} sentences"
    yield f"{'':<12} {'of all tokens':>14} {'of the hidden':>14}"
    shares, rest = counts.shares(), counts.tokens - sum(counts.of_kind.values())
    for kind in KINDS_BY_RANK:
        if counts.of_kind[kind]:
            yield f"{kind:<12} {counts.of_kind[kind] / counts.tokens:>14.1%} {shares[kind]:>14.1%}"
    yield f"{OTHER:<12} {rest / max(counts.tokens, 1):>14.1%} {shares['filler']:>14.1%}"
