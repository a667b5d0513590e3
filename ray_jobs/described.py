"""A config that is given in one option of the command line, as YAML."""

from __future__ import annotations

from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from langvec.errors import InputError
from ray_jobs.mistakes import mistakes

T = TypeVar("T")


def described(option: str, text: str, adapter: TypeAdapter[T], root: type[BaseModel], expected: str, **more: Any) -> T:
    """The config; `more` are fields that need not be given, `root` is its base class."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(
            f"{option} {text}: is not YAML ({' '.join(str(error).split())}). Expected {expected}."
        ) from None
    if not isinstance(raw, dict):
        raise InputError(f"{option} {text}: Expected {expected}.")
    try:
        return adapter.validate_python(more | raw)
    except ValidationError as error:
        raise InputError(
            f"{option} {text}: {' '.join(mistakes(more | raw, error, root))} Expected {expected}."
        ) from None
