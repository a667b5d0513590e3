"""Encoders in the format of Hugging Face, loaded in one safe way: weights only, never code, never a pickle."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

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
def quiet() -> Iterator[None]:
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

    makes: ClassVar[str] = "encoder"  # what messages call it

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
                f"{self.model} is no {self.makes}. Expected a folder with config.json, model.safetensors, "
                f"tokenizer.json."
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
        from transformers import AutoModel

        found, missing = self._loaded(AutoModel, dtype=getattr(torch, precision))
        self._refuse_slow(found.tokenizer)
        self._refuse_incomplete(found.model, [name for name in missing if not name.startswith(_UNUSED)])
        if layer is not None:
            self._refuse_beyond("layer", layer, found.model)
        return Pretrained(found.tokenizer, found.model.eval().to("cuda" if torch.cuda.is_available() else "cpu"))

    def masked_lm(self, layers: int | None = None) -> tuple[Pretrained, bool]:
        """The model with its head for masked pieces, on the CPU, and whether the head is a fresh one.

        `layers` keeps so many, from the embeddings on. A fresh head, for an encoder that comes without one, is drawn
        from torch's generator.
        """
        from transformers import AutoConfig, AutoModelForMaskedLM

        cut: dict[str, Any] = {}
        if layers is not None:
            with self._explained():
                config = AutoConfig.from_pretrained(self.model, revision=self.revision, trust_remote_code=False)
            self._refuse_beyond("layers", layers, config)
            cut = {"num_hidden_layers": layers}
        found, missing = self._loaded(AutoModelForMaskedLM, **cut)
        self._refuse_slow(found.tokenizer)
        body = [name for name in missing if name.startswith(f"{found.model.base_model_prefix}.")]
        self._refuse_incomplete(found.model, [name for name in body if _UNUSED not in name])
        return found, len(missing) > len(body)

    def _refuse_beyond(self, field: str, asked: int, model: Any) -> None:
        layers = getattr(model, "config", model).num_hidden_layers
        if asked > layers:
            raise InputError(f"{self.model} has {layers} layers. Expected `{field}` up to that, found {asked}.")

    def _refuse_incomplete(self, model: Any, missing: list[str]) -> None:
        if missing:
            # transformers would fill them at random, and the vectors would mean nothing.
            raise InputError(
                f"{self.model} lacks {len(missing)} of the weights of a {type(model).__name__}, {missing[0]} first. "
                f"Expected a complete {self.makes}; copy it again, or check `model_type` in its config.json."
            )

    def _loaded(self, kind: Any, **options: Any) -> tuple[Pretrained, list[str]]:
        """Tokenizer and model, and the weights that the model needs and its files do not have."""
        from transformers import AutoTokenizer

        if wrong := self.problems():
            raise InputError(wrong[0])

        where: dict[str, Any] = {"revision": self.revision, "trust_remote_code": False}
        with self._explained(), quiet():  # what is missing is told by whoever asked
            tokenizer = AutoTokenizer.from_pretrained(self.model, **where)
            model, found = kind.from_pretrained(
                self.model, use_safetensors=True, output_loading_info=True, **where, **options
            )
        return Pretrained(tokenizer, model), sorted(found["missing_keys"])

    def _refuse_slow(self, tokenizer: Any) -> None:
        if not tokenizer.is_fast:
            raise InputError(
                f"The tokenizer of {self.model} is not a fast one. Expected tokenizer.json beside the model."
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        from safetensors import SafetensorError

        try:
            yield
        except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
            raise self._does_not_load(error) from None

    def _does_not_load(self, error: Exception) -> InputError:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        return InputError(
            f"The {self.makes} {self.model} does not load: {said}. Expected a folder, or a model of the hub that is in "
            f"the cache or can be downloaded, with weights in safetensors and tokenizer.json."
        )
