"""The job `curate`: from crawled pairs to a ranking that is judged, whole, killed, and changed."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from transformers import BertConfig, BertModel

from masking.curation.noise import KINDS
from masking.parallel import plain
from masking.tokenizers import learn_tokenizer
from ray_jobs.command import run_job
from ray_jobs.curate import JOB, stages
from ray_jobs.curate_held import read_held
from ray_jobs.curate_recipe import CurateRecipe
from ray_jobs.loading import load_recipe, shipped
from ray_jobs.redraw import redraw
from ray_jobs.reopened import reopened
from ray_jobs.runner import walk
from ray_jobs.store import Store
from tests.conftest import REPOSITORY, contents

pytestmark = pytest.mark.ray
WORDS = {"the": "der", "dog": "Hund", "sees": "sieht", "a": "ein", "cat": "Katze", "house": "Haus", "old": "alt"}
WORDS |= {"man": "Mann", "reads": "liest", "book": "Buch", "white": "weiss", "and": "und", "tree": "Baum", "in": "im"}
KEY = "<b>AT&T</b>"


def sentences(count: int) -> list[tuple[str, str]]:
    draw = random.Random(1)
    found: dict[str, str] = {}
    while len(found) < count:
        words = draw.choices(list(WORDS), k=draw.randint(5, 9))
        found[" ".join(words)] = " ".join(WORDS[word] for word in words)
    return list(found.items())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """160 pairs of words in a table and 40 in Moses files, with some that a filter has to find, and an encoder."""
    folder, pairs = tmp_path_factory.mktemp("curate"), sentences(200)
    odd = [("empty", ""), (f"the dog {KEY}", f"der Hund {KEY}"), pairs[0], ("the dog sees a cat", "the dog sees a cat")]
    scored = [(*pair, "9.9" if KEY in pair[0] else "1.1") for pair in [*pairs[:160], *odd]]
    rows = [("en", "de", "laser"), *scored]
    (folder / "pairs.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    for end, side in (("en", 0), ("de", 1)):
        (folder / f"more.{end}").write_text("".join(pair[side] + "\n" for pair in pairs[160:]))
    (folder / "nl.txt").write_text("een regel in een andere taal\nen nog een regel daarvan\n")
    tokenizer = learn_tokenizer([text for pair in pairs for text in pair], 120)
    tokenizer.save_pretrained(folder / "encoder")
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(tokenizer), **shape)).save_pretrained(folder / "encoder")
    recipe = {
        "bitexts": {
            "table": {"kind": "table", "languages": ["eng", "deu"], "files": str(folder / "pairs.tsv"), "source": "en"}
            | {"target": "de", "score": "laser"},
            "moses": {"kind": "moses", "languages": ["eng", "deu"], "source": str(folder / "more.en")}
            | {"target": str(folder / "more.de")},
        },
        "foreign": {"kind": "files", "files": {"nld": str(folder / "nl.txt")}},
        "noise": {"misaligned": 0.15, "misordered": 0.05, "wrong_language": 0.1, "untranslated": 0.1, "truncated": 0.1},
        "held_out": {"dev": 0.06, "test": 0.06, "most": 8, "least_words": 3},
        "encoders": {"small": {"model": str(folder / "encoder")}},
        "score_refused": True,
        "pairs_per_block": 60,
        "top": 50,
        "translation": {
            "how": {"kind": "scratch", "layers": 1, "decoder_layers": 1, "width": 16, "heads": 2, "pieces": 80}
            | {"steps": 4, "batch_tokens": 256, "every": 2, "beams": 1},
            "rankings": ["words", "random"],
            "top": [30],
            "directions": ["backward"],
        },
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    return folder


def curate(folder: Path, run: str, *settings: str, report: bool = False) -> int:
    return run_job(JOB, str(folder / "recipe.yaml"), str(folder / run), settings, False, None, None, report)


@pytest.fixture(scope="module")
def run(cluster: None, folder: Path) -> Path:
    assert curate(folder, "run", report=True) == 0
    return folder / "run"


def table(run: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pa.concat_tables(
        map(pq.read_table, sorted(run.glob("results/curation/*")))
    ).to_pylist()
    return rows


def test_every_candidate_is_there_once_with_its_reasons_scores_and_ranks(run: Path) -> None:
    rows = table(run)
    names = [name.removeprefix("rank ") for name in rows[0] if name.startswith("rank ")]
    assert names == [
        *("small-margin", "small-cosine", "words", "given", "heuristics", "length-ratio", "random", "oracle")
    ]
    assert len({row["id"] for row in rows}) == len(rows)
    for name in names:
        assert sorted(row[f"rank {name}"] for row in rows) == list(range(1, len(rows) + 1))
        passed = [row[f"rank {name}"] for row in rows if not row["reasons"]]
        assert max(passed) == len(passed)  # what a filter refuses comes behind
    assert set(Counter(row["noise"] for row in rows)) == {None, *KINDS}
    assert all(row["noise"] is None for row in sorted(rows, key=lambda row: row["rank oracle"])[:20])
    assert {row["reasons"] for row in rows if row["source"] == row["target"]} <= {"copied", "copied, duplicate"}


def test_held_out_texts_stand_nowhere_among_the_candidates(run: Path) -> None:
    (piece,) = (run / "held_out").iterdir()
    parts = {part: pq.read_table(piece / f"{part}.parquet").to_pylist() for part in ("dev", "test")}
    texts = [plain(row[side]) for rows in parts.values() for row in rows for side in ("source", "target")]
    assert len(texts) == len(set(texts)) > 8
    candidates = {plain(row[side]) for row in table(run) for side in ("source", "target")}
    assert not candidates & set(texts)


def test_a_published_test_set_is_taken_whole_and_its_texts_are_no_candidates(
    cluster: None, folder: Path, tmp_path: Path
) -> None:
    texts = [(f"dog {place}", f"Hund {place}") for place in range(3)] + sentences(9)
    for end, side in (("en", 0), ("de", 1)):
        (tmp_path / f"test.{end}").write_text("".join(pair[side] + "\n" for pair in texts))
    sides = {name: str(tmp_path / f"test.{end}") for name, end in (("source", "en"), ("target", "de"))}
    tests = yaml.safe_dump({"kind": "moses", "languages": ["eng", "deu"], **sides}, default_flow_style=True)
    recipe = load_recipe(CurateRecipe, str(folder / "recipe.yaml"), [f"tests={tests}", "translation=null"])
    store = Store.open(str(tmp_path / "run"))
    done = walk(store, stages(recipe)[:2]).records
    assert read_held(tmp_path / "run" / done["held_out/pairs"].folder, "test") == texts
    blocks = sorted((tmp_path / "run" / done["pairs/pairs"].folder).glob("*.parquet"))
    candidates = pa.concat_tables(map(pq.read_table, blocks))["source"].to_pylist()
    assert not set(candidates) & {source for source, _ in texts}


def test_what_is_kept_is_the_best_that_passes_in_both_formats(run: Path) -> None:
    rows = sorted((row for row in table(run) if not row["reasons"]), key=lambda row: row["rank words"])[:50]
    kept = pq.read_table(run / "results/curation-kept-words.parquet").to_pylist()
    assert [(row["source"], row["target"]) for row in kept] == [(row["source"], row["target"]) for row in rows]
    lines = (run / "results/curation-kept-words.tsv").read_text().splitlines()
    assert [line.split("\t")[3:] for line in lines[1:]] == [[row["source"], row["target"]] for row in kept]


def test_counts_of_reasons_add_up_to_what_the_table_says(run: Path) -> None:
    rows, counted = table(run), pq.read_table(run / "results/curation-reasons.parquet").to_pylist()
    for kind in {row["reason"] for row in counted}:
        own = [row for row in counted if row["reason"] == kind]
        assert sum(row["any"] for row in own) == sum(kind in row["reasons"].split(", ") for row in rows)
        assert sum(row["first"] for row in own) == sum(row["reasons"].split(", ")[0] == kind for row in rows)


def test_rankings_are_judged_on_the_noise_and_translators_on_what_was_held_out(run: Path) -> None:
    figures = pq.read_table(run / "results/curation-rankings.parquet").to_pylist()
    rows = table(run)
    for name in ("words", "random"):
        good = [row["noise"] is None for row in sorted(rows, key=lambda row: row[f"rank {name}"])]
        slow = sum(sum(good[: place + 1]) / (place + 1) for place in range(len(good)) if good[place]) / sum(good)
        (found,) = [
            row["value"]
            for row in figures
            if (row["ranking"], row["noise"], row["metric"], row["filtered"])
            == (name, "all", "average_precision", True)
        ]
        assert found == pytest.approx(slow)
    translated = pq.read_table(run / "results/translation.parquet").to_pylist()
    keys = {(row["ranking"], row["top"], row["direction"], row["metric"]) for row in translated}
    assert len(keys) == 2 * 2 and all(row["signature"] and row["pairs"] == 30 for row in translated)


def test_the_same_command_again_changes_no_file_and_report_draws_the_same_page(run: Path, folder: Path) -> None:
    before, page = contents(run), (run / "results/report.html").read_bytes()
    assert curate(folder, "run", report=True) == 0
    redraw(str(run))
    assert contents(run) == before
    assert (run / "results/report.html").read_bytes() == page
    assert KEY.encode() not in page
    assert escape(KEY).encode() in page  # it has the highest score, so it is shown


def test_a_run_that_is_killed_in_the_middle_ends_with_the_same_files(run: Path, folder: Path, tmp_path: Path) -> None:
    recipe = load_recipe(CurateRecipe, str(folder / "recipe.yaml"), ["translation=null"])
    store = Store.open(str(tmp_path / "killed"))
    walk(store, stages(recipe)[:4])  # as a kill would leave it: later stages are not there
    damaged = next((tmp_path / "killed/filtered").glob("00001-*"))
    os.truncate(damaged / "reasons.parquet", 10)
    (tmp_path / "killed/recipe.yaml").write_text(recipe.to_yaml())
    words = str(folder / "recipe.yaml"), str(tmp_path / "killed"), ("translation=null",)
    assert run_job(JOB, *words, False, None, None) == 0
    again = contents(tmp_path / "killed")
    assert {name: contents(run)[name] for name in again if name != "recipe.yaml"} == {
        name: data for name, data in again.items() if name != "recipe.yaml"
    }
    assert any(name.startswith("curated/") for name in again)


def test_another_filter_scores_nothing_anew_and_what_depends_on_it_is_made_again(run: Path, folder: Path) -> None:
    before = {path.name for stage in ("pairs", "scored") for path in (run / stage).glob("[ps]*")}
    recipe = load_recipe(CurateRecipe, str(folder / "recipe.yaml"), ["filters=[{kind: ratio, factor: 1.3}]"])
    done = reopened(JOB, str(run)).done
    again = [piece.stage for stage in stages(recipe) for piece in stage.of(done) if piece.stage == "filtered"]
    assert again and before
    assert curate(folder, "run", "filters=[{kind: ratio, factor: 1.3}]", "translation=null", "words=null") == 0
    assert {path.name for stage in ("pairs", "scored") for path in (run / stage).glob("[ps]*")} == before
    assert {row["reasons"] for row in table(run)} == {"", "ratio"}
    assert not (run / "results/curation-kept-words.tsv").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["filters=[{kind: length}, {kind: length}]"], "length given twice"),
        (["foreign=null"], "text of a third language in `foreign`"),
        (["held_out=null"], "expected `held_out`"),
        (["thresholds={wrods: 1}"], "there is no ranking wrods; expected small-margin, small-cosine, words"),
        (["filters=[{kind: language, others: [hau, tlh]}]"], "there is none in tlh_"),
        (["filters=[{kind: lenght}]"], "found 'lenght'; did you mean length"),
        (["encoders={words: {model: none/such}}"], "this is the name of a ranking"),
        (["bitexts.table.files=none.tsv"], "there is no file"),
        (["bitexts.moses.kind=mose"], "found 'mose'; did you mean moses"),
    ],
)
def test_mistakes_are_told_before_work_starts(folder: Path, settings: Sequence[str], said: str) -> None:
    from langvec.errors import InputError

    with pytest.raises(InputError) as error:
        load_recipe(CurateRecipe, str(folder / "recipe.yaml"), settings)
    assert said in str(error.value)


def test_the_shipped_recipes_are_recipes() -> None:
    assert shipped(CurateRecipe) == ["curation-demo", "curation-paper"]
    for name in shipped(CurateRecipe):
        CurateRecipe.model_validate(yaml.safe_load((REPOSITORY / f"ray_jobs/recipes/curate/{name}.yaml").read_text()))
