"""Batches as models take them."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast

from langvec.errors import InputError
from masking.alignment import Tagged, encode
from masking.collator import IGNORED, Collator, Vocabulary, counted
from masking.draws import Draws
from masking.masks import LemMasks, TokenMasks
from masking.tagging.base import Span
from masking.tagging.words import words
from masking.tokens import NONE, Tokens


@pytest.fixture(scope="module")
def tokenizer(tokenizers) -> PreTrainedTokenizerFast:
    return tokenizers["unigram"]


@pytest.fixture(scope="module")
def tokens(tokenizer, declaration) -> Tokens:
    """Sinhala, every third word a noun and every seventh a name."""
    lines = declaration("sin")
    tagged = [
        Tagged(
            line,
            [
                Span(w.start, w.end, "NE" if i % 7 == 0 else "NOUN", "x")
                for i, w in enumerate(words(line))
                if i % 7 == 0 or i % 3 == 0
            ],
        )
        for line in lines
    ]
    return encode(tokenizer, tagged, 64)


def samples(tokens: Tokens) -> list:
    return [tokens[place] for place in range(len(tokens))]


def test_a_batch_is_padded_and_labelled_where_tokens_are_hidden(tokens: Tokens, tokenizer) -> None:
    batch, counts = Collator(Vocabulary.of(tokenizer), LemMasks(), 1).collate(samples(tokens))
    longest = max(len(sample["ids"]) for sample in samples(tokens))
    assert {name: tuple(tensor.shape) for name, tensor in batch.items()} == dict.fromkeys(
        ("input_ids", "labels", "attention_mask"), (len(tokens), longest)
    )
    for row, sample in enumerate(samples(tokens)):
        size = len(sample["ids"])
        ids, labels = batch["input_ids"][row].numpy(), batch["labels"][row].numpy()
        assert batch["attention_mask"][row].tolist() == [1] * size + [0] * (longest - size)
        assert (ids[size:] == tokenizer.pad_token_id).all()
        assert (labels[size:] == IGNORED).all()
        shown = labels[:size] == IGNORED
        assert (ids[:size][shown] == sample["ids"][shown]).all()
        assert (labels[:size][~shown] == sample["ids"][~shown]).all()
    assert counts.hidden == int((batch["labels"] != IGNORED).sum())


def test_hidden_tokens_are_masked_replaced_and_kept_eight_to_one_to_one(tokens: Tokens, tokenizer) -> None:
    collator = Collator(Vocabulary.of(tokenizer), TokenMasks(rate=0.5), 1)
    masked = kept = hidden = 0
    for epoch in range(20):
        batch, counts = collator.collate(samples(tokens), epoch)
        at = batch["labels"] != IGNORED
        masked += int((batch["input_ids"][at] == tokenizer.mask_token_id).sum())
        kept += int((batch["input_ids"][at] == batch["labels"][at]).sum())
        assert not set(batch["input_ids"][at].tolist()) & (
            set(tokenizer.all_special_ids) - {tokenizer.mask_token_id, tokenizer.unk_token_id}
        )
        hidden += counts.hidden
    assert masked / hidden == pytest.approx(0.8, abs=0.01)
    assert kept / hidden == pytest.approx(0.1, abs=0.01)


def test_counts_say_where_the_masks_fell(tokens: Tokens, tokenizer) -> None:
    collator = Collator(Vocabulary.of(tokenizer), LemMasks(kinds=("NE",)), 1)
    half = len(tokens) // 2
    parts = [collator.collate(part)[1] for part in (samples(tokens)[:half], samples(tokens)[half:])]
    whole = collator.collate(samples(tokens))[1]
    assert parts[0] + parts[1] == whole
    assert sum(whole.shares().values()) == pytest.approx(1)
    assert whole.shares()["NE"] > 0.5
    assert whole.rate == pytest.approx(0.15, abs=0.01)
    assert whole.of_kind["NOUN"] > whole.of_kind["NE"] > whole.of_kind["VERB"] == 0
    assert whole.tokens == int((tokens.words != NONE).sum())


def test_a_token_that_is_name_and_noun_counts_once() -> None:
    part = {"ids": np.array([5]), "words": np.array([0]), "kinds": np.array([3]), "names": np.array([0]), "sample": 0}
    counts = counted(Tokens.of([part]), np.array([True]))
    assert counts.hidden_of_kind == {"NE": 1, "VERB": 0, "NOUN": 0, "SALIENT": 0}


def test_validation_masks_stay_and_training_masks_change(tokens: Tokens, tokenizer) -> None:
    fixed = Collator(Vocabulary.of(tokenizer), LemMasks(), 1, fixed=True)
    moving = Collator(Vocabulary.of(tokenizer), LemMasks(), 1)
    assert torch.equal(fixed(samples(tokens))["labels"], fixed(samples(tokens))["labels"])
    assert not torch.equal(moving(samples(tokens))["labels"], moving(samples(tokens))["labels"])


def test_a_data_loader_with_workers_repeats_under_the_same_seed(tokens: Tokens, tokenizer) -> None:
    def labels(seed: int) -> list:
        torch.manual_seed(seed)
        collator = Collator(Vocabulary.of(tokenizer), LemMasks(), 1)
        loader = DataLoader(tokens, batch_size=16, collate_fn=collator, num_workers=2)
        return [batch["labels"].tolist() for batch in loader]

    first = labels(1)
    assert first == labels(1)
    assert first != labels(2)


def test_a_stock_model_learns_from_the_batches(tokens: Tokens, tokenizer) -> None:
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    model, collator = BertForMaskedLM(config), Collator(Vocabulary.of(tokenizer), LemMasks(), 1, fixed=True)
    optimiser = torch.optim.AdamW(model.parameters(), 1e-2)
    losses = []
    for _ in range(8):
        loss = model(**collator(samples(tokens))).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        losses.append(float(loss))
    assert losses[-1] < 0.8 * losses[0]


def test_a_tokenizer_without_a_mask_is_refused(tokenizer) -> None:
    plain = PreTrainedTokenizerFast(tokenizer_object=tokenizer.backend_tokenizer, pad_token="<pad>")
    with pytest.raises(InputError, match="no mask or padding token"):
        Vocabulary.of(plain)


def test_draws_are_even_and_neighbours_unrelated() -> None:
    samples, places = np.repeat(np.arange(300), 300), np.tile(np.arange(300), 300)
    numbers = Draws.of("x").uniform(0, samples, places)
    assert np.histogram(numbers, 10, (0, 1))[0] / len(numbers) == pytest.approx(0.1, abs=0.005)
    others = [Draws.of("x").uniform(1, samples, places), Draws.of("y").uniform(0, samples, places), np.roll(numbers, 1)]
    others.append(Draws.of("x").uniform(0, samples + 1, places))
    assert all(abs(np.corrcoef(numbers, other)[0, 1]) < 0.02 for other in others)
