"""The collators of `masking` against those of transformers, on the vocabulary of XLM-R.

python benchmarks/masks.py TOKENIZER.JSON   (without one: 4,000 pieces learnt from the text)
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from rows import keep
from transformers import DataCollatorForLanguageModeling

from langvec.sources.udhr import Udhr
from masking.alignment import Tagged, encode
from masking.collator import Collator, Vocabulary
from masking.masks import AnyMasks, LemMasks, RandomWordMasks, RareWordMasks, StretchMasks, TokenMasks, WordMasks
from masking.tagging.base import Span
from masking.tagging.kinds import Kind
from masking.tagging.words import words
from masking.tokenizers import learn_tokenizer, load_tokenizer

LANGUAGES = ("eng", "sin", "tam", "fra", "deu", "hin", "rus", "arb")
ROUNDS, SENTENCES, TOKENS = 7, 32, 128
TAGS: tuple[Kind | None, ...] = ("NE", "NOUN", "VERB", None, None)
STRATEGIES: tuple[AnyMasks, ...] = (
    TokenMasks(),
    LemMasks(),
    LemMasks(unit="span", per_entity=3),
    WordMasks(),
    StretchMasks(),
    RandomWordMasks(),
    RareWordMasks(),
)

Call = Callable[[Any], Any]


def texts() -> list[Tagged]:
    """Paragraphs of the Declaration, two of five words tagged."""
    source = Udhr(languages=LANGUAGES)
    lines = [text for code in source.codes() for batch in source.read(code) for text in batch.texts]
    return [Tagged(line, [*_spans(line)]) for line in lines]


def _spans(line: str) -> Sequence[Span]:
    kinds = ((word, TAGS[place % len(TAGS)]) for place, word in enumerate(words(line)))
    return [Span(word.start, word.end, kind, kind) for word, kind in kinds if kind]


def in_batches(samples: Sequence[Any]) -> list[Sequence[Any]]:
    return [samples[start : start + SENTENCES] for start in range(0, len(samples) - SENTENCES + 1, SENTENCES)]


def milliseconds(call: Call, batches: Sequence[Any]) -> float:
    """Of one batch."""
    start = time.perf_counter()
    for batch in batches:
        call(batch)
    return 1000 * (time.perf_counter() - start) / len(batches)


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    tagged = texts()
    tokenizer = load_tokenizer(sys.argv[1]) if len(sys.argv) > 1 else learn_tokenizer(one.text for one in tagged)
    tokens = encode(tokenizer, tagged, TOKENS)
    ours = in_batches([tokens[place] for place in range(len(tokens))])
    raw = tokenizer([one.text for one in tagged], truncation=True, max_length=TOKENS, return_offsets_mapping=True)
    plain = [{"input_ids": ids} for ids in raw["input_ids"]]
    special = [{"input_ids": ids, "special_tokens_mask": [1, *[0] * (len(ids) - 2), 1]} for ids in raw["input_ids"]]
    # Stock whole-word masking takes offsets, which the stock padding cannot pad: they come padded.
    whole = [
        {"input_ids": _to(ids, 1), "offset_mapping": _to(offsets, (0, 0)), "special_tokens_mask": _special(ids)}
        for ids, offsets in zip(raw["input_ids"], raw["offset_mapping"], strict=True)
    ]
    counts = np.bincount(tokens.ids, minlength=len(tokenizer))
    vocabulary = Vocabulary.of(tokenizer)
    calls: dict[str, tuple[Call, list[Sequence[Any]]]] = {
        "transformers, mlm": (DataCollatorForLanguageModeling(tokenizer), in_batches(plain)),
        "transformers, mlm, special tokens given": (
            DataCollatorForLanguageModeling(tokenizer),
            in_batches(special),
        ),
        "transformers, whole words": (
            DataCollatorForLanguageModeling(tokenizer, whole_word_mask=True),
            in_batches(whole),
        ),
    }
    for how in STRATEGIES:
        name = f"{how.strategy}{', spans, 3 tokens' if getattr(how, 'per_entity', 1) == 3 else ''}"
        calls[name] = (Collator(vocabulary, how, 1, counts=counts), ours)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):  # in turns, so that the noise of the machine falls on all
        for name, (call, batches) in calls.items():
            times[name].append(milliseconds(call, batches))
    write(times, len(tokenizer))


def _to(values: Sequence[Any], blank: Any) -> list[Any]:
    return [*values, *[blank] * (TOKENS - len(values))]


def _special(ids: Sequence[int]) -> list[int]:
    return [1, *[0] * (len(ids) - 2), *[1] * (TOKENS - len(ids) + 1)]


def write(times: dict[str, list[float]], pieces: int) -> None:
    stock = statistics.median(times["transformers, mlm"])
    rows = [
        {
            "collator": name,
            "vocabulary": pieces,
            "ms_per_batch": round(statistics.median(some), 3),
            "fastest_ms": round(min(some), 3),
            "times_stock_mlm": round(statistics.median(some) / stock, 3),
        }
        for name, some in times.items()
    ]
    keep(__file__, rows)
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
