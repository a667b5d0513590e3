"""What any fine-tuned encoder has to beat: the most frequent class, and bags of characters."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from langvec.config import Strict
from langvec.errors import InputError

Probabilities = npt.NDArray[np.float64]
LabelledTexts = tuple[Sequence[str], Sequence[str]]

_PENALTIES = (0.1, 1.0, 10.0, 100.0)  # those tried where the recipe names none


class Fitted(Protocol):
    """A classifier that has learnt."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels in the order of the columns of `probabilities`, sorted."""

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        """Of each class, shape (texts, classes)."""


class PlainClassifier(Strict):
    """A classifier that takes seconds."""

    @abstractmethod
    def fit(self, texts: Sequence[str], labels: Sequence[str], validation: LabelledTexts | None = None) -> Fitted:
        """Learn; `validation`, texts and labels, is for what the recipe leaves open."""


class Majority(PlainClassifier):
    """Always the most frequent class."""

    kind: Literal["majority"] = "majority"

    def fit(self, texts: Sequence[str], labels: Sequence[str], validation: LabelledTexts | None = None) -> Fitted:
        _need_labels(texts, labels, classes=1)
        counts = Counter(labels)
        classes = tuple(sorted(counts))
        return FittedMajority(classes, np.array([counts[label] for label in classes]) / len(labels))


class CharacterNgrams(PlainClassifier):
    """Logistic regression on which characters stand beside which, inside words; balanced over the classes."""

    kind: Literal["characters"] = "characters"
    shortest: int = Field(2, ge=1, le=10, description="characters of the shortest n-grams")
    longest: int = Field(4, ge=1, le=10, description="characters of the longest n-grams")
    buckets: int = Field(1 << 18, ge=1 << 8, le=1 << 24, description="n-grams are hashed into so many columns")
    strength: float | None = Field(
        10.0, gt=0, description="inverse of the penalty (C); null: the best of 0.1, 1, 10, 100 on validation"
    )
    most: int = Field(50_000, ge=1, description="texts learnt from at most, drawn with the seed")
    seed: int = Field(1, ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> CharacterNgrams:
        if self.shortest > self.longest:
            raise ValueError(f"shortest is {self.shortest} and longest {self.longest}; expected the other way round")
        return self

    def fit(self, texts: Sequence[str], labels: Sequence[str], validation: LabelledTexts | None = None) -> Fitted:
        _need_labels(texts, labels, classes=2)
        if self.strength is None and validation is None:
            raise InputError("`strength` is null, and there is no validation split. Expected one of them; set C.")
        texts, labels = self._drawn(texts, labels)
        strengths = _PENALTIES if self.strength is None else (self.strength,)
        grams = self._grams()
        counted = grams.fit_transform(texts)
        used = np.unique(counted.indices)  # the weights of the others would be 0: most columns, and most of the time
        with _one_thread():
            regressions = [self._regression(strength).fit(counted[:, used], labels) for strength in strengths]
        fitted = [FittedNgrams(grams, used, regression) for regression in regressions]
        return fitted[0] if validation is None or len(fitted) == 1 else max(fitted, key=lambda f: _score(f, validation))

    def _drawn(self, texts: Sequence[str], labels: Sequence[str]) -> LabelledTexts:
        """In source order, so that all of them are the same however they were asked for."""
        if len(texts) <= self.most:
            return texts, labels
        places = np.sort(np.random.default_rng(self.seed).permutation(len(texts))[: self.most])
        return [texts[place] for place in places], [labels[place] for place in places]

    def _grams(self) -> Any:
        from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer  # type: ignore[import-untyped]
        from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]

        counts = HashingVectorizer(
            analyzer="char_wb",
            ngram_range=(self.shortest, self.longest),
            n_features=self.buckets,
            alternate_sign=False,
            norm=None,
        )
        return make_pipeline(counts, TfidfTransformer(sublinear_tf=True))

    def _regression(self, strength: float) -> Any:
        from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

        return LogisticRegression(C=strength, class_weight="balanced", max_iter=1000, random_state=self.seed)


AnyPlainClassifier = Annotated[Majority | CharacterNgrams, Field(discriminator="kind")]


@dataclass(frozen=True)
class FittedMajority:
    """The same for every text."""

    classes: tuple[str, ...]
    shares: Probabilities

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        return np.tile(self.shares, (len(texts), 1))


@dataclass(frozen=True)
class FittedNgrams:
    """Weights of n-grams."""

    grams: Any
    used: npt.NDArray[np.integer]  # columns that occurred in training
    regression: Any

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(str(label) for label in self.regression.classes_)

    def probabilities(self, texts: Sequence[str]) -> Probabilities:
        if not len(texts):
            return np.zeros((0, len(self.classes)))
        with _one_thread():
            return np.asarray(self.regression.predict_proba(self.grams.transform(texts)[:, self.used]), np.float64)


def predicted(fitted: Fitted, texts: Sequence[str]) -> list[str]:
    """The most probable class of each text; of equal ones the first by name."""
    return [fitted.classes[best] for best in fitted.probabilities(texts).argmax(axis=1)]


def _one_thread() -> Any:
    """Sums come out the same on every machine; and threads that wait for a busy core take forty times as long."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(1)


def _score(fitted: Fitted, validation: LabelledTexts) -> float:
    from sklearn.metrics import f1_score  # type: ignore[import-untyped]

    return float(f1_score(validation[1], predicted(fitted, validation[0]), average="macro", zero_division=0))


def _need_labels(texts: Sequence[str], labels: Sequence[str], classes: int) -> None:
    if len(texts) != len(labels) or len(set(labels)) < classes:
        raise InputError(
            f"{len(texts)} texts with {len(labels)} labels of {len(set(labels))} classes. Expected a label for each "
            f"text, and {classes} or more classes to learn."
        )
