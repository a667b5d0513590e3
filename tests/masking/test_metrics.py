"""Metrics of mining, against scikit-learn, scipy, and a bootstrap written as a loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_fscore_support

from langvec.errors import InputError
from masking.metrics import difference, paired, quality, retrieval_accuracy, share

pairs = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)))
GOLD = [(number, number) for number in range(300)]
GOOD = GOLD[:270] + [(number, number + 1) for number in range(270, 300)]
WORSE = GOLD[:10] + GOLD[40:280] + [(number, number + 1) for number in range(200)]


@settings(max_examples=50)
@given(pairs, pairs)
def test_recall_precision_and_f1_are_those_of_scikit_learn(mined, gold):
    if not gold:
        return
    every = sorted(mined | gold)
    expected = precision_recall_fscore_support(
        [pair in gold for pair in every], [pair in mined for pair in every], average="binary", zero_division=0.0
    )
    found = quality(mined, gold, draws=10)
    assert [found.precision.value, found.recall.value, found.f1.value] == pytest.approx(expected[:3])
    assert (found.gold, found.mined, found.found) == (len(gold), len(mined), len(mined & gold))


def slow_bootstrap(mined, gold, draws: int = 3000) -> dict[str, np.ndarray]:
    """Draws gold pairs themselves, and judges each draw by counting."""
    rng, others = np.random.default_rng(5), len(set(mined) - set(gold))
    hits = np.array([pair in set(mined) for pair in gold])
    found = np.array([hits[rng.integers(len(gold), size=len(gold))].sum() for _ in range(draws)])
    precision, recall = found / (found + others), found / len(gold)
    return {"recall": recall, "precision": precision, "f1": 2 * precision * recall / (precision + recall)}


@pytest.mark.parametrize("measure", ["recall", "precision", "f1"])
def test_intervals_are_those_of_a_bootstrap_of_the_gold_pairs(measure):
    interval = getattr(quality(WORSE, GOLD), measure)
    expected = np.percentile(slow_bootstrap(WORSE, GOLD)[measure], [2.5, 97.5])
    assert interval[1:] == pytest.approx(expected, abs=0.006)
    assert interval.low < interval.value < interval.high


def test_the_same_seed_gives_the_same_intervals_and_another_gives_others():
    assert quality(GOOD, GOLD, seed=3) == quality(GOOD, GOLD, seed=3)
    drawn = {quality(GOOD, GOLD, seed=seed, draws=100).recall.low for seed in range(8)}
    assert len(drawn) > 1


def test_three_hundred_pairs_at_ninety_per_cent_are_known_within_about_three_points():
    recall = quality(GOOD, GOLD).recall
    assert recall.value == 0.9
    assert recall[1:] == pytest.approx(binomtest(270, 300).proportion_ci(), abs=0.01)
    assert str(recall).startswith("0.900 (0.86")


def test_a_difference_is_that_of_the_figures_and_its_p_is_near_that_of_an_exact_test():
    first, second = GOLD[:270], [*GOLD[:240], *GOLD[270:282]]
    found = difference(first, second, GOLD)
    assert found.value.value == pytest.approx(18 / 300)
    exact = binomtest(30, 42).pvalue  # of the pairs that only one of the two has found
    assert found.p == pytest.approx(exact, abs=0.006)
    assert found.value.low > 0
    opposite = difference(second, first, GOLD)
    assert opposite.value.value == -found.value.value and opposite.p == pytest.approx(found.p, abs=0.003)


@pytest.mark.parametrize("measure", ["recall", "precision", "f1"])
def test_a_difference_has_the_figures_of_both_systems_in_it(measure):
    expected = getattr(quality(GOOD, GOLD), measure).value - getattr(quality(WORSE, GOLD), measure).value
    found = difference(GOOD, WORSE, GOLD, measure)
    assert found.value.value == pytest.approx(expected)
    assert found.value.low < expected < found.value.high and found.p < 0.05


def test_a_system_does_not_differ_from_itself_and_few_pairs_prove_little():
    assert difference(GOOD, GOOD, GOLD) == ((0, 0, 0), 1)
    assert difference(GOLD[:3], GOLD[:2], GOLD[:4]).p > 0.3


def test_pairing_makes_a_difference_surer_than_two_intervals_do():
    first, second = GOLD[:270], GOLD[:255]
    paired = difference(first, second, GOLD).value
    assert paired.low > 0
    assert quality(first, GOLD).recall.low < quality(second, GOLD).recall.high


def test_retrieval_accuracy_counts_rows_nearest_to_their_own():
    src = np.eye(4, dtype=np.float32)
    assert retrieval_accuracy(src, src) == (1, 1)
    assert retrieval_accuracy(src, src[[0, 0, 2, 3]]) == (0.75, 0.75)
    assert retrieval_accuracy(src, src[[1, 0, 2, 3]]) == (0.5, 0.5)
    same = np.repeat(src[:1], 5, axis=0)
    assert retrieval_accuracy(same, same) == (0.2, 0.2)  # one vector for all is no skill


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_retrieval_accuracy_equals_that_of_the_whole_matrix(seed):
    rng = np.random.default_rng(seed)
    src = rng.standard_normal((40, 5)).astype(np.float32)
    tgt = src + rng.standard_normal(src.shape).astype(np.float32) / 2
    src, tgt = (side / np.linalg.norm(side, axis=1, keepdims=True) for side in (src, tgt))
    cosines, own = src @ tgt.T, np.arange(40)
    expected = (cosines.argmax(axis=1) == own).mean(), (cosines.argmax(axis=0) == own).mean()
    assert retrieval_accuracy(src, tgt, memory_mb=0.01) == pytest.approx(expected)


def test_without_gold_or_translations_there_is_nothing_to_judge():
    with pytest.raises(InputError, match="no gold pairs"):
        quality(GOOD, [])
    with pytest.raises(InputError, match="no gold pairs"):
        difference(GOOD, WORSE, [])
    with pytest.raises(InputError, match="3 sources and 2 targets"):
        retrieval_accuracy(np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)[:2])


def seeds(random: np.random.Generator, count: int, items: int, effect: float = 0.0) -> np.ndarray:
    """Simulated results: items differ in difficulty, and seeds in luck."""
    skill = random.normal(size=items) + effect + 0.1 * random.normal(size=(count, 1))
    return (skill + random.normal(size=(count, items)) > 0).astype(float)


@pytest.mark.parametrize("right", [0, 3, 50, 270, 300])
def test_a_share_of_items_has_the_interval_of_wilson_which_is_never_a_point(right):
    found = share(np.arange(300) < right)
    assert found.value == right / 300
    assert found[1:] == pytest.approx(tuple(binomtest(right, 300).proportion_ci(method="wilson")), abs=1e-6)
    assert found.high - found.low > 0.01
    assert share(np.roll(np.arange(300) < right, 7)) == found  # the order of the items plays no part


def test_intervals_hold_the_true_share_about_95_times_in_100():
    random = np.random.default_rng(1)
    found = [share(random.random(200) < 0.7) for _ in range(400)]
    assert np.mean([one.low <= 0.7 <= one.high for one in found]) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(("noise", "least", "most"), [(0.1, 0.92, 0.98), (3.0, 0.97, 1.0)])
def test_intervals_hold_the_true_difference_at_least_95_times_in_100(noise, least, most):
    """Items and seeds differ: then about as often as they say. Where neither does, but luck decides: more often."""
    random, found = np.random.default_rng(1), list[tuple[float, float, float]]()
    for seed in range(250):
        difficulty = random.normal(size=60)  # of items, the same for both; what is done differently differs by item
        a, b = (
            difficulty + random.normal(size=60) + random.normal(size=(20, 1)) / 2 + noise * random.normal(size=(20, 60))
            for _ in range(2)
        )
        same = paired(a, b, seed, draws=400)
        found.append((same.value.low, same.value.high, same.p))
    low, high, p = np.array(found).T
    assert least <= np.mean((low <= 0) & (high >= 0)) <= most
    assert 1 - most <= np.mean(p < 0.05) <= 1 - least  # a difference is seen where there is none


def test_the_interval_of_a_difference_is_that_of_a_bootstrap_written_as_a_loop():
    random = np.random.default_rng(2)
    first, second = seeds(random, 3, 60, 0.5), seeds(random, 4, 60)
    drawn = []
    for _ in range(4000):
        items = random.integers(60, size=60)
        a, b = (some[random.integers(len(some), size=len(some))][:, items].mean() for some in (first, second))
        drawn.append(a - b)
    found = paired(first, second)
    assert found.value.value == pytest.approx(first.mean() - second.mean())
    assert found.value[1:] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.01)
    assert found.p == pytest.approx(2 * min(np.mean(np.array(drawn) <= 0), np.mean(np.array(drawn) >= 0)), abs=0.02)


def test_p_is_small_where_two_differ_and_1_where_they_are_the_same():
    random = np.random.default_rng(3)
    good, bad = seeds(random, 3, 300, 1.0), seeds(random, 3, 300, -1.0)
    better = paired(good, bad, draws=4000)
    assert better.p < 0.001
    assert better.value.low > 0
    assert paired(good[:1], good[:1], draws=1000).p == 1
    assert paired(good, good, seed=2, draws=1000).p > 0.8


def test_a_difference_turned_round_is_the_opposite_with_the_same_p():
    random = np.random.default_rng(4)
    first, second = seeds(random, 3, 100, 0.3), seeds(random, 5, 100)
    there, back = paired(first, second), paired(second, first)
    assert back.value.value == -there.value.value
    assert (-back.value.high, -back.value.low) == pytest.approx(there.value[1:], abs=0.01)
    assert back.p == pytest.approx(there.p, abs=0.02)
    assert paired(first, second) == there


def test_few_seeds_that_disagree_prove_less_than_the_items_alone_would():
    items = np.arange(200) < 150
    steady, moody = np.stack([items] * 4), np.stack([items, items, np.zeros(200, bool), np.ones(200, bool)])
    other = np.stack([np.arange(200) < 100] * 4)
    widths = [np.ptp(paired(some, other).value[1:]) for some in (steady, moody)]
    assert widths[1] > 3 * widths[0]


@pytest.mark.parametrize("shapes", [((2, 5), (2, 4)), ((2, 0), (2, 0)), ((0, 5), (2, 5))])
def test_results_of_other_items_or_of_none_are_refused(shapes):
    with pytest.raises(InputError, match=r"Expected \(seeds, items\) of the same items"):
        paired(*(np.zeros(shape) for shape in shapes))
    with pytest.raises(InputError, match="nothing to judge"):
        share(np.zeros(0, bool))
