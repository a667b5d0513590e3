"""Sentences as unit vectors, by any pre-trained encoder.

Defaults are the best of multilingual-e5-small on the Declaration in English, Sinhala and Tamil: docs/mining.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from langvec.config import Strict
from masking.pretrained import Precision, Pretrained, PretrainedModel

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_TOKENISED_AT_ONCE = 10_000
_TINY = np.finfo(np.float32).tiny


class Embedding(Strict):
    """How the vectors of an encoder's tokens become that of a sentence."""

    layer: int | None = Field(None, ge=0, description="0 are the embeddings, 1 the first layer; null is the last")
    pooling: Literal["mean", "first"] = Field("mean", description="mean of all tokens, or the first token alone")
    prefix: str = Field("", description="text before each sentence, e.g. `query: ` for E5")
    max_tokens: int = Field(256, ge=4, description="longer sentences are cut; special tokens and prefix count")
    batch_tokens: int = Field(2048, ge=1, description="tokens encoded together, padding included; for CPUs")
    precision: Precision = Field("float32", description="bfloat16 is for GPUs; vectors differ in the third digit")


class EncoderRecipe(PretrainedModel, Embedding):
    """Which encoder, and how it is used."""

    def load(self) -> Encoder:
        return Encoder(self, self.pretrained(self.precision, self.layer))


@dataclass(frozen=True)
class Encoder:
    """A loaded encoder."""

    recipe: Embedding
    pretrained: Pretrained

    @property
    def width(self) -> int:
        """Dimensions of a vector."""
        return int(self.pretrained.model.config.hidden_size)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Unit-length vectors, shape (N, D), in the order of the texts; zeros for a text of nothing but white space.

        Zeros, since what an encoder makes of no text at all is near to all other short texts. Equal texts are encoded
        once and have equal vectors to the last bit; otherwise a vector depends on its batch in the last digits only.
        """
        places: dict[str, int] = {}
        for text in texts:
            if text.strip():
                places.setdefault(text, len(places))
        vectors = np.zeros((len(places) + 1, self.width), np.float32)  # the last is for empty texts
        ids = self._token_ids(list(places))
        sizes = np.array([len(one) for one in ids], np.int64)
        some = np.flatnonzero(sizes)  # a tokenizer may make nothing of invisible characters
        for batch in batches(sizes[some], self.recipe.batch_tokens):
            vectors[some[batch]] = self._encoded([ids[place] for place in some[batch]])
        return np.asarray(vectors[[places.get(text, len(places)) for text in texts]])

    def _token_ids(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        longest, found = min(self.recipe.max_tokens, self.pretrained.longest), []
        for start in range(0, len(texts), _TOKENISED_AT_ONCE):
            some = [self.recipe.prefix + text for text in texts[start : start + _TOKENISED_AT_ONCE]]
            coded = self.pretrained.tokenizer(some, truncation=True, max_length=longest, verbose=False)
            found += [np.array(ids, np.int32) for ids in coded["input_ids"]]
        return found

    def _encoded(self, ids: Sequence[npt.NDArray[np.int32]]) -> Floats:
        """Unit vectors of one batch."""
        import torch

        device = self.pretrained.model.device
        sizes = np.array([len(one) for one in ids])
        filled = np.arange(sizes.max()) < sizes[:, None]
        padded = np.full(filled.shape, self.pretrained.tokenizer.pad_token_id or 0, np.int64)
        padded[filled] = np.concatenate(ids)
        with torch.inference_mode():
            seen = torch.from_numpy(filled).to(device)
            hidden = self._hidden(torch.from_numpy(padded).to(device), seen)  # (N, L, D)
            # A sum is as good as a mean: its length does not matter.
            pooled = (hidden * seen[:, :, None]).sum(dim=1) if self.recipe.pooling == "mean" else hidden[:, 0]
        vectors: Floats = pooled.cpu().numpy()
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _TINY)
        return vectors

    def _hidden(self, ids: Any, seen: Any) -> Any:
        """What the layer says of each token, as float32."""
        layer, model = self.recipe.layer, self.pretrained.model.base_model
        if layer is None:
            return model(input_ids=ids, attention_mask=seen.long()).last_hidden_state.float()
        states = model(input_ids=ids, attention_mask=seen.long(), output_hidden_states=True).hidden_states
        return states[layer].float()


def batches(sizes: Ints, most: int) -> Iterator[Ints]:
    """Places of sentences of about one length that fit `most` tokens when padded; the longest come first.

    So what is too much for the memory shows at once. A sentence longer than `most` is a batch of its own.
    """
    order = np.argsort(-sizes, kind="stable")
    start = 0
    while start < len(order):
        fit = max(1, most // max(1, int(sizes[order[start]])))
        yield order[start : start + fit]
        start += fit
