"""A translator learns from pairs, step by step; what was interrupted goes on to the very same weights."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from langvec.errors import InputError
from masking import start
from masking.draws import Draws
from masking.encoder import batches
from masking.lasting import Lasting, Memory, Place, refuse_no_number
from masking.pretrained import quiet
from masking.translation.decoding import translated
from masking.translation.judging import chrf
from masking.translation.sides import IGNORED, Bitext, Pairs, bitext, inputs_of, shuffled

if TYPE_CHECKING:
    from masking.translation import AnyTranslator

LOG = "log.parquet"
AT_ONCE = {"cpu": 4096, "cuda": 32768}  # pieces of one side in one part, padding included
LOGITS = {"cpu": 2**25, "cuda": 2**30}  # in one part


class Course(NamedTuple):
    """What a translator learns from and is looked at by: sources and targets."""

    train: Pairs
    dev: Pairs
    seed: int
    memory: Memory


@dataclass
class Progress(Place):
    """Where training is."""

    epoch: int = 0  # finished ones
    batch: int = 0  # finished ones of the epoch under way
    seen: int = 0  # tokens
    nats: float = 0.0  # since the last look at the dev pairs
    pieces: int = 0  # of targets, since then
    best: float = math.inf
    best_row: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list)


def learn(how: AnyTranslator, course: Course, folder: Path) -> dict[str, Any]:
    """Train until the recipe says stop; the kept weights and the log go into the folder."""
    training = Training(how, course)
    started, before = time.perf_counter(), training.progress.seen
    while not training.finished:
        training.go_on()
    seconds, progress = time.perf_counter() - started, training.progress
    course.memory.draw(progress.rows)
    training.lasting.kept()
    with quiet():
        start.save(training.pretrained, folder)
    pq.write_table(pa.Table.from_pylist(progress.rows), folder / LOG)
    return {
        "steps": progress.step,
        "tokens": progress.seen,
        "tokens_per_s": round((progress.seen - before) / seconds),  # of this attempt; looks at dev included
        "parameters": sum(weight.numel() for weight in training.lasting.weights.values()),
        "pairs": len(training.train),
        "left_out": len(course.train) - len(training.train),
        "notes": training.lasting.notes,
        **{f"kept_{name}": value for name, value in progress.rows[progress.best_row].items()},
    }


class Training:
    """One translator, step by step."""

    def __init__(self, how: AnyTranslator, course: Course) -> None:
        self.how, self.course = how, course
        self.pretrained = how.begin((text for pair in course.train for text in pair), course.seed)
        self.train = self._bitext(course.train, "training")
        self.dev = self._bitext(course.dev, "dev")
        self.sizes = self.train.source.sizes + self.train.target.sizes
        self.budget = how.budget(int(self.sizes.sum()))
        self.lasting = Lasting(self.pretrained.model, Progress(), course.memory, how.learning_rate, how.weight_decay)
        self.device, self.progress = self.lasting.device, self.lasting.place
        self.order = (-1, list[np.ndarray]())  # an epoch, and its batches
        vocabulary = len(self.pretrained.tokenizer)
        self.at_once = min(AT_ONCE[self.device.type], max(1, LOGITS[self.device.type] // vocabulary))

    @property
    def finished(self) -> bool:
        progress = self.progress
        if progress.pieces:  # killed after its last step, the weights have still to be looked at
            return False
        late = len(progress.rows) - 1 - progress.best_row >= self.how.patience
        return self._done() >= 1 or (bool(progress.rows) and late)

    def go_on(self) -> None:
        """One step, or one look at the dev pairs."""
        progress = self.progress
        if progress.pieces and (progress.step % self.how.every == 0 or self._done() >= 1):
            self._look()
        else:
            self._learn(self._next())
        self.lasting.remember(progress.rows)

    def _done(self) -> float:
        return self.how.done(self.progress.step, self.progress.seen, self.budget)

    # One step

    def _next(self) -> np.ndarray:
        """The next batch; at the end of an epoch the first of the next."""
        progress = self.progress
        if self.order[0] != progress.epoch:
            draws = Draws.of(self.course.seed, "pairs", progress.epoch)
            self.order = (progress.epoch, shuffled(self.train, self.how.batch_tokens, draws))
        batch = self.order[1][progress.batch]
        progress.batch += 1
        if progress.batch == len(self.order[1]):
            progress.epoch, progress.batch = progress.epoch + 1, 0
        return batch

    def _learn(self, batch: np.ndarray) -> None:
        progress = self.progress
        nats, pieces = 0.0, int(self.train.target.sizes[batch].sum())
        for number, part in enumerate(self._parts(self.train, batch)):
            torch.manual_seed(Draws.of(self.course.seed, "dropout", progress.step, number).key >> 1)
            loss = self._nats(self.train, part, self.how.label_smoothing)
            (loss / pieces).backward()
            nats += float(loss.detach())
        tokens = int(self.sizes[batch].sum())
        middle = self.how.done(progress.step + 1 / 2, progress.seen + tokens / 2, self.budget)
        self.lasting.step(self.how.rate(middle), self.how.clip)
        progress.step, progress.seen = progress.step + 1, progress.seen + tokens
        progress.nats, progress.pieces = progress.nats + nats, progress.pieces + pieces
        self._refuse_no_number(progress.nats)

    def _parts(self, bitext: Bitext, some: np.ndarray) -> Iterator[np.ndarray]:
        """Places of pairs of about one length, the longer side of which fits."""
        longer = np.maximum(bitext.source.sizes, bitext.target.sizes)[some]
        return (some[places] for places in batches(longer, self.at_once))

    def _nats(self, bitext: Bitext, part: np.ndarray, smoothing: float) -> Any:
        """What the targets cost, summed over their pieces."""
        inputs, labels = inputs_of(self.pretrained, bitext, part)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.how.precision == "bfloat16"):
            logits = self.pretrained.model(**inputs).logits
        there = labels != IGNORED
        return torch.nn.functional.cross_entropy(
            logits[there].float(), labels[there], reduction="sum", label_smoothing=smoothing
        )

    def _refuse_no_number(self, loss: float) -> None:
        refuse_no_number(loss, "the translator", self.progress.step, self.progress.epoch + 1)

    # A look at the dev pairs

    def _look(self) -> None:
        """Keep the weights if they are the best so far, and write a row of the log."""
        progress = self.progress
        row: dict[str, Any] = {"step": progress.step, "epoch": progress.epoch, "tokens": progress.seen}
        row |= {"train_loss": progress.nats / progress.pieces, "dev_loss": self._dev_loss(), "dev_chrf": None}
        if self.how.keep == "chrf":
            sources, targets = zip(*self.course.dev, strict=True)
            row["dev_chrf"] = chrf(translated(self.pretrained, sources, self.how), targets)
        cost = {"loss": row["dev_loss"], "last": -progress.step}.get(self.how.keep, -(row["dev_chrf"] or 0.0))
        if cost < progress.best or not self.lasting.best:
            progress.best, progress.best_row = cost, len(progress.rows)
            self.lasting.keep()
        progress.rows.append(row)
        progress.nats, progress.pieces = 0.0, 0

    def _dev_loss(self) -> float:
        self.pretrained.model.eval()
        with torch.inference_mode():
            parts = self._parts(self.dev, np.arange(len(self.dev)))
            nats = sum(float(self._nats(self.dev, part, 0)) for part in parts)
        self.pretrained.model.train()
        loss = nats / len(self.dev.target.ids)
        self._refuse_no_number(loss)
        return loss

    def _bitext(self, pairs: Pairs, which: str) -> Bitext:
        found = bitext(self.how, self.pretrained, pairs)
        if not len(found):
            raise InputError(
                f"There are no {which} pairs for a translator: of {len(pairs)} none has text on both sides of at most "
                f"{self.how.max_tokens} tokens. Expected at least one; give more pairs, or raise max_tokens."
            )
        return found
