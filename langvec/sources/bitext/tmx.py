"""Pairs in TMX, the exchange format of translation memories, read as a stream.

The parser resolves no entities and fetches nothing: a file that declares entities is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal
from xml.parsers import expat

from pydantic import Field

from langvec.errors import InputError
from langvec.languages import BIBLIOGRAPHIC, find, other_codes
from langvec.sources.base import BATCH_LINES
from langvec.sources.bitext.base import Bitext, PairBatch, Path, contents, first_mistake, opened
from langvec.sources.formats import BLOCK, LONGEST_LINE, TextFile
from langvec.sources.locales import parse

_CODES = ("bpt", "ept", "ph", "it", "ut", "sub")  # what is inside is markup of the translated document
_SHOWN = 8
_DEEPEST = 100  # elements in each other; a translation unit is the third


class Tmx(Bitext):
    """Translation units with both languages; `en`, `EN-US` and `eng` are all English."""

    kind: Literal["tmx"] = "tmx"
    files: Path = Field(description="file, glob or URI, also compressed")

    def problems(self) -> list[str]:
        return first_mistake(self.read())

    def identity(self) -> dict[str, str]:
        return contents([self.files])

    def read(self) -> Iterator[PairBatch]:
        for file in opened(self.files, suffix=".tmx"):
            yield from self._pairs(file)

    def _pairs(self, file: TextFile) -> Iterator[PairBatch]:
        units, found = _Units(file.path, self.languages), False
        for _ in units.parse(file):
            if len(units.pairs) >= BATCH_LINES:
                found = True
                yield units.taken()
        if not (found or units.pairs):
            raise self._no_pair(file, units)
        yield units.taken()

    def _no_pair(self, file: TextFile, units: _Units) -> InputError:
        return InputError(
            f"{file.path}: no translation unit with {' and '.join(self.languages)}. Expected <tuv> elements of both; "
            f"languages found: {', '.join(sorted(units.spoken)[:_SHOWN]) or 'none'}."
        )


@dataclass
class _Units:
    """What the parser tells, put together to pairs; of a unit no more than its own text is held."""

    path: str
    languages: tuple[str, str]
    pairs: list[tuple[str, str, str]] = field(default_factory=list)
    spoken: dict[str, int | None] = field(default_factory=dict)  # name of a language -> its side
    count: int = 0
    id: str = ""
    name: str = ""
    depth: int = 0
    opened: list[str] = field(default_factory=list)
    text: list[str] | None = None  # of the segment that is being read
    size: int = 0
    sides: dict[int, str] = field(default_factory=dict)

    def parse(self, file: TextFile) -> Iterator[None]:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._refuse_entities
        parser.SkippedEntityHandler = self._refuse_entities
        self._parser: Any = parser
        read = 0
        try:
            with file.explained(), file.stream() as stream:
                while block := stream.read(BLOCK):
                    parser.Parse(block, False)
                    read += len(block)
                    if read - parser.CurrentByteIndex > LONGEST_LINE:  # all of an unfinished tag is held
                        raise self._refused(f"a tag of more than {LONGEST_LINE >> 20} MiB")
                    yield
                parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise InputError(
                f"{self.path}, line {error.lineno}: not XML ({expat.ErrorString(error.code)}). Expected a TMX file: "
                f"<tmx> with <tu>, <tuv xml:lang=...> and <seg> inside. Copy or export it again."
            ) from None

    def taken(self) -> PairBatch:
        """What has been found since."""
        pairs, self.pairs = self.pairs, []
        return PairBatch([pair[0] for pair in pairs], [pair[1] for pair in pairs], [pair[2] for pair in pairs])

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if not self.opened and tag != "tmx":
            raise self._refused(f"expected <tmx> around all, found <{tag}>")
        self.opened.append(tag)
        if len(self.opened) > _DEEPEST:
            raise self._refused(f"more than {_DEEPEST} elements in each other")
        if tag == "tu":
            self.count += 1
            self.id, self.sides = attributes.get("tuid") or str(self.count), {}
        elif tag == "tuv":
            name = attributes.get("xml:lang") or attributes.get("lang")
            if not name:
                raise self._refused("expected a language in `xml:lang` of <tuv>, found none")
            self.name = name
        elif tag == "seg" and "tuv" in self.opened:
            self.text, self.size = [], 0
        elif self.text is not None and (tag in _CODES or self.depth):
            self.depth += 1

    def _end(self, tag: str) -> None:
        self.opened.pop()
        if tag == "seg" and self.text is not None:
            side = self._side(self.name)
            if side is not None:
                self.sides.setdefault(side, " ".join("".join(self.text).split()))
            self.text = None
        elif self.depth:
            self.depth -= 1
        elif tag == "tu" and len(self.sides) == len(self.languages):
            self.pairs.append((self.sides[0], self.sides[1], self.id))

    def _characters(self, data: str) -> None:
        if self.text is not None and not self.depth:
            self.size += len(data)
            if self.size > LONGEST_LINE:
                raise self._refused(f"a segment of more than {LONGEST_LINE >> 20} million characters")
            self.text.append(data)

    def _side(self, name: str) -> int | None:
        if name not in self.spoken:
            sides = [side for side, code in enumerate(self.languages) if speaks(code, name)]
            self.spoken[name] = sides[0] if sides else None
        return self.spoken[name]

    def _refuse_entities(self, *_: Any) -> None:
        raise self._refused("expected text without entities of its own, found one declared or used")

    def _refused(self, why: str) -> InputError:
        return InputError(
            f"{self.path}, line {self._parser.CurrentLineNumber}: {why}. Mend the file or export it again."
        )


def speaks(code: str, name: str) -> bool:
    """Whether a name such as en, EN-US, eng or sr-Latn is of the language of a code."""
    head, *rest = name.replace("_", "-").split("-")
    head = BIBLIOGRAPHIC.get(head.lower(), head.lower())
    tails = (part.title() if len(part) == len("Latn") else part.upper() for part in rest)
    language, locale = find(code), parse("_".join((head, *tails)).split(".")[0])
    if locale is None:
        return False
    usual = find(language.iso).script
    return locale.language in other_codes(language.iso) and (locale.script or usual) == language.script
