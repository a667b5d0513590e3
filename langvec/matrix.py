"""What every model pays for every text: the entropy matrix, its intervals and its table.

A cell is a model and a text. It holds sums over each of the 64 folds of the text, of nats and of what they are divided
by, so that every unit and every interval can be had later without scoring again. Of a text that was read in part, the
nats of the rest are estimated, and `error` says how well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow as pa

from langvec.cleaning import FOLDS
from langvec.errors import InputError

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

Unit = Literal["symbol", "char", "byte", "sentence"]
COUNTS = ("symbols", "chars", "bytes", "sentences")
CELL_COLUMNS = ("model", "text", "nats", *COUNTS, "scored", "error")
_SHOWN = 3  # cells named in an error


@dataclass(frozen=True, eq=False)
class EntropyMatrix:
    """Nats and counts of each model on each text, fold by fold.

    Args:
        models: language codes of the models, such as deu_Latn.
        texts: language codes of the texts.
        nats: shape (models, texts, FOLDS).
        counts: symbols, chars, bytes and sentences of the texts, each of shape (texts, FOLDS).
        scored: symbols that were read, shape (models, texts).
        error: half the 95% interval of the whole text's nats per character, shape (models, texts); 0 if all was read.
    """

    models: tuple[str, ...]
    texts: tuple[str, ...]
    nats: np.ndarray
    counts: Mapping[str, np.ndarray]
    scored: np.ndarray
    error: np.ndarray

    @classmethod
    def from_cells(cls, table: pa.Table, models: Iterable[str], texts: Iterable[str]) -> EntropyMatrix:
        """The matrix of these models and texts out of a table with one cell a row; other cells are left out.

        Raises:
            InputError: a cell is missing, comes twice with different numbers, or is no valid cell.
        """
        models, texts = tuple(models), tuple(texts)
        _check_columns(table, CELL_COLUMNS, "a table of cells")
        folds = {name: _folds(table, name) for name in ("nats", *COUNTS)}
        rows = _row_of_each_cell(table, folds, models, texts)
        shape = (len(models), len(texts))
        counts = {unit: folds[unit][rows].reshape(*shape, FOLDS) for unit in COUNTS}
        _check_texts(counts, texts)
        scored, error = (table[name].to_numpy()[rows].reshape(shape) for name in ("scored", "error"))
        of_texts = {unit: counts_mtf[0] for unit, counts_mtf in counts.items()}
        return cls(models, texts, folds["nats"][rows].reshape(*shape, FOLDS), of_texts, scored, error)

    @classmethod
    def from_parquet(cls, path: str | Path) -> EntropyMatrix:
        """The very matrix whose `to_table` was written to this file."""
        folds = (f"fold_{name}" for name in ("nats", *COUNTS))
        table = read_parquet(path, ("model", "text", *folds, "scored", "error"))
        table = table.rename_columns([name.removeprefix("fold_") for name in table.column_names])
        codes = (dict.fromkeys(table[name].to_pylist()) for name in ("model", "text"))
        return cls.from_cells(table, *codes)

    def __repr__(self) -> str:
        return f"<EntropyMatrix: {len(self.models)} models x {len(self.texts)} texts>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EntropyMatrix):
            return NotImplemented
        own, others = ([m.nats, *(m.counts[unit] for unit in COUNTS), m.scored, m.error] for m in (self, other))
        same = (np.array_equal(a, b, equal_nan=True) for a, b in zip(own, others, strict=True))
        return (self.models, self.texts) == (other.models, other.texts) and all(same)

    __hash__ = None  # type: ignore[assignment]  # equal by the arrays, which can change

    @property
    def square(self) -> bool:
        """Whether models and texts are the same languages in the same order."""
        return self.models == self.texts

    def per(self, unit: Unit) -> np.ndarray:
        """Nats for each symbol, char, byte or sentence, shape (models, texts); nan where nothing was scored."""
        return _ratio(self.nats.sum(-1), self.counts[f"{unit}s"].sum(-1))

    def intervals(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper ends of the 95% interval of nats per character, each (models, texts).

        It is about all text like this one: it allows for what was not read, and for the text being only a sample of
        the language.
        """
        half_mt = np.hypot(half_width(self.nats, self.counts["chars"]), self.error)
        return self.per("char") - half_mt, self.per("char") + half_mt

    def bootstrap(self, draws: int, seed: int) -> Iterator[np.ndarray]:
        """Nats per character, shape (models, texts), of each of many draws of 64 folds with replacement.

        The folds of a draw are the same for all cells, so what cells have in common stays in common. A cell without
        text in any drawn fold keeps its own value.
        """
        rng = np.random.default_rng(seed)
        point_mt = self.per("char")
        for _ in range(draws):
            times_f = np.bincount(rng.integers(FOLDS, size=FOLDS), minlength=FOLDS)
            drawn_mt = _ratio(self.nats @ times_f, self.counts["chars"] @ times_f)
            yield np.where(np.isnan(drawn_mt), point_mt, drawn_mt)

    def select(self, *, models: Sequence[str] | None = None, texts: Sequence[str] | None = None) -> EntropyMatrix:
        """The part with these models and texts, in the order given; None keeps all."""
        models = self.models if models is None else tuple(models)
        texts = self.texts if texts is None else tuple(texts)
        rows, columns = _places(models, self.models, "model"), _places(texts, self.texts, "text")
        cells = np.ix_(rows, columns)
        counts = {unit: counts_tf[columns] for unit, counts_tf in self.counts.items()}
        return EntropyMatrix(models, texts, self.nats[cells], counts, self.scored[cells], self.error[cells])

    def with_text(self, name: str, cells: Mapping[str, Mapping[str, Any]]) -> EntropyMatrix:
        """With one more text, given by its cell under each model."""
        of_models = [cells[model] for model in self.models]
        nats, scored, error = (
            np.array([cell[key] for cell in of_models])[:, None] for key in ("nats", "scored", "error")
        )
        counts = {unit: np.vstack([counts_tf, of_models[0][unit]]) for unit, counts_tf in self.counts.items()}
        joined = (np.concatenate(pair, 1) for pair in ((self.nats, nats), (self.scored, scored), (self.error, error)))
        nats_mtf, scored_mt, error_mt = joined
        return EntropyMatrix(self.models, (*self.texts, name), nats_mtf, counts, scored_mt, error_mt)

    def to_table(self) -> pa.Table:
        """One row for each model and text: rates, interval, totals, and the sums of each fold in the last columns."""
        table = self.to_csv_table()
        for name, values in {"nats": self.nats, **{unit: self.counts[unit] for unit in COUNTS}}.items():
            cells = np.broadcast_to(values, self.nats.shape)
            column = pa.FixedSizeListArray.from_arrays(pa.array(cells.ravel()), FOLDS)
            table = table.append_column(f"fold_{name}", column)
        return table

    def to_csv_table(self) -> pa.Table:
        """The table without the columns of folds, which CSV cannot hold."""
        low_mt, high_mt = self.intervals()
        totals = {unit: np.broadcast_to(self.counts[unit].sum(-1), low_mt.shape) for unit in COUNTS}
        columns = {
            **self._rates(),
            "nats_per_char_low": low_mt,
            "nats_per_char_high": high_mt,
            "nats": self.nats.sum(-1),
            **totals,
            "scored": self.scored,
            "share_scored": _ratio(self.scored, totals["symbols"]),
            "error": self.error,
        }
        names = {"model": np.repeat(self.models, len(self.texts)), "text": np.tile(self.texts, len(self.models))}
        return pa.table({name: values.ravel() for name, values in {**names, **columns}.items()})

    def _rates(self) -> dict[str, np.ndarray]:
        units: tuple[Unit, ...] = ("char", "byte", "sentence")
        return {
            f"{measure}_per_{unit}": self.per(unit) / size
            for unit in units
            for measure, size in (("nats", 1.0), ("bits", np.log(2)))
        }

    def to_pandas(self, unit: Unit = "char") -> pd.DataFrame:
        """Nats per unit with a row for each model and a column for each text."""
        import pandas as pd

        index, columns = pd.Index(self.models, name="model"), pd.Index(self.texts, name="text")
        return pd.DataFrame(self.per(unit), index=index, columns=columns)


