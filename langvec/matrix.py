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

from langvec.cells import Read, Rows, check_columns, folds_of, of_texts, read_parquet
from langvec.cleaning import FOLDS
from langvec.errors import InputError

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-untyped]

Unit = Literal["symbol", "char", "byte", "sentence"]
COUNTS = ("symbols", "chars", "bytes", "sentences")
CELL_COLUMNS = ("model", "text", "nats", *COUNTS, "scored", "error")


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
        check_columns(table.column_names, CELL_COLUMNS, "a table of cells")
        return cls._of(table.column, tuple(models), tuple(texts))

    @classmethod
    def from_parquet(cls, path: str | Path) -> EntropyMatrix:
        """The very matrix whose `to_table` was written to this file."""
        names = {name: f"fold_{name}" for name in ("nats", *COUNTS)}
        codes = read_parquet(path, ("model", "text", "scored", "error"), also=names.values())

        def read(name: str) -> pa.ChunkedArray:  # one column of folds at a time: each is as large as the matrix itself
            return read_parquet(path, (names[name],)).column(0) if name in names else codes[name]

        return cls._of(read, *(tuple(dict.fromkeys(codes[name].to_pylist())) for name in ("model", "text")))

    @classmethod
    def _of(cls, read: Read, models: tuple[str, ...], texts: tuple[str, ...]) -> EntropyMatrix:
        rows = Rows.of(read, models, texts)
        nats_mtf = rows.take(folds_of(read("nats"), "nats"), finite=True)
        counts = {unit: of_texts(rows.take(folds_of(read(unit), unit)), unit, texts) for unit in COUNTS}
        scored_mt, error_mt = (rows.take(read(name).to_numpy()) for name in ("scored", "error"))
        return cls(models, texts, nats_mtf, counts, scored_mt, error_mt)

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


def _ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan)


def _places(wanted: Sequence[str], known: Sequence[str], what: str) -> list[int]:
    unknown = [code for code in wanted if code not in known]
    if unknown:
        raise InputError(f"The matrix has no {what} {', '.join(unknown)}. It has {', '.join(known)}.")
    return [known.index(code) for code in wanted]
