"""Tables as CSV that may be opened in a spreadsheet: a text never becomes a formula there."""

from __future__ import annotations

import io
import re

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

# How a formula starts for a spreadsheet (OWASP, CSV injection), also in the full width that Japanese keyboards write.
_FORMULA = r"\A([=+\-@\t\r\n＝＋－＠])"
_MARKED = r"'\1"


def to_csv(table: pa.Table) -> bytes:
    """The table with an apostrophe before each text, and name of a column, that a spreadsheet would run."""
    names = [re.sub(_FORMULA, _MARKED, name) for name in table.column_names]
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(pa.table([_harmless(column) for column in table.columns], names), buffer)
    return buffer.getvalue()


def _harmless(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pc.replace_substring_regex(column, _FORMULA, _MARKED)
    return column
