"""Tensors and plain data as bytes that say when they are damaged: what a training leaves for its next attempt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import safetensors.torch
import torch

Parts = dict[str, dict[str, torch.Tensor]]  # such as weights, by name

MOMENTS = ("exp_avg", "exp_avg_sq")  # what AdamW keeps of each weight

_DIGEST = hashlib.sha256().digest_size
_LENGTH = 8  # bytes of safetensors that say how long its header is


def seal(parts: Mapping[str, Mapping[str, torch.Tensor]], about: Mapping[str, Any]) -> bytes:
    """All of it, with a digest in front. Names of parts have no space."""
    tensors = {
        f"{part} {name}": tensor.detach().cpu().contiguous()
        for part, found in parts.items()
        for name, tensor in found.items()
    }
    data = safetensors.torch.save(tensors, {name: json.dumps(value) for name, value in about.items()})
    return hashlib.sha256(data).digest() + data


def unseal(sealed: bytes) -> tuple[Parts, dict[str, Any]] | None:
    """What was sealed; None if it is damaged."""
    digest, data = sealed[:_DIGEST], sealed[_DIGEST:]
    if hashlib.sha256(data).digest() != digest:
        return None
    header = json.loads(data[_LENGTH : _LENGTH + int.from_bytes(data[:_LENGTH], "little")])["__metadata__"]
    parts: Parts = {}
    for key, tensor in safetensors.torch.load(data).items():
        part, _, name = key.partition(" ")
        parts.setdefault(part, {})[name] = tensor
    return parts, {name: json.loads(value) for name, value in header.items()}


def moments(optimizer: torch.optim.AdamW, weights: Mapping[str, torch.Tensor]) -> Parts:
    """What the optimizer remembers of the weights, as parts to seal."""
    return {moment: {name: optimizer.state[weight][moment] for name, weight in weights.items()} for moment in MOMENTS}


def remember(optimizer: torch.optim.AdamW, weights: Mapping[str, torch.Tensor], parts: Parts, step: int) -> None:
    """Give a new optimizer the moments that were sealed, after so many steps; none, if it begins."""
    for name, weight in weights.items() if parts else ():
        state = {moment: parts[moment][name].to(weight.device) for moment in MOMENTS}
        optimizer.state[weight] = {"step": torch.tensor(float(step), device=weight.device), **state}
