"""Your own text: one file, or a glob of files, per language."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType, LocalFileSystem
from pydantic import Field, field_validator

from langvec.addresses import absolute
from langvec.errors import InputError
from langvec.sources.base import Batch, ByCode, Source, content_hash
from langvec.sources.formats import TextFile

_WILDCARDS = frozenset("*?[")


class Files(Source):
    """Text files in txt, jsonl, csv, tsv or parquet, plain or compressed, local or on any storage pyarrow reads."""

    kind: Literal["files"] = "files"
    files: ByCode[str] = Field(description="language code -> file, glob or URI, e.g. deu: texts/deu/*.txt.gz")
    column: str = Field("text", description="column of jsonl, csv, tsv and parquet that holds the text")
    passage: str | None = Field(
        None, description="column with an id that the same passage has in every language; it then decides the split"
    )
    errors: Literal["strict", "replace"] = Field("strict", description="what to do with bytes that are not UTF-8")

    @field_validator("files")
    @classmethod
    def _absolute(cls, files: dict[str, str]) -> dict[str, str]:
        return {code: absolute(path) for code, path in files.items()}

    def codes(self) -> tuple[str, ...]:
        return tuple(self.files)

    def problems(self) -> list[str]:
        return [problem for code in self.files for problem in self._problems(code)]

    def _problems(self, code: str) -> list[str]:
        try:
            for info, file in self._open(code):
                if not info.size:
                    raise InputError(f"{file.path} is empty. Expected text, one sentence or paragraph a line.")
                next(file.read(), None)
        except InputError as error:
            return [f"{code}: {error}"]
        return []

    def identity(self, code: str) -> dict[str, str]:
        found = self._open(code)
        root = os.path.commonpath([os.path.dirname(file.path) for _, file in found])
        contents = {os.path.relpath(file.path, root): fingerprint(info, file) for info, file in found}
        return contents | {"read as": f"column {self.column}, passage {self.passage}, errors {self.errors}"}

    def read(self, code: str) -> Iterator[Batch]:
        for _, file in self._open(code):
            yield from file.read()

    def _open(self, code: str) -> list[tuple[FileInfo, TextFile]]:
        filesystem, infos = expand(self.files[code])
        return [(info, TextFile(filesystem, info.path, self.column, self.passage, self.errors)) for info in infos]


def expand(pattern: str) -> tuple[FileSystem, list[FileInfo]]:
    """The files a path, glob or URI stands for, by name; InputError if there are none."""
    filesystem, infos = _remote(pattern) if "://" in pattern else _local(pattern)
    files = sorted((info for info in infos if info.type == FileType.File), key=lambda info: info.path)
    if not files:
        what = "no file matches" if _WILDCARDS & set(pattern) else "there is no file"
        raise InputError(f"{what} {pattern}. Expected a text file; check the path (it is taken from {os.getcwd()}).")
    return filesystem, files


def _local(pattern: str) -> tuple[FileSystem, list[FileInfo]]:
    filesystem = LocalFileSystem()
    paths = (
        [pattern] if os.path.isfile(pattern) else [p for p in glob.glob(pattern, recursive=True) if os.path.isfile(p)]
    )
    return filesystem, filesystem.get_file_info(paths)


def _remote(pattern: str) -> tuple[FileSystem, list[FileInfo]]:
    plain = next((i for i, letter in enumerate(pattern) if letter in _WILDCARDS), len(pattern))
    head = pattern if plain == len(pattern) else pattern[: pattern.rindex("/", 0, plain)]
    try:
        filesystem, root = FileSystem.from_uri(head)
        if head == pattern:
            return filesystem, filesystem.get_file_info([root])
        infos = filesystem.get_file_info(FileSelector(root, recursive=True, allow_not_found=True))
    except (OSError, ValueError) as error:
        raise InputError(f"{pattern} cannot be reached: {error}. Check the address and the credentials.") from None
    return filesystem, [info for info in infos if fnmatchcase(info.path, root + pattern[len(head) :])]


def fingerprint(info: FileInfo, file: TextFile) -> str:
    """What stands for the bytes of a file."""
    if isinstance(file.filesystem, LocalFileSystem):
        return content_hash(Path(file.path))
    return f"{info.size} bytes, changed {info.mtime_ns}"  # the content would have to be fetched to be hashed
