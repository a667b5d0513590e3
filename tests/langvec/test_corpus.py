"""A corpus on disk: every line read is accounted for, and none stands in two splits."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.cleaning import SPLITS, Cleaning, Split, keys
from langvec.corpus import Corpus, SeenKeys, read_lines
from langvec.errors import InputError
from langvec.sources import Files
from langvec.sources.base import Batch


def corpus_of(tmp_path: Path, texts: list[str], **settings: object) -> Corpus:
    file = tmp_path / "deu.txt"
    file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return Corpus(code="deu_Latn", source=Files(files={"deu": str(file)}), **settings)


def lines(folder: Path) -> dict[str, list[str]]:
    return {
        split: [line for rows in read_lines(folder, split) for line in rows["line"].to_pylist()] for split in SPLITS
    }


SENTENCES = [f"der Satz mit der Nummer {number}" for number in range(400)]


def test_every_line_read_is_kept_or_dropped_for_a_named_reason(tmp_path: Path) -> None:
    account = corpus_of(tmp_path, ["", "kurz", *SENTENCES, SENTENCES[3], f"  {SENTENCES[5]} "]).write(tmp_path)
    assert account["lines"] == {"kept": 400, "empty": 1, "too short": 1, "duplicate": 2}
    assert sum(split["lines"] for split in account["splits"].values()) == 400


def test_the_splits_together_hold_each_line_once_and_in_order(tmp_path: Path) -> None:
    corpus_of(tmp_path, SENTENCES).write(tmp_path)
    split_of = Split().of(keys(SENTENCES))
    for index, (_, kept) in enumerate(lines(tmp_path).items()):
        assert kept == [line for line, split in zip(SENTENCES, split_of, strict=True) if split == index]


def test_reading_stops_at_the_line_that_reaches_the_cap(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, ["kurz", *SENTENCES[:100], "kurz", *SENTENCES], cleaning=Cleaning(max_lines=90))
    account = corpus.write(tmp_path)
    assert account["lines"] == {"kept": 90, "too short": 1}
    assert account["stopped_at_max_lines"]
    assert sorted(line for kept in lines(tmp_path).values() for line in kept) == sorted(SENTENCES[:90])


def test_a_cap_that_is_not_reached_changes_nothing(tmp_path: Path) -> None:
    account = corpus_of(tmp_path, SENTENCES, cleaning=Cleaning(max_lines=401)).write(tmp_path)
    assert (account["lines"], account["stopped_at_max_lines"]) == ({"kept": 400}, False)


def test_an_empty_split_is_refused_with_the_account_of_what_was_dropped(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"deu_Latn: no line is left for .*test.* Lines read: 1 kept, 2 too short"):
        corpus_of(tmp_path, ["kurz", SENTENCES[0], "kurz"]).write(tmp_path)


def test_character_counts_are_those_of_the_text(tmp_path: Path) -> None:
    corpus_of(tmp_path, SENTENCES).write(tmp_path)
    table = pq.read_table(tmp_path / "characters.parquet").to_pylist()
    text = "".join(lines(tmp_path)["train"])
    assert {chr(row["code_point"]): row["train"] for row in table if row["train"]} == {
        c: text.count(c) for c in set(text)
    }


def test_passages_decide_the_split_and_fold_where_the_source_has_them(tmp_path: Path) -> None:
    for lang in ("deu", "nld"):
        rows = (f"{number % 40}\t{lang} {number} ein Satz\n" for number in range(400))
        (tmp_path / f"{lang}.tsv").write_text("id\ttext\n" + "".join(rows), encoding="utf-8")
    source = Files(files={lang: str(tmp_path / f"{lang}.tsv") for lang in ("deu", "nld")}, passage="id")
    held_out = {}
    for code in source.codes():
        (tmp_path / code).mkdir()
        Corpus(code=code, source=source).write(tmp_path / code)
        table = pq.read_table(tmp_path / code / "test.parquet").to_pylist()
        held_out[code] = {(row["passage"], row["fold"]) for row in table}
        in_train = set(pq.read_table(tmp_path / code / "train.parquet")["passage"].to_pylist())
        assert not in_train & {passage for passage, _ in held_out[code]}
    assert held_out["deu_Latn"] == held_out["nld_Latn"] != set()


@given(st.lists(st.lists(st.integers(0, 50), max_size=20), max_size=20))
def test_seen_keys_find_what_a_set_finds(batches: list[list[int]]) -> None:
    seen, reference = SeenKeys(), set[int]()
    for batch in batches:
        new = [i for i, key in enumerate(batch) if key not in reference and key not in batch[:i]]
        reference.update(batch)
        assert seen.new(np.array(batch, np.uint64)).tolist() == new


def test_what_a_source_leaves_out_is_in_the_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(self: Files, code: str) -> Iterator[Batch]:
        yield Batch(SENTENCES, dropped={"untranslated": 7})

    corpus = corpus_of(tmp_path, SENTENCES)
    monkeypatch.setattr(Files, "read", read)
    assert corpus.write(tmp_path)["lines"] == {"untranslated": 7, "kept": 400}