def half_width(nats: np.ndarray, chars: np.ndarray, level: float = 0.95) -> np.ndarray:
    """Half the width of the interval of nats per character: the ratio estimator over folds (Cochran, 1977, ch. 6).

    Args:
        nats: shape (..., FOLDS).
        chars: shape (..., FOLDS); a fold without characters does not count.
        level: share of such intervals that hold the true value.

    Returns:
        Shape (...); nan with fewer than two folds.
    """
    from scipy.special import stdtrit

    total, filled = chars.sum(-1), (chars > 0).sum(-1)
    residuals = nats - _ratio(nats.sum(-1), total)[..., None] * chars
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.sqrt(filled / (filled - 1) * (residuals**2).sum(-1)) / total
        return np.where(filled > 1, stdtrit(filled - 1, (1 + level) / 2) * errors, np.nan)


def read_parquet(path: str | Path, columns: Iterable[str]) -> pa.Table:
    """These columns of a Parquet file, or an InputError that says what is wrong with the file."""
    import pyarrow.parquet as pq

    if "://" not in str(path) and not Path(path).exists():
        raise InputError(f"There is no file {path}. Expected a Parquet file; the path is taken from {Path.cwd()}.")
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"Cannot read {path} as a Parquet file: {error}. Write it again.") from None
    _check_columns(table, columns, str(path))
    return table.select(list(columns))


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan)


