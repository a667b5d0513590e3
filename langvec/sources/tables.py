"""Tables of text, on disk or on the Hugging Face hub, opened so that they can be read a batch at a time."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from langvec.errors import InputError
from langvec.sources.base import BATCH_LINES
from langvec.unpacking import refuse_parquet_bomb

SUFFIXES = (".parquet", ".tsv")
# What the parts of a dataset are called in file names; the same part has several names.
SPLIT_NAMES = {
    "train": "train",
    "dev": "dev",
    "valid": "dev",
    "validation": "dev",
    "test": "test",
    "devtest": "devtest",
}
WILDCARDS = frozenset("*?[")
_LINE_BLOCK = 1 << 24  # bytes; a row of a tab-separated file must fit in


@dataclass(frozen=True)
class Table:
    """One part of a dataset: its columns, and how to read some of them."""

    name: str
    schema: pa.Schema
    batches: Callable[[list[str]], Iterator[pa.RecordBatch | pa.Table]]
    split: str | None = None
    files: list[Path] = field(default_factory=list)


def is_local(dataset: str) -> bool:
    """Whether a `dataset` means something on disk: a path that exists or cannot be a name on the hub."""
    fixed = dataset[: min((dataset.find(mark) for mark in "{*?[" if mark in dataset), default=len(dataset))]
    looks_like_a_path = dataset.startswith(("/", ".", "~")) or dataset.count("/") > 1 or bool(WILDCARDS & set(dataset))
    return looks_like_a_path or os.path.exists(fixed)


def open_local(path: str, config: str | None, splits: list[str]) -> list[Table]:
    """Tables of a save_to_disk folder, a copy of a hub repository, or Parquet and TSV files, one file or many."""
    folder = Path(path)
    if config is not None and (folder / config).exists():
        folder = folder / config
    elif config is not None and not _has_configs(folder):
        raise InputError(
            f"{folder / config} does not exist. Expected the folder of the configuration {config!r} there."
        )
    if not WILDCARDS & set(path) and not folder.exists():
        raise InputError(f"{folder} does not exist. Expected a save_to_disk folder or Parquet or TSV files there.")
    if saved := _saved(folder):
        return _of_splits(saved, splits, folder)
    if _has_configs(folder):
        return [_clone(folder, config, split) for split in splits]
    tables = [replace(_file(file), split=_split_of(file, folder)) for file in _files(folder)]
    return _of_splits(tables, splits, folder)


def open_hub(name: str, config: str | None, split: str, revision: str | None) -> Table:
    """One split of a dataset on the hub, streamed: nothing is downloaded but what is read."""
    import datasets

    where = f"{name}{f'/{config}' if config else ''}, split {split}"
    try:
        stream = datasets.load_dataset(name, config, split=split, revision=revision, streaming=True)
        return _streamed(where, stream, split)
    except _failures() as error:
        raise _unreachable(where, error) from None


def _failures() -> tuple[type[Exception], ...]:
    """What `datasets` and the hub's client raise when a dataset cannot be had."""
    from datasets.exceptions import DatasetsError

    return (OSError, ValueError, RuntimeError, DatasetsError)


def _unreachable(where: str, error: BaseException) -> InputError:
    """The paragraph for a dataset that the hub's client could not open or read on."""
    return InputError(
        f"{where} cannot be read: {_reason(error)}. Expected a dataset of the Hugging Face hub kept as "
        f"data files (dataset scripts no longer run). Check the name, `config` and `split`; a gated dataset needs its "
        f"terms accepted and HF_TOKEN set. Without a network, save the dataset elsewhere with `save_to_disk` and name "
        f"that folder in `dataset`; with HF_HUB_OFFLINE=1 only what was downloaded before is used."
    )


def _streamed(where: str, stream: Any, split: str, files: list[Path] | None = None) -> Table:
    stream = stream.with_format("arrow")
    first = next(stream.iter(1), None)
    if first is None:
        raise InputError(f"{where} is empty. Expected rows of text; name another split or configuration.")

    def batches(columns: list[str]) -> Iterator[pa.Table]:
        rows = stream.select_columns(columns).iter(BATCH_LINES)
        while True:
            try:
                batch = next(rows, None)
            except _failures() as error:
                raise _unreachable(where, error) from None
            if batch is None:
                return
            yield batch

    return Table(where, first.schema, batches, split, files or [])


def _clone(folder: Path, config: str | None, split: str) -> Table:
    import datasets

    where = f"{folder}, configuration {config}, split {split}"
    try:
        found = datasets.load_dataset_builder(str(folder), config).config.data_files or {}
        stream = datasets.load_dataset(str(folder), config, split=split, streaming=True)
        return _streamed(where, stream, split, sorted(Path(name) for name in found.get(split, [])))
    except _failures() as error:
        raise InputError(
            f"{where} cannot be read: {_reason(error)}. Expected the files that README.md there names; "
            f"download the copy again or name another `config` or `split`."
        ) from None


