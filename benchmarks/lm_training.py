"""Training against what people use today: the very same GPT-2 through transformers' Trainer, on the same sentences.

Ours in one process of two threads, and as the application runs it: two processes of one thread with a language each.
Theirs with default settings (fp32, its AdamW, a padding collator), and in bf16 with sentences grouped by length. A turn
is an epoch of a few steps over the same symbols, about 16,384 a step; only real symbols count, never padding. Theirs
drops no attention weights out, because ours does not either and the Trainer is faster without. They take turns, and the
ratio is that of each turn.

    python benchmarks/lm_training.py [--quick]
"""

from __future__ import annotations

import os

os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
os.environ |= {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from lm_scoring import (
    IGNORED,
    RECIPE,
    THREADS,
    Contestant,
    Row,
    alphabet_of,
    describe,
    in_turns,
    loaded,
    machine,
    report,
    sentences,
    with_boundaries,
    workers,
    write,
)
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from langvec import decoder
from langvec.encoded import EncodedSplit
from langvec.lesson import Lesson
from langvec.training import Training
from langvec.transformer import TransformerRecipe

TURNS, BATCH_SYMBOLS = 3, RECIPE.batch_symbols
QUICK_TURNS, QUICK_BATCH_SYMBOLS = 1, 4096
STEPS = 2  # in a turn
SLACK = RECIPE.context  # symbols by which a batch of whole sentences may stay below its size


def main() -> None:
    quick = "--quick" in sys.argv  # writes no table
    turns, batch_symbols = (QUICK_TURNS, QUICK_BATCH_SYMBOLS) if quick else (TURNS, BATCH_SYMBOLS)
    torch.set_num_threads(THREADS)
    recipe = RECIPE.model_copy(update={"batch_symbols": batch_symbols})
    lessons = lessons_of(STEPS * (batch_symbols - SLACK))
    text = lessons[0].train
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        training = Training(recipe, lessons[0])
        decoder.save({name: weight.detach() for name, weight in training.weights.items()}, training.shape, folder)
        contestants: dict[str, Contestant] = {
            "ours, 1 process x 2 threads": training.run_epoch,
            "ours, 2 processes x 1 thread": workers(stack, [partial(epochs, recipe, lesson) for lesson in lessons]),
            "Trainer, fp32": trainer(folder, text),
            "Trainer, bf16, by length": trainer(
                folder, text, bf16=True, train_sampling_strategy="group_by_length", length_column_name="length"
            ),
        }
        rows = in_turns(contestants, turns, partial(account, STEPS))
    if not quick:
        write(rows, Path(__file__).with_suffix(".csv"))
    print(describe(text.lengths + 1), f"{STEPS} steps of {batch_symbols:,} symbols a turn", machine(), sep="\n")
    report(rows)


def lessons_of(symbols: int) -> list[Lesson]:
    """Two languages of one alphabet and equal size; what they are validated on is one short sentence."""
    languages = {"aaa": sentences(symbols, seed=0), "bbb": sentences(symbols, seed=1)}
    everything = [line for lines in languages.values() for line in lines]
    alphabet = alphabet_of(everything)
    short = EncodedSplit.of_lines([min(everything, key=len)], alphabet)
    return [Lesson(EncodedSplit.of_lines(lines, alphabet), short, 0, code) for code, lines in languages.items()]


def epochs(recipe: TransformerRecipe, lesson: Lesson) -> Contestant:
    return Training(recipe, lesson).run_epoch


def trainer(folder: Path, text: EncodedSplit, **options: Any) -> Contestant:
    """Learns from every sentence once whenever it is called, and returns how many symbols those were."""
    arguments = transformers.TrainingArguments(
        output_dir=str(folder / "trainer"),
        num_train_epochs=1,
        per_device_train_batch_size=-(-len(text) // STEPS),
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        **options,
    )
    ids = [with_boundaries(text, sentence) for sentence in range(len(text))]
    found = transformers.Trainer(
        model=loaded(folder, attn_pdrop=0.0),
        args=arguments,
        train_dataset=[{"input_ids": row, "labels": row, "length": row.size} for row in ids],
        data_collator=padded,
    )
    found.remove_callback(transformers.PrinterCallback)

    def learn() -> float:
        found.train()
        return float((text.lengths + 1).sum())

    return learn


def padded(rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
    labels = pad_sequence([torch.from_numpy(row["labels"]) for row in rows], True, IGNORED)
    return {"input_ids": labels.clamp(min=0), "attention_mask": (labels != IGNORED).long(), "labels": labels}


def account(steps: int, symbols: float, taken: float) -> Row:
    return {
        "steps": steps,
        "symbols": int(symbols),
        "seconds": round(taken, 3),
        "symbols_per_s": round(symbols / taken, 1),
    }


if __name__ == "__main__":
    main()
