"""Translations by beam search, of texts of about one length at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from masking.encoder import batches
from masking.pretrained import Pretrained
from masking.translation.sides import encode, longest, padded

if TYPE_CHECKING:
    from masking.translation import AnyTranslator

AT_ONCE = {"cpu": 2048, "cuda": 16384}  # pieces of all beams of a batch
_CLASS = 16  # texts of 1 to 16 pieces have the same limit, those of 17 to 32, and so on
_TIMES, _MORE = 2, 20  # a translation has at most so many times the pieces of its class, and so many more


def translate(folder: Path, texts: Sequence[str], how: AnyTranslator) -> list[str]:
    """By the model in the folder, in the order of the texts."""
    pretrained = how.load(folder)
    pretrained.model.to("cuda" if torch.cuda.is_available() else "cpu")
    return translated(pretrained, texts, how)


def translated(pretrained: Pretrained, texts: Sequence[str], how: AnyTranslator) -> list[str]:
    """By a loaded model. Equal texts are translated once; a text of nothing but white space stays empty.

    What else is translated plays no part, but that sums differ in the last digits from batch to batch.
    """
    several = list(dict.fromkeys(text for text in texts if text.strip()))
    pieces = encode(pretrained.tokenizer, [how.worded(text) for text in several], "source", longest(how, pretrained))
    found: dict[str, str] = {}
    training = pretrained.model.training
    pretrained.model.eval()
    classes = -(-pieces.sizes // _CLASS)
    for number in np.unique(classes)[::-1]:
        of_class = np.flatnonzero(classes == number)
        most = min(longest(how, pretrained), _TIMES * _CLASS * int(number) + _MORE)
        for batch in batches(pieces.sizes[of_class], AT_ONCE[pretrained.model.device.type] // how.beams):
            places = of_class[batch]
            some = _searched(pretrained, pieces.some(places), how, most)
            found |= {several[place]: text for place, text in zip(places, some, strict=True)}
    pretrained.model.train(training)
    return [found.get(text, "") for text in texts]


def _searched(pretrained: Pretrained, rows: Sequence[np.ndarray], how: AnyTranslator, most: int) -> list[str]:
    tokenizer, model = pretrained
    ids, there = padded(rows, tokenizer.pad_token_id)
    with torch.inference_mode():
        found = model.generate(
            input_ids=torch.from_numpy(ids).to(model.device),
            attention_mask=torch.from_numpy(there).long().to(model.device),
            num_beams=how.beams,
            do_sample=False,
            length_penalty=how.length_penalty if how.beams > 1 else None,
            max_new_tokens=most,
        )
    texts = tokenizer.batch_decode(found, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return [text.strip() for text in texts]
