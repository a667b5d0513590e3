"""Whether a report is up to date, told in moments: drawing one takes many seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

from ray_jobs.loading import AnyRecipe
from ray_jobs.stages import Record
from ray_jobs.store import Store

PAGE = "results/report.html"
HERE = Path(__file__).parent
Folders = tuple[Path, ...]
CODE: Folders = (HERE, HERE.parent.parent / "langvec" / "pictures")
LARGE = "matrix"  # a copy of a finished piece, whose digest is in the state anyway


def keep_page(store: Store, state: Callable[[], str], draw: Callable[[], str]) -> list[str]:
    """Draw the page, unless the one that is there was made of the present state; the lines to print.

    The last line of a whole page tells what the page was made of: the pictures that drawing leaves are part of that.
    """
    if not (store.read(PAGE) or b"").endswith(_end(state())):
        text = draw()
        store.write_if_new(PAGE, text.encode() + _end(state()))
    return [f"report -> {store.uri}/{PAGE}"]


def _end(state: str) -> bytes:
    return f"\n<!-- made of {state} -->\n".encode()


def state_of(
    store: Store, records: Mapping[str, Record], recipe: AnyRecipe, more: Sequence[str] = (), code: Folders = CODE
) -> str:
    """Twelve hex digits of all that decides a report: results, pieces, recipe, code, and pictures that are there.

    `more` are files in folders below the results that are shown, too; `code` is where what draws them lies.
    """
    names = [name for name in store.names("results") if name.endswith((".parquet", ".nwk"))] + list(more)
    state = {
        "results": {name: "" if name.startswith(LARGE) else _digest(store.read(f"results/{name}")) for name in names},
        "pieces": sorted(
            [record.folder, str(record.meta.get("digest")), record.meta.get("cost"), record.damage]
            for record in records.values()
        ),
        "recipe": recipe.to_yaml(),
        "pictures": store.names("results/pictures"),
        "code": _code(code),
    }
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()[:12]


def _digest(data: bytes | None) -> str:
    return hashlib.sha256(data or b"").hexdigest()


@cache
def _code(folders: Folders) -> dict[str, str]:
    """What draws and writes: our own files, and the versions of the libraries."""
    files = sorted(path for folder in folders for path in folder.iterdir() if path.is_file())
    return {f"{path.parent.name}/{path.name}": _digest(path.read_bytes()) for path in files} | {
        name: version(name) for name in ("jinja2", "matplotlib")
    }
