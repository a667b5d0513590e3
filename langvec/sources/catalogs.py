"""Message catalogs of installed software (gettext): text in up to 200 languages, and parallel text through English."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, field_validator

from langvec.languages import find
from langvec.sources.base import BATCH_LINES, Batch, ByCode, Codes, Source, content_hash
from langvec.sources.locales import matching
from langvec.sources.markup import has_letter, strip_markup
from langvec.sources.messages import Message, read_catalog

ENGLISH = "eng_Latn"
SHOWN = 10  # names in an error message
MANY = 50  # files; more are named by one hash of all
_SUFFIXES = (".mo", ".po")


class Catalog(NamedTuple):
    """One file: the messages of one program, its domain, in one locale."""

    domain: str
    place: str  # root and path below it, the same wherever the root lies
    path: Path

    @property
    def locale(self) -> str:
        return self.path.parent.parent.name

    @property
    def siblings(self) -> str:
        """What the same messages in other locales have in common with this file."""
        return f"{self.path.parent.parent.parent}/{self.domain}"


class Text(NamedTuple):
    """A text of a message, freed of markup, and why it is to be left out if it is."""

    passage: str
    text: str
    dropped: str | None


class Catalogs(Source):
    """Multi-parallel: the message is the passage. English is what the programs ask for, the msgid.

    A language is read from the locale folders that `locales.matching` finds for it, catalog by catalog: `pt` if the
    catalog has it, else `pt_BR` and `pt_PT`; `names` decides otherwise. A .po beside its .mo is not read.
    """

    kind: Literal["catalogs"] = "catalogs"
    roots: tuple[str, ...] = Field(min_length=1, description="folders with LOCALE/LC_MESSAGES/DOMAIN.mo or .po inside")
    languages: Codes
    domains: tuple[str, ...] | None = Field(None, description="globs on the name of the catalog; null means all")
    names: ByCode[tuple[str, ...]] = Field({}, description="language code -> locale folders, e.g. por: [pt_BR]")

    @field_validator("roots")
    @classmethod
    def _absolute(cls, roots: tuple[str, ...]) -> tuple[str, ...]:
        # A worker of the cluster need not stand in the folder where the command was typed.
        return tuple(os.path.abspath(os.path.expanduser(root)) for root in roots)

    def codes(self) -> tuple[str, ...]:
        return self.languages

    def problems(self) -> list[str]:
        missing = [root for root in self.roots if not Path(root).is_dir()]
        if missing:
            return [
                f"catalogs: {root} is not a folder. Expected one with LOCALE/LC_MESSAGES/ inside." for root in missing
            ]
        catalogs = self._catalogs()
        return self._unknown_domains() + [
            f"catalogs: no catalog for {code} under {', '.join(self.roots)}. Locales there: "
            f"{_some(catalog.locale for catalog in catalogs)}. Name its locale folder in `names`, or drop {code}."
            for code in self.languages
            if not self._of(code, catalogs)
        ]

    def identity(self, code: str) -> dict[str, str]:
        hashes = {catalog.place: content_hash(catalog.path) for catalog in self._of(code, self._catalogs())}
        if len(hashes) <= MANY:
            return hashes
        together = hashlib.sha256("".join(f"{place} {digest}\n" for place, digest in hashes.items()).encode())
        return {f"{len(hashes)} catalogs": together.hexdigest()}

    def read(self, code: str) -> Iterator[Batch]:
        texts = (text for catalogs in self._by_domain(code).values() for text in self._texts(code, catalogs))
        while several := list(islice(texts, BATCH_LINES)):
            kept = [text for text in several if text.dropped is None]
            dropped = Counter(text.dropped for text in several if text.dropped is not None)
            yield Batch([text.text for text in kept], [text.passage for text in kept], dict(dropped))

    def pairs(self, source_code: str, target_code: str) -> Iterator[tuple[str, str, str]]:
        """Passage, source text and target text of every message that both languages have; either may be English.

        Of a message with plural forms the last one is taken, the form for many in both languages.
        """
        sources, targets = self._by_domain(source_code), self._by_domain(target_code)
        for domain in sorted(sources.keys() & targets.keys()):
            targets_of = self._last_forms(target_code, targets[domain])
            for passage, text in self._last_forms(source_code, sources[domain]).items():
                if passage in targets_of:
                    yield passage, text, targets_of[passage]

    def _catalogs(self) -> list[Catalog]:
        """Every catalog whose domain is wanted, by domain and place."""
        found = [
            Catalog(path.stem, f"{number}/{path.relative_to(root).as_posix()}", path)
            for number, root in enumerate(self.roots)
            for path in Path(root).glob("**/LC_MESSAGES/*")
            if path.suffix in _SUFFIXES and self._wanted(path.stem)
        ]
        compiled = {catalog.path.with_suffix("") for catalog in found if catalog.path.suffix == ".mo"}
        # Packages keep old names of a domain as links beside the file: iso_3166.mo is iso_3166-1.mo.
        links_first = sorted(found, key=lambda catalog: (not catalog.path.is_symlink(), catalog))
        files = {(c.path.parent, c.path.resolve()): c for c in links_first}
        return sorted(c for c in files.values() if c.path.suffix == ".mo" or c.path.with_suffix("") not in compiled)

    def _wanted(self, domain: str) -> bool:
        return self.domains is None or any(fnmatchcase(domain, glob) for glob in self.domains)

    def _unknown_domains(self) -> list[str]:
        if self.domains is None:
            return []
        every = {catalog.domain for catalog in self.model_copy(update={"domains": None})._catalogs()}
        return [
            f"catalogs.domains: {glob!r} matches no catalog under {', '.join(self.roots)}. Found: {_some(every)}."
            for glob in self.domains
            if not any(fnmatchcase(domain, glob) for domain in every)
        ]

    def _of(self, code: str, catalogs: list[Catalog]) -> list[Catalog]:
        """The catalogs that hold a language; for English all, for each may lack some messages."""
        if self._asks_for_msgids(code):
            return catalogs
        locales: dict[str, set[str]] = {}
        for catalog in catalogs:
            locales.setdefault(catalog.siblings, set()).add(catalog.locale)
        chosen = {siblings: self.names.get(code) or matching(code, names) for siblings, names in locales.items()}
        return [catalog for catalog in catalogs if catalog.locale in chosen[catalog.siblings]]

    def _by_domain(self, code: str) -> dict[str, list[Catalog]]:
        catalogs = self._of(code, self._catalogs())
        return {domain: list(group) for domain, group in groupby(catalogs, attrgetter("domain"))}

    def _asks_for_msgids(self, code: str) -> bool:
        return code == ENGLISH and ENGLISH not in self.names

    def _messages(self, code: str, catalogs: list[Catalog]) -> Iterator[tuple[str, Message]]:
        """Messages of one domain with their passages; an English one, which every locale repeats, comes once."""
        seen = set[str]()
        for catalog in catalogs:
            for message in read_catalog(catalog.path):
                passage = _passage(catalog.domain, message)
                if passage not in seen:
                    yield passage, message
                if self._asks_for_msgids(code):
                    seen.add(passage)

    def _texts(self, code: str, catalogs: list[Catalog]) -> Iterator[Text]:
        script = find(code).script
        for passage, message in self._messages(code, catalogs):
            english = tuple(strip_markup(text) for text in (message.source, message.plural) if text)
            if self._asks_for_msgids(code):
                yield from (Text(passage, text, _reason(text, (), script)) for text in english)
            else:
                texts = map(strip_markup, message.translations)
                yield from (Text(passage, text, _reason(text, english, script)) for text in texts)

    def _last_forms(self, code: str, catalogs: list[Catalog]) -> dict[str, str]:
        """Passage -> text; of several regions of a language the first."""
        forms: dict[str, str] = {}
        for passage, of_message in groupby(self._texts(code, catalogs), attrgetter("passage")):
            last = list(of_message)[-1]
            if last.dropped is None:
                forms.setdefault(passage, last.text)
        return forms


def _passage(domain: str, message: Message) -> str:
    key = "\x04".join((domain, message.context or "", message.source))
    return hashlib.blake2b(key.encode(), digest_size=8).hexdigest()


def _reason(text: str, english: tuple[str, ...], script: str) -> str | None:
    if not text:
        return "untranslated"
    if text in english:
        return "same as the English"
    return None if has_letter(text, script) else "not in the script"


def _some(names: Iterator[str] | set[str]) -> str:
    found = sorted(set(names))
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return (", ".join(found[:SHOWN]) or "none") + more
