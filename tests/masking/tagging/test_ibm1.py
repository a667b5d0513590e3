"""IBM model 1 against its definition written with dictionaries."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from math import exp, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import digamma

from masking.tagging import ibm1
from masking.tagging.ibm1 import Cells, Learning, Sentences, learn

Pair = tuple[list[int], list[int]]
TOY: list[Pair] = [([1, 2], [1, 2]), ([1, 3, 2], [1, 2, 3]), ([4], [4, 1]), ([5, 4, 1, 1], [5]), ([2, 2, 5], [3, 3, 1])]


def flat(pairs: list[Pair]) -> Sentences:
    lengths = [(len(source), len(target)) for source, target in pairs]
    return Sentences([s for pair in pairs for s in pair[0]], [t for pair in pairs for t in pair[1]], lengths)


def prior(i: int, j: int, m: int, n: int, learning: Learning) -> float:
    """Of the link from source place i (0 is null) to target place j, both counted from 1."""
    if learning.diagonal is None:
        return 1 / (m + 1)
    if i == 0:
        return learning.null
    near = [exp(-learning.diagonal * abs(k / m - j / n)) for k in range(1, m + 1)]
    return (1 - learning.null) * near[i - 1] / sum(near)


def slow(pairs: list[Pair], learning: Learning) -> tuple[dict[tuple[int, int], float], list[float]]:
    vocabulary = max(t for _, target in pairs for t in target) + 1
    chance: dict[tuple[int, int], float] = defaultdict(lambda: 1 / vocabulary)
    likelihoods = []
    for _ in range(learning.iterations):
        count: dict[tuple[int, int], float] = defaultdict(float)
        likelihood = 0.0
        for source, target in pairs:
            sources = [0, *source]
            for j, t in enumerate(target, start=1):
                joint = [chance[s, t] * prior(i, j, len(source), len(target), learning) for i, s in enumerate(sources)]
                likelihood += log(sum(joint))
                for s, one in zip(sources, joint, strict=True):
                    count[s, t] += one / sum(joint)
        likelihoods.append(likelihood)
        for (s, t), one in count.items():
            row = [other for key, other in count.items() if key[0] == s]
            if learning.smoothing is None:
                chance[s, t] = one / sum(row)
            else:
                total = sum(row) + len(row) * learning.smoothing
                chance[s, t] = exp(digamma(one + learning.smoothing) - digamma(total))
    return {key: chance[key] for key in count}, likelihoods


@pytest.mark.parametrize("diagonal", [None, 4.0])
@pytest.mark.parametrize("smoothing", [None, 0.01])
@pytest.mark.parametrize("cells", [1, 7, 1 << 20])
def test_training_equals_the_definition_written_with_dictionaries(diagonal, smoothing, cells, monkeypatch):
    monkeypatch.setattr(ibm1, "CELLS", cells)
    learning = Learning(iterations=4, diagonal=diagonal, smoothing=smoothing)
    lexicon, likelihoods = learn(flat(TOY), learning)
    expected, expected_likelihoods = slow(TOY, learning)
    np.testing.assert_allclose(likelihoods, expected_likelihoods, rtol=1e-5)
    sources, targets = (np.array(side) for side in zip(*expected, strict=True))
    wanted = [chance if chance >= ibm1.LEAST else 0 for chance in expected.values()]
    np.testing.assert_allclose(lexicon.of(sources, targets), wanted, rtol=1e-4)


sentence = st.lists(st.integers(1, 6), min_size=1, max_size=5)
corpus = st.lists(st.tuples(sentence, sentence), min_size=1, max_size=8)


@given(corpus, st.sampled_from([None, 2.0]))
def test_the_likelihood_never_falls(pairs, diagonal):
    _, likelihoods = learn(flat(pairs), Learning(iterations=8, diagonal=diagonal, smoothing=None))
    assert all(after >= before - 1e-4 for before, after in pairwise(likelihoods))


@given(corpus, st.sampled_from([None, 0.5, 8.0]))
def test_the_prior_of_each_target_word_is_a_distribution(pairs, diagonal):
    cells = Cells.of(flat(pairs), Learning(diagonal=diagonal))
    np.testing.assert_allclose(np.add.reduceat(cells.prior, cells.starts), 1)


@given(corpus, st.integers(1, 50))
def test_the_parts_together_are_the_whole(pairs, cells):
    parts = list(flat(pairs).parts(cells))
    whole = flat(pairs)
    for name in ("source", "target", "lengths"):
        assert [one for part in parts for one in getattr(part, name)] == list(getattr(whole, name))


def test_a_pair_of_words_that_never_occurred_together_has_no_chance():
    lexicon, _ = learn(flat(TOY), Learning())
    assert lexicon.of(np.array([3, 99, 0]), np.array([5, 1, 0])).tolist() == [0, 0, 0]
