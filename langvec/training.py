"""Training one language's Transformer, so that a training that was interrupted anywhere ends as if it had not been.

All that the next step depends on is in `Training.state`: weights, moments, the place in the data. Every random draw has
a seed of its own, derived from the recipe's seed, the language and the step, so no generator has to be carried along.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from langvec import decoder
from langvec.decoder import Shape, Weights, out_of_memory
from langvec.errors import TrainingError
from langvec.lesson import Lesson
from langvec.neural import DTYPES, SYMBOLS_AT_ONCE, TransformerModel, device
from langvec.pieces import Pieces
from langvec.sealed import Parts, moments, remember, seal, unseal
from langvec.seeds import derived

if TYPE_CHECKING:
    from langvec.transformer import TransformerRecipe

FLOOR = 0.1  # of the peak learning rate, where the cosine ends
BETAS = (0.9, 0.95)
LEAST_SYMBOLS = 64  # at once: if memory does not suffice for these, less will not help


@dataclass
class Progress:
    """Where training is; small, and plain data."""

    step: int = 0
    epoch: int = 0  # finished ones
    batch: int = 0  # finished ones of the epoch under way
    nats: float = 0.0  # of the epoch under way
    symbols: int = 0
    best: float = math.inf
    best_epoch: int = 0
    at_once: int = 0  # symbols in one backward pass
    epochs: list[dict[str, Any]] = field(default_factory=list)


def train(recipe: TransformerRecipe, lesson: Lesson, folder: Path) -> dict[str, Any]:
    """Train until the recipe says stop; the best weights and the log go into the folder."""
    training = Training(recipe, lesson)
    started, symbols = time.perf_counter(), 0
    while not training.finished:
        symbols += training.run_epoch()
    progress = training.progress
    lesson.memory.draw(progress.epochs)
    decoder.save(training.best, training.shape, folder)
    pq.write_table(pa.Table.from_pylist(progress.epochs), folder / "log.parquet")
    return {
        "epochs": progress.epoch,
        "best_epoch": progress.best_epoch,
        "validation_nats_per_symbol": progress.best,
        "parameters": sum(weight.numel() for weight in training.weights.values()),
        "symbols_per_s": round(symbols / (time.perf_counter() - started)),  # of this process; validation included
        "symbols_at_once": progress.at_once,
        "notes": training.notes,
    }


class Training:
    """One language's training, step by step."""

    def __init__(self, recipe: TransformerRecipe, lesson: Lesson) -> None:
        self.recipe, self.lesson, self.notes = recipe, lesson, list[str]()
        self.device = device()
        self.pieces = Pieces.cut(lesson.train, np.arange(len(lesson.train)), recipe.context)
        symbols = lesson.train.alphabet.boundary + 1
        self.shape = Shape(symbols, recipe.layers, recipe.width, recipe.heads, recipe.context)
        self.weights = decoder.initial(self.shape, derived(lesson.seed, lesson.language, "weights"))
        self.best: Weights = {}
        self.progress = Progress(at_once=SYMBOLS_AT_ONCE[self.device.type])
        known = self._restore()
        # In one order always: torch sums over the weights in the order it gets them.
        self.weights = {name: self.weights[name].to(self.device).requires_grad_() for name in decoder.sizes(self.shape)}
        self.optimizer = self._optimizer(known)

    @property
    def finished(self) -> bool:
        progress = self.progress
        return progress.epoch == self.recipe.epochs or progress.epoch - progress.best_epoch >= self.recipe.patience

    def run_epoch(self) -> int:
        """What is left of the epoch under way, and its validation; the number of symbols learnt from."""
        progress, before = self.progress, self.progress.symbols
        draw = np.random.default_rng(self._seed("order", progress.epoch))
        batches = self.pieces.batches(draw.permutation(len(self.pieces)), self.recipe.batch_symbols)
        for batch in islice(batches, progress.batch, None):
            self._learn(batch)
            self._remember()
        symbols = progress.symbols - before
        self._end_epoch()
        self._remember()
        return symbols

    def _learn(self, batch: Pieces) -> None:
        progress = self.progress
        rate = self._rate()
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        progress.nats += self._gradients(batch)
        self._refuse_no_number(progress.nats)
        torch.nn.utils.clip_grad_norm_(self.weights.values(), self.recipe.clip)
        self.optimizer.step()
        progress.symbols += int(batch.length.sum())
        progress.step, progress.batch = progress.step + 1, progress.batch + 1

    def _refuse_no_number(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss of {self.lesson.language} is no longer a number after step {self.progress.step} of epoch "
                f"{self.progress.epoch + 1}, at a learning rate of {self._rate():.2g}. Lower learning_rate or clip, or "
                f"use precision: fp32."
            )

    def _gradients(self, batch: Pieces) -> float:
        """Sum the gradients of a batch, as many symbols at once as memory takes; the batch's nats."""
        while True:
            self.optimizer.zero_grad()
            torch.manual_seed(self._seed("dropout", self.progress.step))
            try:
                return sum(self._backward(part, batch.length.sum()) for part in self._parts(batch))
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error) or self.progress.at_once <= LEAST_SYMBOLS:
                    raise
            self.progress.at_once //= 2
            self.notes.append(f"memory did not suffice: {self.progress.at_once} symbols at once from here on")

    def _parts(self, batch: Pieces) -> Iterator[Pieces]:
        return batch.batches(np.argsort(batch.length, kind="stable"), self.progress.at_once)

    def _backward(self, part: Pieces, symbols: int) -> float:
        used = self._in_use()
        loss = decoder.nats(used, self.shape, part.row(self.device), self.recipe.dropout).sum()
        (loss / symbols).backward()
        return float(loss.detach())

    def _in_use(self) -> Weights:
        dtype = DTYPES[self.recipe.precision]
        return {name: weight.to(dtype) for name, weight in self.weights.items()}

    def _end_epoch(self) -> None:
        """Validate, keep the weights if they are the best so far, write a row of the log."""
        progress = self.progress
        with torch.no_grad():
            model = TransformerModel(self._in_use(), self.shape, progress.at_once)
            text = self.lesson.validation
            cost = float(model.nats(text, np.arange(len(text))).sum() / (text.ids.size + len(text)))
        self._refuse_no_number(cost)
        progress.epoch += 1
        if cost < progress.best:
            progress.best, progress.best_epoch = cost, progress.epoch
            self.best = {name: weight.detach().clone() for name, weight in self.weights.items()}
        row = {"epoch": progress.epoch, "step": progress.step, "learning_rate": self._rate()}
        row |= {"train_nats_per_symbol": progress.nats / progress.symbols, "validation_nats_per_symbol": cost}
        progress.epochs.append(row)
        progress.batch, progress.nats, progress.symbols = 0, 0.0, 0

    def _rate(self) -> float:
        """Up in a straight line, down in a cosine."""
        recipe = self.recipe
        steps = recipe.epochs * max(1, int(self.pieces.length.sum()) // recipe.batch_symbols)
        warmup = max(1, round(recipe.warmup * steps))
        if self.progress.step < warmup:
            return recipe.learning_rate * (self.progress.step + 1) / warmup
        done = min(1, (self.progress.step - warmup) / max(1, steps - warmup))
        return recipe.learning_rate * (FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * done)) / 2)

    def _optimizer(self, known: Parts) -> torch.optim.AdamW:
        """Weight decay pulls at matrices only."""
        matrices = [weight for weight in self.weights.values() if weight.dim() > 1]
        vectors = [weight for weight in self.weights.values() if weight.dim() == 1]
        groups = [
            {"params": matrices, "weight_decay": self.recipe.weight_decay},
            {"params": vectors, "weight_decay": 0},
        ]
        optimizer = torch.optim.AdamW(groups, self.recipe.learning_rate, BETAS, fused=True)
        remember(optimizer, self.weights, known, self.progress.step)
        return optimizer

    def _seed(self, purpose: str, number: int) -> int:
        return derived(self.lesson.seed, self.lesson.language, purpose, number)

    # What survives

    def _remember(self) -> None:
        if self.lesson.memory.due():
            self.lesson.memory.save(self.state(), self.progress.epochs)

    def state(self) -> bytes:
        parts: Parts = {"weights": self.weights, "best": self.best, **moments(self.optimizer, self.weights)}
        return seal(parts, {"progress": asdict(self.progress), "notes": self.notes})

    def _restore(self) -> Parts:
        """Go on from the state in memory, if there is one and it is whole; the optimizer's moments."""
        stored = self.lesson.memory.load()
        found = unseal(stored) if stored is not None else None
        if found is None:
            self.notes += [] if stored is None else ["the checkpoint was damaged: trained from the start"]
            return {}
        parts, about = found
        self.progress, self.notes = Progress(**about["progress"]), about["notes"]
        self.weights, self.best = parts.pop("weights"), parts.pop("best", {})
        return parts
