"""The results of `langscape lem`: figures, what arms differ by, learning curves, mined pairs; and those of `tag`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from masking.masks import LemMasks
from masking.pretraining import LOG
from ray_jobs import tag_results
from ray_jobs.judged import MINED
from ray_jobs.lem_recipe import UNTOUCHED, LemRecipe, arms
from ray_jobs.outcomes import Outcome, differences, told
from ray_jobs.results import Shelf, write_table
from ray_jobs.stages import Record
from ray_jobs.store import Store
from ray_jobs.training import STEPS

Records = Mapping[str, Record]


def write_results(store: Store, records: Records, recipe: LemRecipe) -> list[str]:
    """Write what there is under stable names, and return the lines that tell of it."""
    lines = tag_results.write_results(store, records, recipe)
    shelf, found = Shelf(store), list(outcomes(records, recipe))
    if not found:
        return lines
    shelf.table("lem", [row for outcome in found for row in outcome.rows()])
    compared = differences(store, found, recipe.baseline)
    shelf.table("lem-differences", compared)
    curves = [row for outcome in found for row in _curves(store, records, outcome)]
    if curves:
        shelf.table("lem-curves", curves)
    write_table(shelf, "lem-mined", pa.concat_tables(_mined(store, outcome) for outcome in found))
    return [*lines, *_start_lines(records), *told(compared, recipe.baseline), *_doubts(found, recipe)]


def outcomes(records: Records, recipe: LemRecipe) -> Iterator[Outcome]:
    """Every encoder that is judged, the untouched one first."""
    for group in recipe.groups():
        names = [(UNTOUCHED, recipe.seed, f"{group}.{UNTOUCHED}")]
        names += [(arm.name, arm.seed, f"{group}.{arm.id}") for arm in arms(recipe)]
        for arm, seed, piece in names:
            if record := records.get(f"judged/{piece}"):
                steps: dict[str, Any] = {
                    step: records[f"{step}/{piece}"].meta["account"] for step in STEPS if f"{step}/{piece}" in records
                }
                yield Outcome(group, arm, seed, record, record.meta["account"]["figures"], steps)


def _curves(store: Store, records: Records, outcome: Outcome) -> Iterator[dict[str, Any]]:
    about = {"arm": outcome.arm, "seed": outcome.seed, "group": outcome.group}
    for step in outcome.steps:
        record = records[f"{step}/{outcome.group}.{outcome.arm}.{outcome.seed}"]
        table = store.table(f"{record.folder}/{LOG}")
        yield from (about | {"step_of_training": step} | row for row in (table.to_pylist() if table else ()))


def _mined(store: Store, outcome: Outcome) -> pa.Table:
    table = store.table(f"{outcome.record.folder}/{MINED}")
    if table is None:
        raise AssertionError("a judged encoder has its mined pairs")
    return table.add_column(0, "seed", pa.array([outcome.seed] * len(table), pa.int64())).add_column(
        0, "arm", pa.array([outcome.arm] * len(table), pa.string())
    )


def _start_lines(records: Records) -> Iterator[str]:
    """What there was to begin with, and to learn from."""
    yield ""
    if record := records.get("start/encoder"):
        account = record.meta["account"]
        yield f"encoder: {account['layers']} layers, {account['pieces']:,} pieces, {account['parameters']:,} parameters"
    for id, record in records.items():
        if id.startswith("samples/"):
            account = record.meta["account"]
            for pair, parts in account["pairs"].items():
                out = [f"{count:,} {why}" for why, count in account["left_out"][pair].items() if count]
                yield (
                    f"{pair}: {parts['train']:,} pairs to learn from, {parts['dev']} to stop by, {parts['test']} to "
                    f"judge by; left out: {', '.join(out) or 'none'}"
                )


def _doubts(found: list[Outcome], recipe: LemRecipe) -> Iterator[str]:
    """Arms whose entities nobody has tagged are random words under another name."""
    for name, how in recipe.arms.items():
        accounts = [account for outcome in found if outcome.arm == name for account in outcome.steps.values()]
        if isinstance(how, LemMasks) and accounts:
            kinds = [kind for kind in how.kinds if not any(one.get(f"masks_on_{kind.lower()}") for one in accounts)]
            if kinds:
                yield (
                    f"Arm {name} was to hide {', '.join(kinds)}, and nothing in the text is tagged so. Give a language "
                    f"a tagger that finds it, or leave it out of `kinds`."
                )
