"""Language vectors out of an entropy matrix: recipes, distances with intervals, and a set to look languages up in.

Rows of the matrix say how well a model was trained, columns say what a language is like (all texts are scored by the
same models); hence the presets `paper`, rows of perplexities, and `best`, columns of nats.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
import pyarrow as pa

from langvec.cells import read_parquet
from langvec.config import Strict
from langvec.errors import InputError
from langvec.matrix import EntropyMatrix

Metric = Literal["euclidean", "cosine"]
Scores = tuple[np.ndarray, Sequence[str], Sequence[str]]  # nats per char (models, texts), models, texts
_PERCENTILES = (0.025, 0.975)


class VectorRecipe(Strict):
    """How nats per character become vectors: value, then scale over the models, then orientation.

    With H[i, j] the nats per character of model i on text j:

    - value: `nats` is H, `perplexity` exp(H), `excess_native` H[i, j] - H[j, j], `excess_text` H[i, j] less what a
      baseline such as the text's own n-grams needs for it.
    - scale: `minmax` and `zscore` of each column, in which a constant column becomes 0; `centred` takes away the
      means of rows and columns and adds that of all.
    - orientation: the vector of a language is its `row` as a model or its `column` as a text; `symmetric` is
      ((H[i, j] - H[j, j]) + (H[j, i] - H[i, i])) / 2 of the scaled values. That is itself a distance unless the value
      is perplexity: cut off at 0, it is then used as such, whatever the metric.
    """

    orientation: Literal["row", "column", "symmetric"]
    value: Literal["nats", "excess_native", "excess_text", "perplexity"]
    scale: Literal["none", "minmax", "zscore", "centred"]
    metric: Metric

    @property
    def is_distance(self) -> bool:
        """Whether the vectors already are distances to each language."""
        return self.orientation == "symmetric" and self.value != "perplexity"


PRESETS: Mapping[str, VectorRecipe] = MappingProxyType(
    {
        "paper": VectorRecipe(orientation="row", value="perplexity", scale="zscore", metric="euclidean"),
        "best": VectorRecipe(orientation="column", value="nats", scale="centred", metric="cosine"),
    }
)


@dataclass(frozen=True, eq=False)
class LanguageVectors:
    """One vector a language, to be asked as lang2vec is: `vectors["deu"]`, `vectors.distance("deu", "nld")`.

    Args:
        codes: language codes.
        vectors: shape (languages, dimensions).
        dimensions: name of each dimension: a code, or a feature of an outside table.
        recipe: how the vectors were made.
        matrix: what they were made of; None when they were loaded, or joined with others.
    """

    codes: tuple[str, ...]
    vectors: np.ndarray
    dimensions: tuple[str, ...]
    recipe: VectorRecipe
    matrix: EntropyMatrix | None = None

    @classmethod
    def load(cls, path: str | Path) -> LanguageVectors:
        """The vectors that `save` wrote; they come without their matrix."""
        table = read_parquet(path, ("lang", "vector", *VectorRecipe.model_fields))
        dimensions = tuple(json.loads((table.schema.metadata or {}).get(b"dimensions", b"[]")))
        vectors = table["vector"].to_pylist()
        recipes = table.select(list(VectorRecipe.model_fields)).to_pylist()
        if not vectors or not dimensions or {len(vector) for vector in vectors} != {len(dimensions)}:
            raise InputError(
                f"Expected vectors of one length in {path}, and as many names in the metadata `dimensions`. "
                f"Found {len(vectors)} vectors and {len(dimensions)} names. Write it with LanguageVectors.save."
            )
        if any(recipe != recipes[0] for recipe in recipes):
            raise InputError(f"Expected vectors of one recipe in {path}. Found several: save each in its own file.")
        return cls(tuple(table["lang"].to_pylist()), np.array(vectors), dimensions, VectorRecipe(**recipes[0]))

    def save(self, path: str | Path) -> None:
        """Write the table as Parquet."""
        import pyarrow.parquet as pq

        pq.write_table(self.to_table(), path)

    def to_table(self) -> pa.Table:
        """One row for each language; the names of the dimensions are in the schema's metadata, as JSON."""
        recipe = {name: [value] * len(self.codes) for name, value in self.recipe.model_dump().items()}
        vectors = pa.array(list(self.vectors), pa.list_(pa.float64()))
        table = pa.table({"lang": pa.array(self.codes, pa.string()), "vector": vectors, **recipe})
        return table.replace_schema_metadata({"dimensions": json.dumps(self.dimensions)})

    def to_csv_table(self) -> pa.Table:
        """One row for each language, one column for each dimension."""
        columns = dict(zip(self.dimensions, self.vectors.T, strict=True))
        return pa.table({"lang": pa.array(self.codes, pa.string()), **columns})

    def __repr__(self) -> str:
        how = ", ".join(f"{name} {value}" for name, value in self.recipe.model_dump().items())
        return f"<LanguageVectors: {len(self.codes)} languages, {len(self.dimensions)} dimensions; {how}>"

    def __eq__(self, other: object) -> bool:
        """Same languages, dimensions, recipe and numbers; where they came from does not count."""
        if not isinstance(other, LanguageVectors):
            return NotImplemented
        named = all(getattr(self, name) == getattr(other, name) for name in ("codes", "dimensions", "recipe"))
        return named and np.array_equal(self.vectors, other.vectors)

    __hash__ = None  # type: ignore[assignment]  # equal by an array, which can change

    def __getitem__(self, code: str) -> np.ndarray:
        return np.asarray(self.vectors[self.place(code)])

    def place(self, code: str) -> int:
        """The index of `deu_Latn`, or of `deu` if the set has it in one script.

        Raises:
            InputError: naming near codes, or the scripts to choose from.
        """
        found = [code] if code in self._places else [known for known in self.codes if known.split("_")[0] == code]
        if len(found) == 1:
            return self._places[found[0]]
        if found:
            raise InputError(f"{code!r} is ambiguous here: say {' or '.join(found)}.")
        near = get_close_matches(code, [*self.codes, *(known.split("_")[0] for known in self.codes)], n=5, cutoff=0.5)
        hint = (
            f"Did you mean {' or '.join(dict.fromkeys(near))}?" if near else f"It has {', '.join(self.codes[:5])} ..."
        )
        raise InputError(f"There is no vector of {code!r} among these {len(self.codes)} languages. {hint}")

    @cached_property
    def _places(self) -> dict[str, int]:
        return {code: index for index, code in enumerate(self.codes)}

    def distances(self) -> np.ndarray:
        """The distance of every two languages, shape (languages, languages)."""
        return self._distances_among(list(range(len(self.codes))))

    def distance(self, a: str, b: str) -> float:
        """How far two languages are apart."""
        return float(self._distances_among([self.place(a), self.place(b)])[0, 1])

    def _distances_among(self, places: list[int]) -> np.ndarray:
        if self.recipe.is_distance and self.dimensions == self.codes:
            return _as_distances(self.vectors[np.ix_(places, places)])
        return distances(self.vectors[places], self.recipe.metric)

    def nearest(self, a: str, k: int = 5) -> list[tuple[str, float]]:
        """The k nearest other languages and their distances, the nearest first."""
        place = self.place(a)
        row = self.distances()[place]
        return [(self.codes[j], float(row[j])) for j in _nearest(row, place, k)]

    def nearest_intervals(
        self, a: str, k: int = 5, own: Mapping[str, float] | None = None, draws: int = 200, seed: int = 1
    ) -> list[tuple[str, float, float, float]]:
        """The k nearest other languages with distance, and the low and high end of its 95% interval."""
        if self.matrix is None:
            raise InputError("Intervals need the entropy matrix, which these vectors come without. Use make_vectors.")
        low, high = (end[self.place(a)] for end in distance_intervals(self.matrix, self.recipe, own, draws, seed))
        return [(b, far, float(low[self.place(b)]), float(high[self.place(b)])) for b, far in self.nearest(a, k)]


