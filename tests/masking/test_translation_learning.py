"""A translator learns a small language, goes on where it was killed, and translates as its model says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from langvec.errors import InputError, TrainingError
from masking.draws import Draws
from masking.translation import training
from masking.translation.decoding import translate, translated
from masking.translation.judging import chrf
from masking.translation.sides import bitext, shuffled
from masking.translation.training import LOG, Training, learn
from tests.masking.small_lessons import Notebook
from tests.masking.small_translations import TRANSLATOR, course, pairs

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return folder, learn(TRANSLATOR, course(), folder)


def learnt(folder: Path, how: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return learn(TRANSLATOR.model_copy(update=how), course(**changes), folder)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def equal(one: Path, other: Path) -> bool:
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def log(folder: Path) -> list[dict[str, Any]]:
    return pq.read_table(folder / LOG).to_pylist()


class Forgetful(Notebook):
    def due(self) -> bool:
        return False


@pytest.fixture(scope="module")
def fluent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Learnt from nothing."""
    folder = tmp_path_factory.mktemp("fluent")
    how = {"width": 64, "learning_rate": 0.005, "steps": 200, "batch_tokens": 512, "every": 200, "dropout": 0.0}
    learnt(folder, how, train=pairs(2000), memory=Forgetful())
    return folder


def test_a_translator_learns_a_language_from_nothing(fluent: Path) -> None:
    unseen = [pair for pair in pairs(120, 3) if pair not in set(pairs(2000))]
    assert len(unseen) > 60
    found = translate(fluent, [source for source, _ in unseen], TRANSLATOR)
    assert chrf(found, [target for _, target in unseen]) > 95


# Interrupted


