"""Each filter against what it says in plain words, and counts of reasons against slow counting."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from masking.curation.filters import (
    AnyFilter,
    Candidates,
    Copied,
    Duplicate,
    LanguageId,
    Length,
    Numbers,
    Ratio,
    counts,
    deviations,
    log_ratios,
    reasons,
)

ANY = TypeAdapter[AnyFilter](AnyFilter)


def refused(how: dict[str, Any], source: str, target: str, **more: Any) -> bool:
    return bool(ANY.validate_python(how).refused(Candidates([source], [target], **more))[0])


@pytest.mark.parametrize(
    ("how", "kept", "left_out"),
    [
        ({"kind": "length", "min_words": 2}, ("a b", "c d"), ("a b", "c")),
        ({"kind": "length", "max_chars": 5}, ("abcde", "abc"), ("abcdef", "abc")),
        ({"kind": "ratio", "centre": 1, "factor": 2}, ("abcd", "ab"), ("abcde", "ab")),
        ({"kind": "numbers"}, ("It has 1,000 men", "௧௦௦௦ பேர்"), ("in 1984", "1985 இல்")),
        ({"kind": "numbers"}, ("no number", "எண் இல்லை"), ("in 1984", "அப்போது")),
        ({"kind": "numbers"}, ("5 of 10", "10 5"), ("5 of 10", "7")),
        ({"kind": "copied"}, ("The Word of Nimal", "நிமல் Word"), ("The word of Nimal.", "the Word of Nimal")),
        ({"kind": "punctuation"}, ("Well, no!", "x"), ("*** >> a <<", "x")),
        ({"kind": "placeholders"}, ("see http://a.b/c now", "http://a.b/c பார்"), ("see http://a.b/c", "பார்")),
        ({"kind": "placeholders"}, ("Open %s", "%s திற"), ("Open %s", "திற")),
        ({"kind": "placeholders"}, ("50% safe", "x"), ("<b>bold</b>", "x")),
        ({"kind": "repetition"}, ("a b c d e f g h i j", "..."), ("buy now " * 6, "x")),
        ({"kind": "repetition"}, ("--------", "x"), ("---------", "x")),
    ],
)
def test_a_filter_leaves_out_what_it_says_and_nothing_near_it(
    how: dict[str, Any], kept: tuple[str, str], left_out: tuple[str, str]
) -> None:
    assert not refused(how, *kept)
    assert refused(how, *left_out)


def test_letters_of_another_script_are_counted_on_the_side_that_should_not_have_them() -> None:
    def tamil(char: str) -> bool:
        return "\u0b80" <= char <= "\u0bff"

    letters: tuple[Callable[[str], bool], ...] = (str.isascii, tamil)
    assert not refused({"kind": "script"}, "The house", "வீடு A", letters=letters)
    assert refused({"kind": "script"}, "The house", "ගෙදර", letters=letters)
    assert refused({"kind": "script"}, "வீடு", "வீடு", letters=letters)
    assert not refused({"kind": "script"}, "12", "12", letters=letters)


def test_a_duplicate_is_of_what_the_recipe_names() -> None:
    seen = {"pair": np.array([False, True]), "source": np.array([True, True]), "target": np.array([False, True])}
    pairs = Candidates(["a", "a"], ["b", "b"], seen)  # type: ignore[arg-type]
    assert Duplicate().refused(pairs).tolist() == [False, True]
    assert Duplicate(of=("target", "source")).refused(pairs).tolist() == [True, True]


def test_text_too_short_to_tell_its_language_stays() -> None:
    pairs = Candidates(["x" * 19, "x" * 20], ["y" * 19, "y" * 20], margin=lambda side, others: np.array([-1.0, -1.0]))
    assert LanguageId().refused(pairs).tolist() == [False, True]


WORDS = st.lists(st.sampled_from(["house", "Haus", "7", "19", "no", "x" * 40]), max_size=6).map(" ".join)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=12))
def test_reasons_are_counted_as_a_slow_count_does(texts: list[tuple[str, str]]) -> None:
    filters: tuple[AnyFilter, ...] = (Length(max_chars=60), Ratio(), Numbers(), Copied())
    pairs = Candidates(*([side[place] for side in texts] for place in (0, 1)))
    found = reasons(filters, pairs)
    for place, (source, target) in enumerate(texts):
        alone = Candidates([source], [target])
        assert found[place] == [one.kind for one in filters if one.refused(alone)[0]]
    for row in counts(found, filters):
        assert row["any"] == sum(row["reason"] in one for one in found)
        assert row["first"] == sum(one[:1] == [row["reason"]] for one in found)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=12), st.floats(-2, 2))
def test_a_ratio_is_off_as_far_either_way(texts: list[tuple[str, str]], centre: float) -> None:
    sources, targets = ([side[place] for side in texts] for place in (0, 1))
    turned = Candidates(targets, sources, centre=-centre)
    assert np.allclose(deviations(Candidates(sources, targets, centre=centre)), deviations(turned))
    assert np.allclose(np.exp(log_ratios(sources, targets)), [max(1, len(b)) / max(1, len(a)) for a, b in texts])


@pytest.mark.parametrize("unit", ["a", "a@", "@", ".@a", "<a", "{", "%(", "1,", "&a"])
@pytest.mark.parametrize("kind", ["placeholders", "numbers", "repetition", "punctuation", "copied"])
def test_a_long_line_takes_no_longer_than_its_length(kind: str, unit: str) -> None:
    start = time.perf_counter()
    refused({"kind": kind}, unit * 20_000, "x")
    assert time.perf_counter() - start < 5  # it takes hundredths; in a power of its length it would be hours
