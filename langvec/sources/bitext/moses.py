"""Pairs in two plain files: line n of the one is line n of the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import Literal

from pydantic import Field

from langvec.errors import InputError
from langvec.sources.base import BATCH_LINES
from langvec.sources.bitext.base import Bitext, Errors, PairBatch, Path, contents, first_mistake, opened


class Moses(Bitext):
    """What Moses and OPUS write: `corpus.en` and `corpus.ta`, maybe `corpus.scores`. Plain or compressed."""

    kind: Literal["moses"] = "moses"
    source: Path = Field(description="file of the one side")
    target: Path = Field(description="file of the other side")
    scores: Path | None = Field(None, description="file with the scores of whoever mined the pairs, a number a line")
    errors: Errors = Field("strict", description="what to do with bytes that are not UTF-8")

    def problems(self) -> list[str]:
        return first_mistake(self.read())

    def identity(self) -> dict[str, str]:
        return contents(self._paths) | {"read as": f"errors {self.errors}"}

    def read(self) -> Iterator[PairBatch]:
        files = [_lines(path, self.errors) for path in self._paths]
        done = 0
        while any(batches := [list(islice(lines, BATCH_LINES)) for lines in files]):
            if len(set(map(len, batches))) > 1:
                raise self._unequal(
                    [done + len(batch) + sum(1 for _ in rest) for batch, rest in zip(batches, files, strict=True)]
                )
            scores = [_score(line, self.scores) for line in batches[2]] if self.scores else None
            yield PairBatch(batches[0], batches[1], None, scores)
            done += len(batches[0])

    @property
    def _paths(self) -> list[str]:
        return [self.source, self.target, *([self.scores] if self.scores else [])]

    def _unequal(self, counts: list[int]) -> InputError:
        told = ", ".join(f"{path} has {count:,} lines" for path, count in zip(self._paths, counts, strict=True))
        longest = self._paths[counts.index(max(counts))]
        return InputError(
            f"{told}; {longest} is the longest. Expected the same number in each: line n of one is a translation of "
            f"line n of the other. Copy the files again; a line break inside a sentence does this, too."
        )


def _lines(path: str, errors: Errors) -> Iterator[str]:
    files = opened(path, errors, ".txt")
    return (line for file in files for lines in file.lines() for line in lines)


def _score(line: str, path: str | None) -> float:
    try:
        return float(line) if line.strip() else math.nan
    except ValueError:
        raise InputError(f"{path}: expected a number a line, found {line[:40]!r}.") from None
