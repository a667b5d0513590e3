"""A training that was interrupted anywhere ends as if it had not been."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from langvec import decoder, training
from langvec.alphabet import ByteAlphabet
from langvec.encoded import EncodedSplit
from langvec.errors import TrainingError
from langvec.lesson import Forgetful, Lesson
from langvec.training import Training
from langvec.transformer import TransformerRecipe

RECIPE = TransformerRecipe(
    layers=1, width=16, heads=2, context=32, batch_symbols=256, learning_rate=0.01, epochs=4, dropout=0.2
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


class Notebook:
    """A memory that keeps every state; the process is killed after `kills_at` of them."""

    def __init__(self, kills_at: int = 10**9) -> None:
        self.states: list[bytes] = []
        self.kills_at = kills_at
        self.curves: list[dict[str, Any]] = []

    def load(self) -> bytes | None:
        return self.states[-1] if self.states else None

    def due(self) -> bool:
        return True

    def save(self, state: bytes, epochs: Sequence[dict[str, Any]]) -> None:
        self.states.append(state)
        if len(self.states) == self.kills_at:
            raise KeyboardInterrupt

    def draw(self, epochs: Sequence[dict[str, Any]]) -> None:
        self.curves = list(epochs)


def text(lines: int, seed: int) -> EncodedSplit:
    draw = np.random.default_rng(seed)
    words = ["drei", "chinesen", "mit", "dem", "kontrabass", "sassen", "auf"]
    return EncodedSplit.of_lines([" ".join(draw.choice(words, 6)) for _ in range(lines)], ByteAlphabet())


def lesson(memory: Any = None, language: str = "deu_Latn", seed: int = 1) -> Lesson:
    return Lesson(text(40, 1), text(10, 2), seed, language, memory or Forgetful())


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def trained(folder: Path, what: Lesson, recipe: TransformerRecipe = RECIPE) -> dict[str, bytes]:
    folder.mkdir()
    recipe.train(what, folder)
    return files(folder)


@pytest.mark.parametrize("kills_at", [1, 4, 9, 23])
def test_killed_at_any_step_it_ends_with_the_very_files_of_an_undisturbed_training(
    kills_at: int, tmp_path: Path
) -> None:
    undisturbed = trained(tmp_path / "undisturbed", lesson())
    memory = Notebook(kills_at)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed", lesson(memory))
    assert trained(tmp_path / "resumed", lesson(memory)) == undisturbed


def test_killed_once_more_at_every_single_step_it_still_ends_the_same(tmp_path: Path) -> None:
    undisturbed = trained(tmp_path / "undisturbed", lesson())
    memory = Notebook()
    for attempt in range(1000):
        memory.kills_at = len(memory.states) + 1
        try:
            last = trained(tmp_path / str(attempt), lesson(memory))
            break
        except KeyboardInterrupt:
            continue
    assert last == undisturbed
    assert len(memory.states) > 20


@pytest.mark.parametrize(
    "damage", [lambda s: s[:-1], lambda s: s[:999] + bytes([s[999] ^ 1]) + s[1000:], lambda s: b""]
)
def test_a_damaged_checkpoint_is_noticed_and_training_begins_again_with_the_same_end(
    damage: Any, tmp_path: Path
) -> None:
    memory = Notebook(12)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed", lesson(memory))
    memory.states[-1] = damage(memory.states[-1])
    (tmp_path / "again").mkdir()
    account = RECIPE.train(lesson(memory), tmp_path / "again")
    assert account["notes"] == ["the checkpoint was damaged: trained from the start"]
    assert files(tmp_path / "again") == trained(tmp_path / "undisturbed", lesson())


def test_the_log_has_a_row_for_each_epoch_and_the_kept_weights_are_the_best_ones(tmp_path: Path) -> None:
    memory = Notebook()
    trained(tmp_path / "model", lesson(memory), RECIPE.model_copy(update={"learning_rate": 0.3, "epochs": 30}))
    log = pq.read_table(tmp_path / "model/log.parquet").to_pylist()
    assert [row["epoch"] for row in log] == list(range(1, len(log) + 1)) and memory.curves == log
    best = min(row["validation_nats_per_symbol"] for row in log)
    model = RECIPE.load(tmp_path / "model")
    held_out = text(10, 2)
    cost = model.nats(held_out, np.arange(10)).sum() / (held_out.ids.size + 10)
    assert cost == pytest.approx(best, rel=1e-6)
    assert len(log) == 30 or len(log) == log.index(next(r for r in log if r["validation_nats_per_symbol"] == best)) + 4


def test_it_learns(tmp_path: Path) -> None:
    trained(tmp_path / "model", lesson(), RECIPE.model_copy(update={"epochs": 12}))
    log = pq.read_table(tmp_path / "model/log.parquet").to_pylist()
    assert log[0]["validation_nats_per_symbol"] < math.log(257)
    assert log[-1]["validation_nats_per_symbol"] < 0.7 * log[0]["validation_nats_per_symbol"]


def test_another_seed_or_language_draws_otherwise(tmp_path: Path) -> None:
    files = [
        trained(tmp_path / str(i), what)
        for i, what in enumerate((lesson(), lesson(seed=2), lesson(language="nld_Latn")))
    ]
    assert len({found["model.safetensors"] for found in files}) == 3


def test_a_loss_that_is_no_number_stops_it_with_the_language_and_advice(tmp_path: Path) -> None:
    wild = RECIPE.model_copy(update={"learning_rate": 1e30, "clip": 1e30, "warmup": 0.0})
    with pytest.raises(TrainingError, match=r"loss of deu_Latn is no longer a number .* Lower learning_rate"):
        trained(tmp_path / "model", lesson(), wild)


def test_too_little_memory_halves_what_is_learnt_at_once_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    undisturbed = trained(tmp_path / "undisturbed", lesson())
    real = decoder.nats

    def tight(weights: Any, shape: Any, row: decoder.Row, dropout: float = 0.0) -> torch.Tensor:
        if row.symbols.numel() > 200:
            return torch.empty(1 << 50)  # what torch says when the machine has no more
        return real(weights, shape, row, dropout)

    monkeypatch.setattr(decoder, "nats", tight)
    monkeypatch.setitem(training.SYMBOLS_AT_ONCE, "cpu", 512)
    (tmp_path / "tight").mkdir()
    account = RECIPE.train(lesson(), tmp_path / "tight")
    assert account["notes"] == [f"memory did not suffice: {n} symbols at once from here on" for n in (256, 128)]
    losses = [
        pq.read_table(tmp_path / name / "log.parquet")["validation_nats_per_symbol"].to_pylist()
        for name in ("undisturbed", "tight")
    ]
    np.testing.assert_allclose(losses[1], losses[0], rtol=0.05)  # dropout falls elsewhere
    assert undisturbed.keys() == files(tmp_path / "tight").keys()


def test_a_step_equals_torch_on_the_same_batch_without_dropout() -> None:
    recipe = RECIPE.model_copy(update={"dropout": 0.0, "precision": "fp32", "batch_symbols": 10_000, "warmup": 0.0})
    mine = Training(recipe, lesson())
    theirs = {name: weight.detach().clone().requires_grad_() for name, weight in mine.weights.items()}
    mine.run_epoch()
    pieces = mine.pieces.take(np.argsort(mine.pieces.length, kind="stable"))
    decoder.nats(theirs, mine.shape, pieces.row(torch.device("cpu"))).mean().backward()
    torch.nn.utils.clip_grad_norm_(theirs.values(), recipe.clip)
    for name, weight in theirs.items():
        decay = recipe.weight_decay if weight.dim() > 1 else 0.0
        torch.optim.AdamW([weight], recipe.learning_rate, training.BETAS, weight_decay=decay).step()
        torch.testing.assert_close(mine.weights[name], weight, atol=3e-5, rtol=1e-3)
