"""The files of `langscape mine` and `langscape score`: sentences with their ids in, gold pairs in, found pairs out."""

from __future__ import annotations

import os
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from langvec.errors import InputError
from langvec.sources.base import Batch
from langvec.sources.files import Files
from masking.mining import Pairs

SUFFIXES = (".parquet", ".tsv")
COLUMNS = ("source_id", "target_id", "score", "cosine", "source", "target")
_OPTIONS_OF_FILES = "in `column` (text) or `passage` (id shared by all languages)"
_SHOWN = 3


class Sentences(NamedTuple):
    """The sentences of a file that are not blank, with ids and, where they have any, documents."""

    texts: list[str]
    ids: list[str]
    documents: list[str] | None
    all_ids: frozenset[str]  # those of blank ones, too

    @property
    def blank(self) -> int:
        return len(self.all_ids) - len(self.ids)


def read_sentences(file: str, column: str, ids: str | None = None, documents: str | None = None) -> Sentences:
    """The sentences of a file; an id is the number of the line or record, from 1, unless a column has it."""
    texts = [text.strip() for text in _texts(file, column)]
    names = list(_ids(file, column, ids)) if ids else [str(number) for number in range(1, len(texts) + 1)]
    groups = list(_ids(file, column, documents)) if documents else None
    every = frozenset(names)
    if len(every) < len(names):
        twice = Counter(names).most_common(1)[0][0]
        raise InputError(f"{file}: the id {twice!r} stands there twice. Expected each once; mend the column {ids!r}.")
    kept = [place for place, text in enumerate(texts) if text]
    if not kept:
        raise InputError(f"{file} holds no sentence. Expected one a line, or in column {column!r}.")
    of_kept = [groups[place] for place in kept] if groups else None
    return Sentences([texts[place] for place in kept], [names[place] for place in kept], of_kept, every)


def read_pairs(file: str, source: str, target: str) -> tuple[Sentences, Sentences]:
    """The pairs of a file that have text on both sides; ids are the numbers of the records."""
    _refuse_plain(file, source)
    sides = [[text.strip() for text in _texts(file, column)] for column in (source, target)]
    kept = [place for place, pair in enumerate(zip(*sides, strict=True)) if all(pair)]
    if not kept:
        raise InputError(f"{file} holds no pair. Expected text in columns {source!r} and {target!r}.")
    every = frozenset(str(number) for number in range(1, len(sides[0]) + 1))
    ids = [str(place + 1) for place in kept]
    first, second = (Sentences([texts[place] for place in kept], ids, None, every) for texts in sides)
    return first, second


def read_gold(file: str, source: Sentences, target: Sentences) -> set[tuple[str, str]]:
    """The gold pairs of a TSV file; InputError where an id is in neither file."""
    try:
        lines = Path(file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--gold {file} cannot be read ({error}). Expected lines of two ids, a tab between.") from None
    rows = [tuple(field.strip() for field in line.split("\t")[:2]) for line in lines if line.strip()]
    if short := next((number for number, row in enumerate(rows, 1) if len(row) < len(COLUMNS[:2])), None):
        raise InputError(
            f"--gold {file}: no tab in pair {short}. Expected the id of a source, a tab, that of a target."
        )
    pairs = {(row[0], row[1]) for row in rows if row != COLUMNS[:2]}
    unknown = sorted(pair for pair in pairs if pair[0] not in source.all_ids or pair[1] not in target.all_ids)
    if unknown or not pairs:
        shown = "; ".join(" and ".join(pair) for pair in unknown[:_SHOWN])
        raise InputError(
            f"--gold {file}: {len(unknown)} of {len(pairs)} pairs have ids that are not in the files"
            f"{f' (such as {shown})' if shown else ''}. Expected pairs of ids: the numbers of lines or records from 1, "
            f"or what the column of --ids holds."
        )
    return pairs


def check_target(to: str) -> None:
    """That the file can be written, said before hours of work rather than after."""
    path = Path(to)
    if path.suffix not in SUFFIXES:
        raise InputError(f"--to {to}: expected a name that ends in {' or '.join(SUFFIXES)}.")
    if not path.absolute().parent.is_dir():
        raise InputError(f"--to {to}: there is no folder {path.absolute().parent}. Make it, or name another.")
    if path.is_dir() or not os.access(path.absolute().parent, os.W_OK):
        raise InputError(f"--to {to} cannot be written. Expected a file in a folder that you may write to.")


def write_pairs(pairs: Pairs, source: Sentences, target: Sentences, to: str) -> None:
    """The pairs as a table in one step: whoever reads the file meanwhile reads the old one."""
    scratch = Path(to).with_name(f".{Path(to).name}.{uuid.uuid4().hex[:6]}")
    try:
        if to.endswith(".tsv"):
            scratch.write_text("".join(_lines(pairs, source, target)), encoding="utf-8")
        else:
            pq.write_table(_table(pairs, source, target), scratch)
        scratch.replace(to)
    finally:
        scratch.unlink(missing_ok=True)


def _table(pairs: Pairs, source: Sentences, target: Sentences) -> pa.Table:
    columns = (
        pa.array(source.ids).take(pa.array(pairs.src)),
        pa.array(target.ids).take(pa.array(pairs.tgt)),
        pa.array(pairs.score),
        pa.array(pairs.cosine),
        pa.array(source.texts).take(pa.array(pairs.src)),
        pa.array(target.texts).take(pa.array(pairs.tgt)),
    )
    return pa.table(dict(zip(COLUMNS, columns, strict=True)))


def _lines(pairs: Pairs, source: Sentences, target: Sentences) -> Iterator[str]:
    yield "\t".join(COLUMNS) + "\n"
    figures = np.stack([pairs.score, pairs.cosine], axis=1).tolist()
    for a, b, (score, cosine) in zip(pairs.src.tolist(), pairs.tgt.tolist(), figures, strict=True):
        fields = source.ids[a], target.ids[b], f"{score:.6f}", f"{cosine:.6f}", source.texts[a], target.texts[b]
        yield "\t".join(" ".join(field.split()) for field in fields) + "\n"  # a tab in a text would end its field


def _texts(file: str, column: str) -> Iterator[str]:
    return (text for batch in _batches(file, column, None) for text in batch.texts)


def _ids(file: str, column: str, ids: str) -> Iterator[str]:
    _refuse_plain(file, ids)
    return (name.strip() for batch in _batches(file, column, ids) for name in batch.passages or ())


def _batches(file: str, column: str, ids: str | None) -> Iterator[Batch]:
    source = Files(files={"eng": file}, column=column, passage=ids)  # any code: only the file counts
    try:
        yield from source.read(*source.codes())
    except InputError as error:
        raise InputError(str(error).replace(_OPTIONS_OF_FILES, "with the options that name columns")) from None


def _refuse_plain(file: str, column: str) -> None:
    if ".txt" in Path(file).suffixes:
        raise InputError(f"{file} has no column {column!r}: plain text has none. Expected tsv, csv, jsonl or parquet.")
