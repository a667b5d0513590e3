"""The job `tag`: what goes in comes out, once, under stable names."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from masking.entities import read_entities
from masking.tagging.base import Sentence, SetAside, Span
from masking.tagging.careful import begun, tag_all
from ray_jobs.command import run_job
from ray_jobs.entropy2vec import JOB as ENTROPY2VEC
from ray_jobs.runner import walk
from ray_jobs.stages import Desk, Piece, Pool, Stage
from ray_jobs.store import Store
from ray_jobs.tagging import JOB
from tests.conftest import contents

ENGLISH = ["Nimal lives in Oslo .", "The dog sees a cat .", "", "A cat sees Nimal .", "x" * 30, "The dog lives ."] * 4
DUTCH = ["Nimal woont in Oslo .", "De hond ziet een kat .", "", "Een kat ziet Nimal .", "y", "De hond woont ."] * 4
LEXICON = {"dog": "NOUN", "cat": "NOUN", "sees": "VERB", "lives": "VERB"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Parallel text, a lexicon, and the names of some sentences; `recipe.yaml` tags English with both."""
    (tmp_path / "en.txt").write_text("\n".join(ENGLISH) + "\n")
    (tmp_path / "nl.txt").write_text("\n".join(DUTCH) + "\n")
    (tmp_path / "en.tsv").write_text("".join(f"{word}\t{tag}\n" for word, tag in LEXICON.items()))
    with (tmp_path / "names.jsonl").open("w") as file:
        for number, text in enumerate(ENGLISH, 1):
            at = [(text.index(name), name) for name in ("Nimal", "Oslo") if name in text]
            spans = [{"start": start, "end": start + len(name), "label": "PER"} for start, name in at]
            if number != 2:
                file.write(json.dumps({"id": str(number), "text": text, "spans": spans}) + "\n")
    write(tmp_path, taggers(tmp_path))
    return tmp_path


def taggers(folder: Path) -> dict:
    lexicon = {"kind": "lexicon", "file": str(folder / "en.tsv"), "tags": "upos"}
    names = {"kind": "annotated", "file": str(folder / "names.jsonl"), "tags": "ne"}
    return {"eng": [lexicon, names], "nld": {"kind": "projection", "of": "eng"}}


def write(folder: Path, taggers: dict) -> None:
    files = {code: str(folder / f"{code[:1]}{'n' if code == 'eng' else 'l'}.txt") for code in taggers}
    recipe = {
        "corpora": [{"kind": "files", "files": files}],
        "taggers": taggers,
        "max_chars": 25,
        "sentences_per_block": 7,
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))


def tag(folder: Path, *settings: str, plan: bool = False) -> int:
    return run_job(JOB, str(folder / "recipe.yaml"), str(folder / "run"), settings, plan, None, None)


