"""Do distances between languages say what a typological table says, beyond script, family and place?

The table may be of any origin (URIEL, Grambank, WALS, one's own): a row for each language, a column for each feature.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from langvec.baselines import great_circle
from langvec.errors import InputError
from langvec.glottolog import family
from langvec.languages import find

LEAST_FEATURES = 5  # that two languages must share before a distance is made of them
LEAST_LANGUAGES = 5
_MISSING = ["", "NA", "NaN", "nan", "?", "--", "-", "None", "null"]


@dataclass(frozen=True)
class Typology:
    """Features of languages, nan where unknown, each between 0 and 1."""

    codes: tuple[str, ...]
    features: np.ndarray  # (languages, features)

    @property
    def coverage(self) -> float:
        return float(np.isfinite(self.features).mean())

    def distances(self) -> np.ndarray:
        """The mean difference over the features that both are known for; nan if they are too few (Gower, 1971)."""
        known = np.isfinite(self.features)
        filled, weight = np.where(known, self.features, 0), known.astype(float)
        shared = weight @ weight.T
        total = np.zeros_like(shared)
        for feature, there in zip(filled.T, weight.T, strict=True):
            total += np.abs(feature[:, None] - feature[None, :]) * there[:, None] * there[None, :]
        return np.where(shared >= LEAST_FEATURES, total / np.maximum(shared, 1), np.nan)


def read_typology(path: str | Path, codes: Sequence[str]) -> Typology:
    """The rows of these languages in a CSV, TSV or Parquet file whose first column is ISO 639-3 codes or Glottocodes.

    Raises:
        InputError: the file cannot be read, a feature is not a number, or too few languages are in it.
    """
    table = _table(Path(path))
    ids = [str(name) for name in table.column(0).to_pylist()]
    rows = {name: row for row, name in reversed(list(enumerate(ids)))}
    found = {code: row for code in codes if (row := _row(code, rows)) is not None}
    if len(found) < LEAST_LANGUAGES:
        raise InputError(
            f"Expected at least {LEAST_LANGUAGES} of the run's languages in {path}, by ISO 639-3 code or Glottocode in "
            f"its first column ({table.column_names[0]}). Found {len(found)}; the column starts {', '.join(ids[:3])}."
        )
    features = np.stack([_numbers(table, name, path) for name in table.column_names[1:]], 1)[list(found.values())]
    with np.errstate(all="ignore"):
        low, high = np.nanmin(features, 0, initial=np.inf), np.nanmax(features, 0, initial=-np.inf)
        varied = high > low
    return Typology(tuple(found), (features[:, varied] - low[varied]) / (high - low)[varied])


def _row(code: str, rows: Mapping[str, int]) -> int | None:
    language = find(code)
    names = (language.code, language.iso, language.glottocode or "")
    return next((rows[name] for name in names if name in rows), None)


def _table(path: Path) -> pa.Table:
    import pyarrow.csv
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".parquet":
            return pq.read_table(path)
        options = pyarrow.csv.ParseOptions(delimiter="\t" if path.suffix in (".tsv", ".tab") else ",")
        nulls = pyarrow.csv.ConvertOptions(null_values=_MISSING, strings_can_be_null=True)
        return pyarrow.csv.read_csv(path, parse_options=options, convert_options=nulls)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read as CSV, TSV or Parquet by its ending: {error}.") from None


def _numbers(table: pa.Table, name: str, path: str | Path) -> np.ndarray:
    try:
        return np.asarray(table[name].cast(pa.float64()).to_numpy(), float)
    except pa.ArrowException:
        values = table[name].drop_null().to_pylist()[:3]
        raise InputError(
            f"Expected numbers in every column of {path} but the first. Found {values} in {name}: leave it out, or "
            f"give each of its values a column of 0 and 1."
        ) from None


def agreement(distances: np.ndarray, typology: Typology, draws: int, seed: int) -> Iterator[dict[str, Any]]:
    """Rank correlations with the table's distances: plain, and with what else makes languages alike taken out.

    The p-value is Mantel's (1967): how often the correlation is as high when the languages of the table are shuffled.
    Controls are taken out of the ranks of both by linear regression first (Smouse, Long and Sokal, 1986).

    Args:
        distances: between the languages of the table, shape (languages, languages).
        typology: the table.
        draws: shuffles.
        seed: of the shuffles.
    """
    codes = typology.codes
    script = np.array([find(code).script for code in codes])
    kin = np.array([family(code) for code in codes])
    controls = {
        "script": (script[:, None] != script).astype(float),
        "family": (kin[:, None] != kin).astype(float),
        "geography": great_circle(codes),
    }
    there = typology.distances()
    for names in ((), ("script",), ("family",), ("geography",), tuple(controls)):
        ours, theirs = (_rest(matrix, there, [controls[name] for name in names]) for matrix in (distances, there))
        value, p = _mantel(ours, theirs, draws, seed)
        pairs = int(np.isfinite(there[np.triu_indices(len(codes), 1)]).sum())
        about = {"languages": len(codes), "pairs": pairs, "coverage": typology.coverage, "draws": draws}
        yield {"controlled_for": " + ".join(names) or "nothing", "spearman": value, "p": p, **about}


def _rest(matrix: np.ndarray, there: np.ndarray, controls: Sequence[np.ndarray]) -> np.ndarray:
    """The ranks of the pairs that the table has, less what the controls' ranks explain of them; nan elsewhere."""
    from scipy.stats import rankdata

    pairs = np.isfinite(there) & np.triu(np.ones_like(there, bool), 1)
    known = np.stack([np.ones(pairs.sum()), *(rankdata(control[pairs]) for control in controls)], 1)
    ranks = rankdata(matrix[pairs])
    rest = ranks - known @ np.linalg.lstsq(known, ranks, rcond=None)[0]
    found = np.full(there.shape, np.nan)
    found[pairs] = rest
    return np.where(np.isfinite(found), found, found.T)


def _mantel(ours: np.ndarray, theirs: np.ndarray, draws: int, seed: int) -> tuple[float, float]:
    rng = np.random.default_rng(seed)
    value = _correlation(ours, theirs)
    orders = (rng.permutation(len(theirs)) for _ in range(draws))
    as_high = sum(_correlation(ours, theirs[np.ix_(order, order)]) >= value for order in orders)
    return value, (as_high + 1) / (draws + 1)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    both = np.isfinite(a) & np.isfinite(b)
    return float(np.corrcoef(a[both], b[both])[0, 1]) if both.sum() > 1 and a[both].std() and b[both].std() else 0.0