def _has_configs(folder: Path) -> bool:
    """Whether a folder is a copy of a hub repository whose card says which files belong to which configuration."""
    card = folder / "README.md"
    front = card.read_text(encoding="utf-8", errors="replace").split("\n---")[0] if card.is_file() else ""
    return front.startswith("---") and "\nconfigs:" in front


def _saved(folder: Path) -> list[Table]:
    """The parts of a save_to_disk folder: itself, or one folder for each split, as also the hub keeps some datasets."""
    if (folder / "state.json").exists():
        return [_saved_part(folder, None)]
    return [_saved_part(state.parent, state.parent.name) for state in sorted(folder.glob("*/state.json"))]


def _saved_part(folder: Path, split: str | None) -> Table:
    import datasets

    try:
        part = datasets.load_from_disk(str(folder))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise InputError(
            f"{folder} cannot be opened: {_reason(error)}. Expected a folder written by `save_to_disk`, complete; "
            f"copy it again."
        ) from None

    def batches(columns: list[str]) -> Iterator[pa.Table]:
        yield from part.select_columns(columns).with_format("arrow").iter(BATCH_LINES)

    files = (Path(file["filename"]) for file in part.cache_files)
    return Table(str(folder), part.features.arrow_schema, batches, split, sorted(files))


def _reason(error: BaseException) -> str:
    return " ".join(str(error).split())[:600].rstrip(".")


def _files(folder: Path) -> list[Path]:
    """The Parquet and TSV files a path stands for: itself, those that match, or those in the folder."""
    inside = glob.glob(f"{glob.escape(str(folder))}/**/*", recursive=True) if folder.is_dir() else None
    found = [str(folder)] if folder.is_file() else inside or glob.glob(str(folder), recursive=True)
    files = sorted(Path(name) for name in found if name.endswith(SUFFIXES) and os.path.isfile(name))
    if not files:
        raise InputError(
            f"{folder}: no file that ends in {' or '.join(SUFFIXES)} is there. Name the folder that has them."
        )
    return files


def _file(path: Path) -> Table:
    try:
        return _parquet(path) if path.suffix == ".parquet" else _tsv(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _parquet(path: Path) -> Table:
    def batches(columns: list[str]) -> Iterator[pa.RecordBatch]:
        with pq.ParquetFile(path) as file:
            refuse_parquet_bomb(str(path), path.stat().st_size, file.metadata)
            yield from _checked(path, file.iter_batches(BATCH_LINES, columns=columns))

    return Table(str(path), pq.read_schema(path), batches, files=[path])


def _tsv(path: Path) -> Table:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        schema = pa.schema([(name, pa.string()) for name in file.readline().rstrip("\r\n").split("\t")])
    # SIB-200 was written by pandas, which quotes a field that holds a quotation mark; the hub reads it so too.
    parse = pa_csv.ParseOptions(delimiter="\t", newlines_in_values=True)

    def batches(columns: list[str]) -> Iterator[pa.RecordBatch]:
        convert = pa_csv.ConvertOptions(column_types=schema, include_columns=columns)
        reading = pa_csv.ReadOptions(block_size=_LINE_BLOCK, use_threads=False)
        try:
            rows = pa_csv.open_csv(path, read_options=reading, parse_options=parse, convert_options=convert)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from None
        for batch in _checked(path, rows):
            yield from (batch.slice(start, BATCH_LINES) for start in range(0, len(batch), BATCH_LINES))

    return Table(str(path), schema, batches, files=[path])


def _checked(path: Path, rows: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    try:
        yield from rows
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: BaseException) -> InputError:
    return InputError(
        f"{path} cannot be read to its end ({_reason(error)}). Expected a complete {path.suffix} file; "
        f"copy or download it again."
    )


def _split_of(file: Path, folder: Path) -> str | None:
    """`train` of `train.tsv`, `train-00000-of-00002.parquet` and `train/0000.parquet` in a folder."""
    names = [file.stem.split("-")[0], *file.relative_to(folder).parts[:-1]] if folder in file.parents else [file.stem]
    return next((name for name in names if file != folder and name in SPLIT_NAMES), None)


def _of_splits(tables: list[Table], splits: list[str], folder: Path) -> list[Table]:
    """The tables of the wanted splits, in the order wanted. Files whose names tell no split are all read."""
    if all(table.split is None for table in tables):
        return tables
    chosen = [
        replace(table, split=split)
        for split in splits
        for table in tables
        if table.split is not None and SPLIT_NAMES.get(table.split, table.split) == SPLIT_NAMES.get(split, split)
    ]
    if not chosen:
        found = ", ".join(sorted({table.split for table in tables if table.split}))
        raise InputError(f"{folder}: no split {' or '.join(splits)}; found: {found}. Name one of these in `split`.")
    return chosen
