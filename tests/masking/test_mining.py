"""Mining against the definition written as loops over all pairs, with copies and ties."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score
from sklearn.metrics.pairwise import cosine_similarity

from langvec.errors import InputError
from masking.mining import best_threshold, mine, score_pairs
from masking.neighbours import LEAST, best_by_cosine, mean_of_nearest

# Unit vectors whose products are exact: one coordinate of 1, or four of a half. So ties are ties to the last bit.
EXACT = [
    *(sign * row for row in np.eye(4) for sign in (1, -1)),
    *(np.array(signs) / 2 for signs in product((1, -1), repeat=4)),
]
HOWS = ("forward", "backward", "intersection")
sides = st.lists(st.sampled_from(EXACT), min_size=1, max_size=9).map(lambda rows: np.array(rows, np.float32))


def unit(seed: int, rows: int, width: int = 24) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((rows, width)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def slow_margins(src: np.ndarray, tgt: np.ndarray, k: int) -> np.ndarray:
    """LEM, section 6.1: the cosine over the mean of both neighbourhoods' means."""
    cosines = cosine_similarity(src.astype(np.float64), tgt.astype(np.float64))
    scores = np.zeros(cosines.shape)
    for a, b in np.ndindex(cosines.shape):
        of_a = sorted(cosines[a], reverse=True)[:k]
        of_b = sorted(cosines[:, b], reverse=True)[:k]
        scores[a, b] = cosines[a, b] / max(sum(of_a) / (2 * len(of_a)) + sum(of_b) / (2 * len(of_b)), LEAST)
    return scores


def slow_pairs(scores: np.ndarray, how: str) -> set[tuple[int, int]]:
    first = scores.round(5)  # loops and products of matrices differ in the sixteenth digit
    forward = {(a, int(first[a].argmax())) for a in range(first.shape[0])}
    backward = {(int(first[:, b].argmax()), b) for b in range(first.shape[1])}
    return {"forward": forward, "backward": backward, "intersection": forward & backward}[how]


def as_set(pairs) -> set[tuple[int, int]]:
    return set(zip(pairs.src.tolist(), pairs.tgt.tolist(), strict=True))


@settings(max_examples=150)
@given(sides, sides, st.integers(1, 5), st.sampled_from(HOWS), st.sampled_from([0.0001, 0.001, 1]))
def test_mined_pairs_equal_the_definition_with_copies_and_ties_whatever_the_memory(src, tgt, k, how, memory_mb):
    expected = slow_margins(src, tgt, k)
    pairs = mine(src, tgt, k, how, memory_mb=memory_mb)
    assert as_set(pairs) == slow_pairs(expected, how)
    np.testing.assert_allclose(pairs.score, expected[pairs.src, pairs.tgt], rtol=1e-5)
    np.testing.assert_allclose(pairs.cosine, (src[pairs.src] * tgt[pairs.tgt]).sum(axis=1))


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("k", [1, 4])
def test_a_whole_corpus_gives_the_pairs_of_the_dense_matrix(how, k):
    src, tgt = unit(1, 700), unit(2, 2100)
    tgt[1500:1600], tgt[20:40] = src[300:400], tgt[60:80]
    cosines = src @ tgt.T
    of_src = np.sort(cosines, axis=1)[:, -k:].mean(axis=1)
    of_tgt = np.sort(cosines, axis=0)[-k:].mean(axis=0)
    expected = slow_pairs(cosines / ((of_src[:, None] + of_tgt) / 2), how)
    assert as_set(mine(src, tgt, k, how)) == as_set(mine(src, tgt, k, how, memory_mb=0.5)) == expected


@given(st.integers(0, 10**6), st.integers(1, 6), st.sampled_from([(5, 3000), (2000, 7), (300, 1200)]))
@settings(max_examples=12)
def test_neighbourhoods_equal_those_of_sorted_rows_and_columns(seed, k, shape):
    src, tgt = unit(seed, shape[0], 6), unit(seed + 1, shape[1], 6)
    of_src, of_tgt = mean_of_nearest(src, tgt, k, memory_mb=2)
    cosines = np.sort(src @ tgt.T, axis=1)
    np.testing.assert_allclose(of_src, cosines[:, -k:].mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(of_tgt, np.sort(src @ tgt.T, axis=0)[-k:].mean(axis=0), atol=1e-6)


@settings(max_examples=60)
@given(st.data(), sides, sides, st.sampled_from(HOWS))
def test_documents_are_mined_one_by_one(data, src, tgt, how):
    of_src = data.draw(st.lists(st.sampled_from("abcd"), min_size=len(src), max_size=len(src)))
    of_tgt = data.draw(st.lists(st.sampled_from("abce"), min_size=len(tgt), max_size=len(tgt)))
    pairs = mine(src, tgt, 4, how, documents=(of_src, of_tgt))
    expected = set()
    for name in set(of_src) & set(of_tgt):
        a = [place for place, document in enumerate(of_src) if document == name]
        b = [place for place, document in enumerate(of_tgt) if document == name]
        expected |= {(a[i], b[j]) for i, j in slow_pairs(slow_margins(src[a], tgt[b], 4), how)}
    assert as_set(pairs) == expected


def test_a_thousand_documents_are_mined_with_their_own_neighbours_only():
    src = unit(5, 6000)
    order = np.random.default_rng(6).permutation(6000)
    documents = np.arange(6000) % 1000
    pairs = mine(src, src[order], documents=(documents, documents[order]))
    assert as_set(pairs) == {(int(place), at) for at, place in enumerate(order)}
    assert not len(mine(src[:3], src[:3], documents=(["a", "b", "c"], ["d", "e", "f"])))


def test_pairs_come_best_first_and_equal_ones_by_place():
    pairs = mine(np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32)[::-1], how="forward")
    assert pairs.src.tolist() == [0, 1, 2, 3] and pairs.tgt.tolist() == [3, 2, 1, 0]
    scores = mine(unit(1, 200), unit(2, 200), how="forward").score
    assert (np.diff(scores) <= 0).all()


