"""A vocabulary trimmed to the pieces that some texts use, and put back into the whole one afterwards.

Most of a small multilingual encoder are rows for pieces that a run never sees: 96 of the 117 million parameters of
multilingual-e5-small. The trimmed tokenizer divides those texts exactly as the whole one does, so the trimmed encoder
says exactly the same of them; it is an ordinary encoder of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import numpy as np

from langvec.errors import InputError

_AT_ONCE = 10_000  # texts
_ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def used_pieces(tokenizer: Any, texts: Iterable[str]) -> np.ndarray:
    """Ids of the pieces that the texts are made of, of all special tokens and of added ones, in order."""
    used = np.zeros(len(tokenizer), bool)
    used[[*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()]] = True
    for ids in _encoded(tokenizer, texts):
        used[ids] = True
    return np.flatnonzero(used)


def trimmed_tokenizer(tokenizer: Any, kept: np.ndarray, texts: Iterable[str]) -> Any:
    """A tokenizer of the kept pieces, numbered from 0 in their order; InputError if it divides the texts otherwise."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    raw = json.loads(tokenizer.backend_tokenizer.to_str())
    new = {int(old): place for place, old in enumerate(kept)}
    raw["model"] = _smaller_model(raw["model"], new)
    raw["added_tokens"] = [token | {"id": new[token["id"]]} for token in raw["added_tokens"] if token["id"] in new]
    raw["post_processor"] = _renumbered(raw["post_processor"], new)
    roles = {role: getattr(tokenizer, role) for role in _ROLES if getattr(tokenizer, role, None)}
    make: Any = PreTrainedTokenizerFast
    small = make(
        tokenizer_object=Tokenizer.from_str(json.dumps(raw)), model_max_length=tokenizer.model_max_length, **roles
    )
    _check_equal(tokenizer, small, kept, texts)
    return small


def trimmed(state: dict[str, Any], kept: np.ndarray, pieces: int) -> dict[str, Any]:
    """The weights of a model, of those with a row for each piece only the kept rows."""
    import torch

    rows = torch.from_numpy(kept)
    return {name: weight[rows] if weight.shape[:1] == (pieces,) else weight for name, weight in state.items()}


def merged(whole: dict[str, Any], small: dict[str, Any], kept: np.ndarray) -> dict[str, Any]:
    """The weights of the small model, its rows put back among those of the whole one."""
    import torch

    rows, found = torch.from_numpy(kept), dict[str, Any]()
    for name, weight in small.items():
        found[name] = weight
        if name in whole and whole[name].shape != weight.shape:
            found[name] = whole[name].clone()
            found[name][rows] = weight.to(found[name].dtype)
    return found


def _encoded(tokenizer: Any, texts: Iterable[str]) -> Iterator[np.ndarray]:
    """The ids of some texts at a time, end to end."""
    for some in _several(texts):
        ids = tokenizer(some, add_special_tokens=False, verbose=False)["input_ids"]
        yield np.fromiter(chain.from_iterable(ids), np.int64)


def _several(texts: Iterable[str]) -> Iterator[list[str]]:
    source = iter(texts)
    while some := list(islice(source, _AT_ONCE)):
        yield some


def _smaller_model(model: dict[str, Any], new: dict[int, int]) -> dict[str, Any]:
    """A kept piece wins where it won before, for it has fewer rivals; pieces of BPE are made of others, though."""
    if model["type"] == "Unigram":
        vocabulary = [row for old, row in enumerate(model["vocab"]) if old in new]
        return model | {"vocab": vocabulary, "unk_id": new.get(model["unk_id"])}
    if model["type"] == "WordPiece":
        return model | {"vocab": {piece: new[old] for piece, old in model["vocab"].items() if old in new}}
    raise InputError(
        f"A tokenizer of type {model['type']} cannot be trimmed. Expected Unigram or WordPiece, as XLM-R and mBERT "
        f"have them; set `trim: false`."
    )


def _renumbered(part: Any, new: dict[int, int]) -> Any:
    """A post-processor with its special tokens under their new numbers."""
    if isinstance(part, list):
        return [_renumbered(item, new) for item in part]
    if not isinstance(part, dict):
        return part
    found = {name: _renumbered(item, new) for name, item in part.items()}
    if "ids" in part:
        found["ids"] = [new[old] for old in part["ids"]]
    for name in ("sep", "cls"):  # of BERT's and RoBERTa's own: a token and its number
        if name in part:
            found[name] = [part[name][0], new[part[name][1]]]
    return found


def _check_equal(tokenizer: Any, small: Any, kept: np.ndarray, texts: Iterable[str]) -> None:
    for some in _several(texts):
        for ours, theirs in zip(_encoded(small, some), _encoded(tokenizer, some), strict=True):
            if not np.array_equal(kept[ours], theirs):
                raise InputError(
                    f"The tokenizer {tokenizer.name_or_path} divides some text otherwise when it is trimmed. Set "
                    f"`trim: false`."
                )
