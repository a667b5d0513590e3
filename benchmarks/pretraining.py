"""`masking.pretraining` against transformers' Trainer with its stock collator: the same encoder, texts and precision.

Paragraphs and sentences of the Declaration in all its languages, 3 to 250 tokens, many short ones and few long ones. A
turn is an epoch over the same sentences, 32 a step (ours takes as many tokens a step as 32 have on average), in bf16 on
one thread. Only real tokens count, never padding. They take turns, and the ratio is that of each turn.

python benchmarks/pretraining.py [--model FOLDER [--trim]] [--quick]   (--quick writes no table)
"""

from __future__ import annotations

import os

os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
os.environ |= {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

import argparse
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from rows import keep

from langvec.lesson import Forgetful
from langvec.sources.udhr import Udhr
from masking import start
from masking.alignment import Tagged, encode
from masking.curriculum import Curriculum
from masking.masks import TokenMasks
from masking.pretraining import Lesson, Pretraining
from masking.start import PretrainedStart, ScratchStart
from masking.tokens import Tokens

SENTENCES = 32  # of a step
STEPS, TURNS = 8, 3  # of a turn, after one to warm up
QUICK_STEPS, QUICK_TURNS, QUICK_TEXTS = 2, 2, 300
SHORTEST, LONGEST = 3, 250  # tokens, special ones included
TEXTS, PIECES = 6000, 8000  # that the vocabulary is learnt from, and of
ENDS = re.compile(r"(?<=[.!?;:।։။።؟])\s+")
OURS, DEFAULT, BY_LENGTH = "langscape", "Trainer, default", "Trainer, by length"

Epoch = Callable[[], Any]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", help="folder of an encoder; none: 4 layers, 256 wide, 8,000 pieces learnt")
    parser.add_argument("--trim", action="store_true", help="of the model, only the pieces that the texts use")
    parser.add_argument("--quick", action="store_true", help="a few steps, and no table")
    asked = parser.parse_args()
    steps, turns = (QUICK_STEPS, QUICK_TURNS) if asked.quick else (STEPS, TURNS)
    torch.set_num_threads(1)
    texts = mixed(QUICK_TEXTS if asked.quick else TEXTS)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "encoder"
        pretrained, _ = begun(asked.model, asked.trim, texts)
        start.save(pretrained, folder)
        tokens = fitting(encode(pretrained.tokenizer, [Tagged(text, ()) for text in texts], LONGEST + 1), steps)
        contestants: dict[str, Epoch] = {
            OURS: ours(folder, tokens),
            DEFAULT: trainer(folder, tokens),
            BY_LENGTH: trainer(folder, tokens, train_sampling_strategy="group_by_length", length_column_name="length"),
        }
        seconds = in_turns(contestants, turns)
    sizes = np.diff(tokens.starts)
    name = f"{Path(asked.model).name}{', trimmed' if asked.trim else ''}" if asked.model else "4 layers of 256"
    about = {"model": name, "pieces": len(pretrained.tokenizer), "steps": steps, "tokens_a_turn": int(sizes.sum())}
    print(f"{len(sizes)} sentences of {sizes.min()} to {sizes.max()} tokens, median {np.median(sizes):g}")
    rows = [about | row for row in rows_of(seconds, int(sizes.sum()))]
    if not asked.quick:
        keep(__file__, rows)
    for row in rows:
        print(row)


def mixed(count: int) -> list[str]:
    """Paragraphs, and the sentences of others, in all languages."""
    source, draw = Udhr.model_validate({"languages": "all"}), random.Random(0)
    paragraphs = [text for code in source.codes() for batch in source.read(code) for text in batch.texts]
    found = [part for text in draw.sample(paragraphs, count) for part in parts(text, draw)]
    return draw.sample(found, min(count, len(found)))


def parts(text: str, draw: random.Random) -> Iterator[str]:
    yield from [text] if draw.random() < 1 / 2 else ENDS.split(text)


def begun(model: str | None, trim: bool, texts: Sequence[str]) -> tuple[Any, bool]:
    if model is None:
        return ScratchStart(kind="scratch", layers=4, width=256, heads=4, pieces=PIECES).begin(lambda: texts, 0)
    return PretrainedStart(model=os.path.abspath(model), trim=trim).begin(lambda: texts, 0)


def fitting(tokens: Tokens, steps: int) -> Tokens:
    """As many sentences as the steps of a turn take, of those that are neither too short nor too long."""
    sizes = np.diff(tokens.starts)
    places = np.flatnonzero((sizes >= SHORTEST) & (sizes <= LONGEST))[: steps * SENTENCES]
    return Tokens.of([tokens[place] for place in places])


def ours(folder: Path, tokens: Tokens) -> Epoch:
    """What it is validated on is one short sentence."""
    sizes = np.diff(tokens.starts)
    shortest = Tokens.of([tokens[int(sizes.argmin())]])
    how = Curriculum(epochs=10**6, patience=10**6, batch_tokens=round(SENTENCES * sizes.mean()))
    return Pretraining(how, TokenMasks(), Lesson(folder, tokens, shortest, 0, "mono", Forgetful())).run_epoch


def trainer(folder: Path, tokens: Tokens, **options: Any) -> Epoch:
    """As the examples of transformers have it."""
    loaded = start.load(folder)
    arguments = transformers.TrainingArguments(
        output_dir=str(folder.parent / "trainer"),
        num_train_epochs=1,
        per_device_train_batch_size=SENTENCES,
        use_cpu=True,
        bf16=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        **options,
    )
    ids = [tokens[place]["ids"].tolist() for place in range(len(tokens))]
    special = set(loaded.tokenizer.all_special_ids)
    rows = [{"input_ids": row, "special_tokens_mask": [int(one in special) for one in row]} for row in ids]
    found = transformers.Trainer(
        model=loaded.model,
        args=arguments,
        train_dataset=[row | {"length": len(row["input_ids"])} for row in rows],
        data_collator=transformers.DataCollatorForLanguageModeling(loaded.tokenizer),
    )
    found.remove_callback(transformers.PrinterCallback)
    return found.train


def in_turns(contestants: dict[str, Epoch], turns: int) -> dict[str, list[float]]:
    """Seconds of each turn, so that the noise of the machine falls on all; the first, to warm up, is left out."""
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(turns + 1):
        for name, epoch in contestants.items():
            before = time.perf_counter()
            epoch()
            seconds[name].append(time.perf_counter() - before)
        print(f"turn {turn}", {name: round(some[-1], 2) for name, some in seconds.items()}, flush=True)
    return {name: some[1:] for name, some in seconds.items()}


def rows_of(seconds: dict[str, list[float]], items: int, unit: str = "tokens_per_s") -> Iterator[dict[str, Any]]:
    for name, some in seconds.items():
        ratios = [theirs / mine for theirs, mine in zip(some, seconds[OURS], strict=True)]
        yield {
            "contestant": name,
            unit: round(items / statistics.median(some)),
            "ours_to_this": round(statistics.median(ratios), 2),
            "smallest": round(min(ratios), 2),
            "largest": round(max(ratios), 2),
        }


if __name__ == "__main__":
    main()
