"""The files under `results/` and what a command prints at its end, both out of finished pieces."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from langvec.glottolog import told
from langvec.languages import find
from ray_jobs.recipe import Recipe
from ray_jobs.stages import Record
from ray_jobs.store import Store
from ray_jobs.trees import KNOWN

Records = Mapping[str, Record]  # by the id of the piece


def write_results(store: Store, records: Records, recipe: Recipe) -> list[str]:
    """Write what there is under stable names, and return the lines that tell of it."""
    lines, kinds = [], [model.kind for model in recipe.models]
    corpora = [(id.partition("/")[2], record) for id, record in records.items() if id.startswith("corpus/")]
    if corpora:
        rows = [_corpus_row(code, record, records.get(f"encoded/{code}")) for code, record in corpora]
        write_table(store, "corpora", _corpora_table(rows))
        lines += list(_corpora_lines(rows))
    for kind in kinds:
        suffix = "" if kind == kinds[0] else f"-{kind}"
        for stage in ("matrix", "vectors"):
            if record := records.get(f"{stage}/{kind}"):
                _copy(store, record, suffix)
    scores = [
        {"kind": kind, **records[f"vectors/{kind}"].meta["account"]} for kind in kinds if f"vectors/{kind}" in records
    ]
    if scores:
        write_table(store, "scores", pa.Table.from_pylist(scores))
        lines += _scores_lines(scores, records)
    return lines + _trees(store, records, kinds, [tree.name for tree in recipe.trees.grow])


def _trees(store: Store, records: Records, kinds: Sequence[str], names: Sequence[str]) -> list[str]:
    """The trees as Newick, their table, and the lines on those of the first kind of model."""
    known = records.get(f"tree/{KNOWN}")
    rows = []
    for kind in kinds:
        suffix = "" if kind == kinds[0] else f"-{kind}"
        of_kind = {name: records[f"tree/{kind}-{name}"] for name in names if f"tree/{kind}-{name}" in records}
        for name, record in of_kind.items():
            for file, end in (("tree", ""), ("consensus", "-consensus")):
                _copy_as(store, record, f"{file}.nwk", f"tree-{name}{end}{suffix}.nwk")
            rows += [{"kind": kind, **row} for row in record.meta["account"]["rows"]]
        if of_kind and known:
            rows += [{"kind": kind, **row} for row in known.meta["account"]["rows"]]
    if known:
        _copy_as(store, known, "gold.nwk", "tree-gold.nwk")
    if rows:
        columns = dict.fromkeys(name for row in rows for name in row)
        write_table(store, "trees", pa.Table.from_pylist([{name: row.get(name) for name in columns} for row in rows]))
    return list(_tree_lines([row for row in rows if row["kind"] == kinds[0]], known)) if rows else []


def _copy_as(store: Store, record: Record, file: str, name: str) -> None:
    if file in record.meta["files"]:
        store.write_if_new(f"results/{name}", store.read(f"{record.folder}/{file}") or b"")


def _tree_lines(rows: Sequence[Mapping[str, Any]], known: Record | None) -> Iterator[str]:
    yield ""
    yield f"{'tree':<14} {'triplets':>8}  {'95% interval':<14} {'quartet distance':>16}  {'clades as in Glottolog':>22}"
    rows = sorted(rows, key=lambda row: row["role"] == "baseline")
    shown = [row for row in rows if not row["tree"].startswith("random-") or row["tree"] == f"random-{rows[0]['tree']}"]
    for row in shown:
        name, *_ = row["tree"].split("-") if row["tree"].startswith("random-") else (row["tree"],)
        low, high = row.get("triplets_low"), row.get("triplets_high")
        ends = "" if low is None or high is None else f"{low:.3f} to {high:.3f}"
        clades = f"{row['clades_shared']:.0f} of {row['clades']:.0f}"
        yield f"{name:<14} {_number(row['triplets'])}  {ends:<14} {_number(row['quartet_distance']):>16}  {clades:>22}"
    if known and known.meta["account"]["left_out"]:
        yield f"without a place in Glottolog's tree: {told(known.meta['account']['left_out'])}"


def _number(value: float | None) -> str:
    return f"{'-' if value is None else format(value, '.3f'):>8}"


def _copy(store: Store, record: Record, suffix: str) -> None:
    for file in record.meta["files"]:
        name, _, kind = file.rpartition(".")
        store.write_if_new(f"results/{name}{suffix}.{kind}", store.read(f"{record.folder}/{file}") or b"")


def write_table(store: Store, name: str, table: pa.Table) -> None:
    for kind, writer in (("parquet", pq.write_table), ("csv", pyarrow.csv.write_csv)):
        buffer = io.BytesIO()
        writer(table, buffer)
        store.write_if_new(f"results/{name}.{kind}", buffer.getvalue())


def _corpora_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """One row per language, what came in and what became of it."""
    columns = list(dict.fromkeys(name for row in rows for name in row if name.startswith("lines_")))
    return pa.Table.from_pylist([row | {name: row.get(name, 0) for name in columns} for row in rows])


def _corpus_row(code: str, corpus: Record, encoded: Record | None) -> dict[str, Any]:
    account = corpus.meta["account"]
    language = find(code)
    row: dict[str, Any] = {"lang": code, "name": language.name, "family": language.family[0] if language.family else ""}
    row |= {f"lines_{outcome.replace(' ', '_')}": count for outcome, count in account["lines"].items()}
    for split, counts in account["splits"].items():
        row |= {f"{split}_{unit}": count for unit, count in counts.items()}
        row[f"{split}_symbols"] = encoded.meta["account"][split]["symbols"] if encoded else None
    return row | {"stopped_at_max_lines": account["stopped_at_max_lines"]}


def _corpora_lines(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    def total(column: str) -> int:
        return sum(int(row.get(column) or 0) for row in rows)

    outcomes = dict.fromkeys(name for row in rows for name in row if name.startswith("lines_"))
    dropped = [name for name in outcomes if name != "lines_kept" and total(name)]
    reasons = ", ".join(f"{total(name):,} {name.removeprefix('lines_').replace('_', ' ')}" for name in dropped)
    splits = ", ".join(f"{split} {total(f'{split}_lines'):,}" for split in ("train", "validation", "test"))
    symbols = sum(total(f"{split}_symbols") for split in ("train", "validation", "test"))
    yield f"{len(rows)} languages, {total('lines_kept'):,} lines kept ({splits}), {symbols:,} symbols"
    yield f"dropped: {reasons or 'nothing'}"


def _scores_lines(scores: Sequence[Mapping[str, Any]], records: Records) -> Iterator[str]:
    yield ""
    yield f"{'model':<12} {'nats/char, own language':>24} {'own model best':>15} {'triplets as in Glottolog':>25}"
    for row in scores:
        best = f"{row['own_model_best']} of {row['own_texts']}"
        share = f"{row['triplets']:.3f}" if row["triplets_resolved"] else "-"
        yield f"{row['kind']:<12} {row['own_nats_per_char']:>24.3f} {best:>15} {share:>25}"
    count, script = scores[0]["triplets_resolved"], scores[0]["triplets_by_script_alone"]
    if count:
        yield f"triplets that Glottolog resolves: {count:,}; chance {1 / 3:.3f}, script alone {script:.3f}"
    else:
        yield "No three of these languages are such that Glottolog holds two for closer kin."
    yield from _verdict(scores)
    yield from _speed(records)


def _verdict(scores: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Whether the first model is worth its training."""
    better = [row for row in scores[1:] if row["own_nats_per_char"] < scores[0]["own_nats_per_char"]]
    if better:
        names = " and ".join(row["kind"] for row in better)
        yield f"On this much text {names} models predict their own languages better than {scores[0]['kind']} models do."


def _speed(records: Records) -> Iterator[str]:
    speeds = [record.meta["account"].get("symbols_per_s") for id, record in records.items() if id.startswith("model/")]
    speeds = [speed for speed in speeds if speed]
    if speeds:
        yield f"{len(speeds)} neural models learnt {sum(speeds) / len(speeds):,.0f} symbols a second each"
