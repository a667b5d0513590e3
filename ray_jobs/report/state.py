"""Whether a report is up to date, told in moments: drawing one takes many seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

from ray_jobs.recipe import Recipe
from ray_jobs.stages import Record
from ray_jobs.store import Store

HERE = Path(__file__).parent
CODE = (HERE, HERE.parent.parent / "langvec" / "pictures")
LARGE = "matrix"  # a copy of a finished piece, whose digest is in the state anyway


def state_of(store: Store, records: Mapping[str, Record], recipe: Recipe) -> str:
    """Twelve hex digits of all that decides a report: results, pieces, recipe, code, and pictures that are there."""
    names = [name for name in store.names("results") if name.endswith((".parquet", ".nwk"))]
    state = {
        "results": {name: "" if name.startswith(LARGE) else _digest(store.read(f"results/{name}")) for name in names},
        "pieces": sorted(
            [record.folder, str(record.meta.get("digest")), record.meta.get("cost"), record.damage]
            for record in records.values()
        ),
        "recipe": recipe.to_yaml(),
        "pictures": store.names("results/pictures"),
        "code": _code(),
    }
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:12]


def _digest(data: bytes | None) -> str:
    return hashlib.sha256(data or b"").hexdigest()


@cache
def _code() -> dict[str, str]:
    """What draws and writes: our own files, and the versions of the libraries."""
    files = sorted(path for folder in CODE for path in folder.iterdir() if path.is_file())
    return {path.name: _digest(path.read_bytes()) for path in files} | {
        name: version(name) for name in ("jinja2", "matplotlib")
    }
