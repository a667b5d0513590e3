"""Scoring against what people use today: the very same GPT-2 through transformers, on the same sentences.

Ours in one process of two threads, and as the application runs it: two processes of one thread that read in blocks.
Theirs as the perplexity of Hugging Face `evaluate` does it (batches of 16 in the given order, padded, masked, fp32),
and as well as stock code allows (bf16, no cache, no mask, sorted by length, batches by padded symbols; the best of some
sizes), in one process and in two. They take turns, and the ratio is that of each turn. Encoding is outside the clock,
padding and laying out are inside. Every sentence has a boundary before and after it, and none exceeds the context.

    python benchmarks/lm_scoring.py [--quick]
"""

from __future__ import annotations

import os

os.environ |= {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
os.environ |= {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

import csv
import multiprocessing
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from langvec import decoder
from langvec.alphabet import Alphabet, CharAlphabet
from langvec.decoder import Shape, Weights
from langvec.encoded import EncodedSplit
from langvec.scoring import Scoring
from langvec.sources import Udhr
from langvec.sources.udhr import available
from langvec.transformer import TransformerRecipe

TURNS, SYMBOLS = 5, 65_536
QUICK_TURNS, QUICK_SYMBOLS = 2, 8_192
THREADS = 2
RECIPE = TransformerRecipe()  # of the paper's size
SHARPER = 4  # weights as drawn say almost the same of every text, and then nothing could differ
AT_ONCE = (2048, 4096, 8192)  # padded symbols in a batch of the best stock set-up
IGNORED = -100  # where cross_entropy expects nothing
PRODUCT = (4096, 512, 2048)  # rows, inner and columns of the matrix product that shows what the machine can do

Row = dict[str, Any]
Contestant = Callable[[], float]  # does all the work once and returns what there is to compare


def main() -> None:
    quick = "--quick" in sys.argv  # writes no table
    turns, symbols = (QUICK_TURNS, QUICK_SYMBOLS) if quick else (TURNS, SYMBOLS)
    torch.set_num_threads(THREADS)
    lines = sentences(symbols)
    alphabet = alphabet_of(lines)
    text, shape = EncodedSplit.of_lines(lines, alphabet), shape_of(alphabet)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        decoder.save(sharper(decoder.initial(shape, seed=0)), shape, folder)
        by_length = sorted(lines, key=len)
        halves = [EncodedSplit.of_lines(half, alphabet) for half in (by_length[::2], by_length[1::2])]
        contestants: dict[str, Contestant] = {
            "ours, 1 process x 2 threads": ours(folder, text),
            "ours, 2 processes x 1 thread": workers(stack, [partial(in_blocks, folder, half) for half in halves]),
            "padded fp32 loop": padded_loop(folder, text),
            "best stock set-up, 1 process x 2 threads": best_stock(folder, text),
            "best stock set-up, 2 processes x 1 thread": workers(
                stack, [partial(best_stock, folder, half) for half in halves]
            ),
        }
        rows = in_turns(contestants, turns, partial(account, text))
    if not quick:
        write(rows, Path(__file__).with_suffix(".csv"))
    print(describe(text.lengths + 1), machine(), sep="\n")
    report(rows)
    report_peak(rows, {threads: peak(threads) for threads in (1, 2)}, flop_per_symbol(shape, text.lengths + 1))


# Text and weights, the same for all


def sentences(symbols: int, seed: int = 0) -> list[str]:
    """Sentences of the Declaration in Latin script, in a seeded order, as many as have so many symbols together."""
    codes = [code for code in available() if code.endswith("_Latn")]
    texts = [text for code in codes for batch in Udhr(languages=(code,)).read(code) for text in batch.texts]
    fitting = [text for text in texts if 0 < len(text) <= RECIPE.context - 2]  # with a boundary on either side
    order = np.random.default_rng(seed).permutation(len(fitting))
    together = np.cumsum([len(fitting[i]) + 1 for i in order])
    return [fitting[i] for i in order[: np.searchsorted(together, symbols, side="right")]]


def alphabet_of(lines: Iterable[str]) -> CharAlphabet:
    return CharAlphabet("".join(sorted(set("".join(lines)))))


def shape_of(alphabet: Alphabet) -> Shape:
    return Shape(alphabet.boundary + 1, RECIPE.layers, RECIPE.width, RECIPE.heads, RECIPE.context)


def sharper(weights: Weights) -> Weights:
    return {name: weight * SHARPER if weight.dim() > 1 else weight for name, weight in weights.items()}


# Ours


def ours(folder: Path, text: EncodedSplit) -> Contestant:
    model, everything = RECIPE.load(folder), np.arange(len(text))
    return lambda: float(model.nats(text, everything).sum())


def in_blocks(folder: Path, text: EncodedSplit) -> Contestant:
    """As the application computes a cell of the matrix, but to the end of the text."""
    model, scoring = RECIPE.load(folder), Scoring(tolerance=0)
    blocks = scoring.blocks(text, seed=0, code="und")
    return lambda: float(scoring.cell(model, text, blocks)["nats"].sum())


def workers(stack: ExitStack, makes: Iterable[Callable[[], Contestant]]) -> Contestant:
    """Processes of one thread: each sets up its contestant and then runs it whenever all are asked; the sum of all."""
    pipes = [_started(make) for make in makes]
    for pipe in pipes:
        stack.callback(pipe.send, False)

    def ask() -> float:
        for pipe in pipes:
            pipe.send(True)
        return float(sum(pipe.recv() for pipe in pipes))

    return ask


def _started(make: Callable[[], Contestant]) -> Connection:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    context.Process(target=_serve, args=(make, there), daemon=True).start()
    there.close()  # or nobody would notice that the process died
    here.recv()  # it is ready
    return here


def _serve(make: Callable[[], Contestant], pipe: Connection) -> None:
    torch.set_num_threads(1)
    contestant = make()
    pipe.send(True)
    while pipe.recv():
        pipe.send(contestant())


# Theirs


def padded_loop(folder: Path, text: EncodedSplit) -> Contestant:
    """What `evaluate`'s perplexity does, without the position after each sentence that it computes and leaves out."""
    batches = np.split(np.arange(len(text)), np.arange(16, len(text), 16))
    return partial(_total, loaded(folder).eval(), text, batches, masked=True)


def best_stock(folder: Path, text: EncodedSplit) -> Contestant:
    """Without a mask attention is merely causal: padding comes last, where no real symbol looks."""
    model = loaded(folder, dtype=torch.bfloat16, attn_implementation="sdpa", use_cache=False).eval()
    found = [
        partial(_total, model, text, list(_by_length(text.lengths + 1, at_once)), masked=False) for at_once in AT_ONCE
    ]
    found[0]()  # warm
    return min(found, key=lambda contestant: seconds(contestant)[1])


def loaded(folder: Path, **options: Any) -> Any:
    """Theirs with our weights."""
    return transformers.GPT2LMHeadModel.from_pretrained(folder, **options)


def _total(model: Any, text: EncodedSplit, batches: Iterable[np.ndarray], masked: bool) -> float:
    total = 0.0
    with torch.inference_mode():
        for batch in batches:
            inputs, targets, mask = _padded(text, batch)
            logits = model(inputs, attention_mask=mask.long() if masked else None).logits
            total += float(functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten(), reduction="sum"))
    return total


def _padded(text: EncodedSplit, batch: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Symbols that go in, symbols that should come out, and which of those that go in are real."""
    rows = [torch.from_numpy(with_boundaries(text, sentence)) for sentence in batch]
    square = pad_sequence(rows, batch_first=True, padding_value=IGNORED)
    inputs, targets = square[:, :-1], square[:, 1:]
    return inputs.clamp(min=0), targets, inputs != IGNORED


def with_boundaries(text: EncodedSplit, sentence: int) -> np.ndarray:
    boundary = text.alphabet.boundary
    return np.concatenate([[boundary], text[sentence].astype(np.int64), [boundary]])


def _by_length(lengths: np.ndarray, at_once: int) -> Iterator[np.ndarray]:
    order, first = np.argsort(lengths, kind="stable"), 0
    while first < order.size:
        squares = lengths[order[first:]] * np.arange(1, order.size - first + 1)
        stop = first + max(1, int(np.searchsorted(squares, at_once, side="right")))
        yield order[first:stop]
        first = stop


# Turns and what comes out of them


def in_turns(contestants: Mapping[str, Contestant], turns: int, account: Callable[[float, float], Row]) -> list[Row]:
    """A row per contestant and turn; a first turn that warms up is not counted."""
    rows = []
    for turn in range(turns + 1):
        for name, contestant in contestants.items():
            row = {"contestant": name, "turn": turn} | account(*seconds(contestant))
            print(row if turn else f"warm: {name}", flush=True)
            rows.append(row)
    return [row for row in rows if row["turn"]]


def seconds(contestant: Contestant) -> tuple[float, float]:
    """What it returned, and the time that took."""
    start = time.perf_counter()
    return contestant(), time.perf_counter() - start


def account(text: EncodedSplit, nats: float, taken: float) -> Row:
    symbols = int((text.lengths + 1).sum())
    return {
        "symbols": symbols,
        "seconds": round(taken, 3),
        "symbols_per_s": round(symbols / taken),
        "nats_per_char": round(nats / int(text.chars.sum()), 6),
    }


def write(rows: Sequence[Row], file: Path) -> None:
    with file.open("w", newline="") as stream:
        table = csv.DictWriter(stream, rows[0], lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def report(rows: Sequence[Row]) -> None:
    """The median of each contestant, and how much faster ours are than the others, turn by turn."""
    names = list(dict.fromkeys(row["contestant"] for row in rows))
    speeds = {name: [row["symbols_per_s"] for row in rows if row["contestant"] == name] for name in names}
    for name in names:
        print(f"{name}: {statistics.median(speeds[name]):,.0f} symbols/s")
    for theirs in (name for name in names if not name.startswith("ours")):
        for name in (name for name in names if name.startswith("ours")):
            ratios = [a / b for a, b in zip(speeds[name], speeds[theirs], strict=True)]
            spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
            print(f"{name} / {theirs}: {statistics.median(ratios):.2f} ({spread} in {len(ratios)} turns)")
    if "nats_per_char" in rows[0]:
        costs = {row["contestant"]: row["nats_per_char"] for row in rows}
        for name, cost in costs.items():
            relative = cost / costs["padded fp32 loop"] - 1
            print(f"{name}: {cost:.5f} nats per character, {relative:+.3%} of the padded fp32 loop's")


def report_peak(rows: Sequence[Row], peaks: Mapping[int, float], flop: float) -> None:
    for threads, found in peaks.items():
        print(f"bf16 product of {' x '.join(map(str, PRODUCT))}, {threads} threads: {found / 1e9:.0f} GFLOP/s")
    for name in dict.fromkeys(row["contestant"] for row in rows):
        rate = statistics.median(row["symbols_per_s"] for row in rows if row["contestant"] == name) * flop
        shares = " and ".join(f"{rate / found:.0%} of the peak of {threads}" for threads, found in peaks.items())
        print(f"{name}: {rate / 1e9:.0f} GFLOP/s, {shares} threads")


def peak(threads: int, repeats: int = 50) -> float:
    """FLOP/s of a bf16 matrix product like those of the model, the best of some."""
    rows, inner, columns = PRODUCT
    left, right = torch.ones(rows, inner, dtype=torch.bfloat16), torch.ones(inner, columns, dtype=torch.bfloat16)
    torch.set_num_threads(threads)
    best = min(seconds(lambda: float((left @ right)[0, 0]))[1] for _ in range(repeats))
    torch.set_num_threads(THREADS)
    return 2 * rows * inner * columns / best


def flop_per_symbol(shape: Shape, lengths: np.ndarray) -> float:
    """Two for every weight in a product, and four times the width for every symbol that is looked at in a layer."""
    weights = 12 * shape.layers * shape.width**2 + shape.symbols * shape.width
    looks = float((lengths * (lengths + 1) / 2).sum() / lengths.sum())
    return 2 * weights + 4 * shape.width * shape.layers * looks


def describe(lengths: np.ndarray) -> str:
    low, median, high = np.percentile(lengths, (5, 50, 95))
    return f"{lengths.size} sentences, {lengths.sum():,} symbols; 5%, 50%, 95% have {low:.0f}, {median:.0f}, {high:.0f}"


def machine() -> str:
    versions = f"torch {torch.__version__}, transformers {transformers.__version__}"
    return f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {versions}"


if __name__ == "__main__":
    main()
