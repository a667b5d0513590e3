"""What was sealed comes back to the last bit, or not at all."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from langvec.sealed import seal, unseal

names = st.text(st.characters(exclude_categories=("Cs", "Z", "Cc")), min_size=1, max_size=6)
kinds = st.sampled_from([torch.float32, torch.bfloat16, torch.int64, torch.uint8])
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
about = st.dictionaries(names, plain | st.lists(plain, max_size=3), min_size=1, max_size=3)


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    shape = draw(st.lists(st.integers(0, 3), max_size=3))
    return (torch.arange(torch.Size(shape).numel()) * 7 - 3).to(draw(kinds)).reshape(shape)


parts = st.dictionaries(names, st.dictionaries(names | st.just("a b.c"), tensors(), min_size=1, max_size=3), max_size=3)
SEALED = seal({"weights": {"a": torch.arange(3.0)}, "best": {"a": torch.ones(1)}}, {"step": 3})


@settings(max_examples=40)
@given(parts, about)
def test_tensors_and_data_come_back_as_they_went_in(given_parts, given_about):
    found = unseal(seal(given_parts, given_about))
    assert found is not None
    assert found[1] == given_about
    assert {part: set(some) for part, some in found[0].items()} == {
        part: set(some) for part, some in given_parts.items()
    }
    for part, some in given_parts.items():
        for name, tensor in some.items():
            assert found[0][part][name].dtype == tensor.dtype
            assert torch.equal(found[0][part][name], tensor)


def test_a_tensor_that_lies_otherwise_in_memory_comes_back_with_its_numbers():
    turned = torch.arange(6.0, requires_grad=True).reshape(2, 3).T
    found = unseal(seal({"weights": {"turned": turned}}, {}))
    assert found is not None and torch.equal(found[0]["weights"]["turned"], turned)


def test_any_byte_that_is_changed_is_found():
    for place in range(len(SEALED)):
        assert unseal(SEALED[:place] + bytes([SEALED[place] ^ 1]) + SEALED[place + 1 :]) is None


@pytest.mark.parametrize("change", [lambda s: b"", lambda s: s + b"\0", lambda s: s[1:], lambda s: b"\0" * len(s)])
def test_bytes_that_are_missing_or_too_many_are_found(change):
    assert unseal(change(SEALED)) is None
    assert unseal(SEALED[: len(SEALED) // 2]) is None


def test_equal_states_are_equal_bytes():
    assert seal({"weights": {"a": torch.arange(3.0)}, "best": {"a": torch.ones(1)}}, {"step": 3}) == SEALED
