"""The entity table: each sentence once, with its text, its spans, and who tagged it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from langvec.errors import InputError
from masking.alignment import Tagged
from masking.tagging.base import Sentence, SetAside, Span
from masking.tagging.covered import kinds_of_words
from masking.tagging.kinds import KINDS
from masking.tagging.words import words

SHOWN = 10  # names in an error message
_BELOW = ("results/entities/*/*.parquet", "entities/*/*.parquet", "*/*.parquet")  # of a run, its results, all entities
SPAN = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("kind", pa.string()), ("label", pa.string())])
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("lang", pa.dictionary(pa.int32(), pa.string())),
        ("text", pa.string()),
        ("spans", pa.list_(SPAN)),  # null where the sentence was set aside
        ("set_aside", pa.string()),  # why, else null
        ("tagger", pa.dictionary(pa.int32(), pa.string())),
    ]
)


def entity_table(
    sentences: Sequence[Sentence], found: Sequence[list[Span] | SetAside], lang: str, tagger: str
) -> pa.Table:
    """One row a sentence, in order: ids in are ids out."""
    return pa.table(
        {
            "id": [sentence.id for sentence in sentences],
            "lang": pa.array([lang] * len(sentences)).dictionary_encode(),
            "text": [sentence.text for sentence in sentences],
            "spans": [None if isinstance(one, SetAside) else [span._asdict() for span in one] for one in found],
            "set_aside": [one.reason if isinstance(one, SetAside) else None for one in found],
            "tagger": pa.array([tagger] * len(sentences)).dictionary_encode(),
        },
        schema=SCHEMA,
    )


def read_entities(place: Path) -> pa.Table:
    """A file, or all files of a folder by name; tags of different taggers, or of different versions, do not mix."""
    files = sorted(place.glob("*.parquet")) if place.is_dir() else [place]
    if not files or not all(file.is_file() for file in files):
        below = next(filter(None, (sorted({str(file.parent) for file in place.glob(at)}) for at in _BELOW)), [])
        found = f" Found: {', '.join(below[:SHOWN])}." if below else ""
        raise InputError(
            f"There are no entities in {place}. Expected a Parquet file that `langscape tag` has written, or a folder "
            f"of them such as RUN/results/entities/eng_Latn.{found}"
        )
    table = pa.concat_tables([_read(file) for file in files], promote_options="permissive").unify_dictionaries()
    refuse_mixed(table, place)
    return table


def _read(file: Path) -> pa.Table:
    try:
        table = pq.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{file} is no entity table: {error}. Expected Parquet that `langscape tag` wrote.") from None
    missing = [name for name in SCHEMA.names if name not in table.column_names]
    if missing:
        raise InputError(
            f"{file} has no column {', '.join(missing)}. Expected an entity table as `langscape tag` writes it; found "
            f"the columns {', '.join(table.column_names[:SHOWN])}{', ...' if len(table.column_names) > SHOWN else ''}."
        )
    return table.select(SCHEMA.names).cast(SCHEMA)


def refuse_mixed(table: pa.Table, place: Path | str) -> None:
    taggers: dict[str, set[str]] = {}
    pairs = table.group_by(["lang", "tagger"]).aggregate([]).to_pylist()
    for pair in pairs:
        taggers.setdefault(pair["lang"], set()).add(pair["tagger"])
    mixed = {lang: names for lang, names in taggers.items() if len(names) > 1}
    for lang, names in mixed.items():
        raise InputError(
            f"{place} holds tags of {lang} by {' and by '.join(sorted(names))}. Expected those of one tagger in one "
            f"version, since masks on both would not compare: keep one, or tag the text again with one of them."
        )


def tagged(table: pa.Table) -> list[Tagged]:
    """The sentences with their spans; those that were set aside have none."""
    columns = zip(table["text"].to_pylist(), table["spans"].to_pylist(), strict=True)
    return [Tagged(text, [Span(**span) for span in spans or ()]) for text, spans in columns]


def coverage(sentences: Iterable[Sentence], found: Iterable[list[Span] | SetAside]) -> dict[str, int]:
    """Counts that add up over blocks: sentences by what became of them, words, and words in each kind of entity."""
    counts = Counter[str](dict.fromkeys(("sentences", "empty", "set_aside", "without_tags", "words"), 0))
    counts.update(dict.fromkeys((f"words_{kind.lower()}" for kind in KINDS), 0))
    for sentence, one in zip(sentences, found, strict=True):
        counts["sentences"] += 1
        if isinstance(one, SetAside):
            counts["set_aside"] += 1
        else:
            counts["empty" if not sentence.text.strip() else "without_tags"] += not one
            every = words(sentence.text)
            counts["words"] += len(every)
            counts.update(f"words_{kind.lower()}" for kinds in kinds_of_words(every, one) for kind in kinds)
    return dict(counts)
