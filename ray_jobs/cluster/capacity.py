"""What a cluster has and may come to have."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from ray_jobs.stages import Place

MONITORS = ("autoscaler/_private/monitor.py", "autoscaler/v2/monitor.py")  # the two autoscalers of Ray


@dataclass(frozen=True)
class NodeType:
    """Nodes of one kind, and how many of them there can be."""

    name: str
    cpus: float
    gpus: float
    most: int = 1

    def fit(self, place: Place) -> int:
        """How many shares of this size one node holds."""
        holds = [have / ask for have, ask in ((self.cpus, place.cpus), (self.gpus, place.gpus)) if ask]
        return math.floor(min(holds)) if holds else 1_000_000

    def __str__(self) -> str:
        return f"{self.name}: {self.cpus:g} CPU, {self.gpus:g} GPU" + (f", up to {self.most}" if self.most > 1 else "")


@dataclass(frozen=True)
class Capacity:
    """The nodes that are there, and the types of those that may be added: None if nobody here knows of any."""

    nodes: tuple[NodeType, ...]
    more: tuple[NodeType, ...] | None

    @property
    def types(self) -> tuple[NodeType, ...]:
        return (*self.nodes, *(self.more or ()))

    @property
    def spreads(self) -> bool:
        """Whether work may run on more than one node; a head that runs nothing has others work for it."""
        return len(self.nodes) > 1 or bool(self.more) or not any(node.cpus for node in self.nodes)

    def fit(self, place: Place) -> int:
        """How many shares of this size there can be at a time."""
        return sum(kind.fit(place) * kind.most for kind in self.types)


def capacity() -> Capacity:
    """Of the cluster that this process is connected to."""
    import ray

    alive = [node for node in ray.nodes() if node["Alive"]]
    there = [_node_type(node["NodeManagerHostname"], node["Resources"]) for node in alive]
    return Capacity(tuple(there), _autoscaled(ray.get_runtime_context().gcs_address))


def _node_type(name: str, resources: Mapping[str, float], most: int = 1) -> NodeType:
    return NodeType(name, resources.get("CPU", 0), resources.get("GPU", 0), most)


def _autoscaled(gcs_address: str) -> tuple[NodeType, ...] | None:
    """The node types that an autoscaler may add, empty for a cluster that has none; None if nobody here knows.

    Ray keeps them to itself. On the head, where jobs run, the command line of its monitor leads to them.
    """
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    monitor = next((line for line in lines if _monitors(line, gcs_address)), None)
    if monitor is None:
        return None
    file = next((word.partition("=")[2] for word in monitor if word.startswith("--autoscaling-config=")), "")
    config: Mapping[str, Any] = yaml.safe_load(Path(file).read_text()) if file else {}
    types = config.get("available_node_types", {}).items()
    return tuple(_node_type(name, _resources(kind), kind.get("max_workers", 0)) for name, kind in types)


def _monitors(line: list[str], gcs_address: str) -> bool:
    return any(word.endswith(MONITORS) for word in line) and f"--gcs-address={gcs_address}" in line


def _resources(kind: Mapping[str, Any]) -> Mapping[str, float]:
    found = kind.get("resources") or {}
    return json.loads(found) if isinstance(found, str) else found
