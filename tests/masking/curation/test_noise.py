"""Noise is what it is called, in the share that was asked for, and the same however pairs are cut into blocks."""

from collections import Counter

import pytest
from pydantic import ValidationError

from masking.curation.noise import KINDS, Noise, noisy

SOURCES = [f"the source sentence number {number}" for number in range(2000)]
TARGETS = [f"der Satz des Ziels mit der Nummer {number}" for number in range(2000)]
FOREIGN = ["een zin in een andere taal", "nog een zin"]
NOISE = Noise(misaligned=0.2, misordered=0.1, wrong_language=0.1, untranslated=0.1, truncated=0.1)


def test_each_kind_is_what_it_is_called_and_good_pairs_are_untouched() -> None:
    targets, kinds = noisy(NOISE, SOURCES, TARGETS, FOREIGN, seed=1)
    for place, (target, kind) in enumerate(zip(targets, kinds, strict=True)):
        own = TARGETS[place]
        match kind:
            case None:
                assert target == own
            case "misaligned":
                assert target != own and target in TARGETS
            case "misordered":
                assert target != own and Counter(target.split()) == Counter(own.split())
            case "wrong_language":
                assert target in FOREIGN
            case "untranslated":
                assert target == SOURCES[place]
            case "truncated":
                assert own.startswith(target) and 1 <= len(target.split()) <= len(own.split()) / 2 + 1
    assert len([target for target in targets if target in set(TARGETS)]) == len(
        {target for target in targets if target in set(TARGETS)}
    )  # what is misaligned is not found a second time with its own source


def test_each_kind_has_about_its_share() -> None:
    _, kinds = noisy(NOISE, SOURCES, TARGETS, FOREIGN, seed=1)
    found = Counter(kinds)
    for kind in KINDS:
        assert abs(found[kind] - 2000 * getattr(NOISE, kind)) < 4 * (2000 * 0.2) ** 0.5


def test_what_becomes_of_a_pair_depends_on_its_number_and_the_seed_alone() -> None:
    how = NOISE.model_copy(update={"misaligned": 0.0})  # partners are of the block
    whole = noisy(how, SOURCES, TARGETS, FOREIGN, seed=3)
    first = noisy(how, SOURCES[:700], TARGETS[:700], FOREIGN, seed=3)
    rest = noisy(how, SOURCES[700:], TARGETS[700:], FOREIGN, seed=3, first=700)
    assert whole.targets == first.targets + rest.targets
    assert whole.kinds != noisy(how, SOURCES, TARGETS, FOREIGN, seed=4).kinds


def test_noise_that_changes_nothing_leaves_a_good_pair() -> None:
    every = Noise(misaligned=0, misordered=0.98, wrong_language=0, untranslated=0.01, truncated=0)
    assert noisy(every, ["Word"] * 50, ["Word"] * 50, [], seed=1) == (["Word"] * 50, [None] * 50)


def test_some_pairs_have_to_stay_good() -> None:
    with pytest.raises(ValidationError, match="expected less than 1"):
        Noise(misaligned=0.6, misordered=0.4)
