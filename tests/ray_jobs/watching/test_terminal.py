"""Texts of others are printed to terminals, which obey some characters."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from langvec.errors import InputError
from masking.entities import entity_table
from masking.tagging.base import Sentence, Span
from ray_jobs.masks import masks
from ray_jobs.options import mistakes_explained, tell
from ray_jobs.watching.terminal import visible

TITLE = "\x1b]0;owned\x07"  # renames the window
ORDERS = [TITLE, "\x1b[2J", "\x9b2J", "\r", "\b", "\x1b[8m", "\x1b[31;1m", "\x00", "\u202e"]


@pytest.mark.parametrize("order", ORDERS)
def test_what_a_terminal_would_obey_is_written_out(order: str) -> None:
    shown = visible(f"before{order}after")
    assert order not in shown
    assert shown.isprintable() and shown.startswith("before\\")


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs"))))
def test_text_stays_as_it_is(text: str) -> None:
    assert visible(f"{text}\n\t{text}") == f"{text}\n\t{text}"


def test_joiners_of_indic_and_persian_spelling_stay() -> None:
    assert visible("ක්\u200dරි می\u200cخواهم") == "ක්\u200dරි می\u200cخواهم"


def test_answers_and_mistakes_are_shown_so(capsys: pytest.CaptureFixture[str]) -> None:
    tell(None, lambda: ["one", f"two {TITLE}"])
    with pytest.raises(typer.Exit), mistakes_explained():
        raise InputError(f"There is no {TITLE}.")
    out, err = capsys.readouterr()
    assert out == "one\ntwo \\x1b]0;owned\\x07\n"
    assert err == "There is no \\x1b]0;owned\\x07.\n"


def test_sentences_with_masks_keep_our_colours_and_lose_those_of_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = f"Nimal {TITLE}sees the sea\x1b[2J in Colombo"
    spans = [[Span(0, 5, "NE", "x"), Span(text.index("Colombo"), len(text), "NE", "x")]]
    pq.write_table(entity_table([Sentence("1", text)], spans, "eng_Latn", "t"), tmp_path / "e.parquet")
    tell(None, lambda: masks(str(tmp_path / "e.parquet"), "{fill: none, rate: 0.5}", None, 1, 1, True))
    shown = capsys.readouterr().out
    assert "\x1b[33;7m" in shown and "\x1b[0m" in shown
    assert "\x1b]" not in shown and "\x1b[2J" not in shown and "\x07" not in shown
