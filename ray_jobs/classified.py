"""The work of tuning a classifier and of judging it, text by text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from langvec.errors import InputError
from langvec.labelled import Labelled, Split
from langvec.labelled.checks import refuse_unknown_labels, without_seen
from masking.plain_classifiers import AnyPlainClassifier
from masking.tuning import Tuning
from ray_jobs.alchemy_targets import Second
from ray_jobs.stages import Desk

if TYPE_CHECKING:
    from masking.finetuning import Examples

TEXTS = "texts.parquet"
ITEMS = "items.parquet"
LOG = "log.parquet"
ROWS = pa.schema([(name, pa.string()) for name in ("split", "id", "text", "label")])
JUDGED = pa.schema(
    [(name, pa.string()) for name in ("lang", "id", "label", "found")]
    + [("surest", pa.float32()), ("named", pa.string()), ("named_in_group", pa.string())]
)


Names = tuple[Sequence[str | None], ...] | None  # for each text, of all languages and of its group


@dataclass(frozen=True)
class Judging:
    """Which texts are learnt from, and which are judged. A text is held out in all languages or in none."""

    codes: tuple[str, ...]
    course: tuple[str, ...]
    judged_on: Split
    held_out: float
    train_texts: int | None
    seed: int

    def group_of(self, code: str) -> list[str]:
        """Languages that are trained on, if this one is; else those that are not."""
        return [other for other in self.codes if (other in self.course) == (code in self.course)]

    def config(self) -> dict[str, Any]:
        return {"course": self.course, "judged_on": self.judged_on, "held_out": self.held_out} | {
            "train_texts": self.train_texts,
            "data_seed": self.seed,
        }


@dataclass(frozen=True)
class Material:
    """Texts by language: to learn from, to choose the epoch by, and to be judged on."""

    train: dict[str, Labelled]
    validation: dict[str, Labelled]
    judged: dict[str, Labelled]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted({label for rows in self.train.values() for label in rows.labels}))


def material(judging: Judging, desk: Desk) -> Material:
    """The texts of a course; nothing that is judged or chosen by stands in its training text, in whatever language.

    Raises:
        InputError: a language to learn from has nothing, or what is judged has a label that nobody was taught.
    """
    train, validation = dict[str, Labelled](), dict[str, Labelled]()
    for code in judging.course:
        train[code], validation[code] = _divided(judging, _splits(desk.needed[f"text {code}"]))
        if not train[code].ids:
            raise InputError(f"{code}: no text to learn from. Expected some in its train split.")
    validation = {code: without_seen(rows, *train.values()) for code, rows in validation.items()}
    judged = {code: _splits(desk.needed[f"text {code}"]).get(judging.judged_on) for code in judging.codes}
    found = {code: without_seen(rows, *train.values()) for code, rows in judged.items() if rows and rows.ids}
    refuse_unknown_labels([label for rows in train.values() for label in rows.labels], validation | found)
    return Material(train, validation, found)


def tune(how: Tuning, judging: Judging, second: Second | None, seed: int, desk: Desk) -> dict[str, Any]:
    """Fine-tune an encoder, judge it on every language, and leave what it said of each text."""
    from langvec.regulariser import Regulariser, named  # torch takes seconds to load
    from masking.finetuning import Lesson, finetune

    texts = material(judging, desk)
    aims = second.targets(desk.needed, judging.codes, judging.course, judging.seed) if second else None
    lesson = Lesson(
        desk.needed["encoder"],
        _examples(texts.train, texts.labels, judging.codes),
        _examples(texts.validation, texts.labels, judging.codes),
        len(texts.labels),
        seed,
        "tuning",
        desk.memory,
        (lambda width: Regulariser(aims, width, second.weighting)) if aims and second else None,
    )
    done = finetune(how, lesson)
    tables = []
    for code, rows in texts.judged.items():
        found = done.judge(rows.texts)
        names: Names = None
        if aims and second and second.control != "constant" and found.predicted is not None:
            names = tuple(named(found.predicted, aims, among) for among in (judging.codes, judging.group_of(code)))
        tables.append(_items(code, rows, [texts.labels[place] for place in found.classes], found.surest, names))
    pq.write_table(pa.concat_tables(tables), desk.folder / ITEMS, compression="zstd")
    pq.write_table(pa.Table.from_pylist(done.place.epochs), desk.folder / LOG)
    return done.account() | _dropped(texts)


def fit_plain(how: AnyPlainClassifier, judging: Judging, desk: Desk) -> dict[str, Any]:
    """What needs no encoder."""
    texts = material(judging, desk)
    validation = _flat(texts.validation)
    fitted = how.fit(*_flat(texts.train), validation if validation[0] else None)
    tables = []
    for code, rows in texts.judged.items():
        chances = fitted.probabilities(rows.texts)
        found = [fitted.classes[place] for place in chances.argmax(axis=1)]
        tables.append(_items(code, rows, found, chances.max(axis=1), None))
    pq.write_table(pa.concat_tables(tables), desk.folder / ITEMS, compression="zstd")
    return {"texts": sum(len(rows.ids) for rows in texts.train.values())} | _dropped(texts)


def _flat(texts: dict[str, Labelled]) -> tuple[list[str], list[str]]:
    """Texts and labels of all languages."""
    several = texts.values()
    return [text for rows in several for text in rows.texts], [label for rows in several for label in rows.labels]


def _splits(folder: Path) -> dict[str, Labelled]:
    table = pq.read_table(folder / TEXTS)
    found = {}
    for split in table["split"].unique().to_pylist():
        rows = table.filter(pa.compute.equal(table["split"], split))
        found[split] = Labelled(*(rows[name].to_pylist() for name in ("id", "text", "label")))
    return found


def _divided(judging: Judging, splits: dict[str, Labelled]) -> tuple[Labelled, Labelled]:
    """Training and validation; a share is held out by its ids where there is no validation."""
    train = splits.get("train", Labelled([], [], []))
    drawn = [_drawn(judging.seed, id) for id in train.ids]
    if "validation" in splits and judging.judged_on != "validation":
        validation, kept = splits["validation"], list(range(len(drawn)))
    else:
        validation = _take(train, [place for place, one in enumerate(drawn) if one < judging.held_out])
        kept = [place for place, one in enumerate(drawn) if one >= judging.held_out]
    kept = sorted(sorted(kept, key=lambda place: drawn[place])[: judging.train_texts])  # the same ones in all languages
    return _take(train, kept), validation


def _drawn(seed: int, id: str) -> float:
    digest = hashlib.blake2b(f"{seed}\0held out\0{id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") / 2**64


def _take(rows: Labelled, places: Sequence[int]) -> Labelled:
    ids, texts, labels = ([column[place] for place in places] for column in rows[:3])
    return Labelled(ids, texts, labels)


def _examples(texts: dict[str, Labelled], labels: Sequence[str], codes: Sequence[str]) -> Examples:
    from masking.finetuning import Examples

    number = {label: place for place, label in enumerate(labels)}
    flat, own = _flat(texts)
    return Examples(
        flat,
        np.array([number[label] for label in own], np.int64),
        np.array([codes.index(code) for code, rows in texts.items() for _ in rows.ids], np.int64),
    )


def _items(code: str, rows: Labelled, found: Sequence[str], surest: Any, named: Names) -> pa.Table:
    names: tuple[Any, ...] = named or ([None] * len(rows.ids),) * 2
    columns = [[code] * len(rows.ids), rows.ids, rows.labels, found, surest, *names]
    return pa.Table.from_pydict(dict(zip(JUDGED.names, columns, strict=True)), JUDGED)


def _dropped(texts: Material) -> dict[str, Any]:
    """Texts that were not judged since they, or the same in another language, were learnt."""
    found = {code: sum(rows.dropped.values()) for code, rows in texts.judged.items()}
    return {"not_judged": {code: count for code, count in found.items() if count}}
