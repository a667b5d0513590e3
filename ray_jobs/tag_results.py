"""The results of `langscape tag`: entity tables by language, what they cover, and what was set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from ray_jobs.results import Shelf
from ray_jobs.stages import Record
from ray_jobs.store import Store
from ray_jobs.tag_recipe import TagRecipe

FOLDER = "entities"
ENTITIES = "entities.parquet"  # of a block
KINDS = ("ne", "noun", "verb", "salient")
SHOWN = 3  # reasons told for a language
HALF = 0.5

Rows = list[dict[str, Any]]


def write_results(store: Store, records: Mapping[str, Record], recipe: TagRecipe) -> list[str]:
    """Write what there is under stable names, and return the lines that tell of it."""
    shelf, rows, aside = Shelf(store), [], []
    for code in recipe.codes():
        blocks = [record for id, record in records.items() if _is_block(id, code)]
        for number, record in enumerate(blocks):
            shelf.copy(record, ENTITIES, f"{FOLDER}/{code}/{number:05}.parquet")
            aside += _set_aside(store, record) if record.meta["account"]["set_aside"] else []
        if blocks:
            rows.append(_row(code, blocks, records[f"sentences/{code}"]))
    if rows:
        shelf.table("coverage", rows)
    if aside:
        shelf.table("set-aside", aside)
    _tidy(shelf)
    return list(_lines(rows))


def _is_block(id: str, code: str) -> bool:
    return id.startswith((f"entities/{code}.", f"projected/{code}."))


def _set_aside(store: Store, record: Record) -> Rows:
    table = store.table(f"{record.folder}/{ENTITIES}", ["id", "lang", "text", "set_aside"])
    if table is None:
        return []
    rows: Rows = table.filter(pc.is_valid(table["set_aside"])).to_pylist()
    return [
        {"lang": row["lang"], "id": row["id"], "reason": row["set_aside"], "text": row["text"][:200]} for row in rows
    ]


def _row(code: str, blocks: Sequence[Record], text: Record) -> dict[str, Any]:
    """One language: the counts of its blocks added up, and shares of them."""
    counts, reasons = Counter[str](), Counter[str]()
    for block in blocks:
        account = block.meta["account"]
        reasons.update(account["reasons"])
        counts.update({name: count for name, count in account.items() if name not in ("reasons", "tagger")})
    words = counts["words"] or 1
    shares = {f"share_{kind}": counts[f"words_{kind}"] / words for kind in KINDS}
    told = "; ".join(f"{reason} ({count:,} times)" for reason, count in reasons.most_common(SHOWN))
    foreign = text.meta["account"]["without_a_letter_of_the_script"]
    tagger = blocks[0].meta["account"]["tagger"]
    return {"lang": code, **counts, **shares, "not_in_script": foreign, "reasons": told, "tagger": tagger}


def _tidy(shelf: Shelf) -> None:
    """Take away what an earlier recipe left: blocks and languages that are no more."""
    store = shelf.store
    for code in store.names(f"results/{FOLDER}"):
        place = f"{FOLDER}/{code}"
        if not any(name.startswith(f"{place}/") for name in shelf.written):
            store.delete_folder(f"results/{place}")
        for name in store.names(f"results/{place}"):
            if f"{place}/{name}" not in shelf.written:
                store.delete(f"results/{place}/{name}")
    for name in store.names("results"):
        if name.startswith("set-aside.") and name not in shelf.written:
            store.delete(f"results/{name}")


def _lines(rows: Rows) -> Iterator[str]:
    """What there is to mask in each language, and what may be wrong with it."""
    if not rows:
        return
    yield f"{'language':<10} {'sentences':>10} {'set aside':>10} {'untagged':>9}   names  nouns  verbs  salient  tagger"
    for row in rows:
        shares = "  ".join(f"{row[f'share_{kind}']:>{5 + 2 * (kind == KINDS[-1])}.1%}" for kind in KINDS)
        numbers = f"{row['sentences']:>10,} {row['set_aside']:>10,} {row['without_tags']:>9,}"
        yield f"{row['lang']:<10} {numbers}   {shares}  {row['tagger']}"
    for row in rows:
        yield from _doubts(row)


def _doubts(row: Mapping[str, Any]) -> Iterator[str]:
    of = f"of {row['sentences']:,} sentences"
    if row["set_aside"]:
        yield f"{row['lang']}: {row['set_aside']:,} {of} set aside, see results/set-aside.csv: {row['reasons']}"
    if row["not_in_script"] > HALF * row["sentences"]:
        yield f"{row['lang']}: {row['not_in_script']:,} {of} have no letter of its script. Is the text in it?"
    elif row["without_tags"] > HALF * row["sentences"]:
        yield f"{row['lang']}: no tag in {row['without_tags']:,} {of}. Is the text what its tagger was made for?"
