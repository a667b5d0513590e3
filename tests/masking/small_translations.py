"""A language that a translator of two layers learns in seconds: each word has another name."""

from __future__ import annotations

import random
from typing import Any

from masking.translation import ScratchTranslator
from masking.translation.training import Course
from tests.masking.small_lessons import Notebook

WORDS = ["the", "cat", "dog", "bird", "fox", "saw", "met", "a", "by", "sea", "old", "red", "gate", "runs"]
TRANSLATOR = ScratchTranslator(
    layers=1, decoder_layers=1, width=32, heads=2, dropout=0.1, pieces=150, steps=6, every=4, batch_tokens=256, beams=1
)
TRANSLATOR = TRANSLATOR.model_copy(update={"learning_rate": 0.01, "precision": "float32"})


def pairs(count: int, seed: int = 1) -> list[tuple[str, str]]:
    """Sources, and the same sentences in the other language, where letters stand the other way round."""
    draw, found = random.Random(seed), list[tuple[str, str]]()
    for _ in range(count):
        words = draw.sample(WORDS, draw.randint(1, 5))
        found.append((" ".join(words), " ".join(f"{word[::-1]}o" for word in words)))
    return found


def course(memory: Any = None, **changes: Any) -> Course:
    return Course(pairs(60), pairs(12, 2), 1, memory or Notebook())._replace(**changes)
