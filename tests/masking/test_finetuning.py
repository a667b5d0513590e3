"""Fine-tuning: it learns, a kill changes nothing, and its loss is that of a model written by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from langvec.errors import TrainingError
from masking.finetuning import Examples, Finetuning, Lesson, finetune
from masking.start import ScratchStart, load, save
from masking.tuning import Tuning
from tests.masking.small_lessons import Notebook

HOW = Tuning(epochs=4, batch=8, learning_rate=5e-3, head_learning_rate=5e-3, precision="float32")
WORDS = {0: ["sun", "warm", "light"], 1: ["rain", "cold", "dark"], 2: ["tree", "leaf", "root"]}


class Pull(torch.nn.Module):
    """Pulls the vectors of language 1 up, and remembers how often it was asked."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.projection = torch.nn.Linear(width, 1)
        self.register_buffer("asked", torch.zeros(()))

    def forward(self, task: Any, pooled: Any, languages: Any) -> Any:
        self.asked += 1
        return task + ((self.predicted(pooled)[:, 0] - languages) ** 2).mean()

    def predicted(self, pooled: Any) -> Any:
        return self.projection(pooled)


def examples(count: int, seed: int, shares: Sequence[float] = (1, 1, 1)) -> Examples:
    draw = random.Random(seed)
    labels = draw.choices(range(3), shares, k=count)
    texts = [" ".join(draw.choices(WORDS[label] + ["and", "the"], k=draw.randint(3, 12))) for label in labels]
    return Examples(texts, np.array(labels), np.array([place % 2 for place in range(count)]))


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    save(ScratchStart(layers=1, width=16, heads=2, pieces=60).begin(lambda: examples(80, 1).texts, 1)[0], folder)
    return folder


def lesson(encoder: Path, memory: Notebook | None = None, **changes: Any) -> Lesson:
    parts = {"train": examples(60, 1), "validation": examples(30, 2), "classes": 3, "seed": 1, "name": "one"}
    return Lesson(encoder, memory=memory or Notebook(), **(parts | changes))


def equal(one: Finetuning, other: Finetuning) -> bool:
    first, second = one.model.state_dict(), other.model.state_dict()
    return all(torch.equal(first[name], second[name]) for name in first)


def test_it_learns_to_tell_classes_apart_and_to_predict_languages(encoder: Path) -> None:
    done = finetune(HOW, lesson(encoder, regulariser=Pull))
    unseen = examples(60, 3)
    found = done.judge(unseen.texts)
    assert (found.classes == unseen.labels).mean() > 0.95
    assert done.account()["validation_accuracy"] > 0.95
    assert found.predicted is not None
    assert found.predicted.shape == (60, 1)


