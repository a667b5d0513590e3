"""A trimmed vocabulary says the same of the texts it was trimmed to, and goes back into the whole one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaForMaskedLM

from langvec.errors import InputError
from masking.tokenizers import learn_tokenizer
from masking.vocabulary import merged, trimmed, trimmed_tokenizer, used_pieces

SPARE = 37  # rows of a model beyond its tokenizer's pieces, as multilingual-e5-small has them
KINDS = ("unigram", "wordpiece")


@pytest.fixture(scope="module")
def english(declaration) -> list[str]:
    return [*declaration("eng")[:40], "", "  two  spaces <mask> \u00a0and\tmore ", "the the THE"]


@pytest.fixture(scope="module")
def tamil(declaration) -> list[str]:
    return declaration("tam")[:40]


@pytest.fixture(scope="module")
def whole(tokenizers, english, tamil) -> dict[str, PreTrainedTokenizerFast]:
    return {"unigram": learn_tokenizer([*english, *tamil], 600), "wordpiece": tokenizers["wordpiece"]}


@pytest.fixture(scope="module", params=KINDS)
def both(request, whole, english) -> tuple[Any, Any, np.ndarray]:
    """The whole tokenizer, the one trimmed to the English texts, and the pieces that it keeps."""
    tokenizer = whole[request.param]
    kept = used_pieces(tokenizer, english)
    return tokenizer, trimmed_tokenizer(tokenizer, kept, iter(english)), kept


def test_pieces_in_use_are_those_of_the_texts_and_the_special_ones(both, english):
    tokenizer, _, kept = both
    expected = {id for text in english for id in tokenizer(text)["input_ids"]} | set(tokenizer.all_special_ids)
    assert kept.tolist() == sorted(expected)
    assert len(kept) < len(tokenizer)


def test_a_trimmed_tokenizer_divides_its_texts_as_the_whole_one_alone_and_in_pairs(both, english):
    tokenizer, small, kept = both
    assert len(small) == len(kept)
    for given in ((english,), (english, english[::-1])):
        ours, theirs = (which(*given, truncation=True, max_length=30) for which in (small, tokenizer))
        assert [kept[ids].tolist() for ids in ours["input_ids"]] == theirs["input_ids"]
        assert ours["attention_mask"] == theirs["attention_mask"]
        assert [one.offsets for one in ours.encodings] == [one.offsets for one in theirs.encodings]
        assert [one.special_tokens_mask for one in ours.encodings] == [
            one.special_tokens_mask for one in theirs.encodings
        ]


def test_special_tokens_and_the_longest_input_stay_what_they_were(both):
    tokenizer, small, kept = both
    assert small.special_tokens_map == tokenizer.special_tokens_map
    for role in ("mask", "pad", "unk", "bos", "eos"):
        assert kept[getattr(small, f"{role}_token_id")] == getattr(tokenizer, f"{role}_token_id")
    assert small.model_max_length == tokenizer.model_max_length


def test_a_trimmed_tokenizer_survives_saving(both, english, tmp_path):
    _, small, _ = both
    small.save_pretrained(tmp_path)
    again = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    assert again(english)["input_ids"] == small(english)["input_ids"]
    assert again.mask_token_id == small.mask_token_id


@pytest.mark.parametrize("kind", KINDS)
def test_texts_of_another_language_than_it_was_trimmed_to_are_refused(kind, whole, english, tamil):
    tokenizer = whole[kind]
    kept = used_pieces(tokenizer, english)
    with pytest.raises(InputError, match=r"divides some text otherwise when it is trimmed\. Set `trim: false`"):
        trimmed_tokenizer(tokenizer, kept, [*english, *tamil])
    small = trimmed_tokenizer(tokenizer, kept, english)
    assert small.unk_token_id in small(tamil[0])["input_ids"]
    assert tokenizer.unk_token_id not in tokenizer(tamil[0])["input_ids"]


def test_bytes_of_bpe_are_refused_with_what_to_do(tokenizers, english):
    kept = used_pieces(tokenizers["bytes"], english)
    with pytest.raises(InputError, match=r"type BPE cannot be trimmed\. Expected Unigram or WordPiece.*`trim: false`"):
        trimmed_tokenizer(tokenizers["bytes"], kept, english)


@pytest.mark.parametrize("make", [(BertForMaskedLM, BertConfig), (XLMRobertaForMaskedLM, XLMRobertaConfig)])
def test_a_trimmed_model_says_the_same_to_the_last_bit_and_goes_back_into_the_whole_one(make, both, english):
    tokenizer, small_tokenizer, kept = both
    pieces = len(tokenizer) + SPARE

    def model(count: int) -> Any:
        sizes = {"vocab_size": count, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
        config = make[1](**sizes, intermediate_size=32, max_position_embeddings=70, pad_token_id=1)
        config.initializer_range = 0.2
        return make[0](config).eval()

    whole, small = model(pieces), model(len(kept))
    small.load_state_dict(trimmed(whole.state_dict(), kept, pieces))
    options = {"padding": True, "truncation": True, "max_length": 60, "return_tensors": "pt"}
    options["return_token_type_ids"] = False
    with torch.no_grad():
        expected = whole(**tokenizer(english, **options), output_hidden_states=True)
        found = small(**small_tokenizer(english, **options), output_hidden_states=True)
    for ours, theirs in zip(found.hidden_states, expected.hidden_states, strict=True):
        assert torch.equal(ours, theirs)
    torch.testing.assert_close(found.logits, expected.logits[..., torch.from_numpy(kept)], atol=1e-5, rtol=0)

    with torch.no_grad():
        for weight in small.parameters():
            weight.add_(1)
    back = merged(whole.state_dict(), small.state_dict(), kept)
    others = np.setdiff1d(np.arange(pieces), kept)
    for name, weight in whole.state_dict().items():
        if len(weight) != pieces:
            assert torch.equal(back[name], small.state_dict()[name])
            continue
        assert torch.equal(back[name][others], weight[others])
        for place, old in enumerate(kept):
            assert torch.equal(back[name][old], small.state_dict()[name][place])
    whole.load_state_dict(back)
