"""Which pictures the report of a run of `lem` has, and under which names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from matplotlib.figure import Figure

from ray_jobs.lem_recipe import UNTOUCHED
from ray_jobs.report.forest import Block, Difference, Role, forest
from ray_jobs.report.lem_curves import encoder_curves
from ray_jobs.report.lem_findings import Comparison, LemFindings, Row, pair_name
from ray_jobs.report.picture import Picture

MOST = 40  # rows of one picture; with more of them only all pairs together are drawn


def draw(findings: LemFindings) -> dict[str, Picture]:
    """All pictures, by name."""
    return {name: Picture.of(name, figure) for name, figure in _figures(findings)}


def _figures(findings: LemFindings) -> Iterator[tuple[str, Figure]]:
    for kind, compared in (("recall", findings.compared), ("sweep", findings.swept)):
        for name in compared.sets:
            if any(row.get("difference") is not None for row in compared.whole(name)):
                baseline = str(compared.whole(name)[0]["baseline"])
                yield picture_name(kind, name), forest(blocks(compared, name), baseline)
    for group in groups(findings):
        rows = [row for row in findings.curves if row["group"] == group]
        arms = dict.fromkeys(row["arm"] for row in rows)
        yield (
            picture_name("curves", group),
            encoder_curves(rows, [arm for arm in findings.recipe.arms if arm in arms] or [*arms]),
        )


def picture_name(kind: str, name: str) -> str:
    """Also the name of a file, and part of ids."""
    return re.sub(r"[^\w+-]", "_", f"{kind}-{name}")


def groups(findings: LemFindings) -> list[str]:
    """Those that have learning curves."""
    return list(dict.fromkeys(row["group"] for row in findings.curves))


def blocks(compared: Comparison, name: str) -> list[Block]:
    """All pairs together, then each of them where there is room."""
    found = [
        Block(pair_name(pair), [_difference(row) for row in compared.arms(name, pair)]) for pair in compared.pairs(name)
    ]
    return found if sum(len(block.rows) for block in found) <= MOST else found[:1]


def _difference(row: Row) -> Difference:
    roles: dict[str, Role] = {UNTOUCHED: "untouched", row["baseline"]: "baseline"}
    label = f"{row['arm']} (the baseline)" if row["arm"] == row["baseline"] else str(row["arm"])
    role = roles.get(row["arm"], "arm")
    return Difference(label, row["mean"], row.get("difference"), row.get("low"), row.get("high"), role)