def make_vectors(
    matrix: EntropyMatrix | Scores, recipe: VectorRecipe, own: Mapping[str, float] | None = None
) -> LanguageVectors:
    """The vectors of a matrix, or of nats per character with the codes of its models and texts.

    Args:
        matrix: models by texts.
        recipe: what to make of it; rows give one vector for each model, columns for each text.
        own: nats per character of a baseline on each text, for `excess_text`.

    Raises:
        InputError: the recipe needs a model, a baseline or a score that is not there.
    """
    source = matrix if isinstance(matrix, EntropyMatrix) else None
    scores = _scores(matrix)
    nats, models, texts = scores
    _check(scores, recipe)
    vectors = vectors_of(nats, recipe, *_baselines(scores, recipe, own))
    codes, dimensions = (texts, models) if recipe.orientation == "column" else (models, texts)
    return LanguageVectors(tuple(codes), vectors, tuple(dimensions), recipe, source)


def vectors_of(
    nats_mt: np.ndarray, recipe: VectorRecipe, native_t: np.ndarray | None = None, own_t: np.ndarray | None = None
) -> np.ndarray:
    """The vectors of nats per character.

    Args:
        nats_mt: shape (models, texts).
        recipe: what to make of them.
        native_t: row of the model of each text's language, for `excess_native`.
        own_t: baseline of each text, for `excess_text`.
    """
    values_mt = _scaled(_values(nats_mt, recipe, native_t, own_t), recipe.scale)
    if recipe.orientation == "row":
        return values_mt
    if recipe.orientation == "column":
        return np.ascontiguousarray(values_mt.T)
    excess_mt = values_mt - np.diag(values_mt)
    return np.asarray((excess_mt + excess_mt.T) / 2)


