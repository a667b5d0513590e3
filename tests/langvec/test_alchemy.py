"""The targets of LinguAlchemy, their controls, and a loss that trains what it should."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from langvec.alchemy import CONTROLS, Block, Control, Targets, control, targets
from langvec.errors import InputError
from langvec.regulariser import Regulariser, named

SEEN = ("deu_Latn", "nld_Latn", "hin_Deva", "fin_Latn")
CODES = (*SEEN, "swe_Latn", "mar_Deva")
VALUES = np.random.default_rng(1).normal(size=(6, 3)) * [1, 100, 0.01] + [0, 7, 7]


def made() -> Targets:
    return targets([Block(CODES, VALUES)], CODES, SEEN)


def of_seen(found: Targets) -> np.ndarray:
    return (found.costs * found.values**2)[[found.codes.index(code) for code in SEEN]]


def test_each_dimension_is_standardised_over_the_languages_that_are_trained_on() -> None:
    rows = made().values[:4]
    assert np.allclose(rows.mean(axis=0), 0)
    assert np.allclose(rows.std(axis=0), 1)
    assert np.allclose(made().values[4:], (VALUES[4:] - VALUES[:4].mean(axis=0)) / VALUES[:4].std(axis=0))


@pytest.mark.parametrize("kind", CONTROLS)
def test_predicting_zero_costs_one_for_vectors_and_for_every_control(kind: Control) -> None:
    assert of_seen(made()).sum(axis=1).mean() == pytest.approx(1)
    assert of_seen(control(kind, made(), CODES, SEEN, 1)).sum(axis=1).mean() == pytest.approx(1)


def test_a_block_of_many_dimensions_counts_as_much_as_one_of_few() -> None:
    many = np.random.default_rng(2).normal(size=(6, 50))
    joined = of_seen(targets([Block(CODES, VALUES), Block(CODES, many)], CODES, SEEN))
    assert joined[:, :3].sum() == pytest.approx(joined[:, 3:].sum())


def test_a_value_that_is_not_known_costs_nothing_and_the_rest_of_its_language_counts() -> None:
    holes = VALUES.copy()
    holes[1, 0] = np.nan
    found = targets([Block(CODES, holes)], CODES, SEEN)
    assert found.costs[1, 0] == 0
    assert found.costs[1, 1] > 0
    assert np.isfinite(found.values).all()
    assert of_seen(found).sum(axis=1).mean() == pytest.approx(1)


def test_a_dimension_in_which_the_seen_languages_are_alike_is_left_out() -> None:
    flat = VALUES.copy()
    flat[:4, 1] = 5.0
    assert targets([Block(CODES, flat)], CODES, SEEN).values.shape == (6, 2)


def test_a_seen_language_without_a_vector_is_named() -> None:
    with pytest.raises(InputError, match="no vector of fin_Latn, which is trained on"):
        targets([Block(CODES[:3], VALUES[:3])], CODES, SEEN)


def test_an_unseen_language_without_a_vector_cannot_be_named_by_it() -> None:
    found = targets([Block(SEEN, VALUES[:4])], CODES, SEEN)
    assert found.known == SEEN


def test_vectors_that_are_all_the_same_are_refused() -> None:
    with pytest.raises(InputError, match="nothing to predict"):
        targets([Block(CODES, np.ones((6, 3)))], CODES, SEEN)


def test_shuffled_gives_no_seen_language_its_own_vector_and_keeps_them_all() -> None:
    found, own = control("shuffled", made(), CODES, SEEN, 3), made()
    assert not any(np.array_equal(found.values[place], own.values[place]) for place in range(4))
    assert {tuple(row) for row in found.values[:4]} == {tuple(row) for row in own.values[:4]}


def test_constant_is_the_same_for_all_random_and_one_hot_are_not() -> None:
    rows = {kind: control(kind, made(), CODES, SEEN, 1).values[:4] for kind in CONTROLS}
    assert len(np.unique(rows["constant"], axis=0)) == 1
    assert len(np.unique(rows["random"], axis=0)) == len(np.unique(rows["one_hot"], axis=0)) == 4
    assert np.array_equal(rows["script"][0], rows["script"][3])
    assert not np.array_equal(rows["script"][0], rows["script"][2])


def module(weighting: float | str = 1.0, found: Targets | None = None) -> Regulariser:
    torch.manual_seed(1)
    return Regulariser(found or made(), 8, weighting)  # type: ignore[arg-type]


POOLED = torch.randn(4, 8, generator=torch.Generator().manual_seed(2))
LANGUAGES = torch.tensor([0, 1, 2, 3])


def test_the_gradient_reaches_the_projection_and_the_sentences() -> None:
    regulariser, pooled = module(), POOLED.clone().requires_grad_()
    regulariser(torch.tensor(1.0), pooled, LANGUAGES).backward()
    assert regulariser.projection.weight.grad is not None
    assert regulariser.projection.weight.grad.abs().sum() > 0
    assert pooled.grad is not None
    assert (pooled.grad.abs().sum(dim=1) > 0).all()


def test_different_languages_pull_the_same_sentence_to_different_vectors() -> None:
    regulariser = module()
    pulls = []
    for language in range(4):
        pooled = POOLED[:1].clone().requires_grad_()
        regulariser(torch.tensor(0.0), pooled, torch.tensor([language])).backward()
        assert pooled.grad is not None
        pulls.append(pooled.grad[0])
    assert all(not torch.allclose(pulls[a], pulls[b]) for a in range(4) for b in range(a))


def test_the_distance_is_the_stated_mean_of_squares_over_that_of_predicting_zero() -> None:
    regulariser, own = module(), made().values
    with torch.no_grad():
        predicted = regulariser.predicted(POOLED).numpy()
        found = float(regulariser.distance(POOLED, LANGUAGES))
    slow = np.mean([np.mean((predicted[i] - own[i]) ** 2) for i in range(4)])
    nothing = np.mean([np.mean(own[i] ** 2) for i in range(4)])
    assert found == pytest.approx(slow / nothing, rel=1e-5)


def test_training_the_projection_alone_learns_to_name_the_languages() -> None:
    regulariser = module()
    optimizer = torch.optim.Adam(regulariser.parameters(), 0.05)
    for _ in range(200):
        optimizer.zero_grad()
        regulariser.distance(POOLED, LANGUAGES).backward()
        optimizer.step()
    assert named(regulariser.predicted(POOLED).detach(), made(), CODES) == list(SEEN)


def test_named_is_the_nearest_by_the_definition_written_as_loops() -> None:
    holes = VALUES.copy()
    holes[1, 0] = holes[5, 2] = np.nan
    found = targets([Block(CODES, holes)], CODES, SEEN)
    predicted = np.random.default_rng(4).normal(size=(40, 3))
    for row, name in zip(predicted, named(torch.tensor(predicted), found, CODES), strict=True):
        known = found.costs > 0
        far = [np.mean((row - found.values[i])[known[i]] ** 2) for i in range(6)]
        assert name == CODES[int(np.argmin(far))]
    assert set(named(torch.tensor(predicted), found, CODES[4:])) <= set(CODES[4:])
    assert named(torch.tensor(predicted), found, []) == [None] * 40


def test_fixed_weights_add_up() -> None:
    distance = float(module().distance(POOLED, LANGUAGES).detach())
    assert float(module(10.0)(torch.tensor(2.0), POOLED, LANGUAGES).detach()) == pytest.approx(
        2 + 10 * distance, rel=1e-5
    )


def test_scale_brings_both_losses_to_their_mean_and_its_second_factor_never_falls() -> None:
    regulariser = module("scale")
    first = float(regulariser(torch.tensor(3.0), POOLED, LANGUAGES).detach())
    distance = float(module().distance(POOLED, LANGUAGES).detach())
    assert first == pytest.approx(3.0 + distance, rel=1e-5)  # twice the mean
    factors = [regulariser.factors.clone()]
    for _ in range(400):
        regulariser(torch.tensor(0.5), POOLED, LANGUAGES)
        factors.append(regulariser.factors.clone())
    second = torch.stack(factors)[:, 1]
    assert (second.diff() >= 0).all()
    assert float(second[-1]) == pytest.approx(float(second[0]) * 1.01**4)  # four looks, each at its floor


def test_learned_weights_follow_the_uncertainty_of_each_loss() -> None:
    regulariser = module("learned")
    optimizer = torch.optim.SGD([regulariser.uncertainties], 0.1)
    for _ in range(500):
        optimizer.zero_grad()
        regulariser(torch.tensor(4.0), POOLED, LANGUAGES).backward()
        optimizer.step()
    assert float(regulariser.uncertainties[0].detach()) == pytest.approx(np.log(4), abs=0.01)
