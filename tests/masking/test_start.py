"""Where pre-training starts: an encoder of others, whole, cut or trimmed, or one that knows nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
)

from langvec.errors import InputError
from masking.pretrained import Pretrained
from masking.start import PretrainedStart, ScratchStart, load, save

HEAD = "cls.predictions.transform.dense.weight"
SIZES: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
SIZES |= {"max_position_embeddings": 66, "initializer_range": 0.2}


@pytest.fixture(scope="module")
def english(declaration) -> list[str]:
    return declaration("eng")[:20]


@pytest.fixture(scope="module")
def tamil(declaration) -> list[str]:
    return declaration("tam")[:10]


@pytest.fixture(scope="module")
def headless(encoders) -> str:
    """A BertModel that comes without a head."""
    return encoders["bert"]


@pytest.fixture(scope="module")
def headed(tokenizers, tmp_path_factory) -> str:
    """An XLM-R that comes with one."""
    folder = tmp_path_factory.mktemp("headed")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        model = XLMRobertaForMaskedLM(
            XLMRobertaConfig(**SIZES, vocab_size=len(tokenizers["unigram"]) + 5, pad_token_id=1)
        )
    torch.nn.init.normal_(model.lm_head.bias)
    save(Pretrained(tokenizers["unigram"], model), folder)
    return str(folder)


def begun(model: str, texts: list[str], seed: int = 1, **options: Any) -> tuple[Pretrained, bool]:
    return PretrainedStart(model=model, **options).begin(lambda: texts, seed)


def states(which: Any, tokenizer: Any, texts: list[str]) -> tuple[torch.Tensor, ...]:
    given = tokenizer(texts, padding=True, truncation=True, max_length=60, return_tensors="pt")
    ids, seen = given["input_ids"], given["attention_mask"]
    with torch.no_grad():
        return tuple(which.eval()(input_ids=ids, attention_mask=seen, output_hidden_states=True).hidden_states)


def logits(which: Pretrained, texts: list[str]) -> torch.Tensor:
    given = which.tokenizer(texts, padding=True, truncation=True, max_length=60, return_tensors="pt")
    with torch.no_grad():
        return which.model.eval()(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).logits


def same(one: Any, other: Any) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_head_is_fresh_where_the_encoder_comes_without_one(headless, headed, english):
    assert [begun(model, english, trim=trim)[1] for model in (headless, headed) for trim in (True, False)] == [
        True,
        True,
        False,
        False,
    ]


def test_an_encoder_begins_as_it_came_whole_or_trimmed(headless, headed, english):
    for model in (headless, headed):
        expected = states(AutoModel.from_pretrained(model), AutoTokenizer.from_pretrained(model), english)
        for trim in (True, False):
            found = begun(model, english, trim=trim)[0]
            ours = states(found.model.base_model, found.tokenizer, english)
            assert all(torch.equal(one, other) for one, other in zip(ours, expected, strict=True))
            assert found.model.config.vocab_size == len(found.tokenizer) or not trim


@pytest.mark.parametrize("trim", [True, False])
def test_the_first_layers_say_what_those_of_the_whole_encoder_say(trim, headed, english):
    expected = states(AutoModel.from_pretrained(headed), AutoTokenizer.from_pretrained(headed), english)
    found, fresh = begun(headed, english, layers=2, trim=trim)
    assert not fresh
    assert found.model.config.num_hidden_layers == 2
    ours = states(found.model.base_model, found.tokenizer, english)
    assert len(ours) == 3
    assert all(torch.equal(one, other) for one, other in zip(ours, expected[:3], strict=True))


def test_more_layers_than_there_are_are_refused(headed, english):
    assert begun(headed, english, layers=3)[0].model.config.num_hidden_layers == 3
    with pytest.raises(InputError, match=r"has 3 layers\. Expected `layers` up to that, found 4"):
        begun(headed, english, layers=4)
    with pytest.raises(ValidationError, match="layers"):
        PretrainedStart(model=headed, layers=0)


def test_a_fresh_head_is_that_of_its_seed_and_torch_draws_on_as_if_nothing_had_been(headless, english):
    torch.manual_seed(9)
    before = torch.get_rng_state()
    first = begun(headless, english)[0].model
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    again, other = begun(headless, english)[0].model, begun(headless, english, seed=2)[0].model
    assert same(first, again)
    assert not torch.equal(first.state_dict()[HEAD], other.state_dict()[HEAD])
    assert same(first.base_model, other.base_model)


@pytest.mark.parametrize("trim", [True, False])
def test_what_was_saved_loads_as_transformers_loads_it_with_its_head(trim, headless, english, tmp_path):
    found = begun(headless, english, trim=trim)[0]
    save(found, tmp_path)
    expected = logits(found, english)
    theirs = Pretrained(AutoTokenizer.from_pretrained(tmp_path), AutoModelForMaskedLM.from_pretrained(tmp_path))
    assert torch.equal(logits(theirs, english), expected)
    assert torch.equal(logits(load(tmp_path), english), expected)
    assert load(tmp_path).tokenizer.mask_token_id == found.tokenizer.mask_token_id


@pytest.mark.parametrize(("kind", "layers"), [("headless", None), ("headed", 2)])
def test_a_finished_encoder_has_its_whole_vocabulary_again_what_was_trimmed_as_it_came(
    kind, layers, headless, headed, english, tamil, tmp_path
):
    start = PretrainedStart(model={"headless": headless, "headed": headed}[kind], layers=layers)
    whole = start.model_copy(update={"trim": False}).begin(lambda: english, 1)[0]
    small = start.begin(lambda: english, 1)[0]
    save(small, tmp_path)
    untrained = start.finish(load(tmp_path), 1)
    assert same(untrained.model, whole.model)
    assert untrained.tokenizer.get_vocab() == whole.tokenizer.get_vocab()

    with torch.no_grad():
        for weight in small.model.parameters():
            weight.mul_(1.1)
    finished = start.finish(small, 1)
    theirs, ours = (states(one.model.base_model, one.tokenizer, english) for one in (small, finished))
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))
    unseen = set(whole.tokenizer(tamil, add_special_tokens=False)["input_ids"][0]) - set(
        whole.tokenizer(" ".join(english))["input_ids"]
    )
    rows = torch.tensor(sorted(unseen))
    assert len(rows)
    embeddings = [one.model.get_input_embeddings().weight for one in (finished, whole)]
    assert torch.equal(embeddings[0][rows], embeddings[1][rows])


def test_an_encoder_that_was_not_trimmed_is_finished_as_it_is(headed, english):
    start = PretrainedStart(model=headed, trim=False)
    found = start.begin(lambda: english, 1)[0]
    assert start.finish(found, 1) is found


def test_padding_that_stands_behind_the_pieces_is_refused_when_they_are_trimmed(tmp_path):
    """XLM-R counts positions from the number of its padding token."""
    special = {"unk_token": "<unk>", "pad_token": "<pad>", "mask_token": "<mask>"}
    pieces = {piece: id for id, piece in enumerate([*(f"w{number}" for number in range(50)), *special.values()])}
    raw = Tokenizer(models.WordPiece(pieces, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    with torch.random.fork_rng(devices=[]):
        model = XLMRobertaForMaskedLM(XLMRobertaConfig(**SIZES, vocab_size=53, pad_token_id=51))
    save(Pretrained(PreTrainedTokenizerFast(tokenizer_object=raw, **special), model), tmp_path)
    with pytest.raises(InputError, match=r"padding token of .* is number 51 .* set `trim: false`"):
        begun(str(tmp_path), ["w1 w40 w7"])
    whole, _ = begun(str(tmp_path), ["w1 w40 w7"], trim=False)
    assert whole.model.config.pad_token_id == whole.tokenizer.pad_token_id == 51


# From nothing

SCRATCH = ScratchStart(kind="scratch", layers=2, width=24, heads=3, pieces=300)


def test_an_encoder_from_nothing_has_the_shape_asked_for_and_needs_no_head_first(english, tmp_path):
    found, fresh = SCRATCH.begin(lambda: english, 1)
    config = found.model.config
    assert not fresh
    assert (config.num_hidden_layers, config.hidden_size, config.num_attention_heads) == (2, 24, 3)
    assert config.vocab_size == len(found.tokenizer) <= 300
    assert found.longest == 512
    assert SCRATCH.finish(found, 1) is found
    save(found, tmp_path)
    assert torch.equal(logits(load(tmp_path), english), logits(found, english))
    assert load(tmp_path).longest == 512
    long = load(tmp_path).tokenizer(" ".join(english * 20), truncation=True, return_tensors="pt")
    assert long["input_ids"].shape == (1, 512)
    assert found.model(**{name: long[name] for name in ("input_ids", "attention_mask")}).logits.shape[1] == 512


def test_the_same_seed_makes_the_same_encoder_and_another_seed_another(english):
    before = torch.get_rng_state()
    first, again, other = (SCRATCH.begin(lambda: english, seed)[0].model for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert same(first, again)
    assert not same(first, other)


def test_a_tokenizer_that_is_given_is_used_as_it_is(headed, english):
    start = SCRATCH.model_copy(update={"tokenizer": headed})
    found = start.begin(lambda: english, 1)[0]
    assert found.tokenizer.get_vocab() == AutoTokenizer.from_pretrained(headed).get_vocab()
    assert found.model.config.vocab_size == len(found.tokenizer)


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValidationError, match="width of 24 cannot be shared by 5 heads"):
        ScratchStart(kind="scratch", width=24, heads=5)


def test_the_identity_of_an_encoder_follows_its_bytes(headless, headed):
    one, other = PretrainedStart(model=headless), PretrainedStart(model=headed)
    assert one.identity() == PretrainedStart(model=headless, layers=2).identity() != other.identity()
    assert one.problems() == SCRATCH.problems() == []
    assert "no encoder" in PretrainedStart(model=str(Path(headed) / "nowhere")).problems()[0]
    assert set(SCRATCH.identity()) == {"transformers", "tokenizers"}
