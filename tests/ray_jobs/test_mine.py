"""The commands `mine` and `score` as a user types them, with a small random encoder: only equal texts are alike."""

from __future__ import annotations

import gzip
import json
import random
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import BertConfig, BertModel
from typer.testing import CliRunner, Result

from masking.tokenizers import learn_tokenizer
from ray_jobs.cli import app

DRAW = random.Random(1)
WORDS = ["".join(DRAW.choices("abcdefghijklmnop", k=DRAW.randint(2, 7))) for _ in range(120)]
TEXTS = [" ".join(DRAW.choices(WORDS, k=7)) for _ in range(40)]
ORDER = DRAW.sample(range(40), 40)  # of the targets


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models") / "encoder"
    tokenizer = learn_tokenizer(TEXTS, 300)
    tokenizer.save_pretrained(folder)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=len(tokenizer), initializer_range=0.2, **sizes)).save_pretrained(folder)
    return str(folder)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("src.txt").write_text("\n".join(TEXTS) + "\n")
    Path("tgt.txt").write_text("\n".join(TEXTS[place] for place in ORDER))
    gold = [f"{place + 1}\t{ORDER.index(place) + 1}" for place in range(40)]
    Path("gold.tsv").write_text("\n".join(gold))
    return tmp_path


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def rows(file: str) -> list[dict]:
    return pq.read_table(file).to_pylist()


def test_mining_finds_every_translation_and_writes_the_best_first(folder, encoder):
    done = typed("mine", "src.txt", "tgt.txt", "--encoder", encoder, "--to", "pairs.parquet", "--gold", "gold.tsv")
    assert done.exit_code == 0, done.output
    found = rows("pairs.parquet")
    assert list(found[0]) == ["source_id", "target_id", "score", "cosine", "source", "target"]
    assert len(found) == 40
    for row in found:
        assert row["source"] == row["target"] == TEXTS[int(row["source_id"]) - 1]
        assert ORDER[int(row["target_id"]) - 1] == int(row["source_id"]) - 1
        assert row["cosine"] == pytest.approx(1, abs=1e-5) and row["score"] > 1
    scores = [row["score"] for row in found]
    assert scores == sorted(scores, reverse=True)
    assert "40 of 40 gold pairs found" in done.output
    assert "recall 1.000 (1.000 to 1.000)  precision 1.000" in done.output
    assert not list(folder.glob(".*"))


