"""Continual pre-training of an encoder: hidden pieces are guessed, epoch by epoch, and what was interrupted goes on.

A step takes a batch of random sentences, sorts them by length and goes through them in parts of little padding; several
processes share the parts. All random draws are hashes of what they are for, so that neither a kill nor the number of
processes changes what is learnt, up to the order of sums. Logits are computed for hidden pieces alone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from masking import group, start
from masking.collator import IGNORED, Collator, MaskCounts, Vocabulary
from masking.curriculum import Curriculum
from masking.draws import Draws
from masking.encoder import batches
from masking.lasting import Lasting, Memory, Place, refuse_no_number
from masking.masks import Masking
from masking.pretrained import Pretrained
from masking.tokens import Tokens

LOG = "log.parquet"
AT_ONCE = {"cpu": 2048, "cuda": 16384}  # tokens in one part, padding included
_HEADS = ("cls", "lm_head")  # what transformers calls a head that takes one row for each token

Judge = Callable[[Pretrained], float]  # of retrieval on the dev set


@dataclass(frozen=True)
class Lesson:
    """What is learnt, from which encoder on, and who judges it."""

    start: Path
    train: Tokens
    validation: Tokens
    seed: int
    name: str
    memory: Memory
    judge: Judge | None = None
    head_only: bool = False  # the rest stays as it is
    tell: Callable[[dict[str, Any]], None] = lambda row: None  # each process calls it with each row of the log


@dataclass
class Progress(Place):
    """Where training is."""

    epoch: int = 0  # finished ones
    batch: int = 0  # finished ones of the epoch under way
    seen: int = 0  # tokens
    nats: float = 0.0  # of the epoch under way
    masks: dict[str, Any] | None = None  # what was hidden in it
    best: float = math.inf
    best_epoch: int = 0
    epochs: list[dict[str, Any]] = field(default_factory=list)


def pretrain(how: Curriculum, masks: Masking, lesson: Lesson, folder: Path) -> dict[str, Any]:
    """Train until the curriculum says stop; the kept epoch's encoder and the log go into the folder."""
    training = Pretraining(how, masks, lesson)
    started, before = time.perf_counter(), training.progress.seen
    while not training.finished:
        training.run_epoch()
    seconds, progress = time.perf_counter() - started, training.progress
    if group.rank() == 0:
        lesson.memory.draw(progress.epochs)
        training.lasting.kept()
        start.save(training.pretrained, folder)
        pq.write_table(pa.Table.from_pylist(progress.epochs), folder / LOG)
    kept = progress.epochs[progress.best_epoch - 1]
    return {
        "epochs": progress.epoch,
        "kept_epoch": progress.best_epoch,
        "tokens": progress.seen,
        "tokens_per_s": round((progress.seen - before) / seconds),  # of this attempt; validation included
        "processes": group.size(),
        "notes": training.lasting.notes,
        **{name: value for name, value in kept.items() if name not in ("epoch", "tokens")},
    }


