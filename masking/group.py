"""The processes that train one model together: each does its share, and all know the sum.

Where torch's process group has not been set up, there is one process and nothing to exchange.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def rank() -> int:
    return _group().get_rank() if _together() else 0


def size() -> int:
    return _group().get_world_size() if _together() else 1


def add_up(tensors: Iterable[Any]) -> None:
    """Replace each tensor by its sum over all processes, all in one exchange."""
    import torch

    several = list(tensors)
    if not _together() or not several:
        return
    whole = torch.cat([tensor.reshape(-1) for tensor in several])
    _group().all_reduce(whole)
    start = 0
    for tensor in several:
        tensor.copy_(whole[start : start + tensor.numel()].reshape(tensor.shape))
        start += tensor.numel()


def _together() -> bool:
    return bool(_group().is_available() and _group().is_initialized())


def _group() -> Any:
    import torch.distributed

    return torch.distributed
