"""Stages as values: what there is to do, and what of it is done.

A stage is a list of pieces (a language, a row, a block). A piece is idempotent, knows what can change its result, and
its fingerprint covers exactly that. What a piece reads from earlier pieces enters by the hash of their output, not of
their recipe: an upstream change that does not change the output stops there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from langvec.lesson import Memory

State = Literal["done", "stale", "to run"]
Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Desk:
    """What the work of a piece finds before it."""

    needed: Mapping[str, Path]  # folders of finished pieces, by label
    folder: Path  # empty; what is in it at the end is the result
    digests: Mapping[str, str]  # of what is needed
    earlier: Sequence[Path]  # finished pieces of its kin: parts of the result may be there already
    memory: Memory  # outlives a killed worker
    errand: Errand | None = None
    tell: Tell = lambda row: None  # what a scheduler may want to know before the work is done


class Errand(Protocol):
    """A piece as it travels: for work that takes several processes, each of which needs the desk."""

    @property
    def store(self) -> Any: ...
    @property
    def folder(self) -> str: ...
    def desk(self, scratch: Path) -> Desk: ...


Work = Callable[[Desk], dict[str, Any]]  # returns an account, kept in meta.json


@dataclass(frozen=True)
class Place:
    """What a piece asks of the cluster. Never part of a fingerprint: it cannot change a result."""

    cpus: float = 1
    gpus: float = 0
    actor: bool = False  # a process of its own, that ends with the piece and is restarted if it dies
    workers: int = 0  # processes that the work starts by itself; the share is that of each, and the piece has none


@dataclass(frozen=True)
class Piece:
    """The smallest part of a stage that is done or not done."""

    stage: str
    name: str
    work: Work
    config: Mapping[str, Any]  # the part of the recipe that can change the result
    inputs: Mapping[str, str] = field(default_factory=dict)  # what comes from outside the run, each with its hash
    needs: Mapping[str, Piece] = field(default_factory=dict)
    seed: int = 0
    place: Place = Place()
    kin: str = ""  # pieces of the stage whose names are this up to their last full stop may hold parts of the result

    @property
    def id(self) -> str:
        return f"{self.stage}/{self.name}"

    def essence(self, needed: Mapping[str, Record]) -> dict[str, Any]:
        """All that can change the result, as plain data; `needed` holds what `needs` names, done."""
        needs = {label: record.digest for label, record in needed.items()}
        essence = {"config": self.config, "inputs": self.inputs, "needs": needs}
        return dict(json.loads(json.dumps(essence, sort_keys=True)))


@dataclass(frozen=True)
class Pool:
    """Actors that keep what they have loaded from one piece to the next. Never part of a fingerprint."""

    least: int = 1
    most: int | None = None  # as many as fit


@dataclass(frozen=True)
class Stage:
    """Pieces that do not need each other. `later` tells of those that only show when earlier stages are done."""

    name: str
    pieces: tuple[Piece, ...]
    later: Callable[[Mapping[str, Record]], Sequence[Piece]] | None = None
    pool: Pool | None = None  # none: tasks, or an actor of its own for each piece that asks for one

    def of(self, done: Mapping[str, Record]) -> tuple[Piece, ...]:
        """All pieces that can be told, given what is done."""
        return (*self.pieces, *(self.later(done) if self.later else ()))


@dataclass(frozen=True)
class Record:
    """A piece's folder in the run: what its meta.json says, and whether all of its files are there."""

    folder: str
    meta: Mapping[str, Any]
    damage: str | None

    @property
    def digest(self) -> str:
        return str(self.meta["digest"])


@dataclass(frozen=True)
class Entry:
    """One piece held against the run. The folder is known once all that the piece needs is done."""

    piece: Piece
    state: State
    reason: str = ""
    folder: str = ""
    needed: Mapping[str, Record] = field(default_factory=dict)
    record: Record | None = None


def fingerprint(stage: str, name: str, essence: Mapping[str, Any]) -> str:
    """Twelve hex digits that change when, and only when, the result could change."""
    whole = {"stage": stage, "name": name, **essence}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:12]


class Survey:
    """What of the pieces is done. It is asked stage by stage, while records come in."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        """Records are keyed by folder."""
        self.records = dict(records)
        self.done: dict[str, Record] = {}  # by the id of the piece
        self._of_piece: dict[str, list[Record]] = {}
        self._of_kin: dict[str, list[Record]] = {}  # by stage and the name up to its last full stop
        for record in records.values():
            self._of_piece.setdefault(_id(record), []).append(record)
            self._of_kin.setdefault(record.folder.rpartition(".")[0], []).append(record)

    def entries(self, pieces: Iterable[Piece]) -> list[Entry]:
        """The state of each piece; pieces come after those they need."""
        found = []
        for piece in pieces:
            entry = _entry(piece, self.done, self.records, self._of_piece.get(piece.id, []))
            if entry.record:
                self.done[piece.id] = entry.record
            found.append(entry)
        return found

    def finished(self, piece: Piece, record: Record) -> None:
        self.records[record.folder] = self.done[piece.id] = record

    def kin(self, piece: Piece) -> list[Record]:
        """Whole pieces of earlier plans that may hold parts of this one's result; pieces of one plan share no part."""
        found = self._of_kin.get(f"{piece.stage}/{piece.kin}".removesuffix("."), []) if piece.kin else []
        return [record for record in found if not record.damage and self.done.get(_id(record)) is not record]


def _id(record: Record) -> str:
    """Of the piece that wrote it."""
    return record.folder.rpartition("-")[0]


def _entry(piece: Piece, done: Mapping[str, Record], records: Mapping[str, Record], others: list[Record]) -> Entry:
    waits = sorted(need.id for need in piece.needs.values() if need.id not in done)
    if waits:
        more = f" and {len(waits) - 1} more" if len(waits) > 1 else ""
        return Entry(piece, "stale" if others else "to run", f"waits for {waits[0]}{more}")
    needed = {label: done[need.id] for label, need in piece.needs.items()}
    essence = piece.essence(needed)
    folder = f"{piece.id}-{fingerprint(piece.stage, piece.name, essence)}"
    record = records.get(folder)
    if record and not record.damage:
        return Entry(piece, "done", "", folder, needed, record)
    if record:
        return Entry(piece, "stale", f"damaged: {record.damage}", folder, needed)
    if not others:
        return Entry(piece, "to run", "", folder, needed)
    latest = max(others, key=lambda record: record.meta["cost"]["finished"])
    return Entry(piece, "stale", _changes(latest.meta, essence), folder, needed)


def _changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Which fields or inputs differ, with both values where they are short."""
    old = _flat({part: before.get(part, {}) for part in now})
    new = _flat(now)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return "; ".join(_change(name, old.get(name), new.get(name)) for name in names) or "unknown change"


def _change(name: str, old: Any, new: Any) -> str:
    part, _, rest = name.partition(".")
    if part == "config":
        return f"{rest} {json.dumps(old)} -> {json.dumps(new)}"
    what = "input" if part == "inputs" else "needed"
    return f"{what} {rest} {'added' if old is None else 'gone' if new is None else 'changed'}"


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {name: value}
    flat: dict[str, Any] = {}
    for key, item in value.items():
        flat |= _flat(item, f"{name}.{key}" if name else str(key))
    return flat
