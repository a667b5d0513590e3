"""A cell costs what its sentences cost, and a part of the text tells as much as it promises."""

import numpy as np
import pyarrow as pa
import pytest

from langvec.alphabet import ByteAlphabet, CharAlphabet
from langvec.cleaning import FOLDS
from langvec.encoded import EncodedSplit
from langvec.scoring import Scoring, cells_table


class Priced:
    """A model with a fixed price for each sentence of a text; it notes what it was asked for."""

    def __init__(self, prices):
        self.prices, self.asked = prices, []

    def nats(self, text, sentences):
        self.asked += sentences.tolist()
        return self.prices[sentences]


def text_of(sentences, seed=0, alphabet=None):
    draw = np.random.default_rng(seed)
    lines = ["".join(draw.choice(list("abcdé "), int(draw.integers(20, 180)))) for _ in range(sentences)]
    return EncodedSplit.of_lines(lines, alphabet or ByteAlphabet())


def prices_of(text, seed):
    """Prices that grow with length, and a guide that knows them roughly."""
    draw = np.random.default_rng(seed)
    rough = text.chars * draw.gamma(40, 1 / 20, len(text))
    return Priced(rough * draw.normal(1.4, 0.05, len(text)) + 3), rough[:, None]


def test_a_cell_without_tolerance_holds_the_sums_of_every_sentence():
    text = text_of(300)
    model, _ = prices_of(text, 1)
    cell = Scoring(tolerance=0).cell(model, text, Scoring().blocks(text, 1, "deu_Latn"))
    for fold in range(FOLDS):
        mine = text.folds == fold
        assert cell["nats"][fold] == pytest.approx(model.prices[mine].sum())
        assert cell["chars"][fold] == text.chars[mine].sum() and cell["sentences"][fold] == mine.sum()
        assert cell["symbols"][fold] == (text.lengths[mine] + 1).sum()
    assert (cell["error"], cell["scored"]) == (0, text.ids.size + 300)
    assert sorted(model.asked) == list(range(300))


def test_a_tolerance_that_is_never_met_reads_everything_exactly():
    text = text_of(200)
    model, guide = prices_of(text, 1)
    blocks = Scoring(block_symbols=1000).blocks(text, 1, "deu_Latn")
    sampled, whole = (Scoring(tolerance=t).cell(model, text, blocks, guide) for t in (1e-9, 0))
    assert sampled["error"] == 0 and np.array_equal(sampled["nats"], whole["nats"])


@pytest.mark.parametrize("guided", [False, True])
def test_the_whole_text_costs_what_a_part_of_it_promised_in_95_of_100_texts(guided):
    scoring, hits, shares = Scoring(tolerance=0.02, block_symbols=4000), 0, []
    text = text_of(2000)
    for seed in range(300):
        model, guide = prices_of(text, seed)
        blocks = scoring.blocks(text, seed, "deu_Latn")
        cell = scoring.cell(model, text, blocks, guide if guided else None)
        assert 0 < cell["error"] <= 0.02
        hits += abs(cell["nats"].sum() - model.prices.sum()) / text.chars.sum() <= cell["error"]
        shares.append(cell["scored"] / (text.ids.size + len(text)))
    assert 0.92 <= hits / 300 <= 0.985
    assert np.mean(shares) < (0.25 if guided else 0.8)


def test_a_guide_saves_reading():
    text = text_of(3000)
    model, guide = prices_of(text, 5)
    scoring = Scoring(block_symbols=2000)
    blocks = scoring.blocks(text, 1, "deu_Latn")
    assert scoring.cell(model, text, blocks, guide)["scored"] < scoring.cell(model, text, blocks)["scored"] / 2


def test_blocks_hold_every_sentence_once_in_an_order_of_their_seed_and_language():
    text = text_of(500)
    scoring = Scoring(block_symbols=1000)
    blocks = scoring.blocks(text, 1, "deu_Latn")
    assert sorted(np.concatenate(blocks).tolist()) == list(range(500))
    assert all((text.lengths[block] + 0).sum() <= 1000 + text.lengths.max() for block in blocks)
    again, other, foreign = (
        scoring.blocks(text, *args) for args in ((1, "deu_Latn"), (2, "deu_Latn"), (1, "nld_Latn"))
    )
    assert [b.tolist() for b in again] == [b.tolist() for b in blocks]
    assert other[0].tolist() != blocks[0].tolist() != foreign[0].tolist()


def test_a_table_of_no_cells_has_the_columns_of_one_with_cells():
    text = text_of(30, alphabet=CharAlphabet("abcd "))
    model, _ = prices_of(text, 1)
    cell = Scoring().cell(model, text, Scoring().blocks(text, 1, "x"))
    row = {"model": "deu_Latn", "text": "nld_Latn", "key": "k"} | cell
    assert cells_table([]).schema == cells_table([row]).schema
    assert pa.concat_tables([cells_table([]), cells_table([row])]).num_rows == 1
