"""What became of encoders that were trained and judged: rows for tables, and how far one arm is from another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from masking.judging import METRICS
from masking.metrics import paired
from ray_jobs.judged import ITEMS
from ray_jobs.stages import Record
from ray_jobs.store import Store

Rows = list[dict[str, Any]]
Place = tuple[str, str]  # set, pair

ALL = "all"  # pairs together
HEADLINE = METRICS[0]
_OF_STEP = ("epochs", "kept_epoch", "tokens", "validation_loss", "dev_retrieval", "mask_rate")
_MASKS = ("ne", "noun", "verb", "salient", "filler")


@dataclass(frozen=True)
class Outcome:
    """One encoder: what it was trained with, and the piece that holds how it was judged."""

    group: str
    arm: str
    seed: int
    record: Record
    figures: Sequence[Mapping[str, Any]]
    steps: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # the account of each step

    def rows(self) -> Iterator[dict[str, Any]]:
        """One for each set, pair and metric."""
        about = {"arm": self.arm, "seed": self.seed, "group": self.group}
        for figure in self.figures:
            yield about | dict(figure) | self.learnt()

    def learnt(self) -> dict[str, Any]:
        """What the steps of training came to."""
        names = (*_OF_STEP, *(f"masks_on_{kind}" for kind in _MASKS))
        return {f"{step}_{name}": account.get(name) for step, account in self.steps.items() for name in names}


@dataclass(frozen=True)
class Items:
    """Which pairs of a set the encoders of an arm got right: by metric, shape (seeds, items)."""

    right: Mapping[str, np.ndarray]


def differences(store: Store, outcomes: Sequence[Outcome], baseline: str) -> Rows:
    """For each set, pair and metric, all pairs together first: every arm, and what it is above the baseline.

    The interval and p are of redrawn items and redrawn seeds.
    """
    found, rows = _items(store, outcomes), list[dict[str, Any]]()
    places = dict.fromkeys(place for sets in found.values() for place in sets)
    for name in dict.fromkeys(name for name, _ in places):
        pairs = [pair for of, pair in places if of == name]
        for several in [pairs, *([pair] for pair in pairs if len(pairs) > 1)]:
            about = {"set": name, "pair": several[0] if len(several) == 1 else ALL}
            wanted = [(name, pair) for pair in several]
            of_arm = {
                arm: _together([sets[place] for place in wanted])
                for arm, sets in found.items()
                if all(place in sets for place in wanted)
            }
            rows += [row for metric in METRICS for row in _compared(of_arm, baseline, about | {"metric": metric})]
    return rows


def _compared(of_arm: Mapping[str, Items], baseline: str, about: dict[str, str]) -> Iterator[dict[str, Any]]:
    base = of_arm.get(baseline)
    arms = {arm: items.right[about["metric"]] for arm, items in of_arm.items()}
    for arm, right in sorted(arms.items(), key=lambda item: -float(item[1].mean())):
        of_seeds = right.mean(axis=1)
        row: dict[str, Any] = {
            **about,
            "arm": arm,
            "mean": float(right.mean()),
            "seeds": len(right),
            "items": right.shape[1],
        }
        row["sd_of_seeds"] = float(of_seeds.std(ddof=1)) if len(right) > 1 else None
        row["baseline"] = baseline
        if base is not None and arm != baseline:
            difference = paired(right, base.right[about["metric"]])
            row |= {
                "difference": difference.value.value,
                "low": difference.value.low,
                "high": difference.value.high,
                "p": difference.p,
            }
        yield row


def _items(store: Store, outcomes: Iterable[Outcome]) -> dict[str, dict[Place, Items]]:
    """By arm, then by set and pair."""
    tables: dict[str, dict[Place, list[pa.Table]]] = {}
    for outcome in outcomes:
        table = store.table(f"{outcome.record.folder}/{ITEMS}")
        if table is not None:
            for place, part in _parts(table):
                tables.setdefault(outcome.arm, {}).setdefault(place, []).append(part)
    return {arm: {place: _stacked(parts) for place, parts in sets.items()} for arm, sets in tables.items()}


def _parts(table: pa.Table) -> Iterator[tuple[Place, pa.Table]]:
    """Rows of one set and pair lie together."""
    keys = list(zip(table["set"].to_pylist(), table["pair"].to_pylist(), strict=True))
    starts = [n for n, key in enumerate(keys) if n == 0 or keys[n - 1] != key] + [len(keys)]
    for start, end in pairwise(starts):
        yield keys[start], table.slice(start, end - start)


def _stacked(parts: Sequence[pa.Table]) -> Items:
    return Items({metric: np.stack([part[metric].to_numpy() for part in parts]) for metric in METRICS})


def _together(several: Sequence[Items]) -> Items:
    """The items of several pairs side by side, seed by seed."""
    seeds = min(len(items.right[HEADLINE]) for items in several)
    return Items(
        {metric: np.concatenate([items.right[metric][:seeds] for items in several], axis=1) for metric in METRICS}
    )


def told(rows: Rows, baseline: str) -> Iterator[str]:
    """Bitext recall of every arm on every set, all pairs together where there are several."""
    for name in dict.fromkeys(row["set"] for row in rows):
        mine = [row for row in rows if row["set"] == name and row["metric"] == HEADLINE]
        mine = [row for row in mine if row["pair"] == mine[0]["pair"]]
        first = mine[0]
        yield ""
        yield f"{name.replace('_', ' ')}: recall of mining {first['items']:,} pairs, {first['pair']}"
        yield f"{'arm':<24} {'recall':>7} {'sd':>6}  {f'above {baseline}':<28} {'p':>6}"
        yield from (_line(row) for row in mine)


def _line(row: Mapping[str, Any]) -> str:
    spread = "-" if row["sd_of_seeds"] is None else f"{row['sd_of_seeds']:.3f}"
    above, p = "-", ""
    if row.get("difference") is not None:
        above = f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
        p = f"{row['p']:.3f}"
    return f"{row['arm']:<24} {row['mean']:>7.3f} {spread:>6}  {above:<28} {p:>6}".rstrip()
