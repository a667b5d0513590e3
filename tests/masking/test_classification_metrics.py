"""Figures equal scikit-learn's, and intervals those of a bootstrap written as a loop."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, wilcoxon
from sklearn.metrics import f1_score

from langvec.errors import InputError
from masking.classification_metrics import (
    accuracy,
    macro_f1,
    numbered,
    over_languages,
    paired_accuracy,
    paired_macro_f1,
)


def answers(random: np.random.Generator, gold: np.ndarray, right: float, classes: int = 4) -> np.ndarray:
    return np.where(random.random(gold.shape) < right, gold, random.integers(classes, size=gold.shape))


def by_definition(gold: np.ndarray, predicted: np.ndarray) -> float:
    """Faster than the library for a few texts."""
    of_class = []
    for number in set(gold.tolist()) | set(predicted.tolist()):
        true, given = gold == number, predicted == number
        of_class.append(2 * (true & given).sum() / (true.sum() + given.sum()))
    return float(np.mean(of_class))


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=40))
def test_macro_f1_is_that_of_the_library_also_with_classes_that_only_one_side_has(items):
    gold, predicted = np.array(items).T
    expected = f1_score(gold, predicted, average="macro", zero_division=0)
    assert macro_f1(gold, predicted, draws=2).value == pytest.approx(expected)
    assert paired_macro_f1(gold, predicted[None], gold[None], draws=2).value.value == pytest.approx(expected - 1)
    assert by_definition(gold, predicted) == pytest.approx(expected)


def test_the_interval_of_macro_f1_is_that_of_a_bootstrap_written_as_a_loop():
    random = np.random.default_rng(1)
    gold = random.choice(4, size=80, p=[0.6, 0.2, 0.15, 0.05])
    predicted = answers(random, gold, 0.6)
    drawn = [by_definition(gold[some], predicted[some]) for some in random.integers(80, size=(4000, 80))]
    found = macro_f1(gold, predicted, draws=4000)
    assert found[1:] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.015)
    assert found == macro_f1(gold, predicted, draws=4000)


def test_accuracy_has_the_interval_of_wilson():
    gold = np.arange(50) % 3
    found = accuracy(gold, np.where(np.arange(50) < 30, gold, 3))
    assert found.value == 0.6
    assert found[1:] == pytest.approx(tuple(binomtest(30, 50).proportion_ci(method="wilson")), abs=1e-6)


def test_the_interval_of_a_paired_difference_is_that_of_a_bootstrap_written_as_a_loop():
    random = np.random.default_rng(2)
    gold = random.choice(3, size=60, p=[0.6, 0.3, 0.1])
    first, second = (
        np.stack([answers(random, gold, right, 3) for right in rights]) for rights in ([0.8, 0.6, 0.7], [0.6, 0.5])
    )
    drawn = []
    for _ in range(4000):
        items = random.integers(60, size=60)
        of_both = [
            np.mean(
                [by_definition(gold[items], one[items]) for one in some[random.integers(len(some), size=len(some))]]
            )
            for some in (first, second)
        ]
        drawn.append(of_both[0] - of_both[1])
    found = paired_macro_f1(gold, first, second, draws=4000)
    means = [np.mean([by_definition(gold, one) for one in some]) for some in (first, second)]
    assert found.value.value == pytest.approx(means[0] - means[1])
    assert found.value[1:] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.015)
    assert found.p == pytest.approx(2 * np.mean(np.array(drawn) <= 0), abs=0.04)


@pytest.mark.parametrize("paired", [paired_accuracy, paired_macro_f1])
def test_p_is_small_where_two_differ_and_1_where_they_are_the_same(paired):
    random = np.random.default_rng(3)
    gold = random.integers(4, size=200)
    good, bad = (np.stack([answers(random, gold, right) for _ in range(3)]) for right in (0.9, 0.5))
    assert paired(gold, good, bad, draws=2000).p < 0.002
    assert paired(gold, good[:1], good[:1], draws=500).p == 1
    back = paired(gold, bad, good, draws=2000)
    assert back.value.value == pytest.approx(-paired(gold, good, bad, draws=2000).value.value)


def test_draws_are_the_same_however_many_are_looked_at_together(monkeypatch):
    random = np.random.default_rng(4)
    gold = random.integers(3, size=50)
    first, second = (answers(random, gold, right, 3)[None] for right in (0.8, 0.7))
    whole = paired_macro_f1(gold, first, second, draws=900)
    monkeypatch.setattr("masking.classification_metrics._TOGETHER", 128)
    assert paired_macro_f1(gold, first, second, draws=900).value == pytest.approx(whole.value, abs=1e-12)


def test_over_languages_is_the_test_of_the_library():
    first = {"deu": 0.8, "eng": 0.9, "fra": 0.7, "nld": 0.65, "sin": 0.4, "tam": 0.52}
    second = {"tam": 0.5, "sin": 0.45, "nld": 0.6, "fra": 0.6, "eng": 0.75, "deu": 0.7}
    found = over_languages(first, second)
    assert found.p == wilcoxon([first[code] for code in first], [second[code] for code in first]).pvalue
    assert (found.languages, found.better) == (6, 5)
    assert found.mean == pytest.approx(np.mean(list(first.values())) - np.mean(list(second.values())))
    assert over_languages(first, first).p == 1
    with pytest.raises(InputError, match="Expected those of the same languages"):
        over_languages(first, {"deu": 0.1})


def test_labels_are_numbered_and_those_of_no_class_refused():
    assert numbered(["b", "a", "b"], ["a", "b"]).tolist() == [1, 0, 1]
    with pytest.raises(InputError, match=r"Labels c\. Expected some of a, b"):
        numbered(["b", "c"], ["a", "b"])


def test_predictions_for_other_texts_or_none_are_refused():
    with pytest.raises(InputError, match="Expected the same texts"):
        macro_f1(np.zeros(3, int), np.zeros(2, int))
    with pytest.raises(InputError, match="Expected the same texts"):
        accuracy(np.zeros(0, int), np.zeros(0, int))
