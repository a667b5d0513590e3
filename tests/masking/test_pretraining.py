"""Pre-training: what was interrupted ends as if it had not been, and losses are those of transformers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DistilBertConfig,
    DistilBertForMaskedLM,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
)

from langvec.errors import TrainingError
from masking import pretraining
from masking.collator import IGNORED, Collator, Vocabulary
from masking.masks import RareWordMasks, StretchMasks
from masking.pretrained import Pretrained
from masking.pretraining import LOG, Lesson, Pretraining, hidden_logits, pretrain
from masking.start import load
from tests.masking.small_lessons import CURRICULUM, MASKS, Notebook, begun, lesson, tokens

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return begun(tmp_path_factory.mktemp("start"))


@pytest.fixture(scope="module")
def undisturbed(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return folder, pretrain(CURRICULUM, MASKS, lesson(encoder), folder)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def log(folder: Path) -> list[dict[str, Any]]:
    return pq.read_table(folder / LOG).to_pylist()


def equal(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def trained(encoder: Path, folder: Path, how: dict[str, Any], **changes: Any) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    return pretrain(CURRICULUM.model_copy(update=how), MASKS, lesson(encoder, **changes), folder)


# Interrupted


def test_killed_once_more_at_every_single_step_it_ends_with_the_same_weights_and_log(
    encoder: Path, undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    memory = Notebook()
    for _ in range(100):
        memory.kills_at = len(memory.states) + 1
        try:
            account = pretrain(CURRICULUM, MASKS, lesson(encoder, memory), tmp_path)
            break
        except KeyboardInterrupt:
            continue
    assert len(memory.states) == log(tmp_path)[-1]["step"] + CURRICULUM.epochs > 6
    assert equal(tmp_path, undisturbed[0])
    assert log(tmp_path) == log(undisturbed[0]) == memory.drawn
    apart = ("tokens_per_s",)
    assert {name: value for name, value in account.items() if name not in apart} == {
        name: value for name, value in undisturbed[1].items() if name not in apart
    }


@pytest.mark.parametrize("kills_at", [2, 5])
def test_killed_once_within_an_epoch_or_the_next_it_ends_the_same(
    kills_at: int, encoder: Path, undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    memory = Notebook(kills_at)
    with pytest.raises(KeyboardInterrupt):
        pretrain(CURRICULUM, MASKS, lesson(encoder, memory), tmp_path)
    assert not list(tmp_path.iterdir())
    pretrain(CURRICULUM, MASKS, lesson(encoder, memory), tmp_path)
    assert equal(tmp_path, undisturbed[0]) and log(tmp_path) == log(undisturbed[0])


def test_a_finished_training_that_is_begun_again_learns_no_more(
    encoder: Path, undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    memory = Notebook()
    pretrain(CURRICULUM, MASKS, lesson(encoder, memory), tmp_path)
    states = len(memory.states)
    assert trained(encoder, tmp_path / "again", {}, memory=memory)["tokens_per_s"] == 0
    assert len(memory.states) == states
    assert equal(tmp_path / "again", undisturbed[0])


@pytest.mark.parametrize("damage", [lambda s: s[:999] + bytes([s[999] ^ 1]) + s[1000:], lambda s: b""])
def test_a_damaged_checkpoint_is_told_and_training_starts_anew_with_the_same_end(
    damage: Callable[[bytes], bytes], encoder: Path, undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    memory = Notebook(4)
    with pytest.raises(KeyboardInterrupt):
        pretrain(CURRICULUM, MASKS, lesson(encoder, memory), tmp_path)
    memory.states[-1] = damage(memory.states[-1])
    account = pretrain(CURRICULUM, MASKS, lesson(encoder, memory), tmp_path)
    assert account["notes"] == ["the checkpoint was damaged: trained from the start"]
    assert undisturbed[1]["notes"] == []
    assert equal(tmp_path, undisturbed[0]) and log(tmp_path) == log(undisturbed[0])


def test_another_seed_or_another_name_learns_in_another_order(encoder: Path, undisturbed: tuple[Path, Any], tmp_path):
    trained(encoder, tmp_path / "seed", {}, seed=2)
    trained(encoder, tmp_path / "name", {}, name="para")
    assert not equal(tmp_path / "seed", undisturbed[0])
    assert not equal(tmp_path / "name", undisturbed[0])


# The loss

SIZES: dict[str, Any] = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZES |= {"intermediate_size": 32, "max_position_embeddings": 70, "pad_token_id": 1, "initializer_range": 0.2}
DISTIL = DistilBertConfig(vocab_size=60, dim=16, n_layers=2, n_heads=2, hidden_dim=32, pad_token_id=1)


@pytest.fixture(params=["bert", "xlm-r", "distilbert"])
def masked(request: pytest.FixtureRequest) -> Any:
    """With a head that takes one row a token, by either name, and with one in several parts."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        made: dict[str, Callable[[], Any]] = {
            "bert": lambda: BertForMaskedLM(BertConfig(**SIZES)),
            "xlm-r": lambda: XLMRobertaForMaskedLM(XLMRobertaConfig(**SIZES)),
            "distilbert": lambda: DistilBertForMaskedLM(DISTIL),
        }
        return made[request.param]().eval()


