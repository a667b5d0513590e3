"""Parallel text: joined by id, and divided so that nothing is learnt that is tested, in any pair of languages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.alignment import Tagged
from masking.entities import entity_table
from masking.parallel import Bitext, Divided, Division, Layout, divide, divide_all, join, noisy, pairs, sentences
from masking.tagging.base import Sentence, SetAside, Span

PARTS = ("train", "dev", "test")


def bitext(rows: Sequence[tuple[str, str, str]]) -> Bitext:
    ids, source, target = zip(*rows, strict=True) if rows else ((), (), ())
    return Bitext(list(ids), [Tagged(text, ()) for text in source], [Tagged(text, ()) for text in target])


def made(count: int, first: str = "si", second: str = "en") -> Bitext:
    return bitext([(f"id{n}", f"{first} says {n}", f"{second} says {n}") for n in range(count)])


def triples(text: Bitext) -> list[tuple[str, str, str]]:
    return list(zip(text.ids, *text.texts(), strict=True))


def plain(text: str) -> str:
    """What counts as the same text."""
    return " ".join(text.casefold().split())


def every(divided: Divided) -> list[Bitext]:
    return [getattr(divided, part) for part in PARTS]


# Joined


def table(rows: Sequence[tuple[str, str]], lang: str, found: dict[str, list[Span] | SetAside] | None = None):
    some = [Sentence(id, text) for id, text in rows]
    return entity_table(some, [(found or {}).get(one.id, []) for one in some], lang, "rules")


def test_sentences_are_joined_by_id_in_the_order_of_the_source_with_their_own_tags():
    noun, name = Span(0, 2, "NOUN", "n"), Span(1, 3, "NE", "LOC")
    source = table([("a", "eka"), ("b", "deka"), ("c", "tuna"), ("d", "hatara")], "sin_Sinh", {"c": [noun]})
    target = table([("c", "three"), ("x", "nine"), ("a", "one"), ("d", "four")], "eng_Latn", {"c": [name]})
    found = join(source, target)
    assert triples(found) == [("a", "eka", "one"), ("c", "tuna", "three"), ("d", "hatara", "four")]
    assert [one.spans for one in found.source] == [[], [noun], []]
    assert [one.spans for one in found.target] == [[], [name], []]
    assert len(found) == 3


def test_sentences_that_are_blank_or_were_set_aside_on_either_side_are_not_joined():
    source = table([("a", "eka"), ("b", " \u00a0\t"), ("c", "tuna"), ("d", "hatara")], "sin_Sinh")
    target = table([("a", ""), ("b", "two"), ("c", "three"), ("d", "four")], "eng_Latn", {"c": SetAside("too long")})
    assert triples(join(source, target)) == [("d", "hatara", "four")]
    assert triples(join(target, source)) == [("d", "four", "hatara")]
    assert len(join(source, table([], "eng_Latn"))) == 0


# Divided


def test_each_part_has_its_share_and_each_pair_one_part():
    divided = divide(made(4000), Division(dev=0.05, test=0.1, most=4000), 1)
    train, dev, test = every(divided)
    assert len(test) / 4000 == pytest.approx(0.1, abs=0.02)
    assert len(dev) / 4000 == pytest.approx(0.05, abs=0.015)
    assert sorted([*train.ids, *dev.ids, *test.ids]) == sorted(made(4000).ids)
    assert set(divided.dropped.values()) == {0}
    assert all(source.replace("si", "en") == target for part in every(divided) for _, source, target in triples(part))


def test_a_division_is_that_of_its_seed_whatever_the_order_of_the_rows():
    how, rows = Division(), triples(made(300))
    first, again = divide(bitext(rows), how, 1), divide(bitext(rows[::-1]), how, 1)
    other = divide(bitext(rows), how, 2)
    for part in PARTS:
        assert set(getattr(first, part).ids) == set(getattr(again, part).ids)
    assert set(first.test.ids) != set(other.test.ids)
    assert list(first.test.ids) == list(again.test.ids)


def test_the_same_ids_are_held_out_in_every_pair_of_a_text_in_many_languages():
    how = Division(test=0.2, dev=0.2, most=10**6)
    sin, tam = divide(made(500, "si"), how, 1), divide(made(500, "ta"), how, 1)
    some = divide(bitext(triples(made(500, "mr"))[100:]), how, 1)
    for part in PARTS:
        assert set(getattr(sin, part).ids) == set(getattr(tam, part).ids) >= set(getattr(some, part).ids)


words = st.sampled_from(["a", "b", "A", "c c", "c  C", " d", "e", "f"])
rows = st.lists(st.tuples(words, words, words), max_size=25)
divisions = st.builds(
    Division,
    dev=st.sampled_from([0.1, 0.3]),
    test=st.sampled_from([0.1, 0.3]),
    most=st.sampled_from([2, 300]),
    least_words=st.sampled_from([1, 2]),
    pairs=st.sampled_from([None, 3]),
    noise=st.sampled_from([0, 0.5]),
)


@settings(max_examples=150)
@given(rows, divisions, st.integers(0, 5))
def test_nothing_held_out_is_learnt_as_either_side_and_no_pair_is_there_twice(some, how, seed):
    given = bitext([(str(number), source, target) for number, (source, target, _) in enumerate(some)])
    divided = divide(given, how, seed)
    check_nothing_leaks([divided])
    train, dev, test = every(divided)
    assert max(len(dev), len(test)) <= how.most and len(train) <= (how.pairs or 25)
    held = [plain(text) for part in (dev, test) for pair in zip(*part.texts(), strict=True) for text in set(pair)]
    assert len(held) == len(set(held))  # each text once
    known = set(triples(given))
    for part in (dev, test) if how.noise else every(divided):
        assert set(triples(part)) <= known
        assert all(len(text.split()) >= how.least_words for side in part.texts() for text in side)
    if how.most == 300 and how.pairs is None:
        assert len(train) + len(dev) + len(test) + sum(divided.dropped.values()) == len(given)


def check_nothing_leaks(several: Sequence[Divided]) -> None:
    held = {plain(text) for one in several for part in (one.dev, one.test) for side in part.texts() for text in side}
    learnt = {plain(text) for one in several for side in one.train.texts() for text in side}
    assert not held & learnt


@settings(max_examples=150)
@given(rows, st.lists(st.booleans(), min_size=25, max_size=25), divisions, st.integers(0, 5))
def test_nothing_held_out_in_one_pair_is_learnt_in_another(some, there, how, seed):
    """Ids that only one pair has, and texts that stand under several ids, too."""
    numbered = [(str(number), *texts) for number, texts in enumerate(some)]
    several = {
        "sin-eng": bitext([(id, sin, eng) for id, sin, eng, _ in numbered]),
        "tam-eng": bitext([(id, tam, eng) for (id, _, eng, tam), keep in zip(numbered, there, strict=False) if keep]),
    }
    divided = divide_all(several, how, seed)
    assert list(divided) == list(several)
    check_nothing_leaks(list(divided.values()))
    for name, one in divided.items():
        alone = divide(several[name], how, seed)
        assert (triples(one.dev), triples(one.test)) == (triples(alone.dev), triples(alone.test))


def test_texts_without_repeats_are_divided_together_as_each_alone():
    several = {code: made(200, code) for code in ("si", "ta")}
    for code, one in divide_all(several, Division(noise=0.2, pairs=100), 3).items():
        alone = divide(several[code], Division(noise=0.2, pairs=100), 3)
        assert all(getattr(one, part.name) == getattr(alone, part.name) for part in fields(Divided))


def test_every_reason_for_leaving_out_is_counted():
    """Of one text under many ids one is kept; where it is held out, none is learnt."""
    often = bitext([(f"again{n}", "one and the same", "ein und dasselbe") for n in range(60)])
    divided = divide(often, Division(test=0.2, dev=0.2), 1)
    held, learnt = (sum(len(getattr(divided, part)) for part in parts) for parts in (PARTS[1:], PARTS[:1]))
    assert (held, learnt) == (1, 0)
    ids = divide(made(0), Division(), 1)
    assert sum(map(len, every(ids))) == 0
    whole = bitext([(f"again{n}", f"s {n}", f"t {n}") for n in range(60)])
    trained = len(divide(whole, Division(test=0.2, dev=0.2), 1).train)
    assert divided.dropped == {"short": 0, "untranslated": 0, "repeated": 59 - trained, "kept back": trained}
    others = bitext([("a", "one", "eins und"), ("b", "Same  text", "same text"), ("c", "two words", "zwei worte")])
    dropped = divide(others, Division(least_words=2), 1).dropped
    assert dropped == {"short": 1, "untranslated": 1, "repeated": 0, "kept back": 0}


def test_the_same_pair_is_learnt_once_and_a_text_with_two_translations_twice():
    twice = bitext([(f"x{n}", "Yes  sir", "ja") for n in range(3)] + [(f"y{n}", "yes sir", "jawohl") for n in range(3)])
    seed = next(seed for seed in range(99) if not divide(twice, Division(), seed).dropped["kept back"])
    train = divide(twice, Division(), seed).train
    assert sorted(train.texts()[1]) == ["ja", "jawohl"]


def test_the_pairs_learnt_from_are_random_ones_in_the_order_of_the_text():
    train = divide(made(1000), Division(pairs=50), 1).train
    numbers = [int(id.removeprefix("id")) for id in train.ids]
    assert len(numbers) == 50
    assert numbers == sorted(numbers)
    assert 350 < np.mean(numbers) < 650


# Made wrong, and turned


@pytest.mark.parametrize("share", [0, 0.1, 0.5])
def test_so_many_pairs_get_a_wrong_partner_that_is_another_one_of_theirs(share):
    text = made(2000)
    wrong = noisy(text, share, 1)
    moved = [a != b for a, b in zip(text.texts()[1], wrong.texts()[1], strict=True)]
    assert np.mean(moved) == pytest.approx(share, abs=0.03)
    assert sorted(wrong.texts()[1]) == sorted(text.texts()[1])
    assert wrong.texts()[0] == text.texts()[0] and wrong.ids == text.ids
    assert triples(noisy(text, share, 1)) == triples(wrong)


def test_only_what_is_learnt_gets_wrong_partners():
    right = set(triples(made(1000)))
    divided = divide(made(1000), Division(noise=0.5), 1)
    train, dev, test = ([row in right for row in triples(part)] for part in every(divided))
    assert all([*dev, *test])
    assert np.mean(train) == pytest.approx(0.5, abs=0.05)


def test_every_second_pair_is_turned_round_or_none():
    texts = [made(5, "si"), made(2, "ta")]
    straight = pairs(texts, Layout(either_order=False))
    assert straight == [pair for text in texts for pair in zip(text.source, text.target, strict=True)]
    turned = pairs(texts, Layout())
    assert turned == [pair[::-1] if place % 2 else pair for place, pair in enumerate(straight)]


def test_sentences_are_both_sides_of_all_each_text_once():
    found = sentences([made(2, "si"), made(3, "ta")])
    assert [one.text for one in found] == [
        *("si says 0", "si says 1", "en says 0", "en says 1"),
        *("ta says 0", "ta says 1", "ta says 2", "en says 2"),
    ]
