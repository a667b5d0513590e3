"""How long and how fast: the learning rate for any curriculum."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from torch import nn, optim
from transformers import get_linear_schedule_with_warmup

from masking.curriculum import Curriculum

curricula = st.builds(
    Curriculum,
    epochs=st.integers(1, 100),
    tokens=st.none() | st.integers(1, 10**9),
    learning_rate=st.floats(1e-9, 1),
    warmup=st.floats(0, 0.999),
)


@given(curricula, st.integers(1, 10**7))
def test_the_budget_is_the_epochs_or_the_tokens_whichever_is_less(how: Curriculum, text: int) -> None:
    budget = how.budget(text)
    assert budget <= how.epochs * text
    assert how.tokens is None or budget <= how.tokens
    assert budget in (how.epochs * text, how.tokens)


@given(curricula, st.integers(1, 10**9), st.lists(st.integers(0, 2 * 10**9), min_size=2))
def test_the_rate_is_never_negative_never_above_its_peak_and_falls_after_the_warm_up(
    how: Curriculum, budget: int, moments: list[int]
) -> None:
    moments = sorted(moments)
    rates = [how.rate(seen, budget) for seen in moments]
    assert all(0 <= rate <= how.learning_rate * (1 + 1e-12) for rate in rates)
    after = [rate for seen, rate in zip(moments, rates, strict=True) if seen >= how.warmup * budget * (1 + 1e-9)]
    assert after == sorted(after, reverse=True)
    before = [rate for seen, rate in zip(moments, rates, strict=True) if seen < how.warmup * budget * (1 - 1e-9)]
    assert before == sorted(before)
    assert how.rate(budget, budget) == how.rate(budget + 1, budget) == 0


@pytest.mark.parametrize("warmup", [0, 0.1, 0.25])
def test_rates_are_those_of_the_linear_schedule_of_transformers(warmup: float) -> None:
    optimizer = optim.SGD([nn.Parameter()], lr=0.5)
    schedule = get_linear_schedule_with_warmup(optimizer, round(warmup * 100), 100)
    how, expected = Curriculum(learning_rate=0.5, warmup=warmup), []
    for _ in range(101):
        expected.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert [how.rate(seen, 100) for seen in range(101)] == pytest.approx(expected, abs=1e-9)


def test_a_text_without_tokens_has_a_budget_of_none_and_a_rate_all_the_same() -> None:
    assert Curriculum().budget(0) == 0
    assert Curriculum().rate(0, 0) == Curriculum().learning_rate


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"tokens": 0}, {"learning_rate": 0}, {"warmup": 1}, {"keep": "best"}])
def test_a_curriculum_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Curriculum.model_validate(wrong)
