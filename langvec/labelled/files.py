"""Your own labelled text: a table per language and split."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal

from pyarrow.fs import FileInfo
from pydantic import Field, field_validator

from langvec.addresses import absolute
from langvec.errors import InputError
from langvec.labelled.base import SPLITS, Labelled, Split
from langvec.labelled.tabular import Tabular
from langvec.sources.base import ByCode, Codes
from langvec.sources.files import expand, fingerprint
from langvec.sources.formats import TextFile
from langvec.sources.templates import PLACEHOLDERS, fill, wrong_placeholders


class LabelledFiles(Tabular):
    """Tables in csv, tsv, jsonl or parquet, plain or compressed, local or on any storage pyarrow reads.

    Either each file by name in `files`, or one `path` for all with {split} and {code}, {iso}, {script} or {name}. With
    a `path`, a language has the splits whose file exists.
    """

    kind: Literal["files"] = "files"
    files: ByCode[dict[Split, str]] = Field(
        {},
        description="language code -> split -> file, glob or URI, e.g. deu: {train: de/train.csv, test: de/test.csv}",
    )
    path: str | None = Field(None, description="instead: one template for all, e.g. sib-200/{code}/{split}.tsv")
    languages: Codes | None = Field(None, description="with `path`: the languages it is filled in for")
    names: ByCode[str] = Field({}, description="with `path`: language code -> {name}, else its shortest ISO code")
    parts: dict[Split, str] = Field(
        {split: split for split in SPLITS},
        description="with `path`: split -> {split}, e.g. {train: train, validation: dev}",
    )
    quoted: bool = Field(
        True, description="whether a tsv puts fields in quotation marks where need be; if not, such a mark is text"
    )
    errors: Literal["strict", "replace"] = Field("strict", description="what to do with bytes that are not UTF-8")

    @field_validator("files")
    @classmethod
    def _absolute_files(cls, files: dict[str, dict[Split, str]]) -> dict[str, dict[Split, str]]:
        return {code: {split: absolute(path) for split, path in of.items()} for code, of in files.items()}

    @field_validator("path")
    @classmethod
    def _absolute_path(cls, path: str | None) -> str | None:
        return path and absolute(path)

    def codes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.files, *(self.languages or ())]))

    def splits(self, code: str) -> tuple[Split, ...]:
        return tuple(split for split in SPLITS if self._exists(code, split))

    def problems(self) -> list[str]:
        settings = self._wrong_settings()
        return settings or [problem for code in self.codes() for problem in self._problems(code)]

    def identity(self, code: str, split: Split) -> dict[str, str]:
        found = self._open(code, split)
        root = os.path.commonpath([os.path.dirname(file.path) for _, file in found])
        contents = {os.path.relpath(file.path, root): fingerprint(info, file) for info, file in found}
        return contents | {"read as": f"{self._read_as()}, quoted {self.quoted}, errors {self.errors}"}

    def read(self, code: str, split: Split) -> Labelled:
        return self._labelled(self._records(code, split), f"{code}, {split}, {self._pattern(code, split)}")

    def _records(self, code: str, split: Split) -> Iterator[dict[str, Any]]:
        for _, file in self._open(code, split):
            for records in file.records(self._columns()):
                yield from records

    def _wrong_settings(self) -> list[str]:
        if bool(self.files) == (self.path is not None):
            return [
                "files: expected either `files`, a table per language and split, or one `path` for all; found "
                f"{'both' if self.files else 'neither'}. Leave one out."
            ]
        if (self.languages is None) != (self.path is None):
            return ["files: expected `languages` beside `path`, and only there; it says what {code} stands for."]
        return wrong_placeholders("files", "path", self.path or "", (*PLACEHOLDERS, "split"))

    def _problems(self, code: str) -> list[str]:
        splits = self.splits(code) if self.path else tuple(self.files[code])
        if not splits:
            looked = ", ".join(self._pattern(code, split) for split in self.parts)
            return [f"{code}: no split was found. Expected a file at one of {looked}; check `path` and `parts`."]
        return [problem for split in splits for problem in self._unreadable(code, split)]

    def _unreadable(self, code: str, split: Split) -> list[str]:
        where = f"{code}, {split}, {self._pattern(code, split)}"
        try:
            first = list(islice(self._records(code, split), 1))
            if not first:
                raise InputError(f"{where}: no rows. Expected a header and labelled rows.")
            self._need_columns(first[0], where)
        except InputError as error:
            return [str(error)]
        return []

    def _exists(self, code: str, split: Split) -> bool:
        if not self.path:
            return split in self.files[code]
        try:
            return split in self.parts and bool(self._open(code, split))
        except InputError:
            return False

    def _open(self, code: str, split: Split) -> list[tuple[FileInfo, TextFile]]:
        filesystem, infos = expand(self._pattern(code, split))
        return [(info, TextFile(filesystem, info.path, self.text, self.id, self.errors, self.quoted)) for info in infos]

    def _pattern(self, code: str, split: Split) -> str:
        if self.path:
            return fill(self.path, code, self.names, split=self.parts[split])
        if split not in self.files[code]:
            raise InputError(f"{code}: no {split} split. Expected one of {', '.join(self.files[code])}.")
        return self.files[code][split]
