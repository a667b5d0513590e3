"""Translations that find each other, against loops over all pairs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langvec.errors import InputError
from masking.encoder import Embedding, Encoder, EncoderRecipe
from masking.judging import METRICS, DevRetrieval, Judged, judged, judged_vectors
from masking.mining import NEIGHBOURS


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def by_loops(source: np.ndarray, target: np.ndarray) -> dict[str, list[bool]]:
    """The definition: cosines, and their ratio to the mean cosine of the nearest four on both sides."""
    n = len(source)
    cosine = [[float(np.dot(source[i].astype(float), target[j].astype(float))) for j in range(n)] for i in range(n)]
    of_source = [np.mean(sorted(cosine[i])[-NEIGHBOURS:]) for i in range(n)]
    of_target = [np.mean(sorted(cosine[i][j] for i in range(n))[-NEIGHBOURS:]) for j in range(n)]
    margin = [[cosine[i][j] / max((of_source[i] + of_target[j]) / 2, 1e-6) for j in range(n)] for i in range(n)]

    def best_of_source(scores: list[list[float]], i: int) -> bool:
        return all(scores[i][j] < scores[i][i] for j in range(n) if j != i)

    def best_of_target(scores: list[list[float]], j: int) -> bool:
        return all(scores[i][j] < scores[j][j] for i in range(n) if i != j)

    return {
        "mined": [best_of_source(margin, i) and best_of_target(margin, i) for i in range(n)],
        "forward": [best_of_source(cosine, i) for i in range(n)],
        "backward": [best_of_target(cosine, i) for i in range(n)],
    }


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(1, 14), st.sampled_from([0.2, 0.6, 2.0]))
def test_what_is_found_is_what_loops_over_all_pairs_find(seed, count, noise):
    random = np.random.default_rng(seed)
    source = random.normal(size=(count, 6))
    target = unit(source + noise * random.normal(size=source.shape))
    source, found = unit(source), judged_vectors(unit(source), target)
    assert {name: getattr(found, name).tolist() for name in METRICS} == by_loops(source, target)


def test_margins_and_directions_are_told_apart():
    """A hub near to everything spoils the cosines of one direction only, and no margin."""
    random = np.random.default_rng(1)
    source = unit(random.normal(size=(40, 5)))
    target = unit(source + 0.7 * random.normal(size=source.shape))
    figures = [row["value"] for row in judged_vectors(source, target).rows()]
    assert len(set(figures)) == 3
    turned = judged_vectors(target, source)
    assert [row["value"] for row in turned.rows()] == [figures[0], figures[2], figures[1]]


def test_copies_of_one_vector_are_no_skill():
    same = np.repeat(unit(np.ones((1, 4))), 5, axis=0)
    assert [int(getattr(judged_vectors(same, same), name).sum()) for name in METRICS] == [1, 1, 1]


def test_rows_hold_each_figure_in_its_interval_and_the_number_of_items():
    right = np.arange(50) < 40
    rows = list(Judged(right, ~right, np.ones(50, bool)).rows())
    assert [(row["metric"], row["value"], row["items"]) for row in rows] == [
        ("mined", 0.8, 50),
        ("forward", 0.2, 50),
        ("backward", 1.0, 50),
    ]
    assert rows[0]["low"] < 0.8 < rows[0]["high"]
    with pytest.raises(InputError, match="nothing to judge"):
        list(judged_vectors(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.float32)).rows())


def test_retrieval_while_training_is_the_mean_of_both_directions_over_the_pairs(encoders, declaration):
    english, tamil = declaration("eng")[:12], declaration("tam")[:12]
    pretrained = EncoderRecipe(model=encoders["bert"]).pretrained()
    embedding = Embedding(layer=2, pooling="mean")
    sets = {"tam-eng": (tamil, english), "eng-eng": (english[:5], english[:5])}
    one, same = (judged(Encoder(embedding, pretrained), *sides) for sides in sets.values())
    assert same.forward.all()
    assert not one.forward.all()
    expected = np.mean([one.forward.mean(), one.backward.mean(), 1, 1])
    assert DevRetrieval(embedding, sets)(pretrained) == pytest.approx(expected)
