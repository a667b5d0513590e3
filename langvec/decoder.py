"""The GPT-2 architecture, lean: no padding in any matrix product, parameters named as transformers names them.

Sentences of all lengths lie end to end as one row of symbols. Only attention needs them apart, and it gets them sorted
by length in a few groups. So a symbol attends to its own sentence alone, and nothing but attention sees padding.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

ACTIVATIONS: dict[Literal["none", "tanh"], str] = {"none": "gelu", "tanh": "gelu_new"}  # as transformers calls them
MOST_PADDING = 1.25  # of a group's symbols, in attention alone


@dataclass(frozen=True)
class Shape:
    """What decides the size of a decoder."""

    symbols: int  # of the alphabet, with its boundary
    layers: int
    width: int
    heads: int
    context: int
    gelu: Literal["none", "tanh"] = "none"  # "tanh" is GPT-2's own, and six times slower in bf16 on CPUs

    def to_transformers(self) -> dict[str, Any]:
        """The `config.json` with which transformers loads the weights as a GPT2LMHeadModel."""
        return {
            "architectures": ["GPT2LMHeadModel"],
            "model_type": "gpt2",
            "vocab_size": self.symbols,
            "n_positions": self.context,
            "n_embd": self.width,
            "n_layer": self.layers,
            "n_head": self.heads,
            "activation_function": ACTIVATIONS[self.gelu],
            "bos_token_id": self.symbols - 1,
            "eos_token_id": self.symbols - 1,
            "tie_word_embeddings": True,
        }

    @classmethod
    def from_transformers(cls, config: dict[str, Any]) -> Shape:
        names = ("vocab_size", "n_layer", "n_embd", "n_head", "n_positions")
        gelus = {name: gelu for gelu, name in ACTIVATIONS.items()}
        symbols, layers, width, heads, context = (int(config[name]) for name in names)
        return cls(symbols, layers, width, heads, context, gelus[config["activation_function"]])


@dataclass(frozen=True)
class Group:
    """Sentences of similar length: which symbols of the row they are, and where those go in a padded square."""

    start: int
    stop: int
    sentences: int
    longest: int
    into: Tensor | None  # None: all are equally long


@dataclass(frozen=True)
class Row:
    """Pieces of sentences end to end, longest last: symbols, their places in their piece, and what comes after each."""

    symbols: Tensor
    positions: Tensor
    targets: Tensor
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, symbols: np.ndarray, targets: np.ndarray, lengths: np.ndarray, device: torch.device) -> Row:
        """`lengths` of the pieces, ascending, say where one ends and the next begins."""
        positions = np.arange(symbols.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        arrays = (symbols, positions, targets)
        symbols_, positions_, targets_ = (torch.from_numpy(array).to(device) for array in arrays)
        return cls(symbols_, positions_, targets_, tuple(_groups(lengths, device)))


def _groups(lengths: np.ndarray, device: torch.device) -> Iterator[Group]:
    first = start = 0
    while first < lengths.size:
        sums = np.cumsum(lengths[first:])
        padded = lengths[first:] * np.arange(1, lengths.size - first + 1)
        count = max(1, int(np.flatnonzero(padded <= MOST_PADDING * sums)[-1]) + 1)
        longest, stop = int(lengths[first + count - 1]), start + int(sums[count - 1])
        into = None
        if lengths[first] < longest:
            of = lengths[first : first + count]
            inside = np.arange(stop - start) - np.repeat(np.cumsum(of) - of, of)
            into = torch.from_numpy(np.repeat(np.arange(count), of) * longest + inside).to(device)
        yield Group(start, stop, count, longest, into)
        first, start = first + count, stop


Weights = dict[str, Tensor]  # by the names that transformers gives them


def initial(shape: Shape, seed: int) -> Weights:
    """Weights as GPT-2 starts with: normal with 0.02, smaller for what is added to the residual stream."""
    draw = torch.Generator().manual_seed(seed)
    return {name: _initial(name, size, shape.layers, draw) for name, size in sizes(shape).items()}


def _initial(name: str, size: tuple[int, ...], layers: int, draw: torch.Generator) -> Tensor:
    if name.endswith("bias"):
        return torch.zeros(size)
    if len(size) == 1:
        return torch.ones(size)
    scale = (2 * layers) ** -0.5 if name.endswith("c_proj.weight") else 1.0
    return torch.empty(size).normal_(0, 0.02 * scale, generator=draw)


def sizes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """The size of every weight, in a fixed order."""
    width = shape.width
    found: dict[str, tuple[int, ...]] = {
        "transformer.wte.weight": (shape.symbols, width),
        "transformer.wpe.weight": (shape.context, width),
    }
    for i in range(shape.layers):
        block = f"transformer.h.{i}"
        products = {"attn.c_attn": (1, 3), "attn.c_proj": (1, 1), "mlp.c_fc": (1, 4), "mlp.c_proj": (4, 1)}
        for name, (from_, to) in products.items():
            found[f"{block}.{name}.weight"] = (from_ * width, to * width)
            found[f"{block}.{name}.bias"] = (to * width,)
        found |= {f"{block}.{norm}.{part}": (width,) for norm in ("ln_1", "ln_2") for part in ("weight", "bias")}
    return found | {f"transformer.ln_f.{part}": (width,) for part in ("weight", "bias")}


def nats(weights: Weights, shape: Shape, row: Row, dropout: float = 0.0) -> Tensor:
    """What each symbol of a row costs, (symbols,) in full precision; the products are in the weights' dtype."""

    def drop(stream: Tensor) -> Tensor:
        return functional.dropout(stream, dropout) if dropout else stream

    def norm(stream: Tensor, name: str) -> Tensor:
        return functional.layer_norm(stream, (shape.width,), weights[f"{name}.weight"], weights[f"{name}.bias"])

    def product(stream: Tensor, name: str) -> Tensor:
        return torch.addmm(weights[f"{name}.bias"], stream, weights[f"{name}.weight"])

    embedding = weights["transformer.wte.weight"]
    stream = drop(
        functional.embedding(row.symbols, embedding)
        + functional.embedding(row.positions, weights["transformer.wpe.weight"])
    )
    for i in range(shape.layers):
        block = f"transformer.h.{i}"
        mixed = _attention(product(norm(stream, f"{block}.ln_1"), f"{block}.attn.c_attn"), shape.heads, row.groups)
        stream = stream + drop(product(mixed, f"{block}.attn.c_proj"))
        inner = functional.gelu(product(norm(stream, f"{block}.ln_2"), f"{block}.mlp.c_fc"), approximate=shape.gelu)
        stream = stream + drop(product(inner, f"{block}.mlp.c_proj"))
    logits = norm(stream, "transformer.ln_f") @ embedding.T
    return functional.cross_entropy(logits.float(), row.targets, reduction="none")


