"""Copies of finished pieces that lie on an object store: one for each content, shared by all runs of this user."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pyarrow.fs import FileInfo, FileSystem

from langvec.errors import InputError
from ray_jobs.cluster.own_folder import own_folder

COPY_BYTES = 1 << 22
_DIGEST = re.compile(r"[0-9a-f]{64}")


def local_copy(filesystem: FileSystem, listed: Callable[[], Sequence[FileInfo]], digest: str, marker: str) -> Path:
    """A folder of this machine with the files that `listed` tells of; it is asked only if there is no such copy yet.

    Raises:
        InputError: they do not have the digest that their marker gives; whatever it says is no path.
    """
    if not _DIGEST.fullmatch(digest):
        raise _garbled(listed(), marker)
    copy = own_folder() / digest
    if not copy.exists():
        files = listed()
        scratch = Path(tempfile.mkdtemp(dir=copy.parent))
        for info in files:
            with (
                filesystem.open_input_stream(info.path, compression=None) as stream,
                (scratch / info.base_name).open("wb") as file,
            ):
                shutil.copyfileobj(stream, file, COPY_BYTES)
        if digest_of({path.name: described(path) for path in scratch.iterdir() if path.name != marker}) != digest:
            shutil.rmtree(scratch)
            raise _garbled(files, marker)
        try:
            scratch.rename(copy)
        except OSError:  # a neighbour was first
            shutil.rmtree(scratch)
    return copy


def described(path: Path) -> dict[str, Any]:
    """Size and hash of a file that is now complete, and on disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return {"bytes": os.fstat(file.fileno()).st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def digest_of(files: Mapping[str, Mapping[str, Any]]) -> str:
    """One hash of the names and contents of files, each as `described`."""
    hashes = {name: file["sha256"] for name, file in files.items()}
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def _garbled(files: Sequence[FileInfo], marker: str) -> InputError:
    folder = os.path.dirname(files[0].path) if files else "a folder of the run"
    return InputError(
        f"{folder} does not hold what its {marker} says. Expected files as they were published; delete that folder, "
        f"and run the command again that made it."
    )
