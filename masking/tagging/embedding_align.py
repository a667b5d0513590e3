"""Word alignment by a multilingual encoder: words whose vectors choose each other.

This is SimAlign (Jalili Sabet et al., 2020), and needs no training. The layer matters: the middle ones align best, the
last one is shaped by what the encoder was trained for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from masking.pretrained import Pretrained, PretrainedModel
from masking.tagging.wordalign import Link
from masking.tagging.words import words

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Method = Literal["mutual", "itermax"]

ITERATIONS = 2  # of itermax, as in the paper
_ONE_SIDED = 0.9  # what a similarity is worth where one of the two words has its link already
_TINY = np.finfo(np.float32).tiny


class EncoderAlignment(PretrainedModel):
    """Which encoder, and how its vectors become links."""

    kind: Literal["encoder"] = "encoder"
    # The best of multilingual-e5-small's twelve for nouns and verbs in French and Sinhala; 4 to 8 are close.
    layer: int = Field(6, ge=0, description="0 are the embeddings, 1 the first layer")
    prefix: str = Field("", description="text before each sentence, e.g. `query: ` for E5")
    method: Method = Field("itermax", description="mutual links fewer words, more surely")
    batch: int = Field(32, ge=1, description="sentences encoded together")

    def load(self) -> EncoderAligner:
        return EncoderAligner(self, self.pretrained(layer=self.layer))


@dataclass(frozen=True)
class EncoderAligner:
    """An encoder and its tokenizer, ready to align."""

    recipe: EncoderAlignment
    encoder: Pretrained

    def align_texts(self, pairs: Sequence[tuple[str, str]]) -> list[list[Link]]:
        """Links between the words of each pair, as `words` counts them."""
        texts = [text for pair in pairs for text in pair]
        vectors = self.word_vectors(texts)
        link = mutual if self.recipe.method == "mutual" else itermax
        return [link(source @ target.T) for source, target in zip(vectors[::2], vectors[1::2], strict=True)]

    def word_vectors(self, texts: Sequence[str]) -> list[Floats]:
        """Unit vectors of the words of each text; zeros for words cut off because the text is too long."""
        found: dict[int, Floats] = {}
        by_length = sorted(range(len(texts)), key=lambda number: len(texts[number]))  # little padding
        for begin in range(0, len(texts), self.recipe.batch):
            some = by_length[begin : begin + self.recipe.batch]
            found |= dict(zip(some, self._encoded([texts[number] for number in some]), strict=True))
        return [found[number] for number in range(len(texts))]

    def _encoded(self, texts: Sequence[str]) -> list[Floats]:
        import torch

        model = self.encoder.model
        given = self.encoder.tokenizer(
            [self.recipe.prefix + text for text in texts],
            padding=True,
            truncation=True,
            max_length=self.encoder.longest,
            return_offsets_mapping=True,
            return_tensors="pt",
        ).to(model.device)
        offsets = given.pop("offset_mapping").cpu().numpy() - len(self.recipe.prefix)
        with torch.inference_mode():
            hidden = model(**given, output_hidden_states=True).hidden_states[self.recipe.layer]
        return [_word_vectors(*one) for one in zip(texts, hidden.float().cpu().numpy(), offsets, strict=True)]


def _word_vectors(text: str, hidden: Floats, offsets: Ints) -> Floats:
    """Means of the vectors of the pieces that share characters with each word, at unit length."""
    spans = np.array([(word.start, word.end) for word in words(text)], np.int64).reshape(-1, 2)
    shared = (offsets[:, 0] < spans[:, 1:]) & (spans[:, :1] < offsets[:, 1])
    sums = shared.astype(np.float32) @ hidden
    vectors: Floats = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), _TINY)
    return vectors


def mutual(similarity: Floats) -> list[Link]:
    """Pairs where each is the most similar to the other; the first of equals. Rows are source words."""
    return [(int(i), int(j)) for i, j in np.argwhere(_mutual(similarity))]


def itermax(similarity: Floats) -> list[Link]:
    """Mutual pairs, then once more among what is left: a word may get a second link, two linked words no other one."""
    links = np.zeros(similarity.shape, bool)
    for _ in range(ITERATIONS):
        rows, columns = links.any(axis=1, keepdims=True), links.any(axis=0, keepdims=True)
        worth = np.where(rows & columns, 0, np.where(rows | columns, _ONE_SIDED, 1)).astype(np.float32)
        links |= _mutual(similarity * worth)
    return [(int(i), int(j)) for i, j in np.argwhere(links)]


def _mutual(similarity: Floats) -> npt.NDArray[np.bool_]:
    chosen = np.zeros(similarity.shape, bool)
    if not similarity.size:
        return chosen
    rows = np.arange(len(similarity))
    best = similarity.argmax(axis=1)
    agreed = (similarity.argmax(axis=0)[best] == rows) & (similarity[rows, best] > 0)  # a word cut off is all zeros
    chosen[rows[agreed], best[agreed]] = True
    return chosen
