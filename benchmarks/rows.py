"""How a benchmark keeps what it has measured: a CSV file of its own name."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def keep(script: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows beside the script, in `<name of the script>.csv`."""
    with Path(script).with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