@cache
def collator_of(encoder: Path) -> Collator:
    return Collator(Vocabulary.of(load(encoder).tokenizer), MASKS, 1, fixed=True)


def batch(encoder: Path, some: range = range(12)) -> dict[str, torch.Tensor]:
    text, collator = tokens(encoder, 12, 5), collator_of(encoder)
    return collator.collate([text[place] for place in some])[0]


def test_the_loss_of_hidden_pieces_is_that_of_transformers_and_so_are_its_gradients(masked: Any, encoder: Path) -> None:
    whole = batch(encoder)
    inputs, labels = {name: whole[name] for name in ("input_ids", "attention_mask")}, whole["labels"]
    there = labels != IGNORED
    expected = masked(**inputs, labels=labels).loss * there.sum()
    expected.backward()
    gradients = {name: weight.grad.clone() for name, weight in masked.named_parameters() if weight.grad is not None}
    masked.zero_grad()
    logits = hidden_logits(masked, inputs, there)
    assert logits.shape == (int(there.sum()), 60)
    found = torch.nn.functional.cross_entropy(logits, labels[there], reduction="sum")
    found.backward()
    assert found.item() == pytest.approx(expected.item(), abs=1e-4)
    assert gradients
    for name, weight in masked.named_parameters():
        if name in gradients:
            torch.testing.assert_close(weight.grad, gradients[name], atol=1e-4, rtol=1e-4)


def test_padding_does_not_change_the_loss(masked: Any, encoder: Path) -> None:
    def nats(inputs: dict[str, torch.Tensor]) -> float:
        there = inputs["labels"] != IGNORED
        given = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        logits = hidden_logits(masked, given, there)
        return torch.nn.functional.cross_entropy(logits, inputs["labels"][there], reduction="sum").item()

    alone = [nats(batch(encoder, range(place, place + 1))) for place in range(12)]
    assert nats(batch(encoder)) == pytest.approx(sum(alone), abs=1e-3)
    assert (batch(encoder)["attention_mask"] == 0).any()


def test_validation_is_the_mean_over_hidden_pieces_of_what_transformers_says(encoder: Path, tmp_path: Path) -> None:
    """After an epoch at next to no learning rate the encoder is still that of the start."""
    pretraining_of = {"epochs": 1, "learning_rate": 1e-30, "weight_decay": 0.0}
    account = trained(encoder, tmp_path, pretraining_of)
    start, text = load(encoder), tokens(encoder, 12, 2)
    collator = Collator(Vocabulary.of(start.tokenizer), MASKS, 1, fixed=True)
    inputs, _ = collator.collate([text[place] for place in range(12)])
    with torch.no_grad():
        expected = float(start.model.eval()(**inputs).loss)
    assert account["validation_loss"] == pytest.approx(expected, abs=1e-5)


