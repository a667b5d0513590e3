"""Spoken commands in many languages, labelled with what they ask for: expanded from Home Assistant's templates."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import Field, field_validator

from langvec.errors import InputError
from langvec.labelled.base import SPLITS, Labelled, LabelledSource, Split
from langvec.labelled.grammar import drawn
from langvec.sources.base import ByCode, Codes, content_hash
from langvec.sources.locales import matching

_PACKAGE = "home_assistant_intents"
_SHARES: Mapping[Split, float] = {"test": 0.2, "validation": 0.1}
_FEWEST = 3  # templates of an intent, so that each split can have one
_TRIES = 3  # draws for each utterance wanted; short templates have fewer than that
# What a household calls its rooms and things. The same for every kind of slot, so that no name tells the intent.
_NAMES = ("Alva", "Boro", "Dimat", "Eluna", "Fado", "Kirim", "Lumo", "Nesta", "Ovik", "Ranu", "Sefa", "Tavi")
_SEVERAL = "utterance of several intents"
_SEEN = "utterance is in an earlier split"
_UNSHARED = "intent is not in all the languages"
_RARE = f"intent has fewer than {_FEWEST} templates"


class _Row(NamedTuple):
    split: Split
    intent: str
    text: str
    id: str


class Intents(LabelledSource):
    """Utterances such as `switch on the light`, shaped like MASSIVE; from the package `home-assistant-intents`.

    Each template of an intent is expanded a few times by seeded draws. Templates, not utterances, are split: no
    template of validation or test is trained on, and an utterance that two of them make stays in the earlier split.
    The languages are written by their speakers, not translated from one another. Rooms, things and free text are
    filled in with made-up names.
    """

    kind: Literal["intents"] = "intents"
    languages: Codes
    folder: str | None = Field(None, description="the package's `data` folder, if the package is not installed")
    names: ByCode[tuple[str, ...]] = Field({}, description="language code -> its files, e.g. deu: [de, de-CH]")
    intents: Literal["shared", "all"] = Field(
        "shared", description="those that all the languages have, or each its own"
    )
    per_template: int = Field(10, ge=1, le=1000, description="utterances drawn from each template at most")
    seed: int = Field(1, ge=0, description="of the draws and of the split")

    @field_validator("folder")
    @classmethod
    def _absolute(cls, folder: str | None) -> str | None:
        return os.path.abspath(os.path.expanduser(folder)) if folder is not None else None

    def codes(self) -> tuple[str, ...]:
        return self.languages

    def splits(self, code: str) -> tuple[Split, ...]:
        present = {row.split for row in self._rows(code)[0]}
        return tuple(split for split in SPLITS if split in present)

    def problems(self) -> list[str]:
        problems = [problem for code in self.languages for problem in self._problems(code)]
        if not problems and self.intents == "shared" and len(self._shared()) <= 1:
            fewest = sorted(self.languages, key=lambda code: len(self._own(code)))[:5]
            problems.append(
                f"intents: the languages share {len(self._shared())} intents. Expected two or more; leave out those "
                f"with the fewest ({', '.join(f'{code} {len(self._own(code))}' for code in fewest)})."
            )
        return problems

    def identity(self, code: str, split: Split) -> dict[str, str]:
        rows = self.read(code, split)
        contents = {path.name: content_hash(path) for path in self._paths(code)}
        return contents | {"utterances": hashlib.sha256(repr(rows[:3]).encode()).hexdigest()}

    def read(self, code: str, split: Split) -> Labelled:
        rows, dropped = self._rows(code)
        rows = [row for row in rows if row.split == split]
        return Labelled([row.id for row in rows], [row.text for row in rows], [row.intent for row in rows], dropped)

    def _problems(self, code: str) -> list[str]:
        try:
            self._expanded(code)
        except InputError as error:
            return [f"intents, {code}: {error}"]
        return []

    def _rows(self, code: str) -> tuple[list[_Row], dict[str, int]]:
        rows, dropped = self._expanded(code)
        if self.intents == "all":
            return rows, dropped
        shared = self._shared()
        kept = [row for row in rows if row.intent in shared]
        return kept, dropped | ({_UNSHARED: len(rows) - len(kept)} if len(kept) < len(rows) else {})

    def _expanded(self, code: str) -> tuple[list[_Row], dict[str, int]]:
        return _expanded(tuple(self._paths(code)), self.per_template, self.seed)

    def _shared(self) -> frozenset[str]:
        return frozenset.intersection(*(self._own(code) for code in self.languages))

    def _own(self, code: str) -> frozenset[str]:
        return _intents(tuple(self._paths(code)))

    def _paths(self, code: str) -> list[Path]:
        folder = _folder(self.folder)
        files = {path.stem: path for path in sorted(folder.glob("*.json"))}
        names = self.names.get(code) or matching(code, files)
        missing = [name for name in names if name not in files]
        if missing or not names:
            raise InputError(
                f"There is no {' or '.join(f'{name}.json' for name in missing) or 'file for ' + code} in {folder}. "
                f"Expected one of: {', '.join(files) or 'none is there'}. Leave the language out, or say in `names` "
                f"which files are its own."
            )
        return [files[name] for name in names]


def _folder(folder: str | None) -> Path:
    if folder is not None:
        return Path(folder)
    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise InputError(
            "The package home-assistant-intents is not installed. Expected it, or its `data` folder in `folder`; "
            "`pip install langscape[intents]` installs it."
        )
    return Path(found.origin).parent / "data"


@cache
def _read(path: Path) -> dict[str, Any]:
    try:
        about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}). Expected a file of home-assistant-intents.") from None
    return about


@cache
def _intents(paths: tuple[Path, ...]) -> frozenset[str]:
    """Those with templates enough for every split."""
    found = _templates(paths)
    return frozenset(intent for intent, templates in found.items() if len(templates) >= _FEWEST)


def _templates(paths: tuple[Path, ...]) -> dict[str, list[tuple[str, Path]]]:
    """Intent -> its templates, each once, and the file whose rules they use."""
    found: dict[str, dict[str, Path]] = {}
    for path in paths:
        for intent, about in _read(path).get("intents", {}).items():
            for block in about["data"]:
                for template in block["sentences"]:
                    found.setdefault(intent, {}).setdefault(template, path)
    return {intent: list(templates.items()) for intent, templates in sorted(found.items())}


@cache
def _expanded(paths: tuple[Path, ...], per_template: int, seed: int) -> tuple[list[_Row], dict[str, int]]:
    """All utterances of a language, each once and with one intent; and how many were left out, by reason."""
    own, rows, rare = _intents(paths), list[_Row](), 0
    for intent, templates in _templates(paths).items():
        if intent in own:
            rows += _of_intent(intent, templates, per_template, seed)
        else:
            rare += len(templates)
    kept, dropped = _unambiguous(rows)
    return kept, {reason: count for reason, count in {**dropped, _RARE: rare}.items() if count}


def _of_intent(intent: str, templates: list[tuple[str, Path]], per_template: int, seed: int) -> Iterator[_Row]:
    order = sorted(templates, key=lambda one: _hash(seed, "split", intent, one[0]))
    held: list[Split] = []
    for split, share in _SHARES.items():
        held += [split] * max(1, round(share * len(order)))
    for number, (template, path) in enumerate(order):
        own: Split = held[number] if number < len(held) else "train"
        random = np.random.default_rng(int.from_bytes(_hash(seed, "draws", intent, template), "little"))
        for place, text in enumerate(_utterances(template, path, per_template, random)):
            yield _Row(own, intent, text, f"{intent} {number} {place}")


def _utterances(template: str, path: Path, wanted: int, random: np.random.Generator) -> list[str]:
    about = _read(path)
    texts: dict[str, None] = {}
    for _ in range(_TRIES * wanted):
        text = drawn(template, about.get("expansion_rules", {}), lambda name, r: _value(about, name, r), random)
        texts.setdefault(text)
        if len(texts) == wanted:
            break
    return [text for text in texts if text]


def _value(about: dict[str, Any], name: str, random: np.random.Generator) -> str:
    """A value of a list: one that is listed, a number of a range, or a made-up name where anything may stand."""
    known = about.get("lists", {}).get(name, {})
    if "values" in known:
        value = known["values"][int(random.integers(len(known["values"])))]
        return str(value["in"] if isinstance(value, dict) else value)
    if "range" in known:
        limits = known["range"]
        return str(random.integers(int(limits["from"]), int(limits["to"]) + 1))
    return _NAMES[int(random.integers(len(_NAMES)))]


def _unambiguous(rows: list[_Row]) -> tuple[list[_Row], dict[str, int]]:
    """Utterances of one intent only, each in the first split that has it."""
    intents: dict[str, set[str]] = {}
    for row in rows:
        intents.setdefault(row.text, set()).add(row.intent)
    kept, seen, again = list[_Row](), dict[str, Split](), 0
    for row in sorted(rows, key=lambda row: SPLITS.index(row.split)):
        if len(intents[row.text]) == 1 and row.text not in seen:
            kept.append(row)
        again += len(intents[row.text]) == 1 and seen.get(row.text, row.split) != row.split
        seen.setdefault(row.text, row.split)
    return kept, {_SEVERAL: sum(len(found) > 1 for found in intents.values()), _SEEN: again}


def _hash(*names: object) -> bytes:
    return hashlib.blake2b("\0".join(map(str, names)).encode(), digest_size=8).digest()
