"""Encoders in the format of Hugging Face, loaded in one safe way: weights only, never code, never a pickle."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator

from langvec.config import Strict
from langvec.errors import InputError
from masking.contents import content_hash

Precision = Literal["float32", "bfloat16"]

_POSITIONS = 512
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_ABOUT_A_FOLDER = (".", "/", "~")
_UNUSED = "pooler."  # made for next-sentence prediction; many encoders come without it


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars and no report of weights while a model loads."""
    from transformers.utils import logging as untyped

    logging: Any = untyped
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


class Pretrained(NamedTuple):
    """An encoder on its device, and its fast tokenizer."""

    tokenizer: Any
    model: Any

    @property
    def longest(self) -> int:
        """Tokens that the encoder takes, special ones included."""
        # RoBERTa counts positions from 2; two pieces fewer do no harm to the others.
        positions = getattr(self.model.config, "max_position_embeddings", _POSITIONS) - 2
        return int(min(self.tokenizer.model_max_length, positions))


class PretrainedModel(Strict):
    """Which encoder; says what is wrong with it before anything is loaded."""

    model: str = Field(description="folder of a Hugging Face encoder (begins with . / or ~), or its name on the hub")
    revision: str | None = Field(None, description="a commit of the model on the hub; pin it to repeat a result")

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str) -> str:
        # A worker of the cluster need not stand in the folder where the command was typed.
        return os.path.abspath(os.path.expanduser(model)) if model.startswith(_ABOUT_A_FOLDER) else model

    def problems(self) -> list[str]:
        """Every mistake that can be seen without loading the model, one paragraph each."""
        if not os.path.isabs(self.model):
            named = _HUB_NAME.fullmatch(self.model)
            return [] if named else [f"{self.model!r} is no model. Expected a name on the hub, or a path with / first."]
        if not (Path(self.model) / "config.json").is_file():
            return [
                f"{self.model} is no encoder. Expected a folder with config.json, model.safetensors, tokenizer.json."
            ]
        if self.revision:
            return [f"`revision: {self.revision}` is given for a folder. Only the hub has any; leave it out."]
        return []

    def identity(self) -> dict[str, str]:
        """What decides the vectors besides the recipe: the version of transformers, the bytes of the model."""
        local = os.path.isabs(self.model)
        model = content_hash(Path(self.model)) if local else f"{self.model}@{self.revision or 'newest'}"
        return {"transformers": version("transformers"), "model": model}

    def pretrained(self, precision: Precision = "float32", layer: int | None = None) -> Pretrained:
        """The model in evaluation mode, on the GPU if there is one; `layer` must be one that it has."""
        import torch

        if found := self.problems():
            raise InputError(found[0])
        tokenizer, model = self._loaded(getattr(torch, precision))
        if not tokenizer.is_fast:
            raise InputError(
                f"The tokenizer of {self.model} is not a fast one. Expected tokenizer.json beside the model."
            )
        layers = model.config.num_hidden_layers
        if layer is not None and layer > layers:
            raise InputError(f"{self.model} has {layers} layers. Expected `layer` from 0 to that, found {layer}.")
        return Pretrained(tokenizer, model.eval().to("cuda" if torch.cuda.is_available() else "cpu"))

    def _loaded(self, dtype: Any) -> tuple[Any, Any]:
        from safetensors import SafetensorError
        from transformers import AutoModel, AutoTokenizer

        where: dict[str, Any] = {"revision": self.revision, "trust_remote_code": False}
        try:
            with _quiet():  # what is missing is told below
                tokenizer = AutoTokenizer.from_pretrained(self.model, **where)
                model, found = AutoModel.from_pretrained(
                    self.model, dtype=dtype, use_safetensors=True, output_loading_info=True, **where
                )
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise self._does_not_load(error) from None
        if missing := sorted(name for name in found["missing_keys"] if not name.startswith(_UNUSED)):
            # transformers would fill them at random, and the vectors would mean nothing.
            raise InputError(
                f"{self.model} lacks {len(missing)} of the weights of a {type(model).__name__}, {missing[0]} first. "
                f"Expected a complete encoder; copy it again, or check `model_type` in its config.json."
            )
        return tokenizer, model

    def _does_not_load(self, error: Exception) -> InputError:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        return InputError(
            f"The encoder {self.model} does not load: {said}. Expected a folder, or a model of the hub that is in the "
            f"cache or can be downloaded, with weights in safetensors and tokenizer.json."
        )
