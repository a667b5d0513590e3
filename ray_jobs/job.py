"""What one verb of the command line does, as a value: a recipe, stages, results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from langvec.config import Strict
from ray_jobs.loading import AnyRecipe
from ray_jobs.stages import Record, Stage
from ray_jobs.store import Store

Records = Mapping[str, Record]  # by the id of the piece


class AnyCompute(Protocol):
    """Where the work of a recipe runs."""

    @property
    def cpus(self) -> int | None: ...
    @property
    def checkpoint_every_s(self) -> float: ...


class JobRecipe(AnyRecipe, Protocol):
    @property
    def compute(self) -> AnyCompute: ...


@dataclass(frozen=True)
class Job:
    """`report`, if there is one, draws a page from what `results` has written; both return lines to print."""

    verb: str
    recipe: type[Any]  # a JobRecipe; results and stages take no other
    stages: Callable[[Any], list[Stage]]
    results: Callable[[Store, Records, Any], list[str]]
    shares: tuple[str, str]  # the fields of `compute` that say what CPUs and GPUs a piece asks for
    report: Callable[[Store, Records, Any], list[str]] | None = None

    def owns(self, stored: Mapping[str, Any]) -> bool:
        """Whether a recipe that lies in a run directory is one of this job's."""
        fields: Sequence[str] = [name for name, field in _fields(self.recipe) if field.is_required()]
        return set(fields) <= stored.keys() <= {name for name, _ in _fields(self.recipe)}


def _fields(recipe: type[Strict]) -> Any:
    return recipe.model_fields.items()
