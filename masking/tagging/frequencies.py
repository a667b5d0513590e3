"""How often words, pairs and triples of words occur in a corpus, counted in one pass and bounded memory."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from math import log
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from langvec.errors import InputError
from masking.tagging.words import Word, words

LIMIT = 1_000_000  # entries of a table, about 150 MB; a table that grows beyond it forgets its rarest entries
_BATCH = 1000  # sentences between two looks at the size of the tables
_TOTALS = ("sentences", "words", "unseen")


def form(word: str) -> str:
    """Under what a word is counted."""
    return unicodedata.normalize("NFC", word.lower())


def joined(forms: Iterable[str]) -> str:
    """The name of a pair or triple: a word has no space inside."""
    return " ".join(forms)


@dataclass
class Statistics:
    """Counts of a corpus.

    What was forgotten to keep a table small, and came again, is counted from there: a count may be too low by up to
    `unseen`, which is 0 as long as nothing was forgotten.
    """

    sentences: int = 0
    words: int = 0
    unseen: int = 0
    counts: Counter[str] = field(default_factory=Counter)  # of words
    holding: Counter[str] = field(default_factory=Counter)  # sentences that hold the word
    phrases: Counter[str] = field(default_factory=Counter)  # pairs and triples, by `joined`

    def add(self, text: str, phrases: bool) -> None:
        found = words(text)
        forms = [form(word.text) for word in found]
        self.sentences += 1
        self.words += len(forms)
        self.counts.update(forms)
        self.holding.update(set(forms))
        if phrases:
            self.phrases.update(joined(forms[a:b]) for a, b in neighbours(text, found))

    def forget(self, limit: int) -> None:
        """Drop the rarest entries of a table that is larger than the limit, until half of the limit is free."""
        self.unseen += max(_shrink(table, limit) for table in (self.counts, self.phrases))
        if len(self.holding) > limit:
            self.holding = Counter({word: count for word, count in self.holding.items() if word in self.counts})

    def pmi(self, phrase: str) -> float:
        """Nats by which a phrase is more frequent than by chance, by its weakest cut: a triple is more than a pair.

        An entry that was forgotten counts as seen once.
        """
        parts = phrase.split(" ")
        cuts = [parts, *([joined(parts[:at]), joined(parts[at:])] for at in range(1, len(parts)))]
        return min(self._log(phrase) - sum(map(self._log, cut)) for cut in cuts)

    def _log(self, phrase: str) -> float:
        table = self.phrases if " " in phrase else self.counts
        return log(max(table[phrase], 1) / self.words)

    def save(self, folder: Path) -> None:
        """The same counts write the same bytes."""
        folder.mkdir(parents=True, exist_ok=True)
        totals = {name: str(getattr(self, name)) for name in _TOTALS}
        in_order = sorted(self.counts)
        held = [self.holding[word] for word in in_order]
        of_words = {"word": in_order, "count": [self.counts[word] for word in in_order], "sentences": held}
        phrases = sorted(self.phrases)
        of_phrases = {"words": phrases, "count": [self.phrases[phrase] for phrase in phrases]}
        for name, columns in (("words", of_words), ("phrases", of_phrases)):
            table = pa.table(columns).replace_schema_metadata(totals)
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")

    @classmethod
    def load(cls, folder: Path) -> Statistics:
        try:
            tables = {name: pq.read_table(folder / f"{name}.parquet") for name in ("words", "phrases")}
        except (OSError, pa.ArrowInvalid) as error:
            raise InputError(
                f"{folder} holds no counts of a corpus: {error}. Expected words.parquet and phrases.parquet there."
            ) from None
        totals = {name: int(tables["words"].schema.metadata[name.encode()]) for name in _TOTALS}
        counts = _counter(tables["words"], "word", "count"), _counter(tables["words"], "word", "sentences")
        return cls(**totals, counts=counts[0], holding=counts[1], phrases=_counter(tables["phrases"], "words", "count"))


def statistics(sentences: Iterable[str], phrases: bool = True, limit: int = LIMIT) -> Statistics:
    """Count a corpus; without phrases in a third of the time."""
    found, rest = Statistics(), iter(sentences)
    while batch := list(islice(rest, _BATCH)):
        for text in batch:
            found.add(text, phrases)
        found.forget(limit)
    return found


def neighbours(text: str, found: Sequence[Word]) -> list[tuple[int, int]]:
    """First word and end of every two or three words in a row with nothing but space between them."""
    beside = [text[a.end : b.start].isspace() for a, b in pairwise(found)]
    runs = [(first, first + 2) for first, together in enumerate(beside) if together]
    return runs + [(a, b + 1) for a, b in runs if b < len(found) and beside[b - 1]]


def _shrink(table: Counter[str], limit: int) -> int:
    """The highest count that was dropped."""
    least, room = 0, limit
    while len(table) > room:
        least, room = least + 1, limit // 2
        for entry in [entry for entry, count in table.items() if count <= least]:
            del table[entry]
    return least


def _counter(table: pa.Table, name: str, count: str) -> Counter[str]:
    return Counter(dict(zip(table[name].to_pylist(), table[count].to_pylist(), strict=True)))