def test_the_first_of_copies_is_found_wherever_tiles_end():
    src, tgt = unit(3, 211, 384), unit(4, 501, 384)
    tgt[[7, 260, 333, 500]] = src[150]
    src[[60, 150, 210]] = src[150]
    for memory_mb in (0.02, 0.3, 5):
        pairs = mine(src, tgt, memory_mb=memory_mb)
        assert {pair for pair in as_set(pairs) if pair[1] in (7, 260, 333, 500)} == {(60, 7)}
        assert best_by_cosine(src, tgt, memory_mb)[0][[60, 150, 210]].tolist() == [7, 7, 7]


def test_memory_stays_below_what_is_allowed():
    src, tgt = unit(1, 4000), unit(2, 5000)  # 76 MiB as a matrix
    for k in (4, 40):
        tracemalloc.start()
        mine(src, tgt, k, memory_mb=8)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < (8 << 20) + 4 * (4 * k + 40) * len(tgt)  # and what is kept of every sentence


def test_given_pairs_have_the_margin_and_cosine_of_the_definition():
    src, tgt = unit(1, 50), unit(2, 50)
    pairs = score_pairs(src, tgt, memory_mb=0.01)
    np.testing.assert_allclose(pairs.score, slow_margins(src, tgt, 4).diagonal(), rtol=1e-4)
    np.testing.assert_allclose(pairs.cosine, (src * tgt).sum(axis=1), atol=1e-6)
    assert pairs.src.tolist() == pairs.tgt.tolist() == list(range(50))
    assert not len(score_pairs(src[:0], tgt[:0])) and not len(mine(src[:0], tgt))


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=12), st.integers(0, 4))
def test_the_best_threshold_is_that_of_a_search_through_all(mined, missed):
    scores, right = [score / 4 for score, _ in mined], [gold for _, gold in mined]
    if not any(right):
        with pytest.raises(InputError, match="gold pair"):
            best_threshold(scores, right)
        return
    threshold = best_threshold(scores, right, sum(right) + missed)

    def f1(at: float) -> float:
        kept = [score >= at for score in scores] + [False] * missed
        return f1_score([*right, *[True] * missed], kept, zero_division=0.0)

    assert f1(threshold) == pytest.approx(max(f1(score) for score in scores))
    assert threshold in scores or any(low < threshold < high for low, high in pairwise(sorted(set(scores))))


def test_pairs_above_a_threshold_are_those_it_was_chosen_for():
    pairs = mine(unit(1, 300), unit(2, 300))
    gold = np.arange(len(pairs)) < 40
    assert len(pairs.above(best_threshold(pairs.score, gold))) == 40


def test_what_cannot_be_mined_is_refused_with_a_reason():
    src, tgt = unit(1, 5), unit(2, 5)
    with pytest.raises(InputError, match=r"Vector 3 of the source has length 2"):
        mine(src * np.array([[1], [1], [1], [2], [1]], np.float32), tgt)
    with pytest.raises(InputError, match="length nan"):
        mine(src, np.where(np.arange(5)[:, None] == 2, np.nan, tgt))
    with pytest.raises(InputError, match="24 dimensions, those of the target 7"):
        mine(src, unit(2, 5, 7))
    with pytest.raises(InputError, match="k is 0"):
        mine(src, tgt, 0)
    with pytest.raises(InputError, match="shape"):
        mine(src[0], tgt)
    with pytest.raises(InputError, match="5 sources and 4 targets"):
        score_pairs(src, tgt[:4])
    with pytest.raises(InputError, match="a document for each vector"):
        mine(src, tgt, documents=([1, 2], [1, 2, 3, 4, 5]))
