"""What the report of a run of `curate` is made of, read back from its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ray_jobs.curate_recipe import ORACLE, RANDOM, CurateRecipe
from ray_jobs.curate_results import FOLDER
from ray_jobs.stages import Record
from ray_jobs.store import Store

Row = dict[str, Any]
SHOWN = 5  # pairs of each kind
_TEXTS = ("source", "target", "noise", "reasons")


@dataclass(frozen=True)
class Examples:
    """Pairs of one ranking: its best, those at the edge of what is kept, its worst that pass, and refused ones."""

    ranking: str
    parts: Mapping[str, Sequence[Row]]


@dataclass(frozen=True, eq=False)
class CurateFindings:
    """All that a report shows. What is missing is empty."""

    recipe: CurateRecipe
    pairs: Mapping[str, Any]  # the account of what was read
    reasons: Sequence[Row]
    rankings: Sequence[Row]
    curves: Sequence[Row]
    histograms: Sequence[Row]
    translation: Sequence[Row]
    examples: Sequence[Examples]
    records: Sequence[Record]

    def figure(self, ranking: str, metric: str, filtered: bool, noise: str = "all") -> Row | None:
        wanted = (ranking, metric, filtered, noise)
        found = (
            row for row in self.rankings if (row["ranking"], row["metric"], row["filtered"], row["noise"]) == wanted
        )
        return next(found, None)

    @property
    def judged(self) -> list[str]:
        """Rankings that are judged, the best first."""
        names = dict.fromkeys(row["ranking"] for row in self.rankings)
        value = {name: (self.figure(name, "average_precision", False) or {}).get("value", 0) for name in names}
        return sorted(names, key=lambda name: -float(value[name]))


def gather(store: Store, records: Mapping[str, Record], recipe: CurateRecipe) -> CurateFindings:
    """Read the results of a run, and what its finished pieces say of themselves."""
    pairs = records.get("pairs/pairs")
    return CurateFindings(
        recipe=recipe,
        pairs=pairs.meta["account"] if pairs else {},
        reasons=_rows(store, "curation-reasons"),
        rankings=_rows(store, "curation-rankings"),
        curves=_rows(store, "curation-curves"),
        histograms=_rows(store, "curation-histograms"),
        translation=_rows(store, "translation"),
        examples=list(_examples(store, recipe)),
        records=sorted(records.values(), key=lambda record: record.folder),
    )


def _rows(store: Store, name: str) -> list[Row]:
    table = store.table(f"results/{name}.parquet")
    return [] if table is None else table.to_pylist()


def _examples(store: Store, recipe: CurateRecipe) -> Iterator[Examples]:
    parts = [f"results/{FOLDER}/{name}" for name in store.names(f"results/{FOLDER}")]
    for ranking in recipe.rankings():
        if parts and ranking not in (RANDOM, ORACLE):
            yield Examples(ranking, _of_ranking(store, parts, ranking, recipe.top))


def _of_ranking(store: Store, parts: Sequence[str], ranking: str, top: int) -> dict[str, list[Row]]:
    """First the ranks of all, then the texts of a few: the texts of a whole corpus may not fit."""
    columns = [f"rank {ranking}", "reasons"]
    found = pa.concat_tables(store.table(part, columns) for part in parts).rename_columns(["rank", "reasons"])
    wanted = _wanted(found, top)
    every = sorted({rank for ranks in wanted.values() for rank in ranks})
    rows = {row["rank"]: row for part in parts for row in _texts(store, part, ranking, every)}
    return {name: [rows[rank] for rank in ranks] for name, ranks in wanted.items() if ranks}


def _wanted(table: pa.Table, top: int) -> dict[str, list[int]]:
    """Ranks to show: pairs that pass come before all that are refused."""
    refused = int(pc.sum(pc.not_equal(table["reasons"], "")).as_py())
    every = list(range(1, len(table) + 1))
    passed, out = every[: len(table) - refused], every[len(table) - refused :]
    edge = top - SHOWN // 2
    return {
        "the best": passed[:SHOWN],
        "about the last that is kept": passed[edge : edge + SHOWN] if top < len(passed) else [],
        "the worst that pass the filters": passed[SHOWN:][-SHOWN:],
        "the best that a filter refuses": out[:SHOWN],
    }


def _texts(store: Store, part: str, ranking: str, ranks: Sequence[int]) -> list[Row]:
    table = store.table(part, [f"rank {ranking}", f"score {ranking}", *_TEXTS])
    if table is None:
        return []
    some = table.filter(pc.is_in(table[f"rank {ranking}"], pa.array(ranks, pa.int64())))
    found: list[Row] = some.rename_columns(["rank", "score", *_TEXTS]).to_pylist()
    return found
