"""The run directory: finished pieces, each in a folder that counts only when its marker is there.

On local disks a folder appears by one rename. Object stores have no rename: there the files come first and
`meta.json` last, and a folder without it is ignored.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType, LocalFileSystem

from langvec.addresses import refuse_credentials
from langvec.errors import InputError
from ray_jobs.copies import COPY_BYTES, described, digest_of, local_copy
from ray_jobs.stages import Record

MARKER = "meta.json"
SMALL = "?allow_delayed_open=true"  # Arrow then writes a small file in one request and not in three
RECIPE = "recipe.yaml"  # at the top of every run directory: also what tells one from any other directory
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Store:
    """A run on any file system that pyarrow knows. Cheap to send: workers open it for themselves."""

    uri: str

    @classmethod
    def open(cls, uri: str) -> Store:
        """Check what the user typed as `--run`, and that the place is empty or a run."""
        store = cls(_checked(uri))
        store._refuse_foreign_folder()
        return store

    def _refuse_foreign_folder(self) -> None:
        try:
            if self._info(RECIPE).type == FileType.File:
                return
            names = [info.base_name for info in self._list("", recursive=False) if not info.base_name.startswith(".")]
        except OSError as error:
            raise InputError(
                f"--run {self.uri} cannot be reached: {error}. Check the address and the rights."
            ) from None
        if names:
            raise InputError(
                f"--run {self.uri} holds other files ({', '.join(sorted(names)[:3])}, ...) and no {RECIPE}. Expected "
                f"a run directory, or a new one; choose another name."
            )

    @cached_property
    def filesystem(self) -> FileSystem:
        return self._place[0]

    @cached_property
    def root(self) -> str:
        return self._place[1]

    @cached_property
    def _place(self) -> tuple[FileSystem, str]:
        if "://" not in self.uri:
            return LocalFileSystem(), self.uri
        try:
            filesystem, root = FileSystem.from_uri(self.uri + (SMALL if self.uri.startswith("s3://") else ""))
            return filesystem, root
        except (OSError, ValueError) as error:
            raise InputError(
                f"--run {self.uri} cannot be opened: {error}. Expected a path or s3://, gs:// URI; --endpoint "
                f"or AWS_ENDPOINT_URL names an S3 store other than Amazon's."
            ) from None

    @property
    def is_local(self) -> bool:
        return isinstance(self.filesystem, LocalFileSystem)

    # Single files

    def read(self, name: str) -> bytes | None:
        """The content of a file, None if there is none."""
        if self._info(name).type != FileType.File:
            return None
        with self.filesystem.open_input_stream(self._path(name), compression=None) as stream:
            return bytes(stream.read())

    def table(self, name: str, columns: list[str] | None = None) -> pa.Table | None:
        """The content of a Parquet file, or some columns of it; None if there is no such file.

        By its path: of bytes of ours, a thread of the reader may let go when Python has already ended, and abort it.
        """
        import pyarrow.parquet as pq

        if self._info(name).type != FileType.File:
            return None
        return pq.read_table(self._path(name), filesystem=self.filesystem, columns=columns)

    def write(self, name: str, data: bytes) -> None:
        """Replace a file as a whole: no reader ever sees half of it."""
        path = self._path(name)
        if self.is_local:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with self.scratch() as scratch:  # what a kill leaves there is swept, and is not taken for the user's
                _write_durably(str(scratch / "file"), data)
                os.replace(scratch / "file", path)
        else:
            with self.filesystem.open_output_stream(path, compression=None) as stream:
                stream.write(data)

    def write_if_new(self, name: str, data: bytes) -> None:
        """Write unless the file already holds just this, so that a rerun changes no file."""
        if self.read(name) != data:
            self.write(name, data)

    def delete(self, name: str) -> None:
        if self._info(name).type == FileType.File:
            self.filesystem.delete_file(self._path(name))

    def delete_folder(self, name: str) -> None:
        if self._list(name, recursive=False):
            self.filesystem.delete_dir(self._path(name))

    def names(self, folder: str) -> list[str]:
        return sorted(info.base_name for info in self._list(folder, recursive=False))

    # Folders of pieces

    def records(self) -> dict[str, Record]:
        """Every folder of the run that has its marker, by name."""
        files: dict[str, dict[str, int]] = {}
        tops = [info for info in self._list("", recursive=False) if info.type == FileType.Directory]
        stages = [info.base_name for info in tops if not info.base_name.startswith(".")]
        for info in (info for stage in stages for info in self._list(stage, recursive=True)):
            folder, _, name = info.path[len(self.root) + 1 :].rpartition("/")
            if info.type == FileType.File and "/" in folder:
                files.setdefault(folder, {})[name] = info.size
        marked = [folder for folder, sizes in files.items() if MARKER in sizes]
        with ThreadPoolExecutor(16) as pool:  # on an object store each read is a round trip
            return dict(zip(marked, pool.map(lambda folder: self._record(folder, files[folder]), marked), strict=True))

    def _record(self, folder: str, sizes: Mapping[str, int]) -> Record:
        try:
            meta = json.loads(self.read(f"{folder}/{MARKER}") or b"")
            expected = {name: int(file["bytes"]) for name, file in meta["files"].items()}
        except (ValueError, KeyError, TypeError):
            return Record(folder, {"cost": {"finished": ""}}, f"{MARKER} is not readable")
        for name, size in expected.items():
            if sizes.get(name) != size:  # also of a name that leads elsewhere, which is not among them
                return Record(folder, meta, f"{name} has {sizes.get(name, 0):,} bytes, expected {size:,}")
        return Record(folder, meta, None)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder to work in, gone afterwards: beside the results if they are local, so that a rename publishes."""
        place = Path(self.root) / ".scratch" if self.is_local else None
        if place:
            place.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="langscape-", dir=place))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, scratch: Path, folder: str, meta: dict[str, Any]) -> dict[str, Any]:
        """Make the files of a scratch folder a finished piece and return its full meta.

        If another worker was first (Ray may run a task twice) its result stays, which is the same.
        """
        files = {path.name: described(path) for path in sorted(scratch.iterdir())}
        meta = {"digest": digest_of(files), "files": files} | meta
        marker = json.dumps(meta, indent=2, ensure_ascii=False).encode()
        if self.is_local:
            _write_durably(str(scratch / MARKER), marker)
            self._rename(scratch, Path(self._path(folder)))
        else:
            self._upload(scratch, folder, marker)
        return meta

    def _rename(self, scratch: Path, target: Path) -> None:
        target.parent.mkdir(exist_ok=True)
        scratch.chmod(0o755)
        try:
            os.rename(scratch, target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            if self._intact(target.relative_to(self.root).as_posix()):
                return
            shutil.rmtree(target)  # damaged: it would not have been made again otherwise
            os.rename(scratch, target)

    def _upload(self, scratch: Path, folder: str, marker: bytes) -> None:
        if self._intact(folder):
            return
        self.delete(f"{folder}/{MARKER}")
        for path in sorted(scratch.iterdir()):
            target = self._path(f"{folder}/{path.name}")
            with path.open("rb") as file, self.filesystem.open_output_stream(target, compression=None) as out:
                shutil.copyfileobj(file, out, COPY_BYTES)
        self.write(f"{folder}/{MARKER}", marker)

    def _intact(self, folder: str) -> bool:
        sizes = {info.base_name: info.size for info in self._list(folder, recursive=False)}
        return MARKER in sizes and not self._record(folder, sizes).damage

    def fetch(self, record_folder: str, digest: str) -> Path:
        """A finished piece as a local folder: itself if the store is local, else this node's copy."""
        if self.is_local:
            return Path(self._path(record_folder))
        return local_copy(self.filesystem, lambda: self._list(record_folder, recursive=False), digest, MARKER)

    def sweep(self) -> None:
        """Remove what killed workers left. Only the holder of the run's lock may call this."""
        if self.is_local:
            shutil.rmtree(Path(self.root) / ".scratch", ignore_errors=True)

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def _info(self, name: str) -> FileInfo:
        return self.filesystem.get_file_info(self._path(name))

    def _list(self, folder: str, recursive: bool) -> list[FileInfo]:
        place = self._path(folder) if folder else self.root
        return list(self.filesystem.get_file_info(FileSelector(place, recursive=recursive, allow_not_found=True)))


def _checked(uri: str) -> str:
    """The URI, or the path from the root down, if a run may be called so."""
    try:
        refuse_credentials(uri)
    except ValueError as error:
        raise InputError(f"--run: {error}.") from None
    scheme, _, path = uri.rpartition("://")
    if scheme not in ("", "s3", "gs", "file", "hdfs"):
        raise InputError(f"--run {uri}: expected a path, s3://, gs://, hdfs:// or file://, found {scheme}://.")
    if scheme and ".." in path.split("/"):
        raise InputError(f"--run {uri!r}: expected an address without '..' in it. Write out where it leads.")
    whole = uri.rstrip("/") if scheme or not uri.strip("/") else os.path.abspath(uri)
    name = whole.rpartition("/")[2]
    if not _NAME.fullmatch(name) or not whole.isprintable():
        raise InputError(
            f"--run {uri!r}: expected a path whose last part is letters, digits, '.', '_' or '-', such as runs/demo or "
            f"s3://bucket/demo; found {name!r} at the end."
        )
    return whole


def _write_durably(path: str, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