def test_its_weights_are_those_of_a_loop_over_the_whole_encoder_written_by_hand(encoder: Path) -> None:
    """Also of the pieces that it leaves alone: without weight decay nothing moves them."""
    how = HOW.model_copy(update={"epochs": 1, "dropout": 0.0, "weight_decay": 0.0, "keep": "last"})
    training = Finetuning(how, lesson(encoder))
    loaded, head = load(encoder), torch.nn.Linear(16, 3)
    head.load_state_dict(training.model.head.state_dict())
    body = loaded.model.base_model.eval()
    for module in body.modules():  # the encoder's own dropout would draw otherwise
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for module in training.model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    weights = [*body.parameters(), *head.parameters()]
    optimizer = torch.optim.AdamW(weights, weight_decay=0.0)
    batches = list(training._batches())
    for step, batch in enumerate(batches):
        coded = loaded.tokenizer([lesson(encoder).train.texts[n] for n in batch], padding=True, return_tensors="pt")
        hidden, mask = body(**coded).last_hidden_state, coded["attention_mask"][:, :, None]
        scores = head((hidden * mask).sum(dim=1) / mask.sum(dim=1))
        loss = torch.nn.functional.cross_entropy(scores, torch.tensor(lesson(encoder).train.labels[batch]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, how.clip)
        for group in optimizer.param_groups:
            group["lr"] = how.learning_rate * how.rate(step, len(batches))
        optimizer.step()
    training.run_epoch()
    texts = examples(40, 9).texts
    with torch.inference_mode():
        coded = loaded.tokenizer(texts, padding=True, return_tensors="pt")
        hidden, mask = body(**coded).last_hidden_state, coded["attention_mask"][:, :, None]
        chances = head((hidden * mask).sum(dim=1) / mask.sum(dim=1)).softmax(dim=1).max(dim=1).values
    assert np.allclose(training.judge(texts).surest, chances, atol=1e-4)


def test_pieces_that_no_training_text_has_are_as_they_came(encoder: Path) -> None:
    few = examples(12, 1)
    done = finetune(HOW, lesson(encoder, train=few))
    came = load(encoder).model.base_model.get_input_embeddings().weight
    used = {id for ids in done.ids for id in ids.tolist()}
    now = done.model.encoder.eval().get_input_embeddings()
    ids = torch.arange(len(came))
    moved = {int(id) for id in ids[(now(ids) != came).any(dim=1)]}
    assert moved
    assert moved <= used


def test_killed_at_every_single_step_it_ends_with_the_same_weights(encoder: Path) -> None:
    how, memory = HOW.model_copy(update={"epochs": 2}), Notebook()
    undisturbed = finetune(how, lesson(encoder, regulariser=Pull))
    for _ in range(100):
        memory.kills_at = len(memory.states) + 1
        try:
            interrupted = finetune(how, lesson(encoder, memory, regulariser=Pull))
            break
        except KeyboardInterrupt:
            continue
    assert len(memory.states) == how.epochs * (8 + 1)  # each step of 8 texts, and each end of an epoch
    assert equal(undisturbed, interrupted)
    assert interrupted.place.epochs == undisturbed.place.epochs


def test_a_damaged_checkpoint_is_told_and_training_begins_anew(encoder: Path) -> None:
    done = finetune(HOW, lesson(encoder, Notebook(states=[b"damaged"])))
    assert done.account()["notes"] == ["the checkpoint was damaged: trained from the start"]
    assert equal(done, finetune(HOW, lesson(encoder)))


def test_a_regulariser_changes_what_the_encoder_learns(encoder: Path) -> None:
    assert not equal(finetune(HOW, lesson(encoder)), finetune(HOW, lesson(encoder, regulariser=Pull)))


def test_every_text_is_learnt_once_an_epoch_whatever_its_length(encoder: Path) -> None:
    training = Finetuning(HOW, lesson(encoder))
    batches = list(training._batches())
    assert sorted(np.concatenate(batches).tolist()) == list(range(60))
    assert all(len(batch) <= HOW.batch for batch in batches)


def test_scores_do_not_depend_on_what_else_is_in_the_batch(encoder: Path) -> None:
    training = Finetuning(HOW, lesson(encoder))
    texts = examples(40, 5).texts
    whole = training.judge(texts)
    alone = [training.judge([text]) for text in texts]
    assert [int(one.classes[0]) for one in alone] == whole.classes.tolist()
    assert np.allclose([one.surest[0] for one in alone], whole.surest, atol=1e-5)


def test_balanced_training_finds_a_rare_class_that_training_without_it_overlooks(encoder: Path) -> None:
    rare, judged = examples(120, 7, (9, 9, 1)), examples(90, 8)
    found = {}
    for balanced in (False, True):
        how = HOW.model_copy(update={"balanced": balanced, "epochs": 3, "keep": "last"})
        done = finetune(how, lesson(encoder, train=rare))
        found[balanced] = (done.judge(judged.texts).classes == 2).sum()
    assert found[True] > found[False]


def test_a_loss_that_is_no_number_is_refused_with_what_to_do(encoder: Path) -> None:
    how = HOW.model_copy(update={"learning_rate": 1e30, "clip": 1e30, "warmup": 0})
    with pytest.raises(TrainingError, match=r"no longer a number after step .* Lower learning_rate"):
        finetune(how, lesson(encoder))


def test_training_stops_after_patience_and_keeps_the_best_epoch(encoder: Path) -> None:
    how = HOW.model_copy(update={"epochs": 50, "patience": 2})
    done = finetune(how, lesson(encoder))
    accuracies = [row["validation_accuracy"] for row in done.place.epochs]
    assert done.place.epoch == done.place.best_epoch + 2 < 50
    assert accuracies[done.place.best_epoch - 1] == max(accuracies)
    right = done.judge(examples(30, 2).texts).classes == examples(30, 2).labels
    assert right.mean() == max(accuracies)
