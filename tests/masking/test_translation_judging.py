"""chrF and BLEU: sacreBLEU's own, and intervals and comparisons near to those of its bootstrap."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from langvec.errors import InputError
from masking.translation.judging import (
    DRAWS,
    bleu_counts,
    bleu_score,
    bleu_tokenizer,
    chrf,
    chrf_counts,
    chrf_score,
    judged,
    paired,
)

WORDS = ["the", "cat", "saw", "a", "dog", "by", "old", "red", "gates,", "no", "sang;", "පූසා", "ගෙදර", "பூனை", "நாய்"]


def said(count: int, noise: float, seed: int) -> list[str]:
    """Sentences of which some words have been changed; the same for all noises otherwise."""
    draw, change, found = random.Random(1), random.Random(seed), list[str]()
    for _ in range(count):
        words = draw.choices(WORDS, k=draw.randint(4, 15))
        found.append(" ".join(change.choice(WORDS) if change.random() < noise else word for word in words))
    return found


REFERENCES = said(300, 0, 1)

texts = st.lists(st.text(st.sampled_from("abc .ක"), max_size=12), min_size=1, max_size=6)


@settings(max_examples=50)
@given(texts, texts)
def test_scores_of_any_corpus_are_those_of_sacrebleu(hypotheses: list[str], references: list[str]) -> None:
    both = list(zip(hypotheses, references, strict=False))
    found, wanted = [one for one, _ in both], [other for _, other in both]
    expected = {"chrf": CHRF().corpus_score(found, [wanted]), "bleu": BLEU().corpus_score(found, [wanted])}
    for row in judged(found, wanted, "eng"):
        assert row["value"] == pytest.approx(expected[row["metric"]].score, abs=1e-9)
        assert row["items"] == len(both)


def test_many_sums_at_once_score_as_sacrebleu_scores_each() -> None:
    draw, found = np.random.default_rng(1), said(300, 0.6, 2)
    for counted, metric, score in (
        (chrf_counts(found, REFERENCES), CHRF(), chrf_score),
        (bleu_counts(found, REFERENCES, "sin"), BLEU(), bleu_score),
    ):
        sums = draw.integers(0, 3, (50, 300)) @ counted.counts
        each = [metric._compute_score_from_stats(list(one)).score for one in sums.astype(int)]  # type: ignore[attr-defined]
        assert score(sums) == pytest.approx(each, abs=1e-9)


def test_intervals_are_near_those_of_sacrebleus_bootstrap_and_signatures_are_its_own() -> None:
    found = said(300, 0.4, 2)
    for row, metric in zip(judged(found, REFERENCES, "eng"), (CHRF(), BLEU(tokenize="13a")), strict=True):
        theirs: Any = metric.corpus_score(found, [REFERENCES], n_bootstrap=1000)
        assert (row["high"] - row["low"]) / 2 == pytest.approx(theirs._ci, rel=0.1)
        assert (row["high"] + row["low"]) / 2 == pytest.approx(theirs._mean, abs=0.2)
        assert row["low"] < row["value"] < row["high"]
        assert row["signature"] == str(metric.get_signature()).replace("bs:1000|seed:12345|", "")


@pytest.mark.parametrize(("noise", "sure"), [(0.4, False), (0.44, None), (0.6, True)])
def test_a_comparison_is_near_that_of_sacrebleu(noise: float, sure: bool | None) -> None:
    """Its p asks only one way and takes the mean off; ours asks both ways, so it is about twice as large."""
    first, second = said(300, 0.4, 2), said(300, noise, 3)
    systems = [("first", first), ("second", second)]
    _, found = PairedTest(systems, {"chrf": CHRF()}, [REFERENCES], "bs", DRAWS)()  # type: ignore[arg-type]
    (_, theirs) = found["chrF2"]
    ours = paired(first, second, REFERENCES)
    assert ours.value.value == pytest.approx(found["chrF2"][0].score - theirs.score, abs=1e-9)
    assert ours.value.low < ours.value.value < ours.value.high
    assert ours.p == pytest.approx(min(1, 2 * theirs.p_value), abs=0.12)
    if sure is not None:
        assert (ours.p < 0.01) == sure


def test_a_system_is_no_better_than_itself_and_draws_repeat_themselves() -> None:
    found = said(50, 0.5, 2)
    same = paired(found, found, REFERENCES[:50])
    assert (same.value.value, same.value.low, same.value.high, same.p) == (0, 0, 0, 1)
    assert judged(found, REFERENCES[:50], "eng") == judged(found, REFERENCES[:50], "eng")
    assert judged(found, REFERENCES[:50], "eng", 2) != judged(found, REFERENCES[:50], "eng")
    first, second = paired(found, REFERENCES[:50], REFERENCES[:50]), paired(REFERENCES[:50], found, REFERENCES[:50])
    assert first.value.value == -second.value.value < 0


def test_words_are_found_as_the_script_has_them_and_the_signature_says_how() -> None:
    codes = {"13a": ("sin", "tam", "eng", "kor"), "zh": ("zho_Hans", "cmn_Hant"), "char": ("jpn", "tha", "khm", "mya")}
    assert all(bleu_tokenizer(code) == name for name, several in codes.items() for code in several)
    chrf_row, bleu_row = judged(["สวัสดีครับ"], ["สวัสดีค่ะ"], "tha_Thai")
    assert "tok:char" in bleu_row["signature"]
    assert "nc:6|nw:0" in chrf_row["signature"]
    assert bleu_row["value"] > 0


def test_translations_and_references_that_do_not_match_are_told_with_both_counts() -> None:
    with pytest.raises(InputError, match="2 translations and 1 references"):
        judged(["a", "b"], ["a"], "eng")
    with pytest.raises(InputError, match="0 translations and 0 references"):
        chrf([], [])
