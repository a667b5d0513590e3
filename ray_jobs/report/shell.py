"""What the pages of all commands are poured into: one file that needs nothing but itself."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from langvec.pictures import COLOURS
from ray_jobs.report.cells import Table
from ray_jobs.report.picture import Picture


@dataclass(frozen=True)
class Panel:
    """One of several pictures or tables between which the reader chooses."""

    label: str
    picture: str = ""  # its name
    table: Table | None = None
    cells: Mapping[str, Any] | None = None  # what a heat map says of the cell under the pointer
    note: str = ""


def pour(template: str, styles: Sequence[str], pictures: Mapping[str, Picture], context: Mapping[str, Any]) -> str:
    """The whole page of a template; texts of the context are escaped."""
    script = _part("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template(template)
        .render(
            script=Markup(script),  # noqa: S704 - ours, not the user's
            script_hash=digest,
            style=Markup("".join(map(_part, styles))),  # noqa: S704
            inline=lambda name: Markup(pictures[name].inlined()),  # noqa: S704 - matplotlib escapes texts
            shown=lambda name: name in pictures,
            colours=range(len(COLOURS)),
            **context,
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_part), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