def distances(vectors: np.ndarray, metric: Metric) -> np.ndarray:
    """The distance of every two rows. A row of zeros has no direction: its cosine distance to all others is 1."""
    if metric == "euclidean":
        from scipy.spatial.distance import pdist, squareform

        return np.asarray(squareform(pdist(vectors)))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit = vectors / np.where(lengths > 0, lengths, 1)
    return _as_distances(1 - unit @ unit.T)


def distance_intervals(
    matrix: EntropyMatrix,
    recipe: VectorRecipe,
    own: Mapping[str, float] | None = None,
    draws: int = 200,
    seed: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the 95% interval of every distance, each (languages, languages): percentiles over redrawn folds.

    Noise in two vectors moves them apart, so for very near languages the interval may lie above the distance itself.
    """
    drawn = list(drawn_distances(matrix, recipe, own, draws, seed))
    low, high = np.quantile(np.stack(drawn), _PERCENTILES, axis=0)
    return low, high


def drawn_distances(
    matrix: EntropyMatrix,
    recipe: VectorRecipe,
    own: Mapping[str, float] | None = None,
    draws: int = 200,
    seed: int = 1,
) -> Iterator[np.ndarray]:
    """All distances again and again, each time from 64 folds of text drawn with replacement."""
    vectors = make_vectors(matrix, recipe, own)
    baselines = _baselines(_scores(matrix), recipe, own)
    for nats in matrix.bootstrap(draws, seed):
        yield replace(vectors, vectors=vectors_of(nats, recipe, *baselines)).distances()


def distance_table(
    vectors: LanguageVectors, own: Mapping[str, float] | None = None, draws: int = 200, seed: int = 1
) -> pa.Table:
    """Every two languages, their distance and its 95% interval; the vectors must come with their matrix."""
    if vectors.matrix is None:
        raise InputError("Intervals need the entropy matrix, which these vectors come without. Use make_vectors.")
    ends = distance_intervals(vectors.matrix, vectors.recipe, own, draws, seed)
    a, b = np.triu_indices(len(vectors.codes), 1)
    codes = np.array(vectors.codes)
    numbers = zip(("distance", "low", "high"), (vectors.distances(), *ends), strict=True)
    return pa.table({"lang_a": codes[a], "lang_b": codes[b], **{name: matrix[a, b] for name, matrix in numbers}})


def _scores(matrix: EntropyMatrix | Scores) -> Scores:
    return (matrix.per("char"), matrix.models, matrix.texts) if isinstance(matrix, EntropyMatrix) else matrix


def _check(scores: Scores, recipe: VectorRecipe) -> None:
    nats, models, texts = scores
    if nats.shape != (len(models), len(texts)):
        raise InputError(f"Expected scores of {len(models)} models on {len(texts)} texts. Found shape {nats.shape}.")
    if recipe.orientation == "symmetric" and tuple(models) != tuple(texts):
        raise InputError(
            "Symmetric vectors need the same languages as models and as texts, in one order. Found "
            f"{_shown(set(models) ^ set(texts)) or 'another order'}: select the languages that are both."
        )
    bad = np.argwhere(~np.isfinite(nats))
    if bad.size:
        model, text = bad[0]
        raise InputError(
            f"Expected a finite score of every model on every text. Found {nats[model, text]} for {models[model]} on "
            f"{texts[text]} ({len(bad)} such in all): leave such languages out, or give them text."
        )


def _baselines(
    scores: Scores, recipe: VectorRecipe, own: Mapping[str, float] | None
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """For each text the row of its native model and its own baseline, as far as the recipe needs them."""
    _, models, texts = scores
    if recipe.value == "excess_native":
        place = {model: index for index, model in enumerate(models)}
        _need(texts, place, "excess_native needs the model of each text's own language")
        return np.array([place[text] for text in texts], dtype=np.intp), None
    if recipe.value == "excess_text":
        _need(texts, own or {}, "excess_text needs `own`, the baseline in nats per character of each text")
        return None, np.array([(own or {})[text] for text in texts], dtype=np.float64)
    return None, None


def _need(texts: Iterable[str], there: Mapping[str, float], why: str) -> None:
    missing = [text for text in texts if text not in there]
    if missing:
        raise InputError(f"The value {why}. Missing: {_shown(missing)}. Add them or choose another value.")


def _shown(codes: Iterable[str]) -> str:
    names = sorted(codes)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if names[5:] else "")


def _values(
    nats_mt: np.ndarray, recipe: VectorRecipe, native_t: np.ndarray | None, own_t: np.ndarray | None
) -> np.ndarray:
    nats_mt = np.array(nats_mt, dtype=np.float64)
    if recipe.value == "perplexity":
        return np.asarray(np.exp(nats_mt))
    if recipe.value == "nats":
        return nats_mt
    if recipe.value == "excess_native" and native_t is not None:
        own_t = nats_mt[native_t, np.arange(nats_mt.shape[1])]
    if own_t is None:
        raise ValueError(f"{recipe.value} needs native_t or own_t")
    return np.asarray(nats_mt - own_t)


def _scaled(values_mt: np.ndarray, scale: str) -> np.ndarray:
    if scale == "none":
        return values_mt
    if scale == "centred":
        means_t, means_m = values_mt.mean(axis=0), values_mt.mean(axis=1, keepdims=True)
        return np.asarray(values_mt - means_t - means_m + values_mt.mean())
    span_t = np.ptp(values_mt, axis=0)
    start_t, width_t = (values_mt.min(axis=0), span_t) if scale == "minmax" else (values_mt.mean(0), values_mt.std(0))
    # By the span, for the deviation of a constant column is a rounding error and not quite 0.
    return np.where(span_t > 0, (values_mt - start_t) / np.where(span_t > 0, width_t, 1), 0.0)


def _as_distances(values: np.ndarray) -> np.ndarray:
    """No distance below 0, none from a language to itself."""
    values = np.clip(values, 0, None)
    np.fill_diagonal(values, 0)
    return np.asarray(values)


def _nearest(row: np.ndarray, place: int, k: int) -> list[int]:
    return [int(j) for j in np.argsort(row, kind="stable") if j != place][:k]
