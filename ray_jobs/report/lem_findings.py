"""What the report of a run of `lem` is made of, read back from its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from langvec.pictures.families import name_of
from ray_jobs.lem_recipe import HELD_OUT, TOGETHER, UNTOUCHED, LemRecipe
from ray_jobs.outcomes import ALL, HEADLINE
from ray_jobs.report.lem_masked import Example, examples
from ray_jobs.stages import Record
from ray_jobs.store import Store

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Arms beside a baseline, as a table of differences has them: one row for each set, pair, metric and arm."""

    rows: Sequence[Row]

    @cached_property
    def sets(self) -> list[str]:
        return list(dict.fromkeys(row["set"] for row in self.rows))

    def pairs(self, name: str) -> list[str]:
        """Of a set; all pairs together come first, if there are several."""
        found = dict.fromkeys(row["pair"] for row in self.rows if row["set"] == name)
        return sorted(found, key=lambda pair: pair != ALL)

    def arms(self, name: str, pair: str, metric: str = HEADLINE) -> list[Row]:
        """Best first."""
        return [row for row in self.rows if (row["set"], row["pair"], row["metric"]) == (name, pair, metric)]

    def whole(self, name: str) -> list[Row]:
        """The recall of each arm on a set, all pairs together."""
        return self.arms(name, self.pairs(name)[0])

    def best(self) -> str | None:
        """The trained arm that finds most in the first set."""
        trained = [row for row in self.whole(self.sets[0]) if row["arm"] != UNTOUCHED] if self.rows else []
        return str(max(trained, key=lambda row: float(row["mean"]))["arm"]) if trained else None


@dataclass(frozen=True, eq=False)
class LemFindings:
    """All that a report shows. What is missing is empty."""

    recipe: LemRecipe
    start: Mapping[str, Any]  # the account of the encoder that all start from
    samples: Mapping[str, Mapping[str, Any]]  # the account of what is learnt from, by group
    compared: Comparison
    figures: Sequence[Row]  # of results/lem.parquet
    curves: Sequence[Row]
    mined: Sequence[Row]  # by the best arm, one seed of it
    swept: Comparison
    coverage: Sequence[Row]
    masked: Sequence[Example]
    records: Sequence[Record]

    @cached_property
    def encoders(self) -> list[Row]:
        """The first row of each trained encoder: what it learnt stands in all of its rows."""
        found: dict[tuple[str, str, int], Row] = {}
        for row in self.figures:
            if row["arm"] != UNTOUCHED:
                found.setdefault((row["group"], row["arm"], row["seed"]), row)
        return list(found.values())


def gather(store: Store, records: Mapping[str, Record], recipe: LemRecipe) -> LemFindings:
    """Read the results of a run, and what its finished pieces say of themselves."""
    pieces = sorted((record for record in records.values() if not record.damage), key=lambda record: record.folder)
    accounts = {f"{piece.meta['stage']}/{piece.meta['name']}": piece.meta.get("account", {}) for piece in pieces}
    samples = {group: accounts[f"samples/{group}"] for group in recipe.groups() if f"samples/{group}" in accounts}
    compared = Comparison(_rows(store, "lem-differences"))
    return LemFindings(
        recipe=recipe,
        start=accounts.get("start/encoder", {}),
        samples=samples,
        compared=compared,
        figures=_rows(store, "lem"),
        curves=_rows(store, "lem-curves"),
        mined=_mined(store, compared.best()),
        swept=Comparison(_rows(store, "sweep-entities-arms")),
        coverage=_rows(store, "coverage"),
        masked=list(examples(store, pieces, recipe)),
        records=pieces,
    )


def _rows(store: Store, name: str) -> list[Row]:
    table = store.table(f"results/{name}.parquet")
    return [] if table is None else table.to_pylist()


def _mined(store: Store, arm: str | None) -> list[Row]:
    """What one encoder of this arm has mined, the surest first."""
    table: pa.Table | None = store.table("results/lem-mined.parquet")
    if table is None or arm is None:
        return []
    own = table.filter(pc.equal(table["arm"], arm))
    own = own.filter(pc.equal(own["seed"], pc.min(own["seed"])))
    found: list[Row] = own.to_pylist()
    return sorted(found, key=lambda row: -float(row["margin"]))


def pair_name(pair: str) -> str:
    """A pair in words; its codes, where both are one language in two scripts."""
    names = [name_of(code) for code in pair.split("-")]
    whole = {ALL: "all pairs", TOGETHER: "all pairs together"}.get(pair)
    return whole or (" – ".join(names) if len(set(names)) == len(names) else pair)


def signed(value: float, digits: int = 3) -> str:
    """A difference with its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")


def set_name(name: str) -> str:
    return "held-out pairs" if name == HELD_OUT else name


def masks_in(rows: Sequence[Row], step: str) -> Iterator[tuple[str, list[Row]]]:
    """The encoders of each arm that went through a step."""
    for arm in dict.fromkeys(row["arm"] for row in rows):
        mine = [row for row in rows if row["arm"] == arm and row.get(f"{step}_mask_rate") is not None]
        if mine:
            yield arm, mine
