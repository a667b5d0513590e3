"""Code-mixed text for a run of `langscape sentiment`: sentences of one language with words of another in them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from langvec.cleaning import clean
from langvec.errors import InputError
from masking.mixing import Mixing
from masking.tagging.wordalign import WordAligner, WordAlignment
from ray_jobs.classified import ROWS, TEXTS
from ray_jobs.stages import Desk, Piece

FORMAT = 1  # raise when text is mixed otherwise than before
_LEAST = 20  # pairs that an aligner has to learn from


def mixed_piece(name: str, how: Mixing, matrix: Piece, embedded: Piece) -> Piece:
    config = how.model_dump() | {"format": FORMAT}
    needs = {"matrix": matrix, "embedded": embedded}
    return Piece("mixed", name, partial(_mix, how), config, needs=needs, seed=how.seed)


def _mix(how: Mixing, desk: Desk) -> dict[str, Any]:
    """All splits of the matrix language, where a text has a translation; labels are those of the matrix text.

    The aligner, if it learns, learns from all of these pairs: it sees no label.
    """
    rows, other = (pq.read_table(desk.needed[side] / TEXTS) for side in ("matrix", "embedded"))
    rows = rows.join(other.select(["split", "id", "text"]), ["split", "id"], right_suffix=" there", join_type="inner")
    rows = rows.sort_by([("split", "ascending"), ("id", "ascending")])
    pairs = list(zip(rows["text"].to_pylist(), rows["text there"].to_pylist(), strict=True))
    if len(pairs) < _LEAST:
        raise InputError(
            f"{how.matrix} and {how.embedded} have {len(pairs)} texts with one id. Expected {_LEAST} or more: text "
            f"can be mixed where both languages have the same texts, under the same ids (`data.id`)."
        )
    aligner: Any = (
        WordAligner.train(pairs, how.aligner) if isinstance(how.aligner, WordAlignment) else how.aligner.load()
    )

    def written(text: str) -> str:
        return " ".join(clean(text, how.romanise)) if how.romanise else text

    made = how.mixed(rows["id"].to_pylist(), pairs, aligner.align_texts(pairs), written)
    table = rows.set_column(rows.schema.get_field_index("text"), "text", pa.array([one.text for one in made]))
    pq.write_table(table.select(ROWS.names).cast(ROWS), desk.folder / TEXTS, compression="zstd")
    words, replaced = sum(one.words for one in made), sum(one.replaced for one in made)
    counts = {split["values"]: split["counts"] for split in pc.value_counts(table["split"]).to_pylist()}
    return {"texts": counts, "words": words, "replaced": replaced, "share": replaced / max(words, 1)}