def test_killed_at_every_step_and_every_look_it_ends_with_the_same_weights_and_log(
    undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    memory = Notebook()
    for _ in range(100):
        memory.kills_at = len(memory.states) + 1
        try:
            account = learn(TRANSLATOR, course(memory), tmp_path)
            break
        except KeyboardInterrupt:
            continue
    assert len(memory.states) == TRANSLATOR.steps + 2  # and looks at dev after steps 4 and 6
    assert equal(tmp_path, undisturbed[0])
    assert log(tmp_path) == log(undisturbed[0]) == memory.drawn
    assert {**account, "tokens_per_s": 0} == {**undisturbed[1], "tokens_per_s": 0}


def test_a_damaged_checkpoint_is_told_and_training_starts_anew_with_the_same_end(
    undisturbed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    memory = Notebook(3)
    with pytest.raises(KeyboardInterrupt):
        learn(TRANSLATOR, course(memory), tmp_path)
    memory.states[-1] = memory.states[-1][:-1]
    assert learn(TRANSLATOR, course(memory), tmp_path)["notes"] == [
        "the checkpoint was damaged: trained from the start"
    ]
    assert equal(tmp_path, undisturbed[0])


def test_another_seed_ends_with_other_weights(undisturbed: tuple[Path, Any], tmp_path: Path) -> None:
    learnt(tmp_path, {}, seed=2)
    assert not equal(tmp_path, undisturbed[0])


# The loss


def test_the_loss_is_that_of_each_piece_after_those_before_it_one_at_a_time() -> None:
    made = Training(TRANSLATOR, course())
    model, some, smoothing = made.pretrained.model.eval(), np.arange(5), 0.1
    expected = 0.0
    for place in some:
        source, target = (torch.from_numpy(side.some([place])[0]).long() for side in made.train)
        read = [model.config.decoder_start_token_id]
        for piece in target.tolist():
            said = model(input_ids=source[None], decoder_input_ids=torch.tensor([read])).logits[0, -1].log_softmax(-1)
            expected -= ((1 - smoothing) * said[piece] + smoothing * said.mean()).item()
            read.append(piece)
        assert read[-1] == made.pretrained.tokenizer.eos_token_id
    assert made._nats(made.train, some, smoothing).item() == pytest.approx(expected, rel=1e-5)


def test_the_dev_loss_is_the_mean_over_pieces_of_what_transformers_says_of_each_pair() -> None:
    made = Training(TRANSLATOR, course())
    model, nats, pieces = made.pretrained.model.eval(), 0.0, 0
    with torch.no_grad():
        for place in range(len(made.dev)):
            source, target = (torch.from_numpy(side.some([place])[0]).long()[None] for side in made.dev)
            nats += float(model(input_ids=source, labels=target).loss) * target.numel()
            pieces += target.numel()
    assert made._dev_loss() == pytest.approx(nats / pieces, rel=1e-5)


def test_parts_of_a_batch_add_up_to_the_step_of_the_whole_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = {"dropout": 0.0, "steps": 3}
    learnt(tmp_path / "whole", how)
    monkeypatch.setattr(training, "AT_ONCE", {"cpu": 30, "cuda": 30})
    learnt(tmp_path / "parts", how)
    assert log(tmp_path / "parts")[-1]["dev_loss"] == pytest.approx(log(tmp_path / "whole")[-1]["dev_loss"], rel=1e-4)


def test_one_step_is_that_of_adamw_on_the_smoothed_mean_loss(tmp_path: Path) -> None:
    """One batch with torch's own optimiser, loss and clipping ends at the same weights."""
    how = TRANSLATOR.model_copy(
        update={"steps": 1, "batch_tokens": 10**6, "dropout": 0.0, "weight_decay": 0.1, "clip": 0.05, "warmup": 0.0}
    )
    learn(how, course(), tmp_path)
    made = Training(how, course())
    model = made.pretrained.model.train()
    rows = [torch.nn.utils.rnn.pad_sequence([torch.from_numpy(row).long() for row in side.some(range(60))], True, 1)
            for side in made.train]  # fmt: skip
    labels = rows[1].masked_fill(rows[1] == 1, -100)
    logits = model(input_ids=rows[0], attention_mask=(rows[0] != 1).long(), labels=labels).logits
    torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), label_smoothing=0.1).backward()
    several = [weight for weight in model.parameters() if weight.requires_grad]
    torch.nn.utils.clip_grad_norm_(several, 0.05)
    matrices, vectors = ([w for w in several if (w.dim() > 1) == matrix] for matrix in (True, False))
    kinds = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    torch.optim.AdamW(kinds, how.learning_rate / 2).step()  # the rate is that of the middle of the step
    found = weights(tmp_path)
    for name, weight in model.named_parameters():
        if name.endswith("k_proj.bias"):  # the same for all keys, it changes nothing, and its gradient is noise
            continue
        torch.testing.assert_close(found[name], weight.detach(), atol=1e-4, rtol=0)


# What stops it, and what is kept


def test_training_stops_at_the_first_limit_it_reaches(tmp_path: Path) -> None:
    epoch = int(Training(TRANSLATOR, course()).sizes.sum())
    long = {"steps": 1000, "every": 1000}
    assert learnt(tmp_path, {"steps": 3})["steps"] == 3
    assert learnt(tmp_path, {**long, "epochs": 2})["tokens"] == 2 * epoch
    assert 500 <= learnt(tmp_path, {**long, "epochs": 9, "tokens": 500})["tokens"] < 500 + 256 + 20


def test_it_stops_after_looks_without_a_better_one_and_keeps_the_best(tmp_path: Path) -> None:
    """A rate this high spoils what was learnt."""
    account = learnt(tmp_path, {"steps": 200, "every": 2, "learning_rate": 0.3, "warmup": 0.9, "patience": 3})
    losses = [row["dev_loss"] for row in log(tmp_path)]
    best = int(np.argmin(losses))
    assert len(losses) == best + 1 + 3 < 100
    assert account["kept_dev_loss"] == losses[best]
    assert account["kept_step"] == 2 * (best + 1) == account["steps"] - 6


def test_the_best_chrf_on_dev_is_kept_and_is_that_of_its_translations(tmp_path: Path) -> None:
    account = learnt(tmp_path, {"steps": 12, "every": 3, "keep": "chrf"})
    assert account["kept_dev_chrf"] == max(row["dev_chrf"] for row in log(tmp_path)) > 0
    sources, targets = zip(*course().dev, strict=True)
    assert chrf(translate(tmp_path, sources, TRANSLATOR), targets) == pytest.approx(account["kept_dev_chrf"], abs=1e-6)


