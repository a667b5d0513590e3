"""What can be seen before the start to go wrong on a cluster: Ray lets work that fits nowhere wait for ever, unsaid."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from langvec.errors import InputError
from ray_jobs.cluster.capacity import Capacity, capacity
from ray_jobs.stages import Place
from ray_jobs.store import Store

SHARED_DISKS = ("nfs", "cifs", "smb", "lustre", "gpfs", "ceph", "beegfs", "glusterfs", "fuse.", "9p", "afs")
SHIPPED = "working_dir_files"  # part of where Ray unpacks, on every node, the folder that a job was submitted with
PATIENCE_S = 30.0  # for nodes that are started by hand to join
NAMED = 3  # files of a recipe that a message names


def preflight(
    store: Store, places: Iterable[Place], fields: tuple[str, str], address: str | None, files: Iterable[str] = ()
) -> None:
    """Refuse what can never be placed and what not all nodes can see.

    Args:
        store: the run.
        places: what pieces ask for.
        fields: of the recipe's `compute`, those that ask for CPUs and for GPUs.
        address: of the cluster; none is a cluster of our own.
        files: on this machine, that workers will want to read.
    """
    there, asked = capacity(), list(dict.fromkeys(places))
    _refuse_shipped(store)
    _refuse_unshared(store, list(dict.fromkeys(files)), there)
    if not (address or os.environ.get("RAY_ADDRESS")):
        if place := _homeless(asked, there):
            raise InputError(_too_large(place, fields, there))
    elif place := _homeless_after_all(asked):
        raise InputError(_never_placed(place, fields, capacity()))


def _homeless(places: Iterable[Place], there: Capacity) -> Place | None:
    """The first share that has no room."""
    return next((place for place in places if there.fit(place) < max(1, place.workers)), None)


def _homeless_after_all(places: Sequence[Place]) -> Place | None:
    """The same for a cluster whose nodes may be on their way; none if only somebody else knows what can be added."""
    deadline = time.monotonic() + PATIENCE_S
    while place := _homeless(places, there := capacity()):
        if there.more is None:
            return None
        if there.more or time.monotonic() > deadline:
            return place
        time.sleep(1)
    return None


def _too_large(place: Place, fields: tuple[str, str], there: Capacity) -> str:
    """On one machine: which of the two shares it does not have."""
    count = max(1, place.workers)
    asked, found = (place.cpus * count, place.gpus * count), (there.nodes[0].cpus, there.nodes[0].gpus)
    short = 0 if asked[0] > found[0] else 1
    return (
        f"compute.{fields[short]} asks for {asked[short]:g}, this machine has {found[short]:g}. Lower it, or pass the "
        f"--address of a cluster that has as many on one node."
    )


def _refuse_shipped(store: Store) -> None:
    if store.is_local and SHIPPED in Path(store.root).parts:
        raise InputError(
            f"--run {store.uri} is in the copy of the folder that came with the job, which Ray removes. Expected "
            f"s3://, gs://, or a path from the root down that all nodes share."
        )


def _never_placed(place: Place, fields: tuple[str, str], there: Capacity) -> str:
    if not any(kind.cpus for kind in there.types):
        return (
            "The cluster has a head that runs no work (0 CPU), and no node that does. Start one with `ray start "
            "--address=HEAD:PORT`, and submit again."
        )
    many = f"{place.workers} processes, each of which needs" if place.workers > 1 else "a piece that needs"
    return (
        f"compute.{fields[0]} and compute.{fields[1]} ask for {many} {place.cpus:g} CPU and {place.gpus:g} GPU on one "
        f"node. It would wait for ever: the cluster has no room for it and no node type to make room "
        f"({'; '.join(dict.fromkeys(map(str, there.types)))}). Lower the share, or add a node type that has it."
    )


def _refuse_unshared(store: Store, files: Iterable[str], there: Capacity) -> None:
    """What lies on this machine's own disk is of no use to workers on another."""
    if not there.spreads:
        return
    nodes = f"{len(there.nodes)} nodes" if len(there.nodes) > 1 else "nodes that come and go"
    if store.is_local and not _on_shared_disk(store.root):
        raise InputError(
            f"--run {store.uri} is on the local disk of {socket.gethostname()}, but the cluster has {nodes} "
            f"and the others cannot see it. Use storage that all of them share: s3://, gs:// or a network directory."
        )
    if lonely := [file for file in files if not _on_shared_disk(file)]:
        more = f" and {len(lonely) - NAMED} more" if len(lonely) > NAMED else ""
        raise InputError(
            f"The recipe names files on the local disk of {socket.gethostname()} ({', '.join(lonely[:NAMED])}{more}), "
            f"but the cluster has {nodes} and the others cannot see them. Put them where all can: s3://, gs://, a "
            f"network directory, or the folder that a job is submitted with."
        )


def files_in(value: Any) -> Iterator[str]:
    """Whatever a recipe, as plain data, names that lies on this machine, but for what came with the job."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from files_in(item)
    elif isinstance(value, str) and os.path.isabs(value) and SHIPPED not in Path(value).parts:
        plain = value.partition("*")[0]
        if os.path.exists(value) or (plain != value and os.path.exists(os.path.dirname(plain))):
            yield value


def _on_shared_disk(path: str) -> bool:
    mounts = [(part.mountpoint.rstrip("/") + "/", part.fstype) for part in psutil.disk_partitions(all=True)]
    _, kind = max((mount for mount in mounts if f"{path}/".startswith(mount[0])), key=lambda mount: len(mount[0]))
    return kind.startswith(SHARED_DISKS)