class Pretraining:
    """One stage of one model, step by step."""

    def __init__(self, how: Curriculum, masks: Masking, lesson: Lesson) -> None:
        self.how, self.lesson = how, lesson
        self.pretrained = start.load(lesson.start)
        self.model = self.pretrained.model
        for weight in self.model.base_model.parameters():  # the head may share the rows of its pieces with the body
            weight.requires_grad_(not lesson.head_only)
        vocabulary = Vocabulary.of(self.pretrained.tokenizer)
        counts = np.bincount(lesson.train.ids, minlength=len(self.pretrained.tokenizer))
        self.collator = Collator(vocabulary, masks, lesson.seed, counts=counts)
        self.fixed = Collator(vocabulary, masks, lesson.seed, fixed=True, counts=counts)
        self.budget = how.budget(len(lesson.train.ids))
        self.lasting = Lasting(self.model, Progress(), lesson.memory, how.learning_rate, how.weight_decay)
        self.device, self.progress = self.lasting.device, self.lasting.place

    @property
    def finished(self) -> bool:
        progress = self.progress
        if progress.batch:  # killed after its last batch, an epoch has still to be validated
            return False
        late = progress.epoch - progress.best_epoch >= self.how.patience
        return progress.epoch == self.how.epochs or progress.seen >= self.budget or late

    def run_epoch(self) -> None:
        """What is left of the epoch under way, and its validation."""
        draws = Draws.of(self.lesson.seed, self.lesson.name, "order", self.progress.epoch)
        order = np.random.default_rng(draws.key).permutation(len(self.lesson.train))
        for batch in islice(self._batches(order), self.progress.batch, None):
            if self.progress.seen >= self.budget:
                break
            self._learn(batch)
            self._remember()
        self._end_epoch()
        self._remember()

    # One step

    def _batches(self, order: np.ndarray) -> Iterator[np.ndarray]:
        """Sentences in this order, as many as fill the tokens of a batch."""
        ends = np.cumsum(np.diff(self.lesson.train.starts)[order])
        number = (ends - 1) // self.how.batch_tokens
        yield from np.split(order, np.flatnonzero(np.diff(number)) + 1)

    def _learn(self, batch: np.ndarray) -> None:
        progress, sizes = self.progress, np.diff(self.lesson.train.starts)
        tokens = int(sizes[batch].sum())
        nats, counts = 0.0, list[MaskCounts]()
        for number, part in enumerate(self._parts(self.lesson.train, batch)):
            inputs, counted = self.collator.collate([self.lesson.train[place] for place in part], progress.epoch)
            counts.append(counted)
            if number % group.size() == group.rank():
                torch.manual_seed(Draws.of(self.lesson.seed, self.lesson.name, progress.step, number).key >> 1)
                loss = self._nats(inputs)
                loss.backward()
                nats += float(loss.detach())
        whole = sum(counts[1:], counts[0])
        self._step(whole.hidden, self.how.rate(progress.seen + tokens // 2, self.budget))
        progress.nats += self._together(nats)
        self._refuse_no_number(progress.nats)
        progress.masks = asdict(whole + MaskCounts(**progress.masks) if progress.masks else whole)
        progress.seen, progress.step, progress.batch = progress.seen + tokens, progress.step + 1, progress.batch + 1

    def _parts(self, tokens: Tokens, some: np.ndarray) -> Iterator[np.ndarray]:
        sizes = np.diff(tokens.starts)[some]
        return (some[places] for places in batches(sizes, AT_ONCE[self.device.type]))

    def _nats(self, inputs: dict[str, Any]) -> Any:
        """What guessing the hidden pieces of a part costs, summed."""
        inputs = {name: tensor.to(self.device) for name, tensor in inputs.items()}
        labels = inputs.pop("labels")
        there = labels != IGNORED
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.how.precision == "bfloat16"):
            logits = hidden_logits(self.model, inputs, there)
        return torch.nn.functional.cross_entropy(logits.float(), labels[there], reduction="sum")

    def _step(self, hidden: int, rate: float) -> None:
        gradients = [weight.grad for weight in self.lasting.weights.values()]
        group.add_up(gradients)
        for gradient in gradients:
            gradient.div_(max(hidden, 1))
        self.lasting.step(rate, self.how.clip)

    def _together(self, number: float) -> float:
        tensor = torch.tensor([number], dtype=torch.float64, device=self.device)
        group.add_up([tensor])
        return float(tensor)

    def _refuse_no_number(self, loss: float) -> None:
        refuse_no_number(loss, self.lesson.name, self.progress.step, self.progress.epoch + 1)

    # The end of an epoch

    def _end_epoch(self) -> None:
        """Validate, keep the weights if they are the best so far, write a row of the log."""
        progress = self.progress
        masks = MaskCounts(**progress.masks) if progress.masks else MaskCounts(0, 0, {}, {})
        row: dict[str, Any] = {"epoch": progress.epoch + 1, "step": progress.step, "tokens": progress.seen}
        row["train_loss"] = progress.nats / max(masks.hidden, 1)
        row |= self._judged() | {"mask_rate": masks.rate}
        row |= {f"masks_on_{kind.lower()}": share for kind, share in masks.shares().items()}
        progress.epoch += 1
        cost = {"loss": row["validation_loss"], "last": -progress.epoch}.get(
            self.how.keep, -(row["dev_retrieval"] or 0.0)
        )
        if cost < progress.best or not self.lasting.best:
            progress.best, progress.best_epoch = cost, progress.epoch
            self.lasting.keep()
        progress.epochs.append(row)
        progress.batch, progress.nats, progress.masks = 0, 0.0, None
        self.lesson.tell(row)

    def _judged(self) -> dict[str, Any]:
        """Validation loss under fixed masks, and how well sentences of the dev set find their translations."""
        self.model.eval()
        tokens, nats, hidden = self.lesson.validation, 0.0, 0
        with torch.inference_mode():
            for number, places in enumerate(self._parts(tokens, np.arange(len(tokens)))):
                if number % group.size() == group.rank():
                    inputs, counted = self.fixed.collate([tokens[place] for place in places])
                    nats, hidden = nats + float(self._nats(inputs)), hidden + counted.hidden
            found = self.lesson.judge(self.pretrained) if self.lesson.judge and group.rank() == 0 else 0.0
        self.model.train()
        loss = self._together(nats) / max(self._together(hidden), 1)
        self._refuse_no_number(loss)
        retrieval = self._together(found)
        return {"validation_loss": loss, "dev_retrieval": retrieval if self.lesson.judge else None}

    def _remember(self) -> None:
        if group.rank() == 0:
            self.lasting.remember(self.progress.epochs)


def hidden_logits(model: Any, inputs: dict[str, Any], there: Any) -> Any:
    """What a masked language model says of the pieces that are `there` alone; shape (pieces, vocabulary)."""
    head = next((getattr(model, name) for name in _HEADS if hasattr(model, name)), None)
    if head is None:
        return model(**inputs).logits[there]
    return head(model.base_model(**inputs).last_hidden_state[there])
