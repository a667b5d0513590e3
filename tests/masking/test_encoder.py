"""Sentence vectors by real if small and random encoders, against one text at a time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer

from langvec.errors import InputError
from masking.encoder import EncoderRecipe, batches


@pytest.fixture
def texts(declaration: Callable[[str], list[str]]) -> list[str]:
    """Of very different lengths, some longer than the encoder can take."""
    lines = [line for code in ("eng", "sin", "tam") for line in declaration(code)[:14]]
    return [*lines, "a", " ".join(lines)]


def one_by_one(folder: str, texts: list[str], pooling: str, layer: int, prefix: str = "") -> np.ndarray:
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    found = []
    for text in texts:
        given = tokenizer(prefix + text, return_tensors="pt", truncation=True, max_length=64)
        with torch.no_grad():
            states = model(input_ids=given["input_ids"], output_hidden_states=True).hidden_states[layer][0]
        vector = (states.mean(dim=0) if pooling == "mean" else states[0]).numpy()
        found.append(vector / np.linalg.norm(vector))
    return np.array(found)


@pytest.mark.parametrize("kind", ["bert", "xlm-r"])
@pytest.mark.parametrize("pooling", ["mean", "first"])
@pytest.mark.parametrize("layer", [None, 0, 2])
@pytest.mark.parametrize("batch_tokens", [1, 4096])
def test_vectors_equal_those_of_one_text_at_a_time_whatever_is_in_the_batch(
    encoders, texts, kind, pooling, layer, batch_tokens
):
    if layer == 0 and pooling == "first" and kind == "bert":
        texts = texts[:3]  # all the same: the embedding of the first token
    recipe = EncoderRecipe(model=encoders[kind], pooling=pooling, layer=layer, batch_tokens=batch_tokens)
    vectors = recipe.load().embed(texts)
    assert vectors.dtype == np.float32 and vectors.shape == (len(texts), 16)
    expected = one_by_one(encoders[kind], texts, pooling, 3 if layer is None else layer)
    np.testing.assert_allclose(vectors, expected, atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_vectors_are_in_the_order_of_the_texts_and_equal_texts_have_equal_ones(encoders, texts):
    encoder = EncoderRecipe(model=encoders["bert"], batch_tokens=256).load()
    there, back = encoder.embed(texts), encoder.embed([*texts[::-1], *texts])
    np.testing.assert_allclose(back[: len(texts)][::-1], there, atol=2e-6)
    np.testing.assert_array_equal(back[: len(texts)][::-1], back[len(texts) :])
    assert len(np.unique(there.round(4), axis=0)) == len(set(texts))


def test_an_empty_text_is_zeros_and_no_texts_are_no_rows(encoders):
    encoder = EncoderRecipe(model=encoders["bert"], prefix="query: ").load()
    vectors = encoder.embed(["", "one", " \t\u00a0"])
    assert vectors.any(axis=1).tolist() == [False, True, False]
    assert encoder.embed([]).shape == (0, 16)
    assert not encoder.embed([""]).any()


def test_a_text_of_which_the_tokenizer_makes_nothing_is_zeros_too(encoders, tmp_path):
    folder = copied(encoders["bert"], tmp_path)
    rules = json.loads((folder / "tokenizer.json").read_text())
    drop = {"type": "Replace", "pattern": {"String": "x"}, "content": ""}
    (folder / "tokenizer.json").write_text(json.dumps(rules | {"post_processor": None, "normalizer": drop}))
    vectors = EncoderRecipe(model=str(folder)).load().embed(["x", "right", "xx", "and more"])
    assert vectors.any(axis=1).tolist() == [False, True, False, True]


def test_the_prefix_is_part_of_what_the_encoder_reads(encoders, texts):
    vectors = EncoderRecipe(model=encoders["xlm-r"], prefix="right to ").load().embed(texts)
    expected = one_by_one(encoders["xlm-r"], texts, "mean", 3, "right to ")
    np.testing.assert_allclose(vectors, expected, atol=2e-6)


def test_what_is_beyond_max_tokens_makes_no_difference(encoders):
    encoder = EncoderRecipe(model=encoders["bert"], max_tokens=6).load()
    beginning, whole, longer = encoder.embed(["right to", "right to rest and", "right to rest and education and more"])
    np.testing.assert_allclose(whole, longer, atol=1e-6)
    assert not np.allclose(beginning, whole, atol=0.01)


def test_bfloat16_gives_nearly_the_same_vectors(encoders, texts):
    exact = EncoderRecipe(model=encoders["bert"]).load().embed(texts)
    rounded = EncoderRecipe(model=encoders["bert"], precision="bfloat16").load().embed(texts)
    assert rounded.dtype == np.float32
    assert 0.98 < (exact * rounded).sum(axis=1).min() < 1


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 120))
def test_batches_hold_every_text_once_and_no_more_tokens_than_allowed(sizes, most):
    made = list(batches(np.array(sizes, np.int64), most))
    assert sorted(np.concatenate([np.zeros(0, np.int64), *made])) == list(range(len(sizes)))
    for batch in made:
        assert len(batch) == 1 or len(batch) * max(sizes[place] for place in batch) <= most
    longest = [max(sizes[place] for place in batch) for batch in made]
    assert longest == sorted(longest, reverse=True)


def copied(folder: str, to: Path) -> Path:
    return Path(shutil.copytree(folder, to / "copy"))


def test_an_encoder_that_lacks_weights_is_refused_and_one_without_a_pooler_is_not(encoders, tmp_path):
    folder = copied(encoders["bert"], tmp_path)
    weights = load_file(folder / "model.safetensors")
    kept = {name: values for name, values in weights.items() if not name.startswith("pooler.")}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    before = EncoderRecipe(model=encoders["bert"]).load().embed(["one text"])
    np.testing.assert_array_equal(EncoderRecipe(model=str(folder)).load().embed(["one text"]), before)
    del kept["encoder.layer.1.output.dense.weight"]
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InputError, match=r"lacks 1 of the weights of a BertModel, encoder\.layer\.1"):
        EncoderRecipe(model=str(folder)).load()


def test_weights_that_are_pickled_or_damaged_are_refused_and_no_code_is_run(encoders, tmp_path):
    folder = copied(encoders["bert"], tmp_path)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(InputError, match="does not load"):
        EncoderRecipe(model=str(folder)).load()
    (folder / "model.safetensors").unlink()
    with pytest.raises(InputError, match="does not load"):
        EncoderRecipe(model=str(folder)).load()
    config = json.loads((folder / "config.json").read_text())
    own = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "evil", "auto_map": own}))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(InputError, match="does not load"):
        EncoderRecipe(model=str(folder)).load()
    assert not (tmp_path / "ran").exists()


def test_mistakes_are_said_before_anything_is_loaded(encoders, tmp_path):
    assert EncoderRecipe(model=encoders["bert"]).problems() == []
    assert "no encoder" in EncoderRecipe(model=str(tmp_path)).problems()[0]
    assert "no model" in EncoderRecipe(model="some thing").problems()[0]
    assert "Only the hub" in EncoderRecipe(model=encoders["bert"], revision="abc").problems()[0]
    with pytest.raises(InputError, match="has 3 layers"):
        EncoderRecipe(model=encoders["bert"], layer=4).load()


def test_the_identity_follows_the_bytes_of_the_model_and_a_relative_folder_becomes_absolute(
    encoders, tmp_path, monkeypatch
):
    folder = copied(encoders["bert"], tmp_path)
    monkeypatch.chdir(tmp_path)
    assert EncoderRecipe(model="./copy").model == str(folder)
    same, other = EncoderRecipe(model=encoders["bert"]).identity(), EncoderRecipe(model=encoders["xlm-r"]).identity()
    assert EncoderRecipe(model="./copy").identity() == same != other
    assert EncoderRecipe(model="owner/name", revision="c0ffee").identity()["model"] == "owner/name@c0ffee"
