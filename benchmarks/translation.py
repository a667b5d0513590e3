"""`masking.translation` against transformers as its examples have it: training by Seq2SeqTrainer, decoding in a loop.

Training: paragraphs of the Declaration in English and another language, an epoch a turn, 32 pairs a step (ours takes as
many tokens a step as 32 pairs have on average). Decoding: sentences of 1 to 40 words of a made-up language, by a model
that has learnt it; the loop takes 16 a batch as they come. The same weights on both sides, 5 beams, one thread; only
real tokens count. They take turns, and the ratio is that of each turn.

python benchmarks/translation.py [--quick]   (--quick writes no table)
"""

from __future__ import annotations

import os

os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
os.environ |= {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

import argparse
import random
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers
from pretraining import Epoch, in_turns
from rows import keep

from langvec.lesson import Forgetful
from langvec.sources.udhr import Udhr
from masking.pretrained import Pretrained
from masking.translation.decoding import translated
from masking.translation.recipe import ScratchTranslator
from masking.translation.sides import Pairs
from masking.translation.training import Course, Training

PAIRS, SENTENCES, WORDS = 256, 200, 40
STEPS = 300  # until the made-up language is known
TURNS, QUICK = 3, 8  # and so much less of everything when quick
OURS = "langscape"
SIZES: dict[str, Any] = {"layers": 4, "decoder_layers": 2, "width": 256, "heads": 4}
LANGUAGES = ("deu", "fra", "spa", "ita", "por", "tur", "rus", "ell", "sin", "tam")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="an eighth of all, and no table")
    less = QUICK if parser.parse_args().quick else 1
    torch.set_num_threads(1)
    rows = [*training_rows(PAIRS // less, TURNS), *decoding_rows(SENTENCES // less, STEPS // less, TURNS)]
    for row in rows:
        print(row)
    if less == 1:
        keep(__file__, rows)


def training_rows(count: int, turns: int) -> Iterator[dict[str, Any]]:
    pairs = declarations()
    how = ScratchTranslator(**SIZES, pieces=8000, max_tokens=250, steps=10**6, every=10**6)
    made = Training(how, Course(pairs, pairs[:1], 1, Forgetful()))  # for its vocabulary, and to know who fits
    some = [pairs[place] for place in random.Random(0).sample(range(len(pairs)), 2 * count)]
    fitting = [pair for pair in some if all(len(ids) <= 250 for ids in made.pretrained.tokenizer(list(pair)).input_ids)]
    some = fitting[:count]
    made.train = made._bitext(some, "training")
    made.sizes = made.train.source.sizes + made.train.target.sizes
    made.how = how.model_copy(update={"batch_tokens": round(32 * made.sizes.mean())})
    tokens = int(made.sizes.sum())
    model = transformers.M2M100ForConditionalGeneration(made.pretrained.model.config)
    contestants: dict[str, Epoch] = {OURS: lambda: an_epoch(made)}
    theirs = Pretrained(made.pretrained.tokenizer, model)
    contestants["Seq2SeqTrainer, default"] = trainer(theirs, some)
    options = {"train_sampling_strategy": "group_by_length", "length_column_name": "length"}
    contestants["Seq2SeqTrainer, by length"] = trainer(theirs, some, **options)
    yield from rows_of("training, tokens", in_turns(contestants, turns), tokens)


def declarations() -> list[tuple[str, str]]:
    """Paragraphs of the same number. They need not be translations to be read as fast."""
    source = Udhr.model_validate({"languages": ["eng", *LANGUAGES]})
    texts = {code: [text for batch in source.read(code) for text in batch.texts] for code in source.codes()}
    english = texts.pop("eng_Latn")
    return [pair for other in texts.values() for pair in zip(english, other, strict=False)]


def an_epoch(made: Training) -> None:
    before = made.progress.epoch
    while made.progress.epoch == before:
        made.go_on()


def trainer(loaded: Pretrained, pairs: Pairs, **options: Any) -> Epoch:
    """As the examples of transformers have it, with our label smoothing."""
    arguments = transformers.Seq2SeqTrainingArguments(
        output_dir=str(Path(tempfile.gettempdir()) / "trainer"),
        num_train_epochs=1,
        per_device_train_batch_size=32,
        label_smoothing_factor=0.1,
        use_cpu=True,
        bf16=True,
        report_to="none",
        save_strategy="no",
        disable_tqdm=True,
        **options,
    )
    rows = [dict(loaded.tokenizer(source, text_target=target)) for source, target in pairs]
    found = transformers.Seq2SeqTrainer(
        model=loaded.model,
        args=arguments,
        train_dataset=[row | {"length": len(row["input_ids"])} for row in rows],
        data_collator=transformers.DataCollatorForSeq2Seq(loaded.tokenizer, loaded.model),
    )
    found.remove_callback(transformers.PrinterCallback)
    return found.train


def decoding_rows(count: int, steps: int, turns: int) -> Iterator[dict[str, Any]]:
    how = ScratchTranslator(**SIZES, pieces=200, dropout=0, steps=steps, every=10**6, batch_tokens=2048)
    made = Training(how, Course(made_up(2000, 1), made_up(10, 2), 1, Forgetful()))
    while not made.finished:
        made.go_on()
    print("dev loss of the model that translates", made.progress.rows[-1]["dev_loss"])
    made.pretrained.model.eval()
    sources = [source for source, _ in made_up(count, 3)]
    contestants: dict[str, Epoch] = {
        OURS: lambda: translated(made.pretrained, sources, how),
        "generate, 16 as they come": lambda: naive(made.pretrained, sources),
    }
    same = sum(map(str.__eq__, contestants[OURS](), contestants["generate, 16 as they come"]()))
    print(f"{same} of {count} translations are the same")
    yield from rows_of("decoding, sentences", in_turns(contestants, turns), count)


def made_up(count: int, seed: int) -> list[tuple[str, str]]:
    draw = random.Random(seed)
    words = ["".join(random.Random(number).choices("aeioulmnrst", k=4)) for number in range(60)]
    said = [draw.sample(words, draw.randint(1, WORDS)) for _ in range(count)]
    return [(" ".join(some), " ".join(word[::-1] for word in some)) for some in said]


def naive(loaded: Pretrained, sources: Sequence[str]) -> list[str]:
    found = list[str]()
    for start in range(0, len(sources), 16):
        inputs = loaded.tokenizer(list(sources[start : start + 16]), padding=True, return_tensors="pt")
        inputs.pop("token_type_ids", None)
        said = loaded.model.generate(**inputs, num_beams=5, max_new_tokens=256)
        found += loaded.tokenizer.batch_decode(said, skip_special_tokens=True)
    return found


def rows_of(what: str, seconds: dict[str, list[float]], amount: int) -> Iterator[dict[str, Any]]:
    for name, some in seconds.items():
        ratios = [theirs / mine for theirs, mine in zip(some, seconds[OURS], strict=True)]
        yield {
            "what": what,
            "contestant": name,
            "per_s": round(amount / statistics.median(some), 1),
            "ours_to_this": round(statistics.median(ratios), 2),
            "smallest": round(min(ratios), 2),
            "largest": round(max(ratios), 2),
        }


if __name__ == "__main__":
    main()
