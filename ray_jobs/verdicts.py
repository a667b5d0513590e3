"""What tuned classifiers made of every text: figures by language, and how far one system is from another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from masking.classification_metrics import accuracy, macro_f1, numbered, over_languages, paired_macro_f1
from masking.metrics import Difference, paired

Row = dict[str, Any]

SEEN, UNSEEN, MIXED = "seen", "unseen", "code-mixed"  # groups of languages
NAMED = ("named", "named_in_group")  # by their predicted vectors: of all languages, of those of the group
DRAWS = 2000


class System(NamedTuple):
    """One way to make a classifier: what is tuned, on which languages, and what is predicted beside the task."""

    encoder: str  # or a baseline
    course: str
    beside: str

    @property
    def name(self) -> str:
        return self.encoder if self.beside == "none" else f"{self.encoder} + {self.beside}"


@dataclass(frozen=True)
class Judgement:
    """All seeds of a system, on the same texts."""

    system: System
    seeds: Sequence[int]
    tables: Sequence[pa.Table]
    classes: Sequence[str]  # of all texts of the run, so that numbers mean the same everywhere

    @cached_property
    def languages(self) -> dict[str, Answers]:
        found = {}
        for code in self.tables[0]["lang"].unique().to_pylist():
            of_seeds = [table.filter(pa.compute.equal(table["lang"], code)) for table in self.tables]
            found[code] = Answers.of(of_seeds, self.classes)
        return found


@dataclass(frozen=True)
class Answers:
    """The texts of one language: their classes as numbers, and what each seed gave them, shape (seeds, texts)."""

    ids: Sequence[str]
    gold: np.ndarray
    found: np.ndarray
    named: Mapping[str, np.ndarray]  # whether the predicted vector is nearest to that of their language, by NAMED

    @classmethod
    def of(cls, tables: Sequence[pa.Table], classes: Sequence[str]) -> Answers:
        first = tables[0]
        found = np.stack([numbered(table["found"].to_pylist(), classes) for table in tables])
        own = first["lang"].to_pylist()[0]
        named = {
            name: np.stack([np.array(table[name].to_pylist()) == own for table in tables])
            for name in NAMED
            if first[name].null_count < len(first)
        }
        return cls(first["id"].to_pylist(), numbered(first["label"].to_pylist(), classes), found, named)

    @property
    def right(self) -> np.ndarray:
        return np.asarray(self.found == self.gold, np.float64)


def figures(judgement: Judgement, seen: Sequence[str]) -> Iterator[Row]:
    """One row for each seed and language."""
    for code, answers in judgement.languages.items():
        for place, seed in enumerate(judgement.seeds):
            found = answers.found[place]
            row: Row = {**judgement.system._asdict(), "seed": seed, "lang": code, "seen": code in seen}
            row["texts"] = len(answers.gold)
            for name, value in (
                ("accuracy", accuracy(answers.gold, found)),
                ("macro_f1", macro_f1(answers.gold, found, draws=DRAWS)),
            ):
                row |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
            yield row | {name: _share(answers.named.get(name), place) for name in NAMED}


def compared(
    judgement: Judgement, other: Judgement | None, groups: Mapping[str, Sequence[str]], alone: Sequence[str] = ()
) -> Iterator[Row]:
    """A system beside a baseline, on each group of languages, and on some languages alone."""
    for group, codes in [*groups.items(), *((code, [code]) for code in alone)]:
        there = [code for code in codes if code in judgement.languages]
        if there:
            yield {**judgement.system._asdict(), "group": group, "languages": len(there)} | _row(
                judgement, other, there
            )


def _row(mine: Judgement, other: Judgement | None, codes: Sequence[str]) -> Row:
    right, f1 = mean_right(mine, codes), _f1_by_language(mine, codes)
    seeds = right.mean(axis=1)
    row: Row = {
        "texts": sum(len(mine.languages[code].gold) for code in codes),
        "seeds": len(mine.seeds),
        "accuracy": float(seeds.mean()),
        "sd_of_seeds": float(seeds.std(ddof=1)) if len(seeds) > 1 else None,
        "macro_f1": float(np.mean(list(f1.values()))),
        **{name: _named(mine, codes, name) for name in NAMED},
    }
    if other is None:
        return row
    less = paired(right, mean_right(other, codes), draws=DRAWS)
    row |= {"baseline": other.system.name} | _difference("accuracy", less)
    others = _f1_by_language(other, codes)
    row["macro_f1_difference"] = row["macro_f1"] - float(np.mean(list(others.values())))
    if len(codes) == 1:
        answers, theirs = mine.languages[codes[0]], other.languages[codes[0]]
        row |= _difference("macro_f1", paired_macro_f1(answers.gold, answers.found, theirs.found, draws=DRAWS))
    if len(codes) > 1:
        by_language = over_languages(_by_language(mine, codes), _by_language(other, codes))
        row |= {"better_in": by_language.better, "p_over_languages": by_language.p}
    return row


def mean_right(judgement: Judgement, codes: Sequence[str]) -> np.ndarray:
    """Share of right answers by seed and text, shape (seeds, ids), the mean of which is the mean over languages.

    Translations of one text stand or fall together: they have one id, and are redrawn as one.
    """
    ids = {
        id: place
        for place, id in enumerate(dict.fromkeys(id for code in codes for id in judgement.languages[code].ids))
    }
    total = np.zeros((len(judgement.seeds), len(ids)))
    for code in codes:
        answers = judgement.languages[code]
        places = [ids[id] for id in answers.ids]
        total[:, places] += answers.right / len(answers.gold)
    return total * len(ids) / len(codes)


def _difference(name: str, less: Difference) -> Row:
    found = {"difference": less.value.value, "low": less.value.low, "high": less.value.high, "p": less.p}
    return {f"{name}_{column}": value for column, value in found.items()}


def _f1_by_language(judgement: Judgement, codes: Sequence[str]) -> dict[str, float]:
    """Mean over seeds."""
    found = {}
    for code in codes:
        answers = judgement.languages[code]
        found[code] = float(np.mean([macro_f1(answers.gold, one, draws=1).value for one in answers.found]))
    return found


def _by_language(judgement: Judgement, codes: Sequence[str]) -> dict[str, float]:
    return {code: float(judgement.languages[code].right.mean()) for code in codes}


def _named(judgement: Judgement, codes: Sequence[str], name: str) -> float | None:
    known = [judgement.languages[code].named[name] for code in codes if name in judgement.languages[code].named]
    return float(np.mean([one.mean() for one in known])) if known else None


def _share(named: np.ndarray | None, place: int) -> float | None:
    return None if named is None else float(named[place].mean())
