"""Labelled text that stands in the columns of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import Field

from langvec.errors import InputError
from langvec.labelled.base import Labelled, LabelledSource

_SHOWN = 5
_EMPTY = "no text"


class Tabular(LabelledSource):
    """Which columns hold what."""

    text: str = Field("text", description="column that holds the text")
    second: str | None = Field(None, description="column with a second text, for labels of pairs; joined to the first")
    separator: str = Field(" ||| ", min_length=1, description="what stands between the two texts of a pair")
    label: str = Field("label", description="column that holds the label: a word, or the number of a class")
    id: str | None = Field(None, description="column with an id, the same in every language if the source is parallel")

    def _columns(self) -> list[str]:
        wanted = [self.text, self.second, self.label, self.id]
        return list(dict.fromkeys(name for name in wanted if name is not None))

    def _read_as(self) -> str:
        """The part of an identity that says what is taken from the tables."""
        pair = f", second {self.second} after {self.separator!r}" if self.second else ""
        return f"text {self.text}{pair}, label {self.label}, id {self.id}"

    def _labelled(self, records: Iterable[dict[str, Any]], where: str, classes: Sequence[str] = ()) -> Labelled:
        """Rows of a table, checked; `classes` names the classes by number. Rows without a text are left out."""
        found = Labelled([], [], [])
        unlabelled, empty = [], 0
        for number, record in enumerate(records, 1):
            if number == 1:
                self._need_columns(record, where)
            if None in record:  # where the csv module puts what is left over
                raise InputError(
                    f"{where}, row {number:,}: more fields than the header has. Expected quotation marks around a text "
                    f"with a separator in it; mend the row."
                )
            text, label = self._text(record, number, where), _label(record.get(self.label), classes, number, where)
            if label is None:
                unlabelled.append(number)
            elif text is None:
                empty += 1
            else:
                found.ids.append(self._id(record, number, where))
                found.texts.append(text)
                found.labels.append(label)
        _refuse_unlabelled(unlabelled, self.label, where)
        _refuse_repeated(found.ids, self.id, where)
        return found._replace(dropped={_EMPTY: empty}) if empty else found

    def _need_columns(self, record: dict[str, Any], where: str) -> None:
        missing = [name for name in self._columns() if name not in record]
        if missing:
            raise InputError(
                f"{where}: no column {' or '.join(map(repr, missing))}. Columns found: "
                f"{', '.join(map(str, list(record)[:12]))}. Name the right ones in `text`, `second`, `label` or `id`."
            )

    def _text(self, record: dict[str, Any], number: int, where: str) -> str | None:
        """None where the text, or one of a pair, is empty."""
        parts = [record.get(name) for name in (self.text, self.second) if name is not None]
        for part in parts:
            if part is not None and not isinstance(part, str):
                raise InputError(f"{where}, row {number:,}: expected text, found {type(part).__name__} ({part!r:.40}).")
        texts = [(part or "").strip() for part in parts]
        return self.separator.join(texts) if all(texts) else None

    def _id(self, record: dict[str, Any], number: int, where: str) -> str:
        if self.id is None:
            return str(number)
        if record.get(self.id) in (None, ""):
            raise InputError(f"{where}, row {number:,}: no id in {self.id!r}. Expected one in each row; mend it.")
        return str(record[self.id])


def _label(value: Any, classes: Sequence[str], number: int, where: str) -> str | None:
    """None where there is no label; the hub writes -1 for labels that are kept secret."""
    if value is None or (isinstance(value, str) and not value.strip()) or value == -1:
        return None
    if isinstance(value, str):
        return value.strip()
    if not isinstance(value, int):
        raise InputError(
            f"{where}, row {number:,}: expected a label, found {type(value).__name__} ({value!r:.40}). Labels are "
            f"words or the numbers of classes; name another column in `label`."
        )
    if classes and not 0 <= value < len(classes):
        raise InputError(f"{where}, row {number:,}: class {value}. Expected 0 to {len(classes) - 1}; see `classes`.")
    return classes[value] if classes else str(value)


def _refuse_unlabelled(numbers: list[int], column: str, where: str) -> None:
    if numbers:
        shown = ", ".join(f"{number:,}" for number in numbers[:_SHOWN])
        raise InputError(
            f"{where}: {len(numbers):,} rows without a label in {column!r}: row {shown}"
            f"{' and more' if len(numbers) > _SHOWN else ''}. Expected one in each row; label or remove those."
        )


def _refuse_repeated(ids: list[str], column: str | None, where: str) -> None:
    if len(set(ids)) < len(ids):
        again = next(name for name, times in Counter(ids).items() if times > 1)
        raise InputError(
            f"{where}: the id {again!r} in {column!r} stands in several rows. Expected each once; remove the others, "
            f"or leave `id` out if it is no id."
        )
