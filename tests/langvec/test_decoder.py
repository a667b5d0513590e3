"""The lean decoder computes what GPT-2 computes, and no sentence sees another."""

from pathlib import Path

import numpy as np
import pytest
import torch

from langvec import decoder
from langvec.alphabet import ByteAlphabet, CharAlphabet
from langvec.decoder import Shape
from langvec.encoded import EncodedSplit
from langvec.neural import TransformerModel
from langvec.pieces import Pieces
from langvec.transformer import TransformerRecipe

LINES = ["Alle Menschen sind frei und gleich geboren.", "ja", "நாம் அனைவரும்", "Sie sind mit Vernunft begabt " * 4, "x"]
SHAPE = Shape(257, 2, 32, 4, 48)
CPU = torch.device("cpu")


def lively(shape: Shape = SHAPE) -> decoder.Weights:
    """Weights of a size at which mistakes show; GPT-2 starts with ones too small for that."""
    return {name: weight * 8 if weight.dim() > 1 else weight for name, weight in decoder.initial(shape, 1).items()}


def text_of(lines: list[str]) -> EncodedSplit:
    return EncodedSplit.of_lines(lines, ByteAlphabet())


def nats_of_transformers(model: torch.nn.Module, piece: list[int]) -> np.ndarray:
    with torch.no_grad():
        logits = model(torch.tensor(piece[:-1])[None]).logits[0].double()
    return -logits.log_softmax(-1)[torch.arange(len(piece) - 1), piece[1:]].numpy()


@pytest.mark.parametrize("gelu", ["none", "tanh"])
def test_transformers_loads_the_files_and_gives_every_symbol_the_same_price(gelu: str, tmp_path: Path) -> None:
    from transformers import GPT2LMHeadModel

    shape = Shape(257, 2, 32, 4, 200, gelu)  # type: ignore[arg-type]
    decoder.save(lively(shape), shape, tmp_path)
    stock = GPT2LMHeadModel.from_pretrained(tmp_path).eval()
    text = text_of(LINES)
    pieces = Pieces.cut(text, np.arange(len(text)), 200)
    pieces = pieces.take(np.argsort(pieces.length, kind="stable"))
    found = decoder.nats(lively(shape), shape, pieces.row(CPU)).numpy()
    sentences = [[256, *text[int(i)].tolist(), 256] for i in pieces.sentence]
    expected = np.concatenate([nats_of_transformers(stock, sentence) for sentence in sentences])
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert expected.std() > 0.5


def test_what_transformers_saves_loads_with_the_same_weights_and_shape(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=50, n_positions=16, n_embd=8, n_layer=1, n_head=2, bos_token_id=49, eos_token_id=49, pad_token_id=49
    )
    stock = GPT2LMHeadModel(config)
    stock.save_pretrained(tmp_path)
    weights, shape = decoder.load(tmp_path)
    assert shape == Shape(50, 1, 8, 2, 16, "tanh")
    stored = stock.state_dict()
    assert all(torch.equal(weight, stored[name]) for name, weight in weights.items())
    assert stored.keys() - weights.keys() == {"lm_head.weight"}  # tied to the embedding


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.05)])
def test_a_sentence_costs_the_same_alone_and_among_others(dtype: torch.dtype, tolerance: float) -> None:
    model = TransformerModel({name: weight.to(dtype) for name, weight in lively().items()}, SHAPE, 4096)
    together = model.nats(text_of(LINES), np.arange(len(LINES)))
    alone = [model.nats(text_of([line]), np.arange(1))[0] for line in LINES]
    np.testing.assert_allclose(together, alone, rtol=tolerance)


def test_sentences_cost_the_same_in_any_order_and_in_batches_of_any_size() -> None:
    text = text_of(LINES)
    order = np.array([3, 0, 4, 2, 1])
    whole = TransformerModel(lively(), SHAPE, 4096).nats(text, np.arange(5))
    np.testing.assert_allclose(TransformerModel(lively(), SHAPE, 4096).nats(text, order), whole[order], rtol=1e-5)
    np.testing.assert_allclose(TransformerModel(lively(), SHAPE, 1).nats(text, np.arange(5)), whole, rtol=1e-5)


def test_a_long_sentence_is_read_in_pieces_that_each_see_half_a_context() -> None:
    text = text_of([LINES[3]])
    model = TransformerModel(lively(), SHAPE, 4096)
    symbols = [256, *text[0].tolist(), 256]
    expected = 0.0
    for start in range(0, len(symbols) - 1, 24):
        window = symbols[start : start + 49]
        row = Pieces.cut(text_of(["a"]), np.arange(1), 48)  # only to have an alphabet at hand
        costs = _costs(window, row)
        expected += costs[24 if start else 0 :].sum()
        if start + 49 >= len(symbols):
            break
    assert model.nats(text, np.arange(1))[0] == pytest.approx(expected, rel=1e-5)


def _costs(window: list[int], _: Pieces) -> np.ndarray:
    symbols, targets = np.array(window[:-1]), np.array(window[1:])
    row = decoder.Row.of(symbols, targets, np.array([symbols.size]), CPU)
    return decoder.nats(lively(), SHAPE, row).numpy()


def test_unknown_characters_cost_what_the_alphabet_says_on_top() -> None:
    alphabet = CharAlphabet("abc")
    shape = Shape(alphabet.boundary + 1, 1, 8, 2, 16)
    model = TransformerModel(lively(shape), shape, 4096)
    one, other = (EncodedSplit.of_lines([line], alphabet) for line in ("aXb", "aYb"))
    assert model.nats(one, np.arange(1)) == model.nats(other, np.arange(1))
    without = model.nats(one, np.arange(1)) - one.unknown_nats(np.arange(1))
    assert one.unknown_nats(np.arange(1))[0] == pytest.approx(alphabet.unknown_nats) and without > 0


def test_too_little_memory_halves_the_batch_and_changes_no_price(monkeypatch: pytest.MonkeyPatch) -> None:
    text = text_of(LINES * 8)
    model = TransformerModel(lively(), SHAPE, 4096)
    whole = model.nats(text, np.arange(len(text)))
    real = decoder.nats

    def tight(weights: decoder.Weights, shape: Shape, row: decoder.Row) -> torch.Tensor:
        if row.symbols.numel() > 300:
            return torch.empty(1 << 50)  # what torch says when the machine has no more
        return real(weights, shape, row)

    monkeypatch.setattr(decoder, "nats", tight)
    np.testing.assert_allclose(model.nats(text, np.arange(len(text))), whole, rtol=1e-5)


def test_a_width_that_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="width 50 is not a multiple of heads 8"):
        TransformerRecipe(width=50)
