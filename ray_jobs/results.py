"""The files under `results/`, out of finished pieces and of nothing else."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from langvec.languages import find
from ray_jobs.recipe import Recipe
from ray_jobs.spreadsheet import to_csv
from ray_jobs.stages import Record
from ray_jobs.store import Store
from ray_jobs.summary import corpora_lines, scores_lines, tree_lines
from ray_jobs.trees import KNOWN

Records = Mapping[str, Record]  # by the id of the piece
OURS = ("corpora", "scores", "matrix", "vectors", "distances", "tree")  # how names of files begin that are written here


@dataclass(frozen=True)
class Shelf:
    """The folder of results, and which files belong to the present recipe."""

    store: Store
    written: set[str] = field(default_factory=set)

    def put(self, name: str, data: bytes) -> None:
        self.store.write_if_new(f"results/{name}", data)
        self.written.add(name)

    def copy(self, record: Record, file: str, name: str) -> None:
        if file in record.meta["files"]:
            self.put(name, self.store.read(f"{record.folder}/{file}") or b"")

    def table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Parquet and CSV, with every column that any row has."""
        columns = dict.fromkeys(column for row in rows for column in row)
        write_table(self, name, pa.Table.from_pylist([{column: row.get(column) for column in columns} for row in rows]))

    def tidy(self) -> None:
        """Take away what an earlier recipe left; its pieces stay in their stages."""
        for name in self.store.names("results"):
            if name.startswith(OURS) and name not in self.written:
                self.store.delete(f"results/{name}")


def write_table(shelf: Shelf, name: str, table: pa.Table) -> None:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    shelf.put(f"{name}.parquet", buffer.getvalue())
    shelf.put(f"{name}.csv", to_csv(table))


def write_results(store: Store, records: Records, recipe: Recipe) -> list[str]:
    """Write what there is under stable names, and return the lines that tell of it."""
    shelf, kinds = Shelf(store), [model.kind for model in recipe.models]
    lines = [*_corpora(shelf, records), *_vectors(shelf, records, kinds), *_trees(shelf, records, kinds, recipe)]
    shelf.tidy()
    return lines


def _corpora(shelf: Shelf, records: Records) -> list[str]:
    """One row per language, what came in and what became of it."""
    corpora = [(id.partition("/")[2], record) for id, record in records.items() if id.startswith("corpus/")]
    if not corpora:
        return []
    rows = [_corpus_row(code, record, records.get(f"encoded/{code}")) for code, record in corpora]
    counts = dict.fromkeys(name for row in rows for name in row if name.startswith("lines_"))
    shelf.table("corpora", [row | {name: row.get(name, 0) for name in counts} for row in rows])
    return list(corpora_lines(rows))


def _corpus_row(code: str, corpus: Record, encoded: Record | None) -> dict[str, Any]:
    account = corpus.meta["account"]
    language = find(code)
    row: dict[str, Any] = {"lang": code, "name": language.name, "family": language.family[0] if language.family else ""}
    row |= {f"lines_{outcome.replace(' ', '_')}": count for outcome, count in account["lines"].items()}
    for split, counts in account["splits"].items():
        row |= {f"{split}_{unit}": count for unit, count in counts.items()}
        row[f"{split}_symbols"] = encoded.meta["account"][split]["symbols"] if encoded else None
    return row | {"stopped_at_max_lines": account["stopped_at_max_lines"]}


def _vectors(shelf: Shelf, records: Records, kinds: Sequence[str]) -> list[str]:
    """Matrices, vectors and distances of each kind of model, and how good they are."""
    for kind in kinds:
        for stage in ("matrix", "vectors"):
            if record := records.get(f"{stage}/{kind}"):
                for file in record.meta["files"]:
                    name, _, end = file.rpartition(".")
                    shelf.copy(record, file, f"{name}{suffix(kind, kinds)}.{end}")
    done = {kind: records[f"vectors/{kind}"].meta["account"] for kind in kinds if f"vectors/{kind}" in records}
    if not done:
        return []
    rows = [{"kind": kind, **account} for kind, account in done.items()]
    shelf.table("scores", rows)
    speeds = [record.meta["account"].get("symbols_per_s") for id, record in records.items() if id.startswith("model/")]
    languages = sum(id.startswith("corpus/") for id in records)
    return list(scores_lines(rows, [speed for speed in speeds if speed], languages))


def _trees(shelf: Shelf, records: Records, kinds: Sequence[str], recipe: Recipe) -> list[str]:
    """The trees as Newick, and the table of their scores beside those of trees that know nothing."""
    known = records.get(f"tree/{KNOWN}")
    if known is None:
        return []
    shelf.copy(known, "gold.nwk", "tree-gold.nwk")
    rows: list[dict[str, Any]] = []
    for kind in kinds:
        of_kind = {tree.name: records.get(f"tree/{kind}-{tree.name}") for tree in recipe.trees.grow}
        for name, record in of_kind.items():
            if record:
                shelf.copy(record, "tree.nwk", f"tree-{name}{suffix(kind, kinds)}.nwk")
                shelf.copy(record, "consensus.nwk", f"tree-{name}-consensus{suffix(kind, kinds)}.nwk")
                rows += [{"kind": kind, **row} for row in record.meta["account"]["rows"]]
        if any(of_kind.values()):
            rows += [{"kind": kind, **row} for row in known.meta["account"]["rows"]]
    if rows:
        shelf.table("trees", rows)
    first = [row for row in rows if row["kind"] == kinds[0]]
    return list(tree_lines(first, known.meta["account"]["left_out"])) if first else []


def suffix(kind: str, kinds: Sequence[str]) -> str:
    """What the files of a kind of model end in: nothing for the first."""
    return "" if kind == kinds[0] else f"-{kind}"
