"""What every tagger takes and gives: sentences in, spans of characters out."""

from __future__ import annotations

import hashlib
import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, NamedTuple, Protocol

from pydantic import AfterValidator, BaseModel

from langvec.config import Strict
from langvec.errors import InputError
from masking.tagging.kinds import Kind


class Sentence(NamedTuple):
    """A text to tag, and the id under which its tags are kept."""

    id: str
    text: str


class Span(NamedTuple):
    """Characters `start` to `end` (half open) of a sentence, what they are, and what the tagger called them."""

    start: int
    end: int
    kind: Kind
    label: str


class SetAside(NamedTuple):
    """Why a sentence has no tags: it is kept, and counted, but no mask counts on it."""

    reason: str


class Tagger(Protocol):
    """A loaded model."""

    def tag(self, sentences: Sequence[Sentence]) -> Sequence[list[Span] | SetAside]:
        """The spans of each sentence, in the order of the sentences. May raise for a sentence that it cannot take."""
        ...


class TaggerRecipe(Strict):
    """Which tagger, and where its model is. Says what is wrong with it before anything is loaded."""

    @abstractmethod
    def problems(self) -> list[str]:
        """Every mistake that can be seen without loading the model, one paragraph each."""

    @abstractmethod
    def identity(self) -> dict[str, str]:
        """What decides the tags besides the recipe: versions of libraries, hashes of models."""

    @abstractmethod
    def load(self) -> Tagger:
        """The model, ready to tag; InputError says what is missing."""


def named(recipe: TaggerRecipe, identity: Mapping[str, str] | None = None) -> str:
    """The tagger and its versions in one line, as entity tables keep it: two that may differ have two names.

    `identity` is the recipe's own, where it is known already: models are hashed for it.
    """
    parts = [f"{what} {_short(which)}" for what, which in (identity or recipe.identity()).items()]
    return f"{recipe.model_dump()['kind']} ({', '.join(parts)})"


def settings(recipe: BaseModel) -> dict[str, Any]:
    """The fields of a recipe that can change its tags: no paths, for a model is known by its content, not its place."""
    return dict(_without_paths(recipe.model_dump(mode="json")))


def _without_paths(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {name: item for name, item in value.items() if not (isinstance(item, str) and os.path.isabs(item))}
    return {name: _without_paths(item) for name, item in kept.items()}


def _short(which: str) -> str:
    return which[:8] if len(which) >= hashlib.sha256().digest_size * 2 else which


def installed(package: str, extra: str) -> str:
    """The version of an optional package; InputError says how to get it."""
    try:
        return version(package)
    except PackageNotFoundError:
        raise InputError(
            f"The package {package} is not installed. Expected it for this tagger: install the extra {extra!r}, in a "
            f"checkout by `pip install --editable '.[{extra}]'`."
        ) from None


def _absolute(path: str) -> str:
    # A worker of the cluster need not stand in the folder where the command was typed.
    return os.path.abspath(os.path.expanduser(path))


LocalPath = Annotated[str, AfterValidator(_absolute)]