def test_a_learning_rate_that_explodes_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"no longer a number after step \d+ of epoch \d+\. Lower learning_rate"):
        learnt(tmp_path, {"learning_rate": 1e30, "clip": 1e30, "warmup": 0.0})


def test_pairs_that_are_too_long_or_have_an_empty_side_are_left_out_and_counted(tmp_path: Path) -> None:
    bad = [("the " * 40, "ehto"), ("the", "ehto " * 40), ("", "ehto"), ("the", "  ")]
    account = learnt(tmp_path, {"steps": 1, "max_tokens": 32}, train=pairs(60) + bad)
    assert (account["pairs"], account["left_out"]) == (60, 4)
    with pytest.raises(InputError, match="no dev pairs for a translator: of 4 none"):
        learnt(tmp_path, {"steps": 1, "max_tokens": 32}, dev=bad)


def test_every_pair_is_learnt_once_an_epoch_in_batches_of_about_one_size_and_length() -> None:
    made = Training(TRANSLATOR, course())
    some = bitext(TRANSLATOR, made.pretrained, pairs(1000))
    sizes = some.source.sizes + some.target.sizes
    batches = shuffled(some, 256, Draws.of(1))
    assert sorted(np.concatenate(batches).tolist()) == list(range(1000))
    assert all(sizes[batch].sum() < 256 + sizes.max() for batch in batches)
    padded = sum(len(batch) * (some.source.sizes[batch].max() + some.target.sizes[batch].max()) for batch in batches)
    assert padded < 1.15 * sizes.sum()
    assert [batch.tolist() for batch in batches] != [batch.tolist() for batch in shuffled(some, 256, Draws.of(2))]


# Translations


def test_one_beam_says_the_likeliest_piece_each_time(fluent: Path) -> None:
    tokenizer, model = TRANSLATOR.load(fluent)
    model.eval()
    for source, _ in pairs(8, 4):
        ids, said = torch.tensor([tokenizer(source)["input_ids"]]), [model.config.decoder_start_token_id]
        while len(said) < 60 and (len(said) == 1 or said[-1] != tokenizer.eos_token_id):
            said.append(int(model(input_ids=ids, decoder_input_ids=torch.tensor([said])).logits[0, -1].argmax()))
        expected = tokenizer.decode(said, skip_special_tokens=True)
        assert expected
        assert translate(fluent, [source], TRANSLATOR)[0] == expected


@pytest.mark.parametrize("beams", [1, 4])
def test_translations_come_in_order_whatever_shares_their_batch(fluent: Path, beams: int) -> None:
    how = TRANSLATOR.model_copy(update={"beams": beams})
    loaded = TRANSLATOR.load(fluent)
    texts = [source for source, _ in pairs(20, 5)] + ["", " \n", "unheard 文字"]
    alone = [translated(loaded, [text], how)[0] for text in texts]
    assert translated(loaded, texts, how) == alone
    assert translated(loaded, texts[::-1] * 2, how) == alone[::-1] * 2
    assert alone[-3:-1] == ["", ""]
    assert len(set(alone)) > 10


def test_more_beams_find_translations_that_are_likelier_on_the_whole(fluent: Path) -> None:
    """Of texts twice as long as any that it has learnt from."""
    loaded = TRANSLATOR.load(fluent)
    sources = [f"{first} {second}" for (first, _), (second, _) in zip(pairs(20, 6), pairs(20, 7), strict=True)]

    def nats(source: str, text: str) -> float:
        ids, labels = (torch.tensor([loaded.tokenizer(one)["input_ids"]]) for one in (source, text))
        return float(loaded.model(input_ids=ids, labels=labels).loss) * labels.numel()

    def cost(beams: int) -> float:
        how = TRANSLATOR.model_copy(update={"beams": beams, "length_penalty": 0.0})
        return sum(map(nats, sources, translated(loaded, sources, how)))

    assert cost(6) < cost(1)
