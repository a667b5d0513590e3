"""The encoder that pre-training starts from: one that others have trained, or a small one made from nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from langvec.config import Strict
from langvec.errors import InputError
from masking.draws import Draws
from masking.pretrained import Pretrained, PretrainedModel
from masking.tokenizers import LEARNT_PIECES, learn_tokenizer, load_tokenizer
from masking.vocabulary import merged, trimmed, trimmed_tokenizer, used_pieces

Texts = Callable[[], Iterable[str]]  # all texts of a run, from the first, as often as asked
_POSITIONS = 512
_OFFSET = 2  # positions of RoBERTa count from here


class PretrainedStart(PretrainedModel):
    """An encoder on the hub or in a folder."""

    kind: Literal["pretrained"] = "pretrained"
    layers: int | None = Field(None, ge=1, description="keep the first so many layers; null: all")
    trim: bool = Field(True, description="train the pieces that the run's texts use, and no others: as exact, faster")

    def known_layers(self) -> int | None:
        """How many layers it will have; None where that shows only when it is loaded."""
        config = Path(self.model) / "config.json"
        there = json.loads(config.read_text(encoding="utf-8")).get("num_hidden_layers") if config.is_file() else None
        return self.layers or there

    def problems(self) -> list[str]:
        found = super().problems()
        there = None if found else self.model_copy(update={"layers": None}).known_layers()
        if self.layers and there and self.layers > there:
            found.append(f"{self.model} has {there} layers. Expected `encoder.layers` up to that, found {self.layers}.")
        return found

    def begin(self, texts: Texts, seed: int) -> tuple[Pretrained, bool]:
        """The encoder, and whether its head for masked pieces is a fresh one."""
        whole, fresh = self._whole(seed)
        if not self.trim:
            return whole, fresh
        kept = used_pieces(whole.tokenizer, texts())
        self._refuse_renumbered_padding(whole.model.config.pad_token_id, kept)
        tokenizer = trimmed_tokenizer(whole.tokenizer, kept, texts())
        model = _like(whole.model, len(kept))
        model.load_state_dict(trimmed(whole.model.state_dict(), kept, whole.model.config.vocab_size))
        return Pretrained(tokenizer, model), fresh

    def finish(self, trained: Pretrained, seed: int) -> Pretrained:
        """A trained encoder with the whole vocabulary again: what was trimmed is as it came."""
        if not self.trim:
            return trained
        whole, _ = self._whole(seed)
        vocabulary = whole.tokenizer.get_vocab()
        kept = np.array([vocabulary[piece] for piece in trained.tokenizer.convert_ids_to_tokens(_every(trained))])
        whole.model.load_state_dict(merged(whole.model.state_dict(), trained.model.state_dict(), kept))
        return whole

    def _refuse_renumbered_padding(self, padding: int | None, kept: np.ndarray) -> None:
        if padding is not None and padding not in kept[padding : padding + 1]:  # RoBERTa counts positions from it
            raise InputError(
                f"The padding token of {self.model} is number {padding} and would have another one in a trimmed "
                f"vocabulary. Expected it before all other pieces; set `trim: false`."
            )

    def _whole(self, seed: int) -> tuple[Pretrained, bool]:
        import torch

        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_key(seed))
            return self.masked_lm(self.layers)


class ScratchStart(Strict):
    """A small encoder like XLM-R that knows nothing yet."""

    kind: Literal["scratch"] = "scratch"
    layers: int = Field(4, ge=1)
    width: int = Field(256, ge=8)
    heads: int = Field(4, ge=1)
    tokenizer: str | None = Field(None, description="name or folder of one, or tokenizer.json; null: learnt from text")
    pieces: int = Field(LEARNT_PIECES, ge=50, description="pieces that a learnt tokenizer may have")

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> ScratchStart:
        if self.width % self.heads:
            raise ValueError(f"a width of {self.width} cannot be shared by {self.heads} heads; expected a multiple")
        return self

    def problems(self) -> list[str]:
        if self.tokenizer and self.tokenizer.endswith(".json") and not Path(self.tokenizer).is_file():
            return [
                f"There is no tokenizer {self.tokenizer}. Expected a tokenizer.json, a folder, or a name on the hub."
            ]
        return []

    def known_layers(self) -> int | None:
        return self.layers

    def identity(self) -> dict[str, str]:
        from importlib.metadata import version

        return {library: version(library) for library in ("transformers", "tokenizers")}

    def begin(self, texts: Texts, seed: int) -> tuple[Pretrained, bool]:
        """The encoder. Its head is as fresh as all the rest and needs no training before the rest."""
        import torch
        from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

        tokenizer = load_tokenizer(self.tokenizer) if self.tokenizer else learn_tokenizer(texts(), self.pieces)
        tokenizer.model_max_length = _POSITIONS
        config = XLMRobertaConfig(
            vocab_size=len(tokenizer),
            hidden_size=self.width,
            num_hidden_layers=self.layers,
            num_attention_heads=self.heads,
            intermediate_size=4 * self.width,
            max_position_embeddings=_POSITIONS + _OFFSET,
            type_vocab_size=1,
            bos_token_id=tokenizer.bos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_key(seed))
            return Pretrained(tokenizer, XLMRobertaForMaskedLM(config)), False

    def finish(self, trained: Pretrained, seed: int) -> Pretrained:
        return trained


AnyStart = Annotated[PretrainedStart | ScratchStart, Field(discriminator="kind")]


def save(pretrained: Pretrained, folder: Path) -> None:
    """As transformers would: `AutoModelForMaskedLM.from_pretrained(folder)` loads it."""
    pretrained.model.save_pretrained(folder)
    pretrained.tokenizer.backend_tokenizer.no_truncation()  # what the last call left there: after a kill it is another
    pretrained.tokenizer.save_pretrained(folder)


def load(folder: Path) -> Pretrained:
    """What `save` has written, with its head."""
    return PretrainedModel(model=str(folder.absolute())).masked_lm()[0]


def _like(model: Any, pieces: int) -> Any:
    """A model of the same shape for another number of pieces."""
    import torch

    config = type(model.config).from_dict(model.config.to_dict() | {"vocab_size": pieces})
    with torch.random.fork_rng(devices=[]):  # its first weights are not used
        return type(model)(config)


def _every(pretrained: Pretrained) -> list[int]:
    return list(range(len(pretrained.tokenizer)))


def _key(seed: int) -> int:
    return Draws.of(seed, "start").key >> 1
