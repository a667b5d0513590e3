"""Typology tables of others (URIEL, URIEL+, Grambank, any) and their concatenation with our vectors."""

from __future__ import annotations

import csv
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import numpy as np

from langvec.errors import InputError
from langvec.languages import find, other_codes
from langvec.unpacking import refuse_bomb
from langvec.vectors import LanguageVectors

MISSING = frozenset({"", "?", "NA", "--", "nan", "NaN", "NAN"})
_CODE = re.compile(r"[a-z]{3}(_[A-Z][a-z]{3})?|[a-z0-9]{4}[0-9]{4}")  # ISO 639-3, with a script, or Glottocode
_ARRAYS = {
    "codes": ("codes", "langs", "languages"),
    "values": ("features", "data", "vectors"),
    "names": ("names", "feats"),
}


@dataclass(frozen=True)
class Coverage:
    """What a table knows of some languages: the share of known cells of each and of all, and who is not in it."""

    shares: Mapping[str, float]
    overall: float
    absent: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class OutsideTable:
    """Features of languages, shape (codes, names); nan where a value is not known."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    values: np.ndarray

    @classmethod
    def read(cls, path: str | Path, missing: float | None = None) -> OutsideTable:
        """Read CSV or TSV with a header and a code first in each line, or NPZ with codes, features and maybe names.

        Args:
            path: ends in .npz, or else is text; a tab in the header makes it TSV.
            missing: a number that stands for an unknown value, such as the -1 of URIEL. In text an empty cell, ?,
                NA, -- and nan are unknown in any case.

        Raises:
            InputError: saying line, what was expected and what found.
        """
        path = Path(path)
        try:
            codes, names, values = _from_npz(path) if path.suffix == ".npz" else _from_text(path)
        except OSError as error:
            raise InputError(f"Cannot read {path}: {error.strerror or error}. Check the path.") from None
        if missing is not None:
            values = np.where(values == missing, np.nan, values)
        return cls(codes, names, values)

    def values_of(self, codes: Sequence[str]) -> np.ndarray:
        """Features of these languages, shape (languages, names); a row of nan for one that the table lacks."""
        places = [self._place(code) for code in codes]
        rows = [np.full(len(self.names), np.nan) if place is None else self.values[place] for place in places]
        return np.array(rows, dtype=np.float64).reshape(len(codes), len(self.names))

    def coverage(self, codes: Sequence[str]) -> Coverage:
        """How much the table knows of these languages."""
        known = ~np.isnan(self.values_of(codes))
        shares = {code: float(row.mean()) for code, row in zip(codes, known, strict=True)}
        absent = tuple(code for code in codes if self._place(code) is None)
        return Coverage(shares, float(known.mean()) if known.size else float("nan"), absent)

    def _place(self, code: str) -> int | None:
        """The row of this code, of the language's ISO code or Glottocode, or of its first other script."""
        return next((self._rows[spelling] for spelling in _spellings(code) if spelling in self._rows), None)

    @cached_property
    def _rows(self) -> dict[str, int]:
        """Row of each code, and of the ISO code of the first row that has one with a script."""
        exact = {code: row for row, code in enumerate(self.codes)}
        bare = {code.partition("_")[0]: row for row, code in reversed(list(enumerate(self.codes)))}
        return bare | exact


def concatenate(vectors: LanguageVectors, table: OutsideTable, weight: float = 1.0) -> tuple[LanguageVectors, Coverage]:
    """Our vectors, followed by the features of an outside table for the same languages.

    Both blocks are standardised per dimension and divided by the root of their number of dimensions, so that they
    weigh the same at weight 1 (an unknown value sits at the mean and adds nothing). Features that do not differ among
    these languages are left out. Distances are those of the metric, also for symmetric recipes.

    Args:
        vectors: ours.
        table: the other's; look at the coverage before believing the result.
        weight: factor of the outside block; 0 leaves the distances to ours alone.

    Raises:
        InputError: no feature differs among these languages, or the weight is negative.
    """
    if not 0 <= weight < float("inf"):
        raise InputError(f"Expected a weight of 0 or more. Found {weight}.")
    coverage = table.coverage(vectors.codes)
    outside, varied = _standardised(table.values_of(vectors.codes))
    if not varied.any():
        raise InputError(
            f"No feature of the outside table differs among these {len(vectors.codes)} languages; "
            f"{len(coverage.absent)} of them are not in it, and {coverage.overall:.0%} of the cells are known. "
            "Use another table or other languages."
        )
    ours, ours_varied = _standardised(vectors.vectors)
    blocks = [ours / np.sqrt(max(ours_varied.sum(), 1)), weight * outside[:, varied] / np.sqrt(varied.sum())]
    names = tuple(name for name, keep in zip(table.names, varied, strict=True) if keep)
    dimensions = (*vectors.dimensions, *names)
    return replace(vectors, vectors=np.hstack(blocks), dimensions=dimensions, matrix=None), coverage


