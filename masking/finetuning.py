"""Fine-tuning of an encoder to tell classes of texts apart: the whole encoder learns, with a linear layer on top.

Batches are of texts of about one length. All random draws are hashes of what they are for, so that a training that was
killed goes on to the very same weights.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from masking import start
from masking.draws import Draws
from masking.encoder import batches
from masking.lasting import Lasting, Memory, Place, refuse_no_number
from masking.tuning import Tuning
from masking.used_pieces import UsedPieces

Ints = npt.NDArray[np.int64]

_SORTED_TOGETHER = 16  # batches whose texts are sorted by length before they are cut
_JUDGED_TOKENS = {"cpu": 4096, "cuda": 65536}  # in one part when nothing is learnt, padding included
_ENCODER = "encoder."


class Examples(NamedTuple):
    """Texts with numbers of their classes and of their languages."""

    texts: Sequence[str]
    labels: Ints
    languages: Ints


class Regulariser(Protocol):
    """A module with a loss of its own, which is saved, moved and trained with the model."""

    def __call__(self, task: Any, pooled: Any, languages: Any) -> Any: ...
    def predicted(self, pooled: Any) -> Any: ...


@dataclass(frozen=True)
class Lesson:
    """What is learnt, from which encoder on. `regulariser` makes one for vectors of so many dimensions."""

    start: Path
    train: Examples
    validation: Examples  # texts of the languages that are trained on
    classes: int
    seed: int
    name: str
    memory: Memory
    regulariser: Callable[[int], Any] | None = None


class Judged(NamedTuple):
    """What a fine-tuned encoder makes of some texts."""

    classes: Ints
    surest: npt.NDArray[np.float32]  # its probability
    predicted: torch.Tensor | None  # by the regulariser


@dataclass
class Progress(Place):
    """Where training is; small, and plain data."""

    epoch: int = 0  # finished ones
    batch: int = 0  # finished ones of the epoch under way
    loss: float = 0.0  # of the epoch under way, summed over texts
    best: float = -math.inf
    best_epoch: int = 0
    epochs: list[dict[str, Any]] = field(default_factory=list)


class Classifier(torch.nn.Module):
    """An encoder, a linear layer on the vector of a text, and maybe a regulariser."""

    def __init__(self, encoder: Any, classes: int, how: Tuning, regulariser: Any) -> None:
        super().__init__()
        self.encoder, self.how, self.regulariser = encoder, how, regulariser
        self.head = torch.nn.Linear(encoder.config.hidden_size, classes)
        torch.nn.init.normal_(self.head.weight, std=0.02)
        torch.nn.init.zeros_(self.head.bias)

    def pooled(self, ids: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        hidden = self.encoder(input_ids=ids, attention_mask=there.long()).last_hidden_state.float()
        if self.how.pooling == "first":
            return torch.as_tensor(hidden[:, 0])
        return torch.as_tensor((hidden * there[:, :, None]).sum(dim=1) / there.sum(dim=1, keepdim=True))

    def scores(self, pooled: torch.Tensor) -> torch.Tensor:
        dropped = functional.dropout(pooled, self.how.dropout, self.training)
        return functional.linear(dropped, self.head.weight, self.head.bias)


def finetune(how: Tuning, lesson: Lesson) -> Finetuning:
    """Train until it is finished; what was interrupted goes on."""
    training = Finetuning(how, lesson)
    while not training.finished:
        training.run_epoch()
    training.kept()
    lesson.memory.draw(training.place.epochs)
    return training


class Finetuning(Lasting[Progress]):
    """The training of one classifier, step by step; afterwards the classifier."""

    def __init__(self, how: Tuning, lesson: Lesson) -> None:
        self.how, self.lesson = how, lesson
        loaded = start.load(lesson.start)
        self.tokenizer, self.longest = loaded.tokenizer, min(how.max_tokens, loaded.longest)
        self.ids = self._ids(lesson.train.texts)
        encoder = loaded.model.base_model
        encoder.set_input_embeddings(UsedPieces(encoder.get_input_embeddings(), self._used()))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(Draws.of(lesson.seed, lesson.name, "fresh").key >> 1)
            regulariser = lesson.regulariser(loaded.model.config.hidden_size) if lesson.regulariser else None
            model = Classifier(encoder, lesson.classes, how, regulariser)
        self.class_weights = _balanced(lesson.train.labels, lesson.classes) if how.balanced else None
        super().__init__(model, Progress(), lesson.memory, how.learning_rate, how.weight_decay, self._haste)
        self.seconds, self.learnt = 0.0, 0  # of this attempt

    @property
    def finished(self) -> bool:
        place = self.place
        if place.batch:
            return False
        late = self.how.patience is not None and place.epoch - place.best_epoch >= self.how.patience
        return place.epoch == self.how.epochs or (bool(place.epoch) and late)

    def run_epoch(self) -> None:
        """What is left of the epoch under way, and its validation."""
        self.model.train()
        for batch in islice(self._batches(), self.place.batch, None):
            self._learn(batch)
            self.remember(self.place.epochs)
        self._end_epoch()
        self.remember(self.place.epochs)

    def account(self) -> dict[str, Any]:
        kept = self.place.epochs[self.place.best_epoch - 1]
        return {
            "epochs": self.place.epoch,
            "kept_epoch": self.place.best_epoch,
            "texts": len(self.ids),
            "texts_per_s": round(self.learnt / self.seconds, 1) if self.seconds else None,  # of this attempt
            "notes": self.notes,
            **{name: value for name, value in kept.items() if name != "epoch"},
        }

    def judge(self, texts: Sequence[str]) -> Judged:
        """Classes of texts, in their order."""
        ids = self._ids(texts)
        classes, surest = np.zeros(len(ids), np.int64), np.zeros(len(ids), np.float32)
        vectors: dict[int, torch.Tensor] = {}
        self.model.eval()
        with torch.inference_mode():
            for places in batches(np.array([len(one) for one in ids]), _JUDGED_TOKENS[self.device.type]):
                pooled = self._pooled([ids[number] for number in places])
                found = self.model.scores(pooled).softmax(dim=1).max(dim=1)
                classes[places], surest[places] = found.indices.cpu().numpy(), found.values.cpu().numpy()
                if self.model.regulariser is not None:
                    vectors |= zip(places.tolist(), self.model.regulariser.predicted(pooled).cpu(), strict=True)
        self.model.train()
        return Judged(classes, surest, torch.stack([vectors[place] for place in range(len(ids))]) if vectors else None)

    # One step

    def _ids(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        coded = self.tokenizer(
            [self.how.prefix + text for text in texts], truncation=True, max_length=self.longest, verbose=False
        )
        return [np.array(ids, np.int32) for ids in coded["input_ids"]]

    def _used(self) -> Ints:
        """Pieces of the training texts, and the one that fills."""
        return np.unique(np.concatenate([*self.ids, [self._padding]]).astype(np.int64))

    @property
    def _padding(self) -> int:
        return int(self.tokenizer.pad_token_id or 0)

    @property
    def _steps(self) -> int:
        """Of a whole epoch."""
        return math.ceil(len(self.ids) / self.how.batch)

    def _batches(self) -> Iterator[Ints]:
        """The texts of an epoch: at random, but those of a batch of about one length."""
        draws = Draws.of(self.lesson.seed, self.lesson.name, "order", self.place.epoch)
        random, sizes = np.random.default_rng(draws.key), np.array([len(one) for one in self.ids])
        order, found = random.permutation(len(sizes)), list[Ints]()
        for begin in range(0, len(order), self.how.batch * _SORTED_TOGETHER):
            some = order[begin : begin + self.how.batch * _SORTED_TOGETHER]
            some = some[np.argsort(sizes[some], kind="stable")]
            found += [some[place : place + self.how.batch] for place in range(0, len(some), self.how.batch)]
        yield from (found[place] for place in random.permutation(len(found)))

    def _learn(self, batch: Ints) -> None:
        place, lesson, began = self.place, self.lesson, time.perf_counter()
        share = self.how.rate(place.step, self._steps * self.how.epochs)
        torch.manual_seed(Draws.of(lesson.seed, lesson.name, place.step).key >> 1)
        pooled = self._pooled([self.ids[number] for number in batch])
        labels, languages = (
            torch.from_numpy(of[batch]).to(self.device) for of in (lesson.train.labels, lesson.train.languages)
        )
        weights = None if self.class_weights is None else self.class_weights.to(self.device)
        loss = functional.cross_entropy(self.model.scores(pooled), labels, weights)
        whole = loss if self.model.regulariser is None else self.model.regulariser(loss, pooled, languages)
        whole.backward()
        self.step(self.how.learning_rate * share, self.how.clip)
        place.loss += float(loss.detach()) * len(batch)
        refuse_no_number(place.loss, lesson.name, place.step, place.epoch + 1)
        place.step, place.batch = place.step + 1, place.batch + 1
        self.seconds, self.learnt = self.seconds + time.perf_counter() - began, self.learnt + len(batch)

    def _pooled(self, ids: Sequence[npt.NDArray[np.int32]]) -> torch.Tensor:
        sizes = np.array([len(one) for one in ids])
        filled = np.arange(sizes.max()) < sizes[:, None]
        padded = np.full(filled.shape, self._padding, np.int64)
        padded[filled] = np.concatenate(ids)
        tensors = (torch.from_numpy(one).to(self.device) for one in (padded, filled))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.how.precision == "bfloat16"):
            return torch.as_tensor(self.model.pooled(*tensors))

    def _end_epoch(self) -> None:
        place, validation = self.place, self.lesson.validation
        right = self.judge(validation.texts).classes == validation.labels
        place.epoch += 1
        accuracy = float(right.mean()) if len(right) else math.nan
        row = {"epoch": place.epoch, "train_loss": place.loss / len(self.ids), "validation_accuracy": accuracy}
        if self.how.keep == "last" or not len(right) or accuracy > place.best:
            place.best, place.best_epoch = accuracy, place.epoch
            self.keep()
        place.epochs.append(row)
        place.batch, place.loss = 0, 0.0

    def _haste(self, name: str) -> float:
        """What is fresh learns faster."""
        return 1 if name.startswith(_ENCODER) else self.how.head_learning_rate / self.how.learning_rate


def _balanced(labels: Ints, classes: int) -> torch.Tensor:
    """A weight for each class; 1 on average over the texts."""
    counts = np.bincount(labels, minlength=classes)
    return torch.tensor(len(labels) / np.maximum(counts, 1) / max(int((counts > 0).sum()), 1), dtype=torch.float32)