def test_text_as_tsv_jsonl_parquet_or_gz_gives_the_same_pairs_under_the_ids_of_a_column(folder, encoder):
    records = [{"nr": f"s{place}", "words": text} for place, text in enumerate(TEXTS)]
    Path("src.tsv").write_text("nr\twords\n" + "".join(f"{one['nr']}\t{one['words']}\r\n" for one in records))
    with gzip.open("src.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    pq.write_table(pa.Table.from_pylist(records), "src.parquet")
    made = []
    for name in ("src.tsv", "src.jsonl.gz", "src.parquet"):
        words = ("--column", "words", "--ids", "nr", "--encoder", encoder, "--to", "pairs.tsv")
        done = typed("mine", name, "src.parquet", *words)
        assert done.exit_code == 0, done.output
        made.append(Path("pairs.tsv").read_text())
    assert made[0] == made[1] == made[2]
    assert {tuple(line.split("\t")[:2]) for line in made[0].splitlines()[1:]} == {(f"s{n}",) * 2 for n in range(40)}


def test_pairs_are_sought_inside_documents_that_both_files_have(folder, encoder):
    for name, shift in (("a.jsonl", 0), ("b.jsonl", 1)):
        records = [{"text": text, "doc": (place + shift * (place < 10)) % 10} for place, text in enumerate(TEXTS)]
        Path(name).write_text("".join(json.dumps(record) + "\n" for record in records))
    done = typed("mine", "a.jsonl", "b.jsonl", "--documents", "doc", "--encoder", encoder, "--to", "p.parquet")
    assert done.exit_code == 0, done.output
    assert "a.jsonl: 40 sentences in 10 documents" in done.output
    same = {int(row["source_id"]) for row in rows("p.parquet") if row["source"] == row["target"]}
    assert same == set(range(11, 41))  # the first ten have their copies in another document


def test_blank_lines_are_left_out_and_still_count_as_lines(folder, encoder):
    Path("blank.txt").write_text("\n \n".join(TEXTS))
    done = typed("mine", "blank.txt", "src.txt", "--encoder", encoder, "--to", "p.parquet", "--how", "forward")
    assert "blank.txt: 40 sentences (39 blank ones left out)" in done.output
    assert {row["source_id"] for row in rows("p.parquet")} == {str(number) for number in range(1, 80, 2)}


def test_the_threshold_that_is_told_gives_the_figures_that_are_told(folder, encoder):
    Path("other.txt").write_text("\n".join([*TEXTS[:20], *reversed(WORDS)]))
    Path("gold.tsv").write_text("source_id\ttarget_id\n" + "".join(f"{n}\t{n}\n" for n in range(1, 26)))
    words = ("mine", "src.txt", "other.txt", "--encoder", encoder, "--gold", "gold.tsv", "--to", "p.parquet")
    first = typed(*words)
    f1, threshold = re.findall(r"highest, ([\d.]+), with --threshold ([\d.]+)\. ", first.output)[0]
    second = typed(*words, "--threshold", threshold)
    assert f"F1 {f1} (" in second.output
    assert f"{len(rows('p.parquet')):,} pairs (intersection, 4 neighbours, margin {float(threshold):g}" in second.output
    assert min(row["score"] for row in rows("p.parquet")) >= float(threshold)


def test_given_pairs_are_scored_and_come_best_first(folder, encoder):
    wrong = [*TEXTS[:30], *TEXTS[31:], TEXTS[30]]
    records = [{"id": "x", "left": a, "right": b} for a, b in zip(TEXTS, wrong, strict=True)]
    Path("pairs.jsonl").write_text("".join(json.dumps(one) + "\n" for one in [*records, {"left": "", "right": "y"}]))
    words = ("--source", "left", "--target", "right", "--encoder", encoder)
    done = typed("score", "pairs.jsonl", *words, "--to", "scored.tsv")
    assert done.exit_code == 0, done.output
    assert "40 pairs (1 with a blank side left out)" in done.output
    lines = [line.split("\t") for line in Path("scored.tsv").read_text().splitlines()]
    assert lines[0] == ["source_id", "target_id", "score", "cosine", "source", "target"]
    assert len(lines) == 41 and {int(line[0]) for line in lines[1:31]} == set(range(1, 31))
    assert all(line[0] == line[1] for line in lines[1:])


def test_an_encoder_is_named_by_folder_or_by_its_fields(folder, encoder):
    Path("here").symlink_to(encoder)
    for name in ("here", f"{{model: {encoder}, layer: 1, pooling: first, prefix: 'q: '}}"):
        done = typed("mine", "src.txt", "tgt.txt", "--encoder", name, "--to", "p.parquet")
        assert done.exit_code == 0 and "40 sentences" in done.output, done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--how", "sideways"], "--how sideways: expected one of forward, backward, intersection"),
        (["--to", "pairs.csv"], "ends in .parquet or .tsv"),
        (["--to", "none/pairs.tsv"], "there is no folder"),
        (["--encoder", "no such thing"], "is no model"),
        (["--encoder", "./empty"], "is no encoder"),
        (["--encoder", "{model: a, layers: 3}"], "layers: there is no such field"),
        (["--encoder", "{layer: 3}"], "model: missing"),
        (["--encoder", "{model: a, pooling: max}"], "pooling: expected mean or first"),
        (["--ids", "id"], "has no column 'id': plain text has none"),
        (["--documents", "doc"], "has no column 'doc': plain text has none"),
        (["--gold", "none.tsv"], "--gold none.tsv cannot be read"),
        (["--gold", "src.txt"], "no tab in pair 1"),
        (["--gold", "wrong.tsv"], "1 of 2 pairs have ids that are not in the files (such as 99 and 1)"),
    ],
)
def test_a_mistake_is_one_paragraph_and_nothing_is_written(folder, encoder, words, said):
    (folder / "empty").mkdir()
    Path("wrong.tsv").write_text("1\t1\n99\t1\n")
    given = {"--encoder": encoder, "--to": "pairs.tsv"} | dict([words])
    done = typed("mine", "src.txt", "tgt.txt", *(word for pair in given.items() for word in pair))
    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr and not list(folder.glob("pairs*"))


def test_mistakes_in_the_files_are_told_in_words_of_the_command(folder, encoder):
    Path("a.jsonl").write_text('{"text": "one", "id": 1, "doc": "x"}\n{"text": "two", "id": 1, "doc": "y"}\n')
    Path("b.jsonl").write_text('{"text": "one", "id": 1, "doc": "z"}\n')
    Path("blank.txt").write_text("\n\n")
    files = ("mine", "a.jsonl", "b.jsonl", "--encoder", encoder, "--to", "p.tsv")
    for words, said in [
        ([*files, "--column", "words"], "Name the right one with the options that name columns"),
        ([*files, "--ids", "id"], "the id '1' stands there twice"),
        ([*files, "--documents", "doc"], "no document in common"),
        (["mine", "blank.txt", "b.jsonl", *files[3:]], "holds no sentence"),
        (["mine", "none.txt", "b.jsonl", *files[3:]], "there is no file"),
        (["score", "a.jsonl", "--source", "text", "--target", "words", *files[3:]], "no column 'words'"),
        (["score", "src.txt", *files[3:]], "plain text has none"),
    ]:
        done = typed(*words)
        assert (done.exit_code, said in " ".join(done.stderr.split())) == (2, True), done.stderr


@pytest.mark.parametrize("command", ["mine", "score"])
def test_help_explains_every_option(command):
    help_text = typed(command, "--help").output
    options = re.findall(r"^\s+(--[a-z-]+)(.*)$", help_text, re.M)
    assert len(options) > 6
    assert all(len(what.strip()) > 10 for _, what in options)