@pytest.mark.ray
def test_every_sentence_comes_out_once_with_its_tags_or_the_reason_for_none(
    cluster: None, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tag(folder) == 0
    english = read_entities(folder / "run/results/entities/eng_Latn")
    assert english["id"].to_pylist() == [str(number) for number in range(1, 25)]
    assert english["text"].to_pylist() == ENGLISH
    spans = [[(s["start"], s["end"], s["kind"]) for s in row or ()] for row in english["spans"].to_pylist()]
    assert spans[0] == [(0, 5, "NE"), (6, 11, "VERB"), (15, 19, "NE")]
    assert spans[1] == [(4, 7, "NOUN"), (8, 12, "VERB"), (15, 18, "NOUN")]  # the lexicon's alone
    assert spans[2] == []
    assert english["set_aside"].to_pylist()[4] == "30 characters, more than max_chars (25)"
    assert len(list((folder / "run/results/entities/eng_Latn").iterdir())) == 4

    dutch = read_entities(folder / "run/results/entities/nld_Latn").to_pylist()
    assert [row["text"] for row in dutch] == DUTCH
    found = {DUTCH[0][s["start"] : s["end"]]: s["kind"] for s in dutch[0]["spans"]}
    assert found["Nimal"] == found["Oslo"] == "NE"
    assert found["woont"] == "VERB"
    assert dutch[4]["set_aside"] == "no partner in eng_Latn"

    coverage = pq.read_table(folder / "run/results/coverage.parquet").to_pylist()
    assert [(row["lang"], row["sentences"], row["set_aside"]) for row in coverage] == [
        ("eng_Latn", 24, 4),
        ("nld_Latn", 24, 4),
    ]
    aside = pq.read_table(folder / "run/results/set-aside.parquet")
    assert aside["id"].to_pylist() == ["5", "11", "17", "23"] * 2
    assert "eng_Latn: 4 of 24 sentences set aside, see results/set-aside.csv: 30 char" in capsys.readouterr().out

    before = contents(folder / "run")
    assert tag(folder) == 0
    assert contents(folder / "run") == before
    tell_what_a_change_makes_stale(folder, capsys)


def tell_what_a_change_makes_stale(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert tag(folder, "max_chars=40", plan=True) == 0
    plan = capsys.readouterr().out
    assert "sentences  2 in all: 2 done" in plan
    assert "entities   4 in all: 4 stale" in plan
    assert "max_chars 25 -> 40" in plan
    write(folder, {"eng": taggers(folder)["eng"]})
    assert tag(folder) == 0  # and a language that is no more leaves the results
    assert [path.name for path in (folder / "run/results/entities").iterdir()] == ["eng_Latn"]


@pytest.mark.ray
def test_the_plan_of_a_new_run_says_what_waits_for_what(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tag(folder, plan=True) == 0
    plan = capsys.readouterr().out
    assert "eng_Latn     to run: waits for sentences/eng_Latn" in plan
    assert "projected  1 in all: 1 to run" in plan


def test_a_run_of_another_command_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from langvec.errors import InputError

    Store.open(str(folder / "run")).write("recipe.yaml", (folder / "recipe.yaml").read_bytes())
    with pytest.raises(InputError, match=r"holds a run of another command, `langscape tag`\. Choose another name"):
        run_job(ENTROPY2VEC, "ci", str(folder / "run"), [], True, None, None)
    assert tag(folder, plan=True) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"eng": {"kind": "salience"}}, "nld_Latn without a tagger"),
        ({"nld": {"kind": "salience"}, "eng": {"kind": "projection", "of": "eng"}}, "another language of this recipe"),
        ({"nld": {"kind": "spacey"}}, "expected stanza or spacy or|stanza, spacy"),
        ({"nld": {"kind": "spacy", "model": "xx_none_sm"}}, "xx_none_sm' is not installed.*spacy download"),
        ({"nld": {"kind": "stanza", "language": "nl", "folder": "/nowhere"}}, "/nowhere.*taggers fetch"),
        ({"nld": []}, "expected a list of 1 or more"),
    ],
)
def test_mistakes_about_taggers_are_told_before_anything_is_done(folder: Path, change: dict, said: str) -> None:
    from langvec.errors import InputError

    mistaken = {**taggers(folder), **change}
    if "without" in said:
        del mistaken["nld"]
    recipe = yaml.safe_load((folder / "recipe.yaml").read_text()) | {"taggers": mistaken}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    with pytest.raises(InputError, match=said):
        tag(folder)
    assert not (folder / "run").exists()


class Fragile:
    """A tagger whose process ends at one of the sentences."""

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span]]:
        if any("kill" in sentence.text for sentence in sentences):
            os._exit(9)
        return [[Span(0, 4, "NOUN", "x")] for _ in sentences]


@pytest.mark.ray
def test_a_sentence_that_ends_its_worker_costs_itself_alone(cluster: None, tmp_path: Path) -> None:
    def work(desk: Desk) -> dict:
        rows = [Sentence(str(place), "kill" if place == 5 else "word") for place in range(16)]
        trail = begun(desk.memory)
        found = tag_all(rows, Fragile(), desk.memory, trail)
        return {"set_aside": [place for place, one in enumerate(found) if isinstance(one, SetAside)]}

    store = Store.open(str(tmp_path / "run"))
    outcome = walk(store, [Stage("entities", (Piece("entities", "eng.00000", work, {}),), pool=Pool())])
    assert not outcome.failures
    assert outcome.records["entities/eng.00000"].meta["account"] == {"set_aside": [5]}


@pytest.mark.ray
def test_ids_of_passages_are_the_same_in_every_language_and_text_in_a_wrong_script_is_told(
    cluster: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [("7", "ein Satz"), ("8", "zwei\nZeilen"), ("8", "und drei"), ("9", "vier"), ("7", "noch einer")]
    (tmp_path / "d.jsonl").write_text("".join(json.dumps({"id": a, "text": b}) + "\n" for a, b in rows))
    file, salience = str(tmp_path / "d.jsonl"), {"kind": "salience", "by": "rarity"}
    source = {"kind": "files", "files": {"deu": file, "sin": file}, "passage": "id"}
    recipe = {"corpora": [source], "taggers": {"deu": salience, "sin": salience}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    assert tag(tmp_path) == 0
    table = read_entities(tmp_path / "run/results/entities/deu_Latn")
    assert table["id"].to_pylist() == ["7", "8/1of3", "8/2of3", "8/3of3", "9", "7~5.5"]
    assert all(row["spans"] for row in table.to_pylist())
    assert read_entities(tmp_path / "run/results/entities/sin_Sinh")["id"].equals(table["id"])
    said = capsys.readouterr().out
    assert "sin_Sinh: 6 of 6 sentences have no letter of its script" in said
    assert "deu_Latn:" not in said
