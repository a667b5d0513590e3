"""Datasets of the Hugging Face hub by name, streamed, and copies of them on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, field_validator, model_validator

from langvec.errors import InputError
from langvec.sources.base import Batch, ByCode, Codes, Source, content_hash
from langvec.sources.tables import Table, is_local, open_hub, open_local
from langvec.sources.templates import fill, wrong_placeholders

Preset = Literal["glot500", "flores200", "sib200", "massive"]
_TEXT_TYPES = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)

PRESETS: dict[str, dict[str, Any]] = {
    # Open. Arrow files by `save_to_disk`, configurations such as ace_Latn, column `text`. Some languages stand under
    # a code of its own (Chinese is in script Hani): give those in `names` and set `config: "{name}"`.
    "glot500": {"dataset": "cis-lmu/Glot500", "config": "{code}", "split": "train", "column": "text"},
    # Gated: accept the terms on the hub and set HF_TOKEN. FLORES-200 goes on as FLORES+; facebook/flores was a script.
    # `id` counts from 1 in each split.
    "flores200": {
        "dataset": "openlanguagedata/flores_plus",
        "config": "{code}",
        "split": "dev+devtest",
        "column": "text",
        "passage": "id",
    },
    # Open. TSV files in data/<code>/; the card names the files dev.tsv `validation`.
    "sib200": {
        "dataset": "Davlan/sib200",
        "config": "{code}",
        "split": "train+validation+test",
        "column": "text",
        "passage": "index_id",
    },
    # Open. Amazon's own AmazonScience/massive was a script; this copy is data files, one configuration per two-letter
    # code, and keeps the ids that translations share.
    "massive": {
        "dataset": "mteb/amazon_massive_intent",
        "config": "{name}",
        "split": "train+validation+test",
        "column": "text",
        "passage": "id",
        "names": {"cmn_Hans": "zh-CN", "zho_Hans": "zh-CN", "cmn_Hant": "zh-TW", "zho_Hant": "zh-TW"},
    },
}


class Hub(Source):
    """Rows of tables: streamed from the hub, or read from a save_to_disk folder, Parquet, TSV or a copied repository.

    `dataset` (if a path), `config` and the values of `where` may hold {code}, {iso}, {script} and {name}.
    """

    kind: Literal["hub"] = "hub"
    languages: Codes
    preset: Preset | None = Field(None, description="fills in the other fields; what is set beside it wins")
    dataset: str | None = Field(None, description="name on the hub, or a path; with a preset, the path of a copy of it")
    config: str | None = Field(None, description="configuration, e.g. `{code}`; of a copy on disk, the folder inside")
    split: str = Field("train", description="one split, or several joined as in train+validation")
    column: str = Field("text", description="column that holds the text")
    passage: str | None = Field(
        None, description="column with an id that the same passage has in every language; it then decides the split"
    )
    revision: str | None = Field(None, description="a commit of the dataset; pin it for a result that can be repeated")
    names: ByCode[str] = Field(
        {}, description="language code -> its {name} in the dataset; without it the two-letter code, else the ISO code"
    )
    where: dict[str, str] = Field({}, description="column -> value: keep these rows only, e.g. lang: `{name}`")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any) -> Any:
        preset = PRESETS.get(str(given.get("preset"))) if isinstance(given, dict) else None
        return {**preset, **given, "names": preset.get("names", {}) | given.get("names", {})} if preset else given

    @field_validator("dataset")
    @classmethod
    def _absolute(cls, dataset: str | None) -> str | None:
        # A worker of the cluster need not stand in the folder where the command was typed.
        return os.path.abspath(os.path.expanduser(dataset)) if dataset and is_local(dataset) else dataset

    def codes(self) -> tuple[str, ...]:
        return self.languages

    def problems(self) -> list[str]:
        problems = self._wrong_settings()
        if problems or not self._local:
            return problems
        return [problem for code in self.languages for problem in self._unreadable(code)]

    def identity(self, code: str) -> dict[str, str]:
        read_as = {
            "column": self.column,
            "passage": str(self.passage),
            "split": self.split,
            "where": str(self._where(code)),
        }
        if not self._local:
            name, config = self._fill(self.dataset or "", code), self._config(code)
            return {"dataset": f"{name}@{self.revision or 'newest'}", "config": str(config), **read_as}
        files = [file for table in self._open(code) for file in table.files]
        root = os.path.commonpath([file.parent for file in files])
        return {os.path.relpath(file, root): content_hash(file) for file in files} | read_as

    def read(self, code: str) -> Iterator[Batch]:
        where, found, others = self._where(code), False, set[str]()
        for table in self._open(code):
            for rows in table.batches(self._columns(table)):
                chosen = _rows_where(rows, where, others)
                if len(chosen):
                    found = True
                    yield self._batch(chosen, table)
        if where and not found:
            raise InputError(
                f"{self.dataset}: no row for {code}, expected one where {_stated(where)}. Found there: "
                f"{', '.join(sorted(others))}. Give the dataset's name of {code} in `names`, and {{name}} in `where`."
            )

    @property
    def _local(self) -> bool:
        return os.path.isabs(self.dataset or "")

    @property
    def _splits(self) -> list[str]:
        return [split.strip() for split in self.split.split("+")]

    def _wrong_settings(self) -> list[str]:
        problems = []
        if self.dataset is None:
            problems.append(
                f"hub: neither `dataset` nor `preset` is given. Expected a dataset or one of {_listed(PRESETS)}."
            )
        elif self.preset and not self._local and self.dataset != PRESETS[self.preset]["dataset"]:
            problems.append(
                f"hub: both `preset: {self.preset}` and `dataset: {self.dataset}` are given. Expected one of them, or "
                f"the path of a copy of {PRESETS[self.preset]['dataset']}; leave one out."
            )
        if self.revision and self._local:
            problems.append(
                f"hub: `revision: {self.revision}` is given for files on disk. Only the hub has any; leave it out."
            )
        templates = {"dataset": self.dataset or "", "config": self.config or "", **self.where}
        return problems + [
            problem for field, text in templates.items() for problem in wrong_placeholders("hub", field, text)
        ]

    def _unreadable(self, code: str) -> list[str]:
        try:
            for table in self._open(code):
                self._columns(table)
        except InputError as error:
            return [f"hub, {code}: {error}"]
        return []

    def _open(self, code: str) -> Iterator[Table]:
        path, config = self._fill(self.dataset or "", code), self._config(code)
        if self._local:
            yield from open_local(path, config, self._splits)
        else:
            yield from (open_hub(path, config, split, self.revision) for split in self._splits)

    def _config(self, code: str) -> str | None:
        return self._fill(self.config, code) if self.config is not None else None

    def _where(self, code: str) -> dict[str, str]:
        return {column: self._fill(value, code) for column, value in self.where.items()}

    def _fill(self, template: str, code: str) -> str:
        return fill(template, code, self.names)

    def _columns(self, table: Table) -> list[str]:
        """The columns to read, once it is certain that they are there and hold text."""
        wanted = list(dict.fromkeys([self.column, *([self.passage] if self.passage else []), *self.where]))
        missing = [name for name in wanted if name not in table.schema.names]
        if missing:
            raise InputError(
                f"{table.name}: no column {_listed(missing)}. Columns found: {_listed(table.schema.names[:12])}. Name "
                f"the right one in `column` (text), `passage` (id shared by all languages) or `where`."
            )
        kind = table.schema.field(self.column).type
        if not any(is_text(kind) for is_text in _TEXT_TYPES):
            raise InputError(
                f"{table.name}: expected text in column {self.column!r}, found {kind}. Name another `column`."
            )
        return wanted

    def _batch(self, rows: pa.RecordBatch | pa.Table, table: Table) -> Batch:
        texts = [text or "" for text in rows[self.column].to_pylist()]
        if self.passage is None:
            return Batch(texts)
        ids = rows[self.passage].to_pylist()
        if None in ids:
            raise InputError(
                f"{table.name}: a row without an id in {self.passage!r}. Expected one in each; mend the rows."
            )
        # An id need only be unique in its split, as in FLORES, where each split counts from 1.
        prefix = f"{table.split}/" if table.split and len(self._splits) > 1 else ""
        return Batch(texts, [f"{prefix}{name}" for name in ids])


def _rows_where(rows: Any, where: dict[str, str], others: set[str]) -> Any:
    """The rows with these values; some of the values found are added to `others`."""
    for column, value in where.items():
        values = pc.cast(rows[column], pa.string())
        if len(others) < 8:  # noqa: PLR2004, enough to see how the dataset spells them
            others.update(f"{column}={found}" for found in pc.unique(values).to_pylist()[:8])
        rows = rows.filter(pc.equal(values, value))
    return rows


def _stated(where: dict[str, str]) -> str:
    return " and ".join(f"{column}={value}" for column, value in where.items())


def _listed(names: Any) -> str:
    return ", ".join(names)
