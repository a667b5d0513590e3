"""Ids of lines that are the same in every language of a parallel text."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby

from langvec.cleaning import keys
from langvec.corpus import SeenKeys
from langvec.sources.base import Batch


@dataclass
class Passages:
    """An id for each line, the same in every language of a parallel text, and each once.

    The id of the passage, or else the number of the text. Several lines of one passage are numbered, with their number
    behind: `12/2of3` has a partner only where the passage has three lines, too.
    """

    texts: int = 0
    seen: SeenKeys = field(default_factory=SeenKeys)

    def of(self, batch: Batch) -> list[str]:
        names = batch.passages or [str(self.texts + place) for place in range(1, len(batch.texts) + 1)]
        self.texts += len(batch.texts)
        per_text = [text.count("\n") + 1 for text in batch.texts]
        found: list[str] = []
        for name, group in groupby(zip(names, per_text, strict=True), key=lambda pair: pair[0]):
            count = sum(lines for _, lines in group)
            found += [f"{name}/{place}of{count}" for place in range(1, count + 1)] if count > 1 else [name]
        return self._each_once(found)

    def _each_once(self, names: list[str]) -> list[str]:
        new = set(self.seen.new(keys(names)).tolist())
        return [name if place in new else f"{name}~{self.texts}.{place}" for place, name in enumerate(names)]
