"""The one place outside a run where files lie: copies of what is on an object store, and what a private Ray needs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from langvec.errors import InputError


def own_folder(inside: str | None = None) -> Path:
    """A temporary folder that no other user of the machine can look into or write to; `inside` another than TMPDIR."""
    folder = Path(inside or tempfile.gettempdir()) / f"langscape-{os.getuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():  # a link of another user belongs to that user
        raise InputError(f"{folder} belongs to another user. Remove it or set TMPDIR to a folder of your own.")
    folder.chmod(0o700)
    return folder