def _attention(query_key_value: Tensor, heads: int, groups: tuple[Group, ...]) -> Tensor:
    """Causal attention inside each sentence. Padding comes last, where no real symbol looks."""
    width = query_key_value.shape[1] // 3
    return torch.cat([_of_group(query_key_value[g.start : g.stop], width, heads, g) for g in groups])


def _of_group(query_key_value: Tensor, width: int, heads: int, group: Group) -> Tensor:
    square = query_key_value
    if group.into is not None:
        square = square.new_zeros(group.sentences * group.longest, 3 * width).index_copy_(0, group.into, square)
    query, key, value = square.view(group.sentences, group.longest, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    mixed = _mix(query, key, value)
    flat = mixed.transpose(1, 2).reshape(-1, width)
    return flat if group.into is None else flat[group.into]


def _mix(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Causal scaled-dot-product attention: on CPUs as plain products, five times faster than torch's with gradients."""
    if query.device.type != "cpu":
        return functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    length = query.shape[-2]
    later = torch.full((length, length), float("-inf"), dtype=query.dtype).triu_(1)
    query, key, values = query.flatten(0, 1), key.flatten(0, 1), value.flatten(0, 1)
    scores = torch.baddbmm(later, query, key.transpose(1, 2), alpha=query.shape[-1] ** -0.5)
    return torch.bmm(scores.softmax(-1), values).view(value.shape)


def out_of_memory(error: BaseException) -> bool:
    """Whether fewer symbols at once might help: torch says it in three ways."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def save(weights: Weights, shape: Shape, folder: Path) -> None:
    """As transformers would: `GPT2LMHeadModel.from_pretrained(folder)` loads it."""
    from safetensors.torch import save_file

    save_file(
        {name: weight.contiguous() for name, weight in weights.items()}, folder / "model.safetensors", {"format": "pt"}
    )
    (folder / "config.json").write_text(json.dumps(shape.to_transformers(), indent=2))


def load(folder: Path, device: str = "cpu") -> tuple[Weights, Shape]:
    """What `save` or `GPT2LMHeadModel.save_pretrained` wrote."""
    from safetensors.torch import load_file

    shape = Shape.from_transformers(json.loads((folder / "config.json").read_text()))
    stored = load_file(folder / "model.safetensors", device=device)
    return {name: stored[name] for name in sizes(shape)}, shape
