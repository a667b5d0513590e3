"""`langscape masks` and `langscape taggers`: what they print, and what they refuse."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from langvec.errors import InputError
from masking.entities import entity_table
from masking.tagging.base import Sentence, Span
from ray_jobs import taggers
from ray_jobs.masks import masks

TEXTS = ["Nimal lives in Colombo, by the sea.", "", "He sees the sea from his house in Colombo."]
TAGS = {"Nimal": "NE", "Colombo": "NE", "lives": "VERB", "sees": "VERB", "sea": "NOUN", "house": "NOUN"}


@pytest.fixture
def file(tmp_path: Path) -> str:
    spans = [[Span(t.index(w), t.index(w) + len(w), kind, "x") for w, kind in TAGS.items() if w in t] for t in TEXTS]
    sentences = [Sentence(str(number), text) for number, text in enumerate(TEXTS)]
    pq.write_table(entity_table(sentences, spans, "eng_Latn", "t"), tmp_path / "e.parquet")
    return str(tmp_path / "e.parquet")


def plain(line: str) -> str:
    """A line without its marks."""
    return re.sub(r"\[(?:\w+:)?([^\]]*)\]", r"\1", re.sub(r"\x1b\[[0-9;]*m", "", line))


@pytest.mark.parametrize("coloured", [True, False])
def test_sentences_are_shown_whole_with_the_hidden_tokens_marked(file: str, coloured: bool) -> None:
    note, legend, first, second, *account = masks(file, "{fill: none, rate: 0.5}", None, 5, 1, coloured)
    assert "learnt from" in note
    assert [plain(first), plain(second)] == [TEXTS[0], TEXTS[2]]
    marks = re.findall(r"\x1b\[33;7m" if coloured else r"\[NE:", first)
    assert len(marks) == 2
    assert "NE" in legend
    assert account[0].startswith("lem: ")
    assert account[-1].split()[-1] == "0.0%"  # of the hidden tokens none is in another word


def test_shares_of_the_hidden_tokens_add_up(file: str) -> None:
    lines = list(masks(file, "mlm", None, 0, 1, False))
    shares = [float(line.split()[-1][:-1]) for line in lines[3:]]
    assert sum(shares) == pytest.approx(100, abs=0.2)


def test_another_seed_hides_other_tokens_and_the_same_seed_the_same(file: str) -> None:
    first, again, other = (list(masks(file, "mlm", None, 3, seed, False)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("strategy", "said"),
    [
        ("lemm", "strategy: expected lem, mlm, whole_word, span, random_word or rare_word, found 'lemm'"),
        ("{kinds: [NE, ADJ]}", "kinds"),
        ("{kind: [NE]}", "there is no such field; did you mean kinds"),
        ("{per_entity: 4}", "per_entity: expected 1, 2, 3 or all, found 4"),
        ("[lem", "is not YAML"),
        ("3", "Expected the name of a strategy"),
    ],
)
def test_a_strategy_that_is_none_is_explained(file: str, strategy: str, said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        list(masks(file, strategy, None, 0, 1, False))


@pytest.mark.parametrize("tokenizer", ["/nowhere/model", "nowhere.json", "not a name"])
def test_a_tokenizer_that_is_not_there_is_named(file: str, tokenizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InputError, match=re.escape(tokenizer)):
        list(masks(file, "lem", tokenizer, 0, 1, False))


def test_a_crf_is_trained_and_judged_from_the_command_line(tmp_path: Path) -> None:
    rows = [
        {"id": str(n), "text": f"the {a} {b}", "spans": [_at(4, a, "NOUN"), _at(5 + len(a), b, "VERB")]}
        for n, (a, b) in enumerate([("dog", "sees"), ("cat", "runs"), ("man", "eats"), ("cow", "sits")] * 5)
    ]
    file = tmp_path / "tags.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = list(taggers.trained("crf", str(file), "upos", str(tmp_path / "m.crf"), "xx"))
    assert lines[0] == "18 sentences learnt, 2 held out (every tenth):"
    assert lines[2].split() == ["NOUN", "2", "1.000", "1.000", "1.000"]
    recipe = lines[-1].removeprefix("Use it as ").removesuffix(".")
    again = list(taggers.judged(str(file), "upos", recipe))
    assert again[2].split() == ["NOUN", "20", "1.000", "1.000", "1.000"]


def _at(start: int, word: str, label: str) -> dict:
    return {"start": start, "end": start + len(word), "label": label}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda file: taggers.trained("crff", file, "upos", "m", "xx"), "no tagger 'crff' to train"),
        (lambda file: taggers.trained("crf", file, "uposs", "m", "xx"), "no such tag set"),
        (lambda file: taggers.judged(file, "upos", "{kind: crf, fil: x, tags: upos}"), "did you mean file"),
        (lambda file: taggers.judged(file, "upos", "{kind: crf"), "is not YAML"),
        (lambda file: taggers.judged(file, "upos", "crf"), "Expected a mapping"),
        (lambda file: taggers.judged("nowhere.conllu", "upos", "{kind: sinling}"), "nowhere.conllu"),
        (lambda file: taggers.names("xxx", "names.tsv"), "no language with the code 'xxx'"),
        (lambda file: taggers.names("sin", f"{file}/names.tsv"), "tags.jsonl/names.tsv cannot be written"),
    ],
)
def test_mistakes_about_taggers_are_explained(call, said: str, tmp_path: Path) -> None:
    file = tmp_path / "tags.jsonl"
    file.write_text(json.dumps({"id": "1", "text": "dogs", "spans": [_at(0, "dogs", "NOUN")]}) + "\n")
    with pytest.raises(InputError, match=re.escape(said)):
        list(call(str(file)))
