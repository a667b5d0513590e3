"""The results of `langscape curate`: every pair with reasons and ranks, what is kept, and what rankings are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ray_jobs.curate_blocks import NOT_NOISE
from ray_jobs.curate_ranks import ALL, KEPT, PART
from ray_jobs.curate_recipe import ORACLE, CurateRecipe
from ray_jobs.results import Shelf
from ray_jobs.stages import Record
from ray_jobs.store import Store

FOLDER = "curation"
OURS = ("curation", "translation")  # how names of files begin that are written here
HEADLINE = "average_precision"
_METRICS = (HEADLINE, "r_precision", "auc")

Records = Mapping[str, Record]
Rows = list[dict[str, Any]]


def write_results(store: Store, records: Records, recipe: CurateRecipe) -> list[str]:
    """Write what there is under stable names, and return the lines that tell of it."""
    shelf = Shelf(store)
    reasons, rankings = _reasons(records), _rankings(records, recipe)
    tables = {"reasons": reasons, "rankings": rankings, "curves": _curves(records, recipe)}
    for name, rows in (tables | {"histograms": _histograms(records, recipe)}).items():
        if rows:
            shelf.table(f"curation-{name}", rows)
    translated = _translated(records)
    if translated:
        shelf.table("translation", translated)
    for number, record in enumerate(_of(records, "curated")):
        shelf.copy(record, PART, f"{FOLDER}/{number:05}.parquet")
    for name in recipe.rankings():
        if kept := records.get(f"kept/{kept_name(recipe, name)}"):
            for end in ("parquet", "tsv"):
                shelf.copy(kept, f"{KEPT}.{end}", f"curation-kept-{name}.{end}")
    _tidy(shelf)
    lines = [*_pairs_lines(records), *_reason_lines(reasons), *_kept_lines(store, records, recipe)]
    return [*lines, *_ranking_lines(rankings), *_translation_lines(translated)]


def kept_name(recipe: CurateRecipe, ranking: str) -> str:
    return f"{ranking}.{recipe.top}{'.threshold' if ranking in recipe.thresholds else ''}"


def _of(records: Records, stage: str) -> list[Record]:
    return [records[id] for id in sorted(records) if id.startswith(f"{stage}/")]


def _reasons(records: Records) -> Rows:
    """For each filter, and each kind of noise where that is known: pairs refused by it first, and by it at all."""
    first, every, pairs = Counter[tuple[str, str]](), Counter[tuple[str, str]](), Counter[str]()
    for record in _of(records, "filtered"):
        pairs.update(record.meta["account"]["kinds"])
        for row in record.meta["account"]["reasons"]:
            first[row["reason"], row["noise"]] += row["first"]
            every[row["reason"], row["noise"]] += row["any"]
    return [
        {"reason": reason, "noise": noise, "first": first[reason, noise], "any": count, "pairs": pairs[noise]}
        for (reason, noise), count in every.items()
    ]


def _rankings(records: Records, recipe: CurateRecipe) -> Rows:
    return [{"ranking": name} | row for name, account in _ranked(records, recipe) for row in account["figures"]]


def _curves(records: Records, recipe: CurateRecipe) -> Rows:
    return [{"ranking": name} | row for name, account in _ranked(records, recipe) for row in account["curves"]]


def _histograms(records: Records, recipe: CurateRecipe) -> Rows:
    return [
        {"ranking": name} | row | {"kind": "noise" if row["kind"] else "as read"}
        for name, account in _ranked(records, recipe)
        for row in account["histogram"]
        if name != ORACLE
    ]


def _ranked(records: Records, recipe: CurateRecipe) -> list[tuple[str, dict[str, Any]]]:
    named = [(name, records.get(f"ranked/{name}")) for name in recipe.rankings()]
    return [(name, record.meta["account"]) for name, record in named if record]


def _translated(records: Records) -> Rows:
    rows: Rows = []
    for record in _of(records, "translated"):
        ranking, top, direction, seed = record.meta["name"].rsplit(".", 3)
        about = {"ranking": ranking, "top": int(top), "direction": direction, "seed": int(seed)}
        about["pairs"] = record.meta["account"]["pairs"]
        rows += [about | figure for figure in record.meta["account"]["figures"]]
    return rows


def _tidy(shelf: Shelf) -> None:
    """Take away what an earlier recipe left."""
    store = shelf.store
    for name in store.names(f"results/{FOLDER}"):
        if f"{FOLDER}/{name}" not in shelf.written:
            store.delete(f"results/{FOLDER}/{name}")
    for name in store.names("results"):
        if name.startswith(OURS) and name not in shelf.written:
            store.delete(f"results/{name}")


def _pairs_lines(records: Records) -> Iterator[str]:
    if record := records.get("pairs/pairs"):
        for name, counts in record.meta["account"]["counts"].items():
            out = [f"{count:,} {why}" for why, count in counts.items() if why != "read" and count]
            yield f"{name}: {counts['read']:,} pairs read{', left out: ' + ', '.join(out) if out else ''}"


def _reason_lines(reasons: Rows) -> Iterator[str]:
    refused, pairs = sum(row["first"] for row in reasons), sum({row["noise"]: row["pairs"] for row in reasons}.values())
    if not pairs:
        return
    by_reason = Counter[str]()
    for row in reasons:
        by_reason[row["reason"]] += row["first"]
    told = ", ".join(f"{reason} {count:,}" for reason, count in by_reason.items() if count)
    yield f"filters refuse {refused:,} of {pairs:,} pairs{': ' + told if told else ''}"
    good = next((row["pairs"] for row in reasons if row["noise"] == NOT_NOISE), 0)
    if good < pairs:
        lost = sum(row["first"] for row in reasons if row["noise"] == NOT_NOISE)
        yield f"{refused - lost:,} of the {pairs - good:,} pairs with noise are among them, and {lost:,} of the others"


def _kept_lines(store: Store, records: Records, recipe: CurateRecipe) -> Iterator[str]:
    found = [records.get(f"kept/{kept_name(recipe, name)}") for name in recipe.rankings()]
    counts = sorted({record.meta["account"]["pairs"] for record in found if record})
    if counts:
        shown = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
        yield f"kept: {shown} pairs by each ranking -> {store.uri}/results/curation-kept-RANKING.tsv and .parquet"


def _ranking_lines(rankings: Rows) -> Iterator[str]:
    """Rankings of all pairs, and of those that pass the filters before the others; the best first."""
    rows = [row for row in rankings if row["noise"] == ALL and row["metric"] in _METRICS]
    if not rows:
        return
    yield ""
    yield f"{'good pairs before noise':<26} {'average precision':<25} {'R-precision':>11} {'AUC':>6}   after filters"
    places = {(row["ranking"], row["filtered"], row["metric"]): row for row in rows}
    names = sorted({row["ranking"] for row in rows}, key=lambda name: -float(places[name, False, HEADLINE]["value"]))
    for name in names:
        whole, r, area = (places[name, False, metric] for metric in _METRICS)
        interval = f"{whole['value']:.3f} ({whole['low']:.3f} to {whole['high']:.3f})"
        after = places[name, True, HEADLINE]["value"]
        yield f"  {name:<24} {interval:<25} {r['value']:>11.3f} {area['value']:>6.3f}   {after:.3f}"


def _translation_lines(translated: Rows) -> Iterator[str]:
    rows = [row for row in translated if row["metric"] == "chrf"]
    if not rows:
        return
    yield ""
    yield f"{'translators':<26} {'pairs':>8}  {'direction':<9} {'chrF, mean of seeds':>20} {'seeds':>6}"
    groups: dict[tuple[str, int, str], list[float]] = {}
    pairs: dict[tuple[str, int, str], int] = {}
    for row in rows:
        key = row["ranking"], row["top"], row["direction"]
        groups.setdefault(key, []).append(row["value"])
        pairs[key] = row["pairs"]
    for key, values in sorted(groups.items(), key=lambda item: (item[0][2], item[0][1], -sum(item[1]) / len(item[1]))):
        mean = sum(values) / len(values)
        yield f"  {key[0]:<24} {pairs[key]:>8,}  {key[2]:<9} {mean:>20.1f} {len(values):>6}"
