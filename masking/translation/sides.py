"""Parallel text as pieces: tokenised once, kept in flat arrays, and given to the model in batches of one length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch

from masking.draws import Draws
from masking.pretrained import Pretrained

if TYPE_CHECKING:
    from masking.translation import AnyTranslator

Side = Literal["source", "target"]
Pairs = Sequence[tuple[str, str]]

IGNORED = -100  # the label of filling
POOL = 100  # batches that are sorted by length together
_AT_ONCE = 10_000


class Pieces(NamedTuple):
    """Sentences end to end; `starts` has one entry for each and the end."""

    starts: np.ndarray
    ids: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        return np.asarray(np.diff(self.starts))

    def some(self, places: np.ndarray) -> list[np.ndarray]:
        return [self.ids[self.starts[place] : self.starts[place + 1]] for place in places]

    @classmethod
    def of(cls, rows: Sequence[np.ndarray]) -> Pieces:
        sizes = np.array([len(row) for row in rows], np.int64)
        ids = np.concatenate(rows) if rows else np.zeros(0, np.int32)
        return cls(np.concatenate([[0], np.cumsum(sizes)]), ids)


class Bitext(NamedTuple):
    """Sources and targets, row for row."""

    source: Pieces
    target: Pieces

    def __len__(self) -> int:  # of pairs; a tuple would say 2
        return len(self.source.starts) - 1


def bitext(how: AnyTranslator, pretrained: Pretrained, pairs: Pairs) -> Bitext:
    """Of the pairs that have text on both sides and are not too long: cut, they would teach to leave out the end."""
    some = [pair for pair in pairs if pair[0].strip() and pair[1].strip()]
    source = encode(pretrained.tokenizer, [how.worded(pair[0]) for pair in some], "source")
    target = encode(pretrained.tokenizer, [pair[1] for pair in some], "target")
    fit = np.flatnonzero(np.maximum(source.sizes, target.sizes) <= longest(how, pretrained))
    return Bitext(*(Pieces.of(side.some(fit)) for side in (source, target)))


def longest(how: AnyTranslator, pretrained: Pretrained) -> int:
    """Pieces that a sentence of either side may have."""
    return min(how.max_tokens, pretrained.longest)


def encode(tokenizer: Any, texts: Sequence[str], side: Side, longest: int | None = None) -> Pieces:
    """With the special tokens of that side; cut after `longest` pieces."""
    return Pieces.of([row for some in _in_blocks(texts) for row in _encoded(tokenizer, some, side, longest)])


def _in_blocks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    return (texts[start : start + _AT_ONCE] for start in range(0, len(texts), _AT_ONCE))


def _encoded(tokenizer: Any, texts: Sequence[str], side: Side, longest: int | None) -> list[np.ndarray]:
    given: dict[str, Any] = {"text" if side == "source" else "text_target": list(texts)}
    coded = tokenizer(**given, truncation=longest is not None, max_length=longest, verbose=False)
    return [np.array(ids, np.int32) for ids in coded["input_ids"]]


def padded(rows: Sequence[np.ndarray], filling: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of one length, shape (N, L), and which of it is not filling."""
    sizes = np.array([len(row) for row in rows])
    there = np.arange(sizes.max()) < sizes[:, None]
    whole = np.full(there.shape, filling, np.int64)
    whole[there] = np.concatenate(rows)
    return whole, there


def shuffled(pairs: Bitext, tokens: int, draws: Draws) -> list[np.ndarray]:
    """The batches of an epoch, as places of pairs, each of about so many tokens of both sides and of about one length.

    Pairs are drawn first and sorted within pools of batches: so those that share a batch change from epoch to epoch.
    """
    random = np.random.default_rng(draws.key)
    sizes, order = pairs.source.sizes + pairs.target.sizes, random.permutation(len(pairs))
    pool = np.cumsum(sizes[order]) // (POOL * tokens)
    order = order[np.lexsort((pairs.source.sizes[order], pairs.target.sizes[order], pool))]
    number = (np.cumsum(sizes[order]) - 1) // tokens
    found = np.split(order, np.flatnonzero(np.diff(number)) + 1)
    return [found[place] for place in random.permutation(len(found))]


def inputs_of(pretrained: Pretrained, pairs: Bitext, some: np.ndarray) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """What the model is given for these pairs, and the labels of what it says; on its device."""
    model, filling = pretrained.model, pretrained.tokenizer.pad_token_id
    ids, there = padded(pairs.source.some(some), filling)
    labels, _ = padded(pairs.target.some(some), IGNORED)
    given = torch.from_numpy(labels).to(model.device)
    inputs = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(there).long()}
    inputs = {name: tensor.to(model.device) for name, tensor in inputs.items()}
    return inputs | {"decoder_input_ids": before(model, given, filling)}, given


def before(model: Any, labels: torch.Tensor, filling: int) -> torch.Tensor:
    """What the decoder has read when it says each label: all labels one place on, after the piece that starts it.

    Some models know better: mBART starts with the code of the language, which stands at the end of its labels.
    """
    if hasattr(model, "prepare_decoder_input_ids_from_labels"):
        return torch.as_tensor(model.prepare_decoder_input_ids_from_labels(labels))
    shifted = labels.roll(1, dims=1)
    shifted[:, 0] = model.config.decoder_start_token_id
    return shifted.masked_fill(shifted == IGNORED, filling)
