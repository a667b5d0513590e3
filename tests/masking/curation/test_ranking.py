"""Figures of rankings against scikit-learn, and against counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from masking.curation.ranking import (
    auc,
    average_precision,
    best_first,
    curve,
    figures,
    histogram,
    precision_at,
    r_precision,
)

GOOD = st.lists(st.booleans(), min_size=2, max_size=60).filter(lambda good: 0 < sum(good) < len(good))


@given(GOOD)
def test_figures_are_those_of_scikit_learn(good: list[bool]) -> None:
    found, scores = np.array(good), -np.arange(len(good))
    ones = np.ones(len(good), np.int64)
    assert average_precision(found, ones) == pytest.approx(average_precision_score(found, scores))
    assert auc(found, ones) == pytest.approx(roc_auc_score(found, scores))
    precisions, recalls, _ = precision_recall_curve(found, scores)
    for level in (0.1, 0.5, 0.9, 1.0):
        first = precisions[recalls >= level - 1e-9][-1]  # the shortest top that holds so many
        assert precision_at(found, ones, level) == pytest.approx(first)
    assert r_precision(found, ones) == pytest.approx(found[: found.sum()].mean())
    assert curve(found)[-1]["precision"] == pytest.approx(precisions[0] if recalls[0] == 1 else 0, abs=1)


@given(GOOD, st.data())
def test_a_weight_is_as_good_as_so_many_equal_pairs(good: list[bool], data: st.DataObject) -> None:
    weights = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(good), max_size=len(good))))
    found = np.array(good)
    if not (found * weights).sum() or not (~found * weights).sum():
        return
    repeated = np.repeat(found, weights)
    ones = np.ones(len(repeated), np.int64)
    assert auc(found, weights) == pytest.approx(auc(repeated, ones))
    # Equal pairs share one place, so precision counts all of them at once.
    places = np.repeat(np.arange(len(found)), weights)
    slow = [found[places[places <= place]].mean() for place in places[repeated]]
    assert average_precision(found, weights) == pytest.approx(np.mean(slow))


def test_intervals_hold_the_figure_and_shrink_with_more_pairs() -> None:
    random = np.random.default_rng(1)
    widths = []
    for size in (100, 2500):
        good = random.random(size) < np.linspace(0.95, 0.05, size)
        rows = {row["metric"]: row for row in figures(good)}
        assert all(row["low"] <= row["value"] <= row["high"] for row in rows.values())
        widths.append(rows["average_precision"]["high"] - rows["average_precision"]["low"])
    assert widths[1] < widths[0] / 3
    assert list(figures(np.ones(5, bool))) == []


def test_pairs_without_a_score_come_behind_and_refused_ones_behind_these() -> None:
    scores = np.array([0.5, np.nan, 0.9, 0.5, 2.0])
    assert best_first(scores).tolist() == [4, 2, 0, 3, 1]
    assert best_first(scores, np.array([False, False, False, False, True])).tolist() == [2, 0, 3, 1, 4]


def test_a_histogram_counts_each_pair_with_a_score_once() -> None:
    scores = np.array([0.1, 0.2, np.nan, 0.9, -np.inf])
    rows = histogram(scores, np.array([0, 0, 0, 1, 1]))
    assert [sum(row["pairs"] for row in rows if row["kind"] == kind) for kind in (0, 1)] == [2, 1]
