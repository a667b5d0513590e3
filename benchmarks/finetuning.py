"""`masking.finetuning` against transformers' Trainer as its examples have it: the same encoder, texts and precision.

A turn is an epoch over the same paragraphs and sentences of the Declaration in all its languages, 3 to 250 tokens, 32
a step, in bf16 on one thread; the classes are six parts of it. They take turns, and the ratio is that of each turn.

python benchmarks/finetuning.py [--model FOLDER] [--quick]   (--quick writes no table)
"""

from __future__ import annotations

import os

os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
os.environ |= {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from pretraining import DEFAULT, OURS, Epoch, in_turns, mixed, rows_of
from rows import keep

from langvec.lesson import Forgetful
from masking import start
from masking.finetuning import Examples, Finetuning, Lesson
from masking.start import PretrainedStart, ScratchStart
from masking.tuning import Tuning

BATCH, CLASSES, LONGEST = 32, 6, 250
STEPS, TURNS, QUICK_STEPS, QUICK_TURNS = 8, 3, 2, 1
TEXTS, PIECES = 6000, 8000
BY_LENGTH = "Trainer, by length"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", help="folder of an encoder; none: 4 layers, 256 wide, 8,000 pieces learnt")
    parser.add_argument("--quick", action="store_true", help="a few steps, and no table")
    asked = parser.parse_args()
    steps, turns = (QUICK_STEPS, QUICK_TURNS) if asked.quick else (STEPS, TURNS)
    torch.set_num_threads(1)
    texts = mixed(TEXTS)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "encoder"
        start.save(begun(asked.model, texts), folder)
        chosen = texts[: steps * BATCH]
        labels = np.random.default_rng(0).integers(CLASSES, size=len(chosen))
        contestants: dict[str, Epoch] = {
            OURS: ours(folder, chosen, labels),
            DEFAULT: trainer(folder, chosen, labels),
            BY_LENGTH: trainer(
                folder, chosen, labels, train_sampling_strategy="group_by_length", length_column_name="length"
            ),
        }
        seconds = in_turns(contestants, turns)
    name = Path(asked.model).name if asked.model else "4 layers of 256"
    about = {"model": name, "steps": steps, "texts_a_turn": len(chosen)}
    rows = [about | row for row in rows_of(seconds, len(chosen), "texts_per_s")]
    if not asked.quick:
        keep(__file__, rows)
    for row in rows:
        print(row)


def begun(model: str | None, texts: list[str]) -> Any:
    if model is None:
        return ScratchStart(layers=4, width=256, heads=4, pieces=PIECES).begin(lambda: texts, 0)[0]
    return PretrainedStart(model=os.path.abspath(model), trim=False).begin(lambda: texts, 0)[0]


def ours(folder: Path, texts: list[str], labels: Any) -> Epoch:
    """What it is validated on is one short text."""
    train = Examples(texts, labels, np.zeros(len(texts), np.int64))
    shortest = Examples([min(texts, key=len)], labels[:1], np.zeros(1, np.int64))
    how = Tuning(epochs=10**6, batch=BATCH, max_tokens=LONGEST, keep="last")
    return Finetuning(how, Lesson(folder, train, shortest, CLASSES, 0, "tuning", Forgetful())).run_epoch


def trainer(folder: Path, texts: list[str], labels: Any, **options: Any) -> Epoch:
    """As the examples of transformers have it."""
    tokenizer = start.load(folder).tokenizer
    model = transformers.AutoModelForSequenceClassification.from_pretrained(str(folder), num_labels=CLASSES)
    arguments = transformers.TrainingArguments(
        output_dir=str(folder.parent / "trainer"),
        num_train_epochs=1,
        per_device_train_batch_size=BATCH,
        use_cpu=True,
        bf16=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        **options,
    )
    ids = [tokenizer(text, truncation=True, max_length=LONGEST)["input_ids"] for text in texts]
    rows = [{"input_ids": one, "labels": int(n), "length": len(one)} for one, n in zip(ids, labels, strict=True)]
    found = transformers.Trainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
    )
    found.remove_callback(transformers.PrinterCallback)
    return found.train


if __name__ == "__main__":
    main()
