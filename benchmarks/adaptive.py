"""How much of a long text has to be read: the adaptive grid against the full one, over your own texts.

    python benchmarks/adaptive.py FOLDER      (one file per language, such as deu.txt, about a megabyte each)

Trains a small transformer and n-grams on a seventh of each text, reads the rest once in full and once as far as the
tolerance asks, and compares shares, errors and the trees that come of the two matrices.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
import torch
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import squareform

from langvec.alphabet import Alphabet, CharAlphabet
from langvec.encoded import EncodedSplit
from langvec.lesson import Lesson
from langvec.neural import TransformerModel
from langvec.ngram import NgramModel, NgramRecipe
from langvec.scoring import Scoring
from langvec.transformer import TransformerRecipe
from langvec.vectors import PRESETS, make_vectors

NEURAL = TransformerRecipe(
    layers=2, width=128, heads=4, context=128, precision="fp32", batch_symbols=2048, learning_rate=0.002, epochs=6
)


def learn(code: str, lines: list[str], alphabet: Alphabet) -> tuple[TransformerModel, NgramModel]:
    train, validation = (EncodedSplit.of_lines(part, alphabet) for part in (lines[::7], lines[1::70]))
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        lesson = Lesson(train, validation, 1, code)
        NEURAL.train(lesson, Path(one))
        NgramRecipe().train(lesson, Path(other))
        return NEURAL.load(Path(one)), NgramRecipe().load(Path(other))


def cell(
    models: tuple[TransformerModel, NgramModel], code: str, text: EncodedSplit, tolerance: float
) -> dict[str, float | str]:
    """One cell: read in full, and again as far as the tolerance asks, with guides and without."""
    neural, ngram = models
    everything = np.arange(len(text))
    nats, hints = neural.nats(text, everything), ngram.nats_by_order(text, everything)
    scoring = Scoring(tolerance=tolerance)
    blocks, chars, symbols = scoring.blocks(text, 1, code), text.chars.sum(), text.ids.size + len(text)
    known = _Known(nats)
    guided, plain = (scoring.cell(known, text, blocks, guide) for guide in (hints, None))
    return {
        "text": code,
        "chars": int(chars),
        "nats_per_char": nats.sum() / chars,
        "estimate": guided["nats"].sum() / chars,
        "promised": guided["error"],
        "share": guided["scored"] / symbols,
        "share_without_guides": plain["scored"] / symbols,
    }


class _Known:
    """A model whose every price has been computed: what is asked of it is what would have been read."""

    def __init__(self, nats: np.ndarray) -> None:
        self._nats = nats

    def nats(self, text: EncodedSplit, sentences: np.ndarray) -> np.ndarray:
        return np.asarray(self._nats[sentences])


def tree(nats: np.ndarray, codes: list[str]) -> set[frozenset[str]]:
    """The clades of the average-linkage tree."""
    distances = make_vectors((nats, codes, codes), PRESETS["best"]).distances()
    cuts = cut_tree(linkage(squareform(distances, checks=False), "average")).T
    return {frozenset(np.array(codes)[cut == label]) for cut in cuts for label in set(cut)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tolerance", type=float, default=0.01)
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    lines = {file.stem: file.read_text().splitlines() for file in sorted(arguments.folder.glob("*.txt"))}
    alphabet = CharAlphabet("".join(sorted({char for text in lines.values() for line in text for char in line})))
    models = {code: learn(code, text, alphabet) for code, text in lines.items()}
    texts = {
        code: EncodedSplit.of_lines([line for i, line in enumerate(text) if i % 7 and i % 70 != 1], alphabet)
        for code, text in lines.items()
    }
    rows = []
    for model, pair in models.items():
        rows += [{"model": model} | cell(pair, code, text, arguments.tolerance) for code, text in texts.items()]
        print(model, *(f"{row['share']:.3f}" for row in rows[-len(texts) :]), flush=True)
    report(rows, list(lines))
    with Path(__file__).with_suffix(".csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()} for row in rows)


def report(rows: list[dict[str, float | str]], codes: list[str]) -> None:
    def column(name: str) -> np.ndarray:
        return np.array([row[name] for row in rows], dtype=float).reshape(len(codes), len(codes))

    chars, full, found = column("chars"), column("nats_per_char"), column("estimate")
    kept = np.abs(found - full) <= column("promised") + 1e-12
    read, alone = ((column(name) * chars).sum() / chars.sum() for name in ("share", "share_without_guides"))
    print(f"texts of {chars.min():,.0f} to {chars.max():,.0f} characters, {len(rows)} cells")
    print(f"read {read:.3f} of all symbols with guides, {alone:.3f} without them")
    print(f"promise kept in {kept.mean():.3f} of the cells; largest error {np.abs(found - full).max():.4f} nats/char")
    print(f"same tree: {tree(full, codes) == tree(found, codes)}")


if __name__ == "__main__":
    main()
