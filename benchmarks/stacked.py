"""Several languages in one process: one after the other, or as one model with stacked weights?

python benchmarks/stacked.py
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from rows import keep

from langvec import decoder
from langvec.decoder import Row, Shape

LANGUAGES, SYMBOLS, TURNS = 8, 512, 7
SHAPES = {"demo (2 x 64)": Shape(110, 2, 64, 2, 128), "small (2 x 128)": Shape(110, 2, 128, 4, 128)}


def rows(shape: Shape) -> list[Row]:
    """A step's symbols for each language; of one length, without which weights could not be stacked at all."""
    draw, lengths = np.random.default_rng(1), np.full(SYMBOLS // shape.context, shape.context)
    symbols = draw.integers(0, shape.symbols, (LANGUAGES, 2, lengths.sum()))
    return [Row.of(inputs, outputs, lengths, torch.device("cpu")) for inputs, outputs in symbols]


def seconds(step: Callable[[], object]) -> float:
    step()
    start = time.perf_counter()
    for _ in range(5):
        step()
    return (time.perf_counter() - start) / 5


def contestants(shape: Shape) -> dict[str, Callable[[], object]]:
    of_language, data = [decoder.initial(shape, seed) for seed in range(LANGUAGES)], rows(shape)
    stacked = {name: torch.stack([weights[name] for weights in of_language]) for name in of_language[0]}
    symbols, targets = (torch.stack([getattr(row, name) for row in data]) for name in ("symbols", "targets"))

    def loss(weights: decoder.Weights, inputs: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
        return decoder.nats(weights, shape, replace(data[0], symbols=inputs, targets=outputs)).mean()

    one, all_ = torch.func.grad(loss), torch.func.vmap(torch.func.grad(loss))
    return {
        "one after the other": lambda: [one(w, s, t) for w, s, t in zip(of_language, symbols, targets, strict=True)],
        "stacked": lambda: all_(stacked, symbols, targets),
    }


def main() -> None:
    torch.set_num_threads(1)
    found = []
    for name, shape in SHAPES.items():
        steps = contestants(shape)
        for turn in range(TURNS):
            for contestant, step in steps.items():
                speed = LANGUAGES * SYMBOLS / seconds(step)
                found.append({"shape": name, "contestant": contestant, "turn": turn, "symbols_per_s": round(speed)})
        mine = [row for row in found if row["shape"] == name]
        apart, together = (
            np.array([row["symbols_per_s"] for row in mine if row["contestant"] == contestant]) for contestant in steps
        )
        ratio = together / apart
        print(
            f"{name}, {LANGUAGES} languages: one after the other {np.median(apart):,.0f} symbols/s, stacked "
            f"{np.median(together):,.0f}; ratio {np.median(ratio):.2f} ({ratio.min():.2f} to {ratio.max():.2f})"
        )
    keep(__file__, found)


if __name__ == "__main__":
    main()