def test_parts_of_a_batch_add_up_to_the_step_of_the_whole_batch(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without dropout, whose draws are those of a part."""
    still = begun_without_dropout(encoder, tmp_path / "still")
    trained(still, tmp_path / "whole", {})
    monkeypatch.setattr(pretraining, "AT_ONCE", {"cpu": 40, "cuda": 40})
    trained(still, tmp_path / "parts", {})
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert max(float((whole[name] - parts[name]).abs().max()) for name in whole) < 1e-4


def begun_without_dropout(encoder: Path, folder: Path) -> Path:
    start = load(encoder)
    start.model.config.update({"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0})
    start.model.save_pretrained(folder)
    start.tokenizer.save_pretrained(folder)
    return folder


def test_one_step_is_that_of_adamw_on_the_mean_loss_of_transformers(encoder: Path, tmp_path: Path) -> None:
    """One batch, one epoch: torch's own optimiser on `model(**batch).loss` ends at the same weights."""
    still = begun_without_dropout(encoder, tmp_path / "still")
    how = {"epochs": 1, "batch_tokens": 10**6, "warmup": 0.0, "weight_decay": 0.1, "clip": 0.05}
    trained(still, tmp_path / "ours", how)
    start, text = load(still), tokens(still, 30, 1)
    collator = Collator(Vocabulary.of(start.tokenizer), MASKS, 1)
    model = start.model.train()
    model(**collator.collate([text[place] for place in range(30)], 0)[0]).loss.backward()
    several = [weight for weight in model.parameters() if weight.grad is not None]
    torch.nn.utils.clip_grad_norm_(several, 0.05)
    matrices, vectors = ([w for w in several if (w.dim() > 1) == matrix] for matrix in (True, False))
    kinds = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    torch.optim.AdamW(kinds, CURRICULUM.learning_rate / 2).step()  # the rate is that of the middle of the step
    found = load(tmp_path / "ours").model.state_dict()
    for name, weight in model.state_dict().items():
        torch.testing.assert_close(found[name], weight, atol=1e-4, rtol=0)


# What stops it, and what is kept


def test_training_on_a_text_that_repeats_itself_lowers_the_loss(encoder: Path, tmp_path: Path) -> None:
    text = {"train": tokens(encoder, 80, 1)}
    told = list[dict[str, Any]]()
    account = trained(encoder, tmp_path, {"epochs": 5, "learning_rate": 0.02}, **text, tell=told.append)
    losses = [row["validation_loss"] for row in log(tmp_path)]
    assert account["validation_loss"] == min(losses) < 0.75 * losses[0]
    assert losses[0] < math.log(len(load(encoder).tokenizer))  # better than a guess
    assert told == log(tmp_path)
    assert log(tmp_path)[0]["mask_rate"] == pytest.approx(0.3, abs=0.03)
    assert log(tmp_path)[0]["masks_on_filler"] == 1


def test_a_head_alone_learns_while_the_body_stays_untouched(encoder: Path, tmp_path: Path) -> None:
    trained(encoder, tmp_path, {}, head_only=True)
    before, after = weights(encoder), weights(tmp_path)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith("lm_head.") for name in changed)
    assert log(tmp_path)[1]["validation_loss"] < log(tmp_path)[0]["validation_loss"]


def test_without_head_only_every_weight_learns(encoder: Path, undisturbed: tuple[Path, Any]) -> None:
    before, after = weights(encoder), weights(undisturbed[0])
    assert all(not torch.equal(before[name], after[name]) for name in before)


def test_training_stops_once_it_has_seen_its_tokens(encoder: Path, tmp_path: Path) -> None:
    every = len(tokens(encoder, 30, 1).ids)
    account = trained(encoder, tmp_path, {"epochs": 9, "tokens": every + 10})
    assert account["epochs"] == 2
    assert every + 10 <= account["tokens"] <= every + 10 + CURRICULUM.batch_tokens
    assert [row["tokens"] for row in log(tmp_path)] == [every, account["tokens"]]
    assert trained(encoder, tmp_path / "all", {"epochs": 2})["tokens"] == 2 * every


class Scripted:
    """A judge that says what is written; it remembers the weights that it saw."""

    def __init__(self, *figures: float) -> None:
        self.figures, self.seen = list(figures), list[torch.Tensor]()

    def __call__(self, pretrained: Pretrained) -> float:
        self.seen.append(pretrained.model.lm_head.bias.detach().clone())
        return self.figures[len(self.seen) - 1]


def test_retrieval_keeps_the_first_of_the_best_epochs_and_patience_ends_the_wait(encoder: Path, tmp_path: Path) -> None:
    judge = Scripted(0.1, 0.5, 0.2, 0.5, 0.9, 0.9)
    account = trained(encoder, tmp_path, {"epochs": 6, "keep": "retrieval", "patience": 2}, judge=judge)
    assert (account["kept_epoch"], account["epochs"], account["dev_retrieval"]) == (2, 4, 0.5)
    assert account["tokens"] == log(tmp_path)[-1]["tokens"]  # of all epochs, not up to the kept one
    assert [row["dev_retrieval"] for row in log(tmp_path)] == [0.1, 0.5, 0.2, 0.5]
    assert torch.equal(weights(tmp_path)["lm_head.bias"], judge.seen[1])


