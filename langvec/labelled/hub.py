"""Labelled datasets of the Hugging Face hub by name, streamed, and copies of them on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field, field_validator, model_validator

from langvec.errors import InputError
from langvec.labelled.base import SPLITS, Labelled, Split
from langvec.labelled.tabular import Tabular
from langvec.sources.base import ByCode, Codes, content_hash
from langvec.sources.tables import Table, is_local, open_hub, open_local
from langvec.sources.templates import fill, wrong_placeholders

Preset = Literal["masakhanews", "massive", "nusax", "sib200"]

PRESETS: dict[str, dict[str, Any]] = {
    # Headlines only, as LinguAlchemy has it; `text` holds the article. The original was a script; this copy is data
    # files, one configuration per ISO code but for Swahili and Oromo, which stand under their macrolanguage.
    "masakhanews": {
        "dataset": "mteb/masakhanews",
        "config": "{name}",
        "text": "headline",
        "label": "category",
        "names": {
            **{f"{iso}_Latn": iso for iso in ("eng", "fra", "hau", "ibo", "lin", "lug", "pcm", "run", "sna", "som")},
            **{"amh_Ethi": "amh", "tir_Ethi": "tir", "xho_Latn": "xho", "yor_Latn": "yor"},
            **{"swh_Latn": "swa", "swa_Latn": "swa", "gaz_Latn": "orm", "orm_Latn": "orm"},
        },
    },
    # 60 intents. Amazon's own AmazonScience/massive was a script; this copy is data files.
    "massive": {
        "dataset": "mteb/amazon_massive_intent",
        "config": "{name}",
        "text": "text",
        "label": "label_text",
        "id": "id",
        "names": {"cmn_Hans": "zh-CN", "zho_Hans": "zh-CN", "cmn_Hant": "zh-TW", "zho_Hant": "zh-TW"},
    },
    # Three sentiments; the original was a script.
    "nusax": {
        "dataset": "mteb/NusaX-senti",
        "config": "{iso}",
        "text": "text",
        "label": "label",
        "id": "id",
        "classes": ("negative", "neutral", "positive"),
    },
    # Seven topics.
    "sib200": {
        "dataset": "Davlan/sib200",
        "config": "{code}",
        "text": "text",
        "label": "category",
        "id": "index_id",
    },
}


class LabelledHub(Tabular):
    """Rows of tables: streamed from the hub, or read from a save_to_disk folder, Parquet, TSV or a copied repository.

    `dataset` (if a path) and `config` may hold {code}, {iso}, {script} and {name}.
    """

    kind: Literal["hub"] = "hub"
    languages: Codes
    preset: Preset | None = Field(None, description="fills in the other fields; what is set beside it wins")
    dataset: str | None = Field(None, description="name on the hub, or a path; with a preset, the path of a copy of it")
    config: str | None = Field(None, description="configuration, e.g. `{code}`; of a copy on disk, the folder inside")
    revision: str | None = Field(None, description="a commit of the dataset; pin it for a result that can be repeated")
    names: ByCode[str] = Field(
        {}, description="language code -> its {name} in the dataset; without it the two-letter code, else the ISO code"
    )
    parts: dict[Split, str] = Field(
        {split: split for split in SPLITS},
        description="split -> what the dataset calls it; leave out those that it lacks",
    )
    classes: tuple[str, ...] = Field(
        (), description="names of the classes 0, 1, ... where the dataset has numbers only"
    )

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

    def splits(self, code: str) -> tuple[Split, ...]:
        wanted = tuple(split for split in SPLITS if split in self.parts)
        return tuple(split for split in wanted if self._opens(code, split)) if self._local else wanted

    def problems(self) -> list[str]:
        problems = self._wrong_settings()
        if problems or not self._local:
            return problems
        return [problem for code in self.languages for problem in self._problems(code)]

    def identity(self, code: str, split: Split) -> dict[str, str]:
        read_as = {"read as": self._read_as(), "classes": ", ".join(self.classes), "split": self.parts[split]}
        if not self._local:
            dataset = fill(self.dataset or "", code, self.names)
            return {"dataset": f"{dataset}@{self.revision or 'newest'}", "config": str(self._config(code)), **read_as}
        files = [file for table in self._open(code, split) for file in table.files]
        root = os.path.commonpath([file.parent for file in files])
        return {os.path.relpath(file, root): content_hash(file) for file in files} | read_as

    def read(self, code: str, split: Split) -> Labelled:
        tables = self._open(code, split)
        classes = self.classes or _class_names(tables[0].schema, self.label)
        return self._labelled(self._records(tables), f"hub, {code}, {split}", classes)

    @property
    def _local(self) -> bool:
        return os.path.isabs(self.dataset or "")

    def _wrong_settings(self) -> list[str]:
        problems = []
        if self.dataset is None:
            problems.append(
                f"hub: neither `dataset` nor `preset` is given. Expected a dataset or one of {', '.join(PRESETS)}."
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
        templates = {"dataset": self.dataset or "", "config": self.config or ""}
        return problems + [wrong for name, text in templates.items() for wrong in wrong_placeholders("hub", name, text)]

    def _problems(self, code: str) -> list[str]:
        """Splits that a copy on disk lacks are no mistake, as long as it has one."""
        try:
            for split in self.splits(code) or tuple(self.parts)[:1]:
                for table in self._open(code, split):
                    self._need_columns(dict.fromkeys(table.schema.names), table.name)
        except InputError as error:
            return [f"hub, {code}: {error}"]
        return []

    def _opens(self, code: str, split: Split) -> bool:
        try:
            return bool(self._open(code, split))
        except InputError:
            return False

    def _open(self, code: str, split: Split) -> list[Table]:
        if split not in self.parts:
            raise InputError(f"hub: no {split} split. Expected one of {', '.join(self.parts)}; see `parts`.")
        path, config, part = fill(self.dataset or "", code, self.names), self._config(code), self.parts[split]
        if not self._local:
            return [open_hub(path, config, part, self.revision)]
        tables = open_local(path, config, [part])
        if any(table.split is None for table in tables):
            raise InputError(
                f"{path}: which split the files are cannot be told from their names. Expected names such as "
                f"{part}.tsv; rename them, or read them as `kind: files`."
            )
        return tables

    def _config(self, code: str) -> str | None:
        return fill(self.config, code, self.names) if self.config is not None else None

    def _records(self, tables: Iterable[Table]) -> Iterator[dict[str, Any]]:
        for table in tables:
            self._need_columns(dict.fromkeys(table.schema.names), table.name)
            for rows in table.batches(self._columns()):
                yield from rows.to_pylist()


def _class_names(schema: pa.Schema, column: str) -> tuple[str, ...]:
    """What the datasets library wrote beside a column of numbers; empty if nothing."""
    about = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
    features = about.get("info", {}).get("features", {})
    return tuple(features.get(column, {}).get("names") or ())
