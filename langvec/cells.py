"""Tables of cells read into arrays: each cell once, every fold of it, and nothing that is not a number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from langvec.cleaning import FOLDS
from langvec.errors import InputError

Read = Callable[[str], pa.ChunkedArray]  # a column by its name
_SHOWN = 3  # cells named in an error


def read_parquet(path: str | Path, columns: Iterable[str], also: Iterable[str] = ()) -> pa.Table:
    """These columns of a Parquet file, or an InputError that says what is wrong with the file; `also` must be there."""
    import pyarrow.parquet as pq

    columns = list(columns)
    if "://" not in str(path) and not Path(path).exists():
        raise InputError(f"There is no file {path}. Expected a Parquet file; the path is taken from {Path.cwd()}.")
    try:
        names = pq.read_schema(path).names
        check_columns(names, [*columns, *also], str(path))
        return pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"Cannot read {path} as a Parquet file: {error}. Write it again.") from None


def check_columns(names: Sequence[str], columns: Iterable[str], what: str) -> None:
    missing = [name for name in columns if name not in names]
    if missing:
        raise InputError(f"Expected the columns {', '.join(missing)} in {what}. Columns found: {', '.join(names)}.")


def folds_of(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """A column of lists as an array of shape (rows, FOLDS)."""
    if not pa.types.is_fixed_size_list(column.type) or column.type.list_size != FOLDS or column.null_count:
        raise InputError(
            f"Expected {FOLDS} numbers in each row of the column {name}, as a list of fixed size and never null. "
            f"Found {column.type} with {column.null_count} nulls. Score these cells again."
        )
    return np.asarray(column.combine_chunks().flatten().to_numpy(zero_copy_only=False)).reshape(-1, FOLDS)


@dataclass(frozen=True)
class Rows:
    """Where each cell is in a table of cells, and which rows say a cell again."""

    models: tuple[str, ...]
    texts: tuple[str, ...]
    first: np.ndarray  # the row of each cell, shape (models * texts,)
    again: np.ndarray  # other rows of cells
    cell: np.ndarray  # ... and the cell of each

    @classmethod
    def of(cls, read: Read, models: tuple[str, ...], texts: tuple[str, ...]) -> Rows:
        model_r, text_r = _codes(read("model"), models), _codes(read("text"), texts)
        rows = np.flatnonzero((model_r >= 0) & (text_r >= 0))
        cells, first, inverse = np.unique((model_r * len(texts) + text_r)[rows], return_index=True, return_inverse=True)
        missing = np.setdiff1d(np.arange(len(models) * len(texts)), cells)
        if missing.size or not cells.size:
            raise InputError(f"Expected one cell for every model and text. Missing: {_named(missing, models, texts)}.")
        again = np.setdiff1d(np.arange(len(rows)), first)
        return cls(models, texts, rows[first], rows[again], inverse[again])

    def take(self, values_r: np.ndarray, finite: bool = False) -> np.ndarray:
        """What the rows hold, as (models, texts, ...); rows that say a cell again must say the same."""
        in_order = len(self.first) == len(values_r) and bool((self.first == np.arange(len(values_r))).all())
        found = values_r if in_order else values_r[self.first]
        if finite:
            broken = np.flatnonzero(~np.isfinite(found.reshape(len(found), -1)).all(axis=-1))
            self._refuse(broken, "Expected finite nats in each cell. Found others for {}. Score them again.")
        differs = values_r[self.again] != values_r[self.first[self.cell]]
        several = np.unique(self.cell[differs.any(axis=tuple(range(1, differs.ndim)))])
        self._refuse(several, "Expected one value for each cell. Found several for {}. Remove the wrong ones.")
        return np.asarray(found.reshape(len(self.models), len(self.texts), *found.shape[1:]))

    def _refuse(self, cells: np.ndarray, why: str) -> None:
        if cells.size:
            raise InputError(why.format(_named(cells, self.models, self.texts)))


def _codes(column: pa.ChunkedArray, known: Sequence[str]) -> np.ndarray:
    """The place of each row's code among the known ones, -1 for others."""
    place = {code: index for index, code in enumerate(known)}
    return np.array([place.get(code, -1) for code in column.to_pylist()], dtype=np.int64)


def of_texts(counts_mtf: np.ndarray, unit: str, texts: Sequence[str]) -> np.ndarray:
    """Counts of each text, (texts, FOLDS), which no model can change."""
    differing = np.flatnonzero((counts_mtf != counts_mtf[:1]).any(axis=(0, 2)))
    if differing.size:
        text, sizes = texts[differing[0]], np.unique(counts_mtf[:, differing[0]].sum(-1)).tolist()
        raise InputError(
            f"Expected one text {text}, the same for all models. Found {unit} in different folds or numbers "
            f"({', '.join(map(str, sizes))} in all): score them again on one text."
        )
    return np.array(counts_mtf[0])


def _named(cells: np.ndarray, models: Sequence[str], texts: Sequence[str]) -> str:
    pairs = (divmod(int(cell), len(texts)) for cell in cells[:_SHOWN])
    shown = ", ".join(f"{models[model]} on {texts[text]}" for model, text in pairs)
    return f"{shown or 'all'} ({len(cells)} in all)" if len(cells) > _SHOWN or not shown else shown
