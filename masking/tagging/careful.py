"""Tagging that no single sentence can stop: not by an exception, and not by ending the process.

A batch that raises is halved until the sentence that did it stands alone. For sentences that end the process, as a
fault in a library or a lack of memory does, a trail outlives it: the next attempt goes through the rows where the last
one ended in ever smaller steps.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from langvec.errors import InputError
from masking.tagging.base import Sentence, SetAside, Span, Tagger
from masking.tagging.tidy import tidied

STEPS = 8  # into which rows under suspicion are divided
DEATHS = 2  # of a row that was alone; one may be chance, such as a node that went away
STARTS = 6  # of an attempt that ended before any row was begun

Found = list[Span] | SetAside


class Memory(Protocol):
    """What outlives the process."""

    def load(self) -> bytes | None: ...
    def save(self, state: bytes) -> None: ...


@dataclass(frozen=True)
class Limits:
    sentences: int = 256  # in one batch
    chars: int = 50_000  # in one batch of several
    longest: int = 10_000  # of one sentence


@dataclass(frozen=True)
class Trail:
    """Where an attempt is: before the model is loaded (`at` is empty), or at some rows."""

    at: tuple[int, ...] = ()
    ended: int = 0  # how often an attempt has ended just there
    fatal: tuple[int, ...] = ()

    @classmethod
    def found(cls, memory: Memory) -> Trail:
        state = memory.load()
        if state is None:
            return cls()
        raw = json.loads(state)
        return cls(tuple(raw["at"]), raw["ended"] + 1, tuple(raw["fatal"]))

    def to(self, memory: Memory, rows: Sequence[int] = ()) -> None:
        ended = self.ended if tuple(rows) == self.at else 0
        memory.save(json.dumps(asdict(replace(self, at=tuple(rows), ended=ended))).encode())


def tag_all(
    sentences: Sequence[Sentence], tagger: Tagger, memory: Memory, trail: Trail, limits: Limits = Limits()
) -> list[Found]:
    """The spans of every sentence, tidied, or why it was set aside."""
    found: dict[int, Found] = dict(_refused(sentences, limits))
    if len(trail.at) == 1 and trail.ended >= DEATHS:
        trail = Trail(fatal=(*trail.fatal, *trail.at))
    found |= dict.fromkeys(trail.fatal, SetAside("ended the process of the tagger, each time that it was tried"))
    for rows in _steps([row for row in range(len(sentences)) if row not in found], trail):
        trail.to(memory, rows)
        for batch in _batches(rows, sentences, limits):
            found |= _tagged(batch, sentences, tagger)
    _refuse_broken(found)
    return [found[row] for row in range(len(sentences))]


def begun(memory: Memory) -> Trail:
    """The trail of earlier attempts; InputError if they all ended while the model was loaded."""
    trail = Trail.found(memory)
    if not trail.at and trail.ended >= STARTS:
        raise InputError(
            f"The tagger ended its process {trail.ended} times while it was loaded. Expected it to load; is there "
            f"memory enough for it? Run fewer side by side (compute.taggers), or choose a smaller model."
        )
    if not trail.at:
        trail.to(memory)
    return trail


def _refused(sentences: Sequence[Sentence], limits: Limits) -> Iterator[tuple[int, Found]]:
    for row, sentence in enumerate(sentences):
        if len(sentence.text) > limits.longest:
            yield row, SetAside(f"{len(sentence.text):,} characters, more than max_chars ({limits.longest:,})")
        elif not sentence.text.strip():
            yield row, []


def _steps(rows: Sequence[int], trail: Trail) -> Iterator[list[int]]:
    """The rows where the last attempt ended, a few at a time, then all others at once."""
    suspects = [row for row in rows if row in set(trail.at)]
    size = max(1, len(suspects) // STEPS)
    yield from (suspects[start : start + size] for start in range(0, len(suspects), size))
    others = [row for row in rows if row not in set(suspects)]
    if others:
        yield others


def _batches(rows: Sequence[int], sentences: Sequence[Sentence], limits: Limits) -> Iterator[list[int]]:
    """Sentences of like length together, so that little of a padded batch is padding."""
    batch: list[int] = []
    for row in sorted(rows, key=lambda row: len(sentences[row].text)):
        longest = len(sentences[row].text)
        if batch and (len(batch) == limits.sentences or (len(batch) + 1) * longest > limits.chars):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch


def _tagged(rows: Sequence[int], sentences: Sequence[Sentence], tagger: Tagger) -> dict[int, Found]:
    try:
        results = tagger.tag([sentences[row] for row in rows])
        return {
            row: result if isinstance(result, SetAside) else tidied(sentences[row].text, result)
            for row, result in zip(rows, results, strict=True)
        }
    except Exception as error:
        if len(rows) == 1:
            return {rows[0]: SetAside(f"{_FAILED}{type(error).__name__}: {' '.join(str(error).split())}")}
    half = len(rows) // 2
    return _tagged(rows[:half], sentences, tagger) | _tagged(rows[half:], sentences, tagger)


_FAILED = "the tagger failed with "


def _refuse_broken(found: dict[int, Found]) -> None:
    """One bad sentence is set aside; a tagger that fails for all is no tagger."""
    failed = [result.reason for result in found.values() if isinstance(result, SetAside)]
    failed = [reason for reason in failed if reason.startswith(_FAILED)]
    if len(found) > 1 and len(failed) == len(found):
        raise InputError(
            f"The tagger failed for all of {len(found):,} sentences; {failed[0]}. Expected it to take most of them: "
            f"does the model fit the language and the library?"
        )
