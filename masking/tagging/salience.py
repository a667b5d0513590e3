"""Tags without a tagger: the words of a sentence that the counts of its corpus single out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, log
from typing import Literal

from pydantic import Field

from langvec.errors import InputError
from masking.tagging.base import Sentence, Span, Tagger, TaggerRecipe
from masking.tagging.frequencies import Statistics, form, joined, neighbours, statistics
from masking.tagging.kinds import number_like
from masking.tagging.words import Word, words

__all__ = ["SalienceRecipe", "SalienceTagger", "Statistics", "statistics"]

By = Literal["tfidf", "pmi", "rarity"]

MIN_COUNT: dict[By, int] = {"tfidf": 1, "rarity": 1, "pmi": 5}  # the PMI of what was seen once or twice is chance
REMEMBERED = 500_000  # scores kept at hand


class SalienceRecipe(TaggerRecipe):
    """Words by what the whole corpus says of them, so its `statistics` are needed first.

    `tfidf` takes the sentence for a document; `rarity` prefers the words with the lowest count; `pmi` takes pairs and
    triples of neighbours that occur together far more often than their words would by chance, as one span each
    (PMI-Masking, Levine et al., 2021). Numbers never count.
    """

    kind: Literal["salience"] = "salience"
    by: By = "tfidf"
    share: float = Field(0.3, gt=0, le=1, description="share of the words of a sentence that count, at least one word")
    min_count: int | None = Field(
        None,
        ge=1,
        description="what the corpus has less often (with pmi, pairs and triples) is passed over; null: 1, pmi 5",
    )
    least_pmi: float = Field(3.0, description="nats of mutual information from which pmi takes a pair or triple")

    def problems(self) -> list[str]:
        return []

    def identity(self) -> dict[str, str]:
        """The corpus whose statistics are used belongs to the identity of the result, and is the caller's to add."""
        return {"by": self.by, "recipe": hashlib.sha256(self.model_dump_json().encode()).hexdigest()}

    def load(self) -> Tagger:
        raise InputError(
            f"Salience by {self.by} needs counts of a corpus, and none were given. Expected them to be made first; "
            f"to tag single sentences, choose another kind of tagger."
        )

    def load_with(self, counts: Statistics) -> SalienceTagger:
        return SalienceTagger(self, counts)

    @property
    def needs_phrases(self) -> bool:
        """Whether `statistics` has to count pairs and triples."""
        return self.by == "pmi"


@dataclass(frozen=True)
class SalienceTagger:
    """Ranks the words of a sentence; of equals the first one counts."""

    recipe: SalienceRecipe
    counts: Statistics

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span]]:
        choose = {"tfidf": self._by_tfidf, "rarity": self._by_rarity, "pmi": self._by_pmi}[self.recipe.by]
        return [self._spans(sentence.text, choose) for sentence in sentences]

    def _spans(self, text: str, choose: Callable[[str, list[Word], int], list[tuple[int, int]]]) -> list[Span]:
        found = words(text)
        if not found:
            return []
        wanted = max(1, int(self.recipe.share * len(found) + 0.5))
        chosen = sorted(choose(text, found, wanted))
        return [Span(found[a].start, found[b - 1].end, "SALIENT", self.recipe.by) for a, b in chosen]

    def _by_rarity(self, text: str, found: list[Word], wanted: int) -> list[tuple[int, int]]:
        return _best([self._rarity[word.text] for word in found], wanted)

    def _by_tfidf(self, text: str, found: list[Word], wanted: int) -> list[tuple[int, int]]:
        forms = [form(word.text) for word in found]
        often = Counter(forms)
        return _best([often[one] * self._idf[one] for one in forms], wanted)

    def _by_pmi(self, text: str, found: list[Word], wanted: int) -> list[tuple[int, int]]:
        """Phrases by their score, none across another one, as long as there is room for all their words."""
        forms = [form(word.text) for word in found]
        scored = [(self._pmi[joined(forms[a:b])], a, b) for a, b in neighbours(text, found)]
        taken: set[int] = set()
        chosen: list[tuple[int, int]] = []
        for score, a, b in sorted(scored, key=lambda one: (-one[0], one[1], -one[2])):
            fits = len(taken) + b - a <= wanted or not taken
            if score >= self.recipe.least_pmi and fits and taken.isdisjoint(range(a, b)):
                chosen.append((a, b))
                taken.update(range(a, b))
        return chosen

    @cached_property
    def _rarity(self) -> _Scores:
        return _Scores(lambda word: -self._seen(self.counts.counts[form(word)], word))

    @cached_property
    def _idf(self) -> _Scores:
        return _Scores(lambda word: log(self.counts.sentences / held) if (held := self._held(word)) < inf else -inf)

    @cached_property
    def _pmi(self) -> _Scores:
        return _Scores(self._association)

    @property
    def _least(self) -> int:
        return self.recipe.min_count or MIN_COUNT[self.recipe.by]

    def _seen(self, count: int, word: str) -> float:
        """A word that was forgotten, or is new, counts as seen once; infinity for one that is passed over."""
        return inf if max(count, 1) < self._least or number_like(word) else max(count, 1)

    def _held(self, word: str) -> float:
        return max(self.counts.holding[word], 1) if self._seen(self.counts.counts[word], word) < inf else inf

    def _association(self, phrase: str) -> float:
        too_rare = self.counts.phrases[phrase] < self._least
        return -inf if too_rare or any(map(number_like, phrase.split(" "))) else self.counts.pmi(phrase)


class _Scores(dict[str, float]):
    """Scores worked out once; forgotten together when they are too many."""

    def __init__(self, score: Callable[[str], float]) -> None:
        self._score = score

    def __missing__(self, word: str) -> float:
        if len(self) >= REMEMBERED:
            self.clear()
        self[word] = score = self._score(word)
        return score


def _best(scores: Sequence[float], wanted: int) -> list[tuple[int, int]]:
    order = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)[:wanted]  # stable, also when reversed
    return [(place, place + 1) for place in order if scores[place] > -inf]
