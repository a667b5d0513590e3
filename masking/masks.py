"""Which tokens to hide: entities one token each (LEM), and the strategies it has to beat.

Every strategy is the same walk: tokens fall into units (a word, a name, a stretch, a single token), units are put in an
order, and tokens are taken unit by unit until the budget of their sentence is spent.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, field_validator

from langvec.config import Strict
from langvec.errors import InputError
from masking.draws import Draws
from masking.tagging.kinds import Kind
from masking.tokens import BITS, NONE, Tokens
from masking.units import Units

_UNIT, _TOKEN, _STRETCH, _END = range(4)  # streams of draws


@dataclass(frozen=True)
class Batch:
    """The ordinary tokens of some sentences, end to end, and draws for them."""

    tokens: Tokens
    draws: Draws
    rate: float
    counts: np.ndarray | None  # how often each token of the vocabulary stands in the training text

    @cached_property
    def places(self) -> np.ndarray:
        """Where the ordinary tokens stand among all: special tokens are never hidden."""
        return np.flatnonzero(self.tokens.words != NONE)

    @cached_property
    def rows(self) -> np.ndarray:
        return np.asarray(self.tokens.rows[self.places])

    @cached_property
    def words(self) -> np.ndarray:
        return np.asarray(self.tokens.words[self.places])

    @cached_property
    def kinds(self) -> np.ndarray:
        return np.asarray(self.tokens.kinds[self.places])

    @cached_property
    def names(self) -> np.ndarray:
        return np.asarray(self.tokens.names[self.places])

    @cached_property
    def budgets(self) -> np.ndarray:
        """How many tokens of each sentence may be hidden: at least one, if it has any."""
        sizes = np.bincount(self.rows, minlength=len(self.tokens))
        return np.asarray(np.minimum(np.maximum(1, np.rint(self.rate * sizes)), sizes)).astype(np.int64)

    @cached_property
    def _in_sample(self) -> np.ndarray:
        return np.asarray(self.tokens.places[self.places])

    def drawn(self, stream: int) -> np.ndarray:
        """A number for each token."""
        return self.draws.uniform(stream, self.tokens.samples[self.rows], self._in_sample)

    def drawn_for(self, units: Units, stream: int = _UNIT) -> np.ndarray:
        """A number for each unit, by its first token."""
        return self.draws.uniform(stream, self.tokens.samples[units.rows], self._in_sample[units.starts])


class Masking(Strict):
    """A strategy. Says which of the ordinary tokens of a batch are hidden."""

    rate: float = Field(0.15, gt=0, lt=1, description="share of the tokens of a sentence that are hidden")

    @abstractmethod
    def hidden(self, batch: Batch) -> np.ndarray:
        """Numbers of ordinary tokens, in any order."""


class LemMasks(Masking):
    """Tokens of entities first; then, to spend the budget, a token each of other words."""

    strategy: Literal["lem"] = "lem"
    kinds: tuple[Kind, ...] = Field(("NE", "NOUN", "VERB"), description="what counts as an entity")
    unit: Literal["word", "span"] = Field("word", description="what gets one mask: a word, or a name of several words")
    per_entity: Literal[1, 2, 3, "all"] = Field(1, description="tokens hidden in one entity")
    fill: Literal["random", "none"] = Field("random", description="what is done with a budget that entities leave over")

    @field_validator("kinds")
    @classmethod
    def _each_once(cls, kinds: tuple[Kind, ...]) -> tuple[Kind, ...]:
        if not kinds or len(set(kinds)) < len(kinds):
            raise ValueError(f"found {list(kinds)}; expected at least one kind and each once, such as [NE, VERB]")
        return tuple(kind for kind in BITS if kind in kinds)  # one order, so that one choice has one fingerprint

    def hidden(self, batch: Batch) -> np.ndarray:
        entity = (batch.kinds & sum(BITS[kind] for kind in self.kinds)) != 0
        units = Units.of(batch.rows, self._keys(batch))
        is_entity = units.any(entity)
        candidates = entity | ~is_entity[units.of_token]
        ranks = units.ranks(batch.drawn(_TOKEN), candidates)
        wanted = candidates & (ranks < self._most(is_entity)[units.of_token])
        order = batch.drawn_for(units) + ~is_entity  # below 1 for entities, above for the others
        return units.taken(wanted, order, batch.budgets, ranks)

    def _keys(self, batch: Batch) -> np.ndarray:
        """The number of each token's word, or of its name, which is negative."""
        named = (batch.names != NONE) & (self.unit == "span") & ("NE" in self.kinds)
        return np.where(named, NONE - 1 - batch.names, batch.words)

    def _most(self, is_entity: np.ndarray) -> np.ndarray:
        """How many tokens of each unit may be hidden."""
        of_entity = np.iinfo(np.int64).max if self.per_entity == "all" else self.per_entity
        return np.where(is_entity, of_entity, int(self.fill == "random"))