def test_last_keeps_the_last_epoch_whatever_the_figures_and_never_loses_patience(encoder: Path, tmp_path: Path) -> None:
    judge = Scripted(0.9, 0.1, 0.1, 0.1)
    account = trained(encoder, tmp_path, {"epochs": 4, "keep": "last", "patience": 1}, judge=judge)
    assert (account["kept_epoch"], account["epochs"], account["dev_retrieval"]) == (4, 4, 0.1)
    assert torch.equal(weights(tmp_path)["lm_head.bias"], judge.seen[3])


def test_loss_keeps_the_epoch_of_the_lowest_and_passes_over_retrieval(encoder: Path, tmp_path: Path) -> None:
    """A rate that is too high spoils later epochs."""
    judge = Scripted(*np.linspace(0.1, 0.9, 5).tolist())
    account = trained(encoder, tmp_path, {"epochs": 5, "learning_rate": 0.5, "warmup": 0.9, "clip": 100.0}, judge=judge)
    losses = [row["validation_loss"] for row in log(tmp_path)]
    best = int(np.argmin(losses))
    assert best < 4
    assert account["kept_epoch"] == best + 1
    assert torch.equal(weights(tmp_path)["lm_head.bias"], judge.seen[best])


def test_what_is_kept_survives_a_kill_after_it(encoder: Path, tmp_path: Path) -> None:
    how = {"epochs": 4, "keep": "retrieval"}
    whole, undisturbed = Scripted(0.1, 0.9, 0.3, 0.2), Notebook()
    trained(encoder, tmp_path / "whole", how, judge=whole, memory=undisturbed)
    memory = Notebook(len(undisturbed.states) * 2 // 3)
    with pytest.raises(KeyboardInterrupt):
        trained(encoder, tmp_path / "killed", how, judge=Scripted(0.1, 0.9, 0.3, 0.2), memory=memory)
    epochs = Pretraining(CURRICULUM, MASKS, lesson(encoder, memory)).progress.epoch
    assert epochs in (2, 3)
    trained(encoder, tmp_path / "killed", how, judge=Scripted(*[0.3, 0.2][epochs - 2 :]), memory=memory)
    assert equal(tmp_path / "killed", tmp_path / "whole")
    assert torch.equal(weights(tmp_path / "killed")["lm_head.bias"], whole.seen[1])


def test_a_learning_rate_that_explodes_is_told_with_what_to_do(encoder: Path, tmp_path: Path) -> None:
    memory = Notebook()
    with pytest.raises(TrainingError, match=r"loss of mono is no longer a number after step \d+ of epoch 1\. Lower"):
        trained(encoder, tmp_path, {"learning_rate": 1e30, "clip": 1e30, "warmup": 0.0}, memory=memory)


def test_different_masks_see_the_same_tokens_in_the_same_steps(encoder: Path, tmp_path: Path) -> None:
    def seen(place: int, masks: Any) -> list[tuple[int, int]]:
        folder = tmp_path / str(place)
        folder.mkdir()
        pretrain(CURRICULUM, masks, lesson(encoder), folder)
        return [(row["step"], row["tokens"]) for row in log(folder)]

    several = [seen(place, masks) for place, masks in enumerate((MASKS, StretchMasks(), RareWordMasks()))]
    assert several[0] and all(one == several[0] for one in several)


def test_every_sentence_is_learnt_once_an_epoch_in_batches_of_the_size_asked_for(encoder: Path) -> None:
    what: Lesson = lesson(encoder)
    training, sizes = Pretraining(CURRICULUM, MASKS, what), np.diff(what.train.starts)
    order = np.random.default_rng(1).permutation(len(what.train))
    batches = list(training._batches(order))
    assert np.concatenate(batches).tolist() == order.tolist()
    assert all(sizes[one].sum() < CURRICULUM.batch_tokens + sizes.max() for one in batches)
    assert all(sizes[one].sum() + sizes[other].sum() > CURRICULUM.batch_tokens for one, other in pairwise(batches))
