"""IBM model 1 (Brown et al., 1993) on numbers of words, as array arithmetic over all links a sentence pair allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from pydantic import Field

from langvec.config import Strict

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
NULL = 0  # stands before the words of every source sentence; what has no translation comes of it

CELLS = 1 << 20  # links looked at together; their arrays take about 100 MB while they are made
LEAST = 1e-6  # a translation less probable than this is forgotten once training is over


class Learning(Strict):
    """Model 1 as it is with `diagonal` and `smoothing` null; else with what fast_align (Dyer et al., 2013) adds."""

    iterations: int = Field(5, ge=1, description="passes over the parallel sentences")
    diagonal: float | None = Field(2.0, gt=0, description="pull to the same place in both sentences; null for none")
    null: float = Field(0.08, gt=0, lt=1, description="share of words without a translation, where `diagonal` is set")
    smoothing: float | None = Field(0.1, gt=0, description="pseudo-count of variational Bayes; null for none")


@dataclass(frozen=True)
class Lexicon:
    """t(target | source) of the words that occurred together; a key is `source * targets + target`, sorted."""

    keys: Ints
    chances: npt.NDArray[np.float32]
    targets: int  # one more than the highest number of a target word

    def of(self, source: Ints, target: Ints) -> Floats:
        keys = source * self.targets + target
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, self.chances[places].astype(np.float64), 0.0)


@dataclass(frozen=True)
class Sentences:
    """Sentence pairs as numbers of words from 1, one after the other in two flat arrays."""

    source: Sequence[int]
    target: Sequence[int]
    lengths: Sequence[tuple[int, int]]  # none of them 0

    def flipped(self) -> Sentences:
        return Sentences(self.target, self.source, [(target, source) for source, target in self.lengths])

    def parts(self, cells: int) -> Iterator[Sentences]:
        """The same sentences in parts that allow about so many links each."""
        whole = list(accumulate(((s + 1) * t for s, t in self.lengths), initial=0))
        numbers = np.searchsorted(whole, np.arange(cells, whole[-1] + cells, cells))
        ends = sorted({min(int(number), len(self.lengths)) for number in numbers})
        at_source, at_target, begin = 0, 0, 0
        for end in ends:
            lengths = self.lengths[begin:end]
            to_source = at_source + sum(source for source, _ in lengths)
            to_target = at_target + sum(target for _, target in lengths)
            yield Sentences(self.source[at_source:to_source], self.target[at_target:to_target], lengths)
            at_source, at_target, begin = to_source, to_target, end


@dataclass(frozen=True)
class Cells:
    """Every (null or source word, target word) of some sentence pairs: the sources of one target word together."""

    source: Ints
    target: Ints
    starts: Ints  # where the sources of each target word begin
    sizes: Ints  # how many they are
    prior: Floats  # how probable each link is while the words are unknown

    @classmethod
    def of(cls, sentences: Sentences, learning: Learning) -> Cells:
        sources, targets = np.array(sentences.lengths, np.int64).T
        sizes = np.repeat(sources + 1, targets)
        starts = np.cumsum(sizes) - sizes
        place = np.arange(sizes.sum()) - np.repeat(starts, sizes)
        first = np.repeat(np.repeat(np.cumsum(sources) - sources, targets), sizes)
        source = np.where(place == 0, NULL, np.asarray(sentences.source, np.int64)[first + np.maximum(place - 1, 0)])
        height = np.arange(1, targets.sum() + 1) - np.repeat(np.cumsum(targets) - targets, targets)
        prior = np.ones(len(place))
        if learning.diagonal is not None:
            apart = place / np.repeat(sizes - 1, sizes) - np.repeat(height / np.repeat(targets, targets), sizes)
            prior = np.exp(-learning.diagonal * np.abs(apart))
            prior[starts] = 0
            prior *= (1 - learning.null) / np.repeat(np.add.reduceat(prior, starts), sizes)
            prior[starts] = learning.null
        else:
            prior /= np.repeat(sizes, sizes)
        return cls(source, np.repeat(np.asarray(sentences.target, np.int64), sizes), starts, sizes, prior)


@dataclass(frozen=True)
class Part:
    """What is kept of cells between two passes: 8 bytes each."""

    entries: npt.NDArray[np.int32]  # places in the lexicon
    prior: npt.NDArray[np.float32]
    starts: Ints
    sizes: Ints

    def expected(self, chances: Floats) -> tuple[Floats, float]:
        """Expected counts of the lexicon's entries, and the log-likelihood of the target words."""
        joint = chances[self.entries] * self.prior
        whole = np.add.reduceat(joint, self.starts)
        joint /= np.repeat(whole, self.sizes)
        counts: Floats = np.bincount(self.entries, joint, len(chances)).astype(np.float64, copy=False)
        return counts, float(np.log(whole).sum())


def learn(sentences: Sentences, learning: Learning) -> tuple[Lexicon, list[float]]:
    """The lexicon, and the log-likelihood before each pass. All words that occur together begin as likely."""
    targets = int(max(sentences.target)) + 1
    keys, parts = _entries(sentences, learning, targets)
    sources = (keys // targets).astype(np.int32)
    chances, likelihoods = np.full(len(keys), 1.0 / targets), []
    for _ in range(learning.iterations):
        counts, likelihood = np.zeros(len(keys)), 0.0
        for part in parts:
            more, log = part.expected(chances)
            counts += more
            likelihood += log
        likelihoods.append(likelihood)
        chances = _chances(counts, sources, learning.smoothing)
    likely = chances >= LEAST
    return Lexicon(keys[likely], chances[likely].astype(np.float32), targets), likelihoods


def _entries(sentences: Sentences, learning: Learning, targets: int) -> tuple[Ints, list[Part]]:
    """The keys of the lexicon, and for each part of the sentences where its cells stand there."""
    cuts: list[tuple[Ints, Part]] = []
    for some in sentences.parts(CELLS):
        cells = Cells.of(some, learning)
        keys = cells.source * targets + cells.target
        own = _distinct(keys)
        entries = np.searchsorted(own, keys).astype(np.int32)
        cuts.append((own, Part(entries, cells.prior.astype(np.float32), cells.starts, cells.sizes)))
    every = _distinct(np.concatenate([own for own, _ in cuts]))
    return every, [_placed(own, part, every) for own, part in cuts]


def _distinct(keys: Ints) -> Ints:
    # np.unique puts them into a hash table, which takes about 30 times as long with such keys.
    ordered = np.sort(keys)
    distinct: Ints = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    return distinct


def _placed(own: Ints, part: Part, keys: Ints) -> Part:
    places = np.searchsorted(keys, own).astype(np.int32)
    return Part(places[part.entries], part.prior, part.starts, part.sizes)


def _chances(counts: Floats, sources: npt.NDArray[np.int32], smoothing: float | None) -> Floats:
    """Counts shared out over the translations of each source word."""
    if smoothing is None:
        return counts / np.bincount(sources, counts)[sources]
    from scipy.special import digamma

    # The mean of the logarithm under a Dirichlet posterior: rare words no longer catch everything.
    totals = np.bincount(sources, counts + smoothing)
    chances: Floats = np.exp(digamma(counts + smoothing) - digamma(totals)[sources])
    return chances