class TokenMasks(Masking):
    """Any tokens: plain masked language modelling, which on translation pairs is TLM."""

    strategy: Literal["mlm"] = "mlm"

    def hidden(self, batch: Batch) -> np.ndarray:
        units = Units.of(batch.rows, batch.places)
        return units.taken(np.ones(len(batch.rows), bool), batch.drawn(_TOKEN), batch.budgets)


class WordMasks(Masking):
    """Whole words; a word that no longer fits into the budget is passed over."""

    strategy: Literal["whole_word"] = "whole_word"

    def hidden(self, batch: Batch) -> np.ndarray:
        units = Units.of(batch.rows, batch.words)
        return units.taken_whole(batch.drawn_for(units), batch.budgets)


class StretchMasks(Masking):
    """Stretches of neighbouring tokens, of geometric length, as SpanBERT has them; the last is cut to the budget."""

    strategy: Literal["span"] = "span"
    mean_length: float = Field(5, ge=1, description="tokens of a stretch, on average; 5 in SpanBERT (its p is 0.2)")

    def hidden(self, batch: Batch) -> np.ndarray:
        ends = batch.drawn(_STRETCH) < 1 / self.mean_length  # so the lengths between two ends are geometric
        units = Units.of(batch.rows, np.cumsum(ends))
        direction = np.sign(batch.drawn_for(units, _END) - 0.5)  # which end the budget may cut off
        within = batch.places * direction[units.of_token]
        return units.taken(np.ones(len(ends), bool), batch.drawn_for(units), batch.budgets, within)


class RandomWordMasks(Masking):
    """One token each of any words: LEM without entities, the control for 'one token a word'."""

    strategy: Literal["random_word"] = "random_word"

    def hidden(self, batch: Batch) -> np.ndarray:
        units = Units.of(batch.rows, batch.words)
        return units.taken(units.one_each(batch.drawn(_TOKEN)), batch.drawn_for(units), batch.budgets)


class RareWordMasks(Masking):
    """One token each of words drawn by how rare their rarest token is: the control for 'entities are rare words'."""

    strategy: Literal["rare_word"] = "rare_word"

    def hidden(self, batch: Batch) -> np.ndarray:
        if batch.counts is None:
            raise InputError("The strategy rare_word draws words by how often their tokens occur. Give it the counts.")
        units = Units.of(batch.rows, batch.words)
        common = units.least(np.maximum(batch.counts[batch.tokens.ids[batch.places]], 1))
        # Without replacement, by weights of 1 / count (Efraimidis and Spirakis, 2006).
        order = -np.log(batch.drawn_for(units)) * common
        return units.taken(units.one_each(batch.drawn(_TOKEN)), order, batch.budgets)


AnyMasks = Annotated[
    LemMasks | TokenMasks | WordMasks | StretchMasks | RandomWordMasks | RareWordMasks, Field(discriminator="strategy")
]


def choose_masks(tokens: Tokens, how: Masking, draws: Draws, counts: np.ndarray | None = None) -> np.ndarray:
    """Whether each token is hidden. Never a special token, never more than the budget of a sentence.

    Args:
        draws: decide together with the numbers of the samples: the same draws give a sentence the same masks in any
            batch.
        counts: how often each token of the vocabulary stands in the training text; only `rare_word` needs it.
    """
    batch = Batch(tokens, draws, how.rate, counts)
    hidden = np.zeros(len(tokens.ids), bool)
    if len(batch.places):
        hidden[batch.places[how.hidden(batch)]] = True
    return hidden
