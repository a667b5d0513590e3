"""What a file or a folder holds, in one hash: other bytes, another identity."""

from __future__ import annotations

import hashlib
from pathlib import Path

_BLOCK = 1 << 20


def content_hash(path: Path) -> str:
    """SHA-256 of a file, or of all files of a folder with their names."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    whole = hashlib.sha256()
    for file in files:
        whole.update(file.relative_to(path).as_posix().encode())
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                whole.update(block)
    return whole.hexdigest()
