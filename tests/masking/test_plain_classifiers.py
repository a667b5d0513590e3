"""Baselines: what they learn, and that they learn the same again."""

from collections import Counter

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from langvec.errors import InputError
from masking.plain_classifiers import AnyPlainClassifier, CharacterNgrams, Majority, predicted

STEMS = {"sad": "lacrim", "glad": "laetit", "calm": "placid"}
FEW = CharacterNgrams(buckets=4096)


def sentences(count: int, seed: int) -> tuple[list[str], list[str]]:
    """Words with endings and noise; the stem tells the class, of which the first is the most frequent."""
    random = np.random.default_rng(seed)
    labels = [str(label) for label in random.choice(list(STEMS), size=count, p=[0.6, 0.2, 0.2])]
    letters = [["".join(random.choice(list("abcdeo"), size=5)) for _ in range(5)] for _ in labels]
    texts = [f"{' '.join(noise)} {STEMS[label]}{noise[0][:2]}" for label, noise in zip(labels, letters, strict=True)]
    return texts, labels


def test_the_majority_is_the_most_frequent_label_for_every_text():
    texts, labels = sentences(100, 1)
    fitted = Majority().fit(texts, labels)
    assert fitted.classes == ("calm", "glad", "sad")
    assert predicted(fitted, ["x", ""]) == ["sad", "sad"]
    shares = [Counter(labels)[label] / 100 for label in fitted.classes]
    assert fitted.probabilities(["x", "y"]) == pytest.approx(np.array([shares, shares]))


def test_characters_tell_classes_by_parts_of_words_never_seen_whole():
    (texts, labels), (others, gold) = sentences(150, 1), sentences(150, 2)
    fitted = FEW.fit(texts, labels)
    assert np.mean(np.array(predicted(fitted, others)) == gold) > 0.95
    chances = fitted.probabilities(others)
    assert chances.shape == (150, 3)
    assert chances.sum(axis=1) == pytest.approx(np.ones(150))
    assert fitted.probabilities([]).shape == (0, 3)


def test_probabilities_are_those_of_the_library_on_all_columns():
    (texts, labels), (others, _) = sentences(100, 1), sentences(30, 2)
    counts = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=4096, alternate_sign=False, norm=None)
    whole = make_pipeline(
        counts, TfidfTransformer(sublinear_tf=True), LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    )
    expected = whole.fit(texts, labels).predict_proba(others)
    assert FEW.fit(texts, labels).probabilities(others) == pytest.approx(expected, abs=1e-3)


def test_the_same_texts_give_the_same_probabilities_and_a_seed_draws_those_learnt_from():
    (texts, labels), (others, _) = sentences(200, 1), sentences(20, 2)
    once, again = (FEW.fit(texts, labels).probabilities(others) for _ in range(2))
    assert np.array_equal(once, again)
    drawn = {seed: CharacterNgrams(buckets=4096, most=80, seed=seed).fit(texts, labels) for seed in (1, 2)}
    assert not np.array_equal(drawn[1].probabilities(others), drawn[2].probabilities(others))


def test_the_strength_is_chosen_on_validation_where_it_is_left_open():
    """Validation labels are what one of the strengths predicts, so that it alone is right about all of them."""
    (texts, labels), (others, _) = sentences(80, 1), sentences(160, 2)
    mixed_up = labels[::-1]
    wanted = [predicted(FEW.model_copy(update={"strength": c}).fit(texts, mixed_up), others) for c in (0.1, 100.0)]
    assert wanted[0] != wanted[1]
    for one in wanted:
        chosen = FEW.model_copy(update={"strength": None}).fit(texts, mixed_up, (others, one))
        assert predicted(chosen, others) == one
    with pytest.raises(InputError, match="no validation split"):
        CharacterNgrams(strength=None).fit(texts, labels)


@pytest.mark.parametrize("recipe", [{"kind": "majority"}, {"kind": "characters", "buckets": 256}])
def test_labels_that_do_not_fit_the_texts_are_refused(recipe):
    classifier = TypeAdapter(AnyPlainClassifier).validate_python(recipe)
    with pytest.raises(InputError, match="2 texts with 1 labels"):
        classifier.fit(["a", "b"], ["x"])


def test_one_class_is_nothing_to_tell_apart():
    with pytest.raises(InputError, match=r"of 1 classes\. Expected a label for each text, and 2 or more"):
        FEW.fit(["a", "b"], ["x", "x"])
    with pytest.raises(ValidationError, match="expected the other way round"):
        CharacterNgrams(shortest=5)
