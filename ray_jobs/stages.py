"""Stages as values: what there is to do, and what of it is done.

A stage is a list of pieces (a language, a row, a block). A piece is idempotent, knows what can change its result, and
its fingerprint covers exactly that. What a piece reads from earlier pieces enters by the hash of their output, not of
their recipe: an upstream change that does not change the output stops there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Work = Callable[[Mapping[str, Path], Path], dict[str, Any]]
State = Literal["done", "stale", "to run"]


@dataclass(frozen=True)
class Piece:
    """The smallest part of a stage that is done or not done."""

    stage: str
    name: str
    work: Work  # (folders of what it needs by label, folder to fill) -> account, kept in meta.json
    config: Mapping[str, Any]  # the part of the recipe that can change the result
    inputs: Mapping[str, str] = field(default_factory=dict)  # what comes from outside the run, each with its hash
    needs: Mapping[str, Piece] = field(default_factory=dict)
    seed: int = 0

    @property
    def id(self) -> str:
        return f"{self.stage}/{self.name}"

    def essence(self, needed: Mapping[str, Record]) -> dict[str, Any]:
        """All that can change the result, as plain data; `needed` holds what `needs` names, done."""
        needs = {label: record.digest for label, record in needed.items()}
        essence = {"config": self.config, "inputs": self.inputs, "needs": needs}
        return dict(json.loads(json.dumps(essence, sort_keys=True)))


@dataclass(frozen=True)
class Stage:
    name: str
    pieces: tuple[Piece, ...]


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


def survey(pieces: Iterable[Piece], records: Mapping[str, Record]) -> Iterator[Entry]:
    """The state of each piece; pieces come after those they need. Records are keyed by folder."""
    done: dict[str, Record] = {}
    of_piece: dict[str, list[Record]] = {}
    for record in records.values():
        of_piece.setdefault(record.folder.rpartition("-")[0], []).append(record)
    for piece in pieces:
        entry = _entry(piece, done, records, of_piece.get(piece.id, []))
        if entry.record:
            done[piece.id] = entry.record
        yield entry


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
