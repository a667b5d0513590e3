"""Batches for masked language modelling: tokens hidden, padded and counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from langvec.errors import InputError
from masking.draws import Draws
from masking.masks import Masking, choose_masks
from masking.tagging.kinds import Kind
from masking.tokens import BITS, NONE, Sample, Tokens

IGNORED = -100  # the label of a token that torch's cross-entropy passes over
_FATE, _RANDOM = 8, 9  # streams of draws
MASKED_SHARE, RANDOM_SHARE = 0.8, 0.1  # of the hidden tokens; the rest stays as it is (BERT)
KINDS_BY_RANK: tuple[Kind, ...] = ("NE", "VERB", "NOUN", "SALIENT")  # as what a token counts that is several


@dataclass(frozen=True)
class MaskCounts:
    """What was hidden in a batch, and what there was to hide."""

    tokens: int  # without special tokens
    hidden: int
    of_kind: dict[Kind, int]  # tokens that are tagged so
    hidden_of_kind: dict[Kind, int]

    @property
    def rate(self) -> float:
        return self.hidden / max(self.tokens, 1)

    def shares(self) -> dict[str, float]:
        """Of the hidden tokens, the share on each kind of entity, and on other words."""
        shares: dict[str, float] = {kind: count / max(self.hidden, 1) for kind, count in self.hidden_of_kind.items()}
        return shares | {"filler": 1 - sum(shares.values()) if self.hidden else 0.0}

    def __add__(self, other: MaskCounts) -> MaskCounts:
        return MaskCounts(*(_sum(getattr(self, part.name), getattr(other, part.name)) for part in fields(self)))


def _sum(one: Any, other: Any) -> Any:
    return {name: one[name] + other[name] for name in one} if isinstance(one, dict) else one + other


@dataclass(frozen=True)
class Vocabulary:
    """What the collator has to know of a tokenizer."""

    mask: int
    pad: int
    ordinary: np.ndarray  # ids that may stand for a token at random

    @classmethod
    def of(cls, tokenizer: Any) -> Vocabulary:
        if tokenizer.mask_token_id is None or tokenizer.pad_token_id is None:
            raise InputError(
                f"The tokenizer {tokenizer.name_or_path} has no mask or padding token. Expected that of a masked "
                f"language model, such as xlm-roberta-base."
            )
        every = np.arange(len(tokenizer), dtype=np.int32)
        return cls(tokenizer.mask_token_id, tokenizer.pad_token_id, np.setdiff1d(every, tokenizer.all_special_ids))


class Collator:
    """Samples in, tensors out: `input_ids`, `attention_mask` and `labels`.

    `fixed` gives a sample the same masks every time, which is what a validation loss needs. Otherwise masks are drawn
    anew, from torch's seed, when a data loader calls it; `collate` takes the draws from its caller.
    """

    def __init__(
        self, vocabulary: Vocabulary, how: Masking, seed: int, fixed: bool = False, counts: np.ndarray | None = None
    ) -> None:
        self.vocabulary, self.how, self.seed, self.fixed, self.counts = vocabulary, how, seed, fixed, counts
        self._calls = 0

    def __call__(self, samples: Sequence[Sample]) -> dict[str, Any]:
        import torch

        self._calls += 1
        moment = () if self.fixed else (torch.initial_seed(), self._calls)  # the seed differs by worker and epoch
        return self.collate(samples, *moment)[0]

    def collate(self, samples: Sequence[Sample], *moment: int) -> tuple[dict[str, Any], MaskCounts]:
        """A batch and its counts; the same samples at the same moment, such as an epoch, get the same masks."""
        tokens, draws = Tokens.of(samples), Draws.of(self.seed, *moment)
        hidden = choose_masks(tokens, self.how, draws, self.counts)
        return self._padded(tokens, self._corrupted(tokens, hidden, draws), hidden), counted(tokens, hidden)

    def _corrupted(self, tokens: Tokens, hidden: np.ndarray, draws: Draws) -> np.ndarray:
        """The ids with hidden tokens masked, replaced, or left as they are."""
        places, ids = np.flatnonzero(hidden), tokens.ids.copy()
        samples, in_sample = tokens.samples[tokens.rows[places]], tokens.places[places]
        fate = draws.uniform(_FATE, samples, in_sample)
        anything = draws.uniform(_RANDOM, samples, in_sample) * len(self.vocabulary.ordinary)
        replaced = np.where(
            fate < MASKED_SHARE + RANDOM_SHARE, self.vocabulary.ordinary[anything.astype(np.int64)], ids[places]
        )
        ids[places] = np.where(fate < MASKED_SHARE, self.vocabulary.mask, replaced)
        return ids

    def _padded(self, tokens: Tokens, ids: np.ndarray, hidden: np.ndarray) -> dict[str, Any]:
        import torch

        shape = len(tokens), int(np.diff(tokens.starts).max(initial=0))
        present = np.arange(shape[1]) < np.diff(tokens.starts)[:, None]
        arrays = {
            "input_ids": (ids, self.vocabulary.pad),
            "labels": (np.where(hidden, tokens.ids, IGNORED), IGNORED),
        }
        padded = {"attention_mask": torch.from_numpy(present.astype(np.int64))}
        for name, (values, blank) in arrays.items():
            whole = np.full(shape, blank, np.int64)
            whole[present] = values
            padded[name] = torch.from_numpy(whole)
        return padded


def counted(tokens: Tokens, hidden: np.ndarray, asked: Sequence[Kind] = ()) -> MaskCounts:
    """Each token counts once, as the first kind that it is of; kinds that were asked for come before others."""
    ordinary = tokens.words != NONE
    of_kind: dict[Kind, int] = {}
    hidden_of_kind: dict[Kind, int] = {}
    left = ordinary.copy()
    for kind in sorted(KINDS_BY_RANK, key=lambda kind: kind not in asked):
        mine = left & ((tokens.kinds & BITS[kind]) != 0)
        left &= ~mine
        of_kind[kind], hidden_of_kind[kind] = int(mine.sum()), int((mine & hidden).sum())
    return MaskCounts(int(ordinary.sum()), int(hidden.sum()), of_kind, hidden_of_kind)
