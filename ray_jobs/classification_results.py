"""The results of `alchemy` and `sentiment`: figures by language, and what systems differ by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from ray_jobs.alchemy_recipe import AlchemyRecipe
from ray_jobs.classification_recipe import NOTHING, ClassificationRecipe
from ray_jobs.classified import ITEMS, LOG
from ray_jobs.results import Shelf
from ray_jobs.sentiment_recipe import SentimentRecipe
from ray_jobs.stages import Record
from ray_jobs.store import Store
from ray_jobs.verdicts import MIXED, NAMED, SEEN, UNSEEN, Judgement, Row, System, compared, figures

Records = Mapping[str, Record]
Made = dict[System, dict[int, Record]]  # by seed


def verb(recipe: ClassificationRecipe) -> str:
    """Also how the files of results begin."""
    return "alchemy" if isinstance(recipe, AlchemyRecipe) else "sentiment"


def write_results(store: Store, records: Records, recipe: ClassificationRecipe) -> list[str]:
    """Write what there is under stable names, and return the lines that tell of it."""
    lines, shelf, made = list(_texts_lines(records)), Shelf(store), systems(records, recipe)
    if not made:
        return lines
    judged = _judgements(store, made)
    name, courses = verb(recipe), recipe.courses()
    shelf.table(name, [row for one in judged.values() for row in figures(one, courses[one.system.course])])
    rows = [row for one in judged.values() for row in _compared(one, judged, recipe)]
    shelf.table(f"{name}-differences", rows)
    if curves := [row for system, of_seed in made.items() for row in _curves(store, system, of_seed)]:
        shelf.table(f"{name}-curves", curves)
    return [*lines, *told(rows, recipe)]


def systems(records: Records, recipe: ClassificationRecipe) -> Made:
    """What has been judged, baselines first, by seed."""
    made: Made = {}
    for course in recipe.courses():
        for name in recipe.baselines:
            if record := records.get(f"plain/{name}.{course}"):
                made[System(name, course, NOTHING)] = {recipe.seed: record}
    for id, record in records.items():
        if id.startswith("tuned/"):
            encoder, course, rest = id.removeprefix("tuned/").split(".", 2)
            beside, _, seed = rest.rpartition(".")
            made.setdefault(System(encoder, course, beside), {})[int(seed)] = record
    return made


def groups(recipe: ClassificationRecipe, course: str) -> dict[str, list[str]]:
    """Languages that a course has seen, those that it has not, and text that was mixed."""
    seen = recipe.courses()[course]
    mixed = list(recipe.mixed) if isinstance(recipe, SentimentRecipe) else []
    codes = recipe.data.codes()
    return {
        UNSEEN: [code for code in codes if code not in seen],
        SEEN: [code for code in codes if code in seen],
        MIXED: mixed,
    }


def _judgements(store: Store, made: Made) -> dict[System, Judgement]:
    """What every system said of every text; the same numbers for the same labels."""
    found = {
        system: [table for record in of_seed.values() if (table := store.table(f"{record.folder}/{ITEMS}")) is not None]
        for system, of_seed in made.items()
    }
    several = [table[name] for tables in found.values() for table in tables for name in ("label", "found")]
    classes = sorted({str(label) for column in several for label in column.unique().to_pylist()})
    return {system: Judgement(system, list(made[system]), tables, classes) for system, tables in found.items()}


def _compared(one: Judgement, judged: Mapping[System, Judgement], recipe: ClassificationRecipe) -> Iterator[Row]:
    system = one.system
    first = next(iter(recipe.encoders))
    base = System(system.encoder if system.beside != NOTHING else first, system.course, NOTHING)
    other = judged.get(base) if base != system else None
    of_course = groups(recipe, system.course)
    alone = [code for codes in of_course.values() for code in codes] if isinstance(recipe, SentimentRecipe) else []
    yield from compared(one, other, of_course, alone)


def _curves(store: Store, system: System, of_seed: Mapping[int, Record]) -> Iterator[dict[str, Any]]:
    for seed, record in of_seed.items():
        table: pa.Table | None = store.table(f"{record.folder}/{LOG}")
        yield from ({**system._asdict(), "seed": seed} | row for row in (table.to_pylist() if table else ()))


def _texts_lines(records: Records) -> Iterator[str]:
    """What there was to learn from, and what was left out."""
    accounts = {id.partition("/")[2]: record.meta["account"] for id, record in records.items() if id[:9] == "labelled/"}
    if not accounts:
        return
    counts = {
        split: sum(one["texts"].get(split, 0) for one in accounts.values())
        for one in accounts.values()
        for split in one["texts"]
    }
    shown = ", ".join(f"{split} {count:,}" for split, count in counts.items())
    labels = max(int(one["labels"]) for one in accounts.values())
    yield f"{len(accounts)} languages, {labels} labels, texts: {shown}"
    left_out: dict[str, int] = {}
    for account in accounts.values():
        for dropped in account["dropped"].values():
            for reason, count in dropped.items():
                left_out[reason] = left_out.get(reason, 0) + count
    if left_out:
        yield f"left out: {', '.join(f'{count:,} ({reason})' for reason, count in left_out.items())}"
    for id, record in records.items():
        if id.startswith("mixed/"):
            account = record.meta["account"]
            yield f"{id.partition('/')[2]}: {account['share']:.0%} of {account['words']:,} words replaced"


def told(rows: Sequence[Row], recipe: ClassificationRecipe) -> Iterator[str]:
    """Each group of languages: every system, beside its baseline."""
    for course in recipe.courses():
        for group in (UNSEEN, SEEN, MIXED):
            mine = [row for row in rows if row["course"] == course and row["group"] == group]
            if mine:
                yield ""
                yield from _table(mine, course, group)
    if recipe.seeds == 1:
        yield "One seed: what differs here may do so by chance. Set `seeds` to 3 or more to tell."


def _table(rows: Sequence[Row], course: str, group: str) -> Iterator[str]:
    first = rows[0]
    languages = "language" if first["languages"] == 1 else "languages"
    yield f"trained on {course}: {first['languages']} {group} {languages}, {first['texts']:,} texts"
    named = any(row.get(NAMED[1]) is not None for row in rows)
    tail = f"  {'named':>6}" if named else ""
    above = f"accuracy above {compared_with(rows)}"
    yield f"{'':<28} {'accuracy':>8} {'sd':>6} {'macro-F1':>8}  {above:<28} {'p':>6}{tail}"
    yield from (_line(row, named) for row in _in_order(rows))


def compared_with(rows: Sequence[Row]) -> str:
    """What the systems are held against."""
    names = {str(row["baseline"]) for row in rows if row.get("baseline")}
    return names.pop() if len(names) == 1 else "the encoder alone"


def _in_order(rows: Iterable[Row]) -> list[Row]:
    """Without a second task first, then the best."""
    return sorted(rows, key=lambda row: (row["beside"] != NOTHING, -row["accuracy"]))


def _line(row: Row, named: bool) -> str:
    system = System(row["encoder"], row["course"], row["beside"]).name
    spread = "-" if row["sd_of_seeds"] is None else f"{row['sd_of_seeds']:.3f}"
    above, p = "-", ""
    if row.get("accuracy_difference") is not None:
        above = f"{row['accuracy_difference']:+.3f} ({row['accuracy_low']:+.3f} to {row['accuracy_high']:+.3f})"
        p = f"{row['accuracy_p']:.3f}"
    share = "" if not named or row.get(NAMED[1]) is None else f"  {row[NAMED[1]]:>6.3f}"
    return (
        f"{system:<28} {row['accuracy']:>8.3f} {spread:>6} {row['macro_f1']:>8.3f}  {above:<28} {p:>6}{share}".rstrip()
    )
