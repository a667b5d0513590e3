"""Whether the node below this process is about to be taken away: a spot machine hears of it some seconds before."""

from __future__ import annotations

import sys
import time

EVERY_S = 5.0  # between two questions, and between two checkpoints once there is no time left


class _Notice:
    """What was last heard, by this process."""

    asked = -EVERY_S
    given = False


def leaving() -> bool:
    """Ray drains a node whose provider has given notice, or that `ray drain-node` names."""
    ray = sys.modules.get("ray")
    if not (ray and ray.is_initialized()):
        return False
    if time.monotonic() - _Notice.asked >= EVERY_S:
        _Notice.asked = time.monotonic()
        draining = ray._private.state.state.get_draining_nodes()  # which Ray Serve asks, too
        _Notice.given = ray.get_runtime_context().get_node_id() in draining
    return _Notice.given
