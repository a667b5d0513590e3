"""Words explain each other: true pairs of a small deterministic language score above false ones."""

import math

import numpy as np

from masking.curation.lexical import explained
from masking.tagging.ibm1 import NULL
from masking.tagging.wordalign import WordAligner, WordAlignment

NUMBERS = np.random.default_rng(1).integers(0, 40, (400, 6))
PAIRS = [(" ".join(f"word{n}" for n in row), " ".join(f"wort{n}" for n in row)) for row in NUMBERS.tolist()]
ALIGNER = WordAligner.train(PAIRS[:300], WordAlignment(letters=None))


def test_translations_score_above_other_partners() -> None:
    sources, targets = ([pair[side] for pair in PAIRS[300:]] for side in (0, 1))
    right, wrong = explained(ALIGNER, sources, targets), explained(ALIGNER, sources, targets[1:] + targets[:1])
    assert (right > wrong).mean() > 0.98


def test_the_score_is_the_mean_gain_of_all_words_as_loops_have_it() -> None:
    source, target = PAIRS[300]

    def gain(lexicon, given, made) -> float:  # type: ignore[no-untyped-def]
        gains = []
        for word in made:
            alone = max(float(lexicon.of(np.array([NULL]), np.array([word]))[0]), 1e-7)
            chances = [float(lexicon.of(np.array([one]), np.array([word]))[0]) for one in given]
            gains.append(math.log(max(sum(chances) + alone, 1e-7) / (len(given) + 1)) - math.log(alone) if word else 0)
        return sum(gains) / len(gains)

    left, right = ALIGNER.source.find(source.split()), ALIGNER.target.find(target.split())
    slow = (gain(ALIGNER.forward, left, right) + gain(ALIGNER.backward, right, left)) / 2
    assert explained(ALIGNER, [source], [target])[0] == np.float64(slow) or math.isclose(
        explained(ALIGNER, [source], [target])[0], slow
    )


def test_unknown_words_say_nothing_and_no_word_has_no_score() -> None:
    assert explained(ALIGNER, ["never seen"], ["nie gesehen"])[0] == 0
    assert math.isnan(explained(ALIGNER, ["..."], ["wort1"])[0])