def _spellings(code: str) -> Iterator[str | None]:
    """What a table may call this language, the surest first."""
    language = find(code)
    yield from (code, language.code, language.iso, language.glottocode)
    yield from other_codes(language.iso)


def _standardised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values less their column's mean, in its deviations, and which columns vary; 0 where unknown or constant."""
    known = ~np.isnan(values)
    count = np.maximum(known.sum(axis=0), 1)
    span = np.where(known, values, -np.inf).max(axis=0) - np.where(known, values, np.inf).min(axis=0)
    centred = np.where(known, values - np.where(known, values, 0).sum(axis=0) / count, 0)
    deviation = np.sqrt((centred**2).sum(axis=0) / count)
    varied = span > 0
    return np.where(varied, centred / np.where(varied, deviation, 1), 0.0), varied


def _from_text(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    lines = _lines(path)
    _, header = next(lines, (1, []))
    if len(header) < 2:  # noqa: PLR2004, a code and a feature
        _malformed(path, "line 1", "a header with a column of codes and one or more of features", repr(header))
    codes: list[str] = []
    rows = []
    for line, (code, *cells) in lines:
        if len(cells) != len(header) - 1:
            _malformed(path, f"line {line}", f"{len(header)} cells as in the header", str(len(cells) + 1))
        _check_code(path, f"line {line}", code)
        codes.append(code)
        rows.append([_number(path, line, name, cell) for name, cell in zip(header[1:], cells, strict=True)])
    _check_all(path, codes)
    return tuple(codes), tuple(header[1:]), np.array(rows)


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that is not empty, with its number."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            tabs = "\t" in file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter="\t" if tabs else ",")
            yield from ((reader.line_num, [cell.strip() for cell in cells]) for cells in reader if cells)
    except (UnicodeDecodeError, csv.Error) as error:
        _malformed(path, "the file", "CSV or TSV in UTF-8", str(error))


def _number(path: Path, line: int, name: str, cell: str) -> float:
    if cell in MISSING:
        return float("nan")
    try:
        number = float(cell)
    except ValueError:
        number = float("inf")
    if not np.isfinite(number):
        _malformed(path, f"line {line}, column {name}", "a finite number, or nothing where it is unknown", repr(cell))
    return number


def _from_npz(path: Path) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray]:
    arrays = _arrays(path)
    found = {role: next((arrays[name] for name in names if name in arrays), None) for role, names in _ARRAYS.items()}
    codes, values, names = found["codes"], found["values"], found["names"]
    if codes is None or values is None:
        _malformed(path, "the file", "an array codes and an array features", ", ".join(arrays) or "none")
    if names is None:
        names = np.arange(values.shape[-1] if values.ndim else 0).astype(str)
    shape = (codes.size, names.size)
    if values.shape != shape or not np.issubdtype(values.dtype, np.number) or np.isinf(values).any():
        found_text = f"{values.dtype} of shape {values.shape}"
        _malformed(path, "features", f"finite numbers of shape {shape} (languages, features)", found_text)
    texts = [str(code) for code in codes.astype(str)]
    for row, code in enumerate(texts, start=1):
        _check_code(path, f"row {row}", code)
    _check_all(path, texts)
    return tuple(texts), tuple(str(name) for name in names.astype(str)), values.astype(np.float64)


def _arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an NPZ file; none that would have to run code to be read."""
    try:
        with zipfile.ZipFile(path) as members, np.load(path, allow_pickle=False) as arrays:
            refuse_bomb(str(path), path.stat().st_size, sum(member.file_size for member in members.infolist()))
            wanted = {name for names in _ARRAYS.values() for name in names}
            return {name: arrays[name] for name in arrays.files if name in wanted}
    except (ValueError, EOFError, MemoryError, zlib.error, zipfile.BadZipFile) as error:
        _malformed(path, "the file", "NPZ without Python objects", str(error))


def _check_code(path: Path, where: str, code: str) -> None:
    if not _CODE.fullmatch(code):
        _malformed(path, where, "a language code such as deu, deu_Latn or stan1295 first", repr(code))


def _check_all(path: Path, codes: Sequence[str]) -> None:
    """There are codes, and none comes twice."""
    seen = Counter(codes)
    twice = [code for code, times in seen.items() if times > 1]
    if twice or not codes:
        where = "the first column"
        _malformed(path, where, "language codes, each once", f"{twice[0]} {seen[twice[0]]} times" if twice else "none")


def _malformed(path: Path, where: str, expected: str, found: str) -> NoReturn:
    raise InputError(f"{path}, {where}: expected {expected}; found {found}. Mend the file and read it again.")