def _places(wanted: Sequence[str], known: Sequence[str], what: str) -> list[int]:
    unknown = [code for code in wanted if code not in known]
    if unknown:
        raise InputError(f"The matrix has no {what} {', '.join(unknown)}. It has {', '.join(known)}.")
    return [known.index(code) for code in wanted]


def _check_columns(table: pa.Table, columns: Iterable[str], what: str) -> None:
    missing = [name for name in columns if name not in table.column_names]
    if missing:
        found = ", ".join(table.column_names)
        raise InputError(f"Expected the columns {', '.join(missing)} in {what}. Columns found: {found}.")


def _folds(table: pa.Table, name: str) -> np.ndarray:
    """A column of lists as an array of shape (rows, FOLDS)."""
    column = table[name]
    if not pa.types.is_fixed_size_list(column.type) or column.type.list_size != FOLDS or column.null_count:
        raise InputError(
            f"Expected {FOLDS} numbers in each row of the column {name}, as a list of fixed size and never null. "
            f"Found {column.type} with {column.null_count} nulls. Score these cells again."
        )
    return np.asarray(column.combine_chunks().flatten().to_numpy(zero_copy_only=False)).reshape(-1, FOLDS)


def _row_of_each_cell(
    table: pa.Table, folds: Mapping[str, np.ndarray], models: Sequence[str], texts: Sequence[str]
) -> np.ndarray:
    """Where each cell is in the table, shape (models * texts,), once it is sure that it is there and is one."""
    model_r, text_r = _codes(table, "model", models), _codes(table, "text", texts)
    rows = np.flatnonzero((model_r >= 0) & (text_r >= 0))
    cells, first, inverse = np.unique((model_r * len(texts) + text_r)[rows], return_index=True, return_inverse=True)
    missing = np.setdiff1d(np.arange(len(models) * len(texts)), cells)
    if missing.size or not cells.size:
        raise InputError(f"Expected one cell for every model and text. Missing: {_named(missing, models, texts)}.")
    broken = cells[inverse[~np.isfinite(folds["nats"][rows]).all(axis=-1)]]
    _refuse(broken, models, texts, "Expected finite nats in each cell. Found others for {}. Score them again.")
    differing = cells[inverse[~_same_numbers(table, folds, rows, rows[first][inverse])]]
    _refuse(differing, models, texts, "Expected one value for each cell. Found several for {}. Remove the wrong ones.")
    return np.asarray(rows[first])


def _codes(table: pa.Table, name: str, known: Sequence[str]) -> np.ndarray:
    """The place of each row's code among the known ones, -1 for others."""
    place = {code: index for index, code in enumerate(known)}
    return np.array([place.get(code, -1) for code in table[name].to_pylist()], dtype=np.int64)


def _same_numbers(table: pa.Table, folds: Mapping[str, np.ndarray], rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    numbers = [*folds.values(), *(table[name].to_numpy()[:, None] for name in ("scored", "error"))]
    return np.asarray(np.all([(values[rows] == values[others]).all(axis=-1) for values in numbers], axis=0))


def _check_texts(counts: Mapping[str, np.ndarray], texts: Sequence[str]) -> None:
    for unit, counts_mtf in counts.items():
        differing = np.flatnonzero((counts_mtf != counts_mtf[:1]).any(axis=(0, 2)))
        if differing.size:
            text, sizes = texts[differing[0]], np.unique(counts_mtf[:, differing[0]].sum(-1)).tolist()
            raise InputError(
                f"Expected one text {text}, the same for all models. Found {unit} in different folds or numbers "
                f"({', '.join(map(str, sizes))} in all): score them again on one text."
            )


def _refuse(cells: np.ndarray, models: Sequence[str], texts: Sequence[str], why: str) -> None:
    if cells.size:
        raise InputError(why.format(_named(np.unique(cells), models, texts)))


def _named(cells: np.ndarray, models: Sequence[str], texts: Sequence[str]) -> str:
    pairs = (divmod(int(cell), len(texts)) for cell in cells[:_SHOWN])
    shown = ", ".join(f"{models[model]} on {texts[text]}" for model, text in pairs)
    return f"{shown or 'all'} ({len(cells)} in all)" if len(cells) > _SHOWN or not shown else shown
