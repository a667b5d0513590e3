"""The commands as a user types them."""

import json
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from langvec.matrix import EntropyMatrix
from langvec.sources.udhr import TABLE, available
from langvec.vectors import PRESETS, LanguageVectors, make_vectors
from ray_jobs.store import Store
from tests.conftest import contents, langscape


@pytest.mark.ray
def test_a_run_ends_with_encoded_corpora_and_one_row_a_language(run: Path) -> None:
    table = pq.read_table(run / "results/corpora.parquet")
    assert table["lang"].to_pylist() == ["deu_Latn", "eng_Latn", "ind_Latn", "nld_Latn", "tam_Taml", "tgl_Latn"]
    assert table["test_symbols"].to_pylist() == table["test_bytes"].to_pylist()
    assert pyarrow.csv.read_csv(run / "results/corpora.csv").to_pylist() == table.to_pylist()


@pytest.mark.ray
def test_symbols_of_the_matrix_are_those_of_the_corpora_and_one_end_for_each_sentence(run: Path) -> None:
    corpora = {row["lang"]: row for row in pq.read_table(run / "results/corpora.parquet").to_pylist()}
    for row in pq.read_table(run / "results/matrix.parquet").to_pylist():
        assert row["symbols"] == corpora[row["text"]]["test_symbols"] + row["sentences"]


@pytest.mark.ray
def test_the_same_passages_are_held_out_in_every_language(run: Path) -> None:
    held_out = [set(pq.read_table(file)["passage"].to_pylist()) for file in run.glob("corpus/*/test.parquet")]
    assert len(held_out) == 6
    assert all(passages == held_out[0] for passages in held_out)


@pytest.mark.ray
def test_meta_says_what_a_piece_was_made_from_and_what_it_cost(run: Path) -> None:
    for record in Store(str(run)).records().values():
        meta = record.meta
        assert meta["seed"] == 1
        assert meta["cost"]["wall_s"] >= 0 and meta["host"]["cores"] and meta["versions"]["pyarrow"]
    (corpus,) = run.glob("corpus/deu*/meta.json")
    meta = json.loads(corpus.read_text())
    assert meta["inputs"].keys() == {"udhr"}
    assert meta["cost"]["wall_s"] > 0


@pytest.mark.ray
def test_the_results_hold_a_matrix_vectors_and_distances_of_every_kind_of_model(run: Path) -> None:
    for suffix in ("", "-ngram", "-compressor"):
        matrix = EntropyMatrix.from_parquet(run / f"results/matrix{suffix}.parquet")
        assert matrix.square and len(matrix.models) == 6
        assert pyarrow.csv.read_csv(run / f"results/matrix{suffix}.csv").num_rows == 36
        vectors = LanguageVectors.load(run / f"results/vectors{suffix}.parquet")
        assert vectors == make_vectors(matrix, PRESETS["best"])
        distances = pq.read_table(run / f"results/distances{suffix}.parquet").to_pylist()
        assert len(distances) == 15
        for row in distances:
            assert row["distance"] == pytest.approx(vectors.distance(row["lang_a"], row["lang_b"]))
            assert row["low"] < row["high"]


@pytest.mark.ray
def test_every_text_is_cheapest_for_the_ngrams_of_its_own_language(run: Path) -> None:
    matrix = EntropyMatrix.from_parquet(run / "results/matrix-ngram.parquet")
    assert matrix.per("char").argmin(0).tolist() == list(range(6))
    scores = {row["kind"]: row for row in pq.read_table(run / "results/scores.parquet").to_pylist()}
    assert scores["ngram"]["own_model_best"] == 6
    assert scores["ngram"]["own_nats_per_char"] == pytest.approx(matrix.per("char").diagonal().mean())
    assert LanguageVectors.load(run / "results/vectors-ngram.parquet").nearest("deu", 1)[0][0] == "nld_Latn"


@pytest.mark.ray
def test_each_neural_model_loads_in_transformers_and_has_learning_curves(run: Path) -> None:
    from transformers import GPT2LMHeadModel

    folders = list(run.glob("model/transformer-*"))
    assert len(folders) == 6
    model = GPT2LMHeadModel.from_pretrained(folders[0])
    assert sum(p.numel() for p in model.parameters()) == sum(
        json.loads((folders[0] / "meta.json").read_text())["account"][name] for name in ("parameters",)
    )
    assert pq.read_table(folders[0] / "log.parquet").num_rows == 2
    assert all(file.stat().st_size > 100 for file in run.glob("tensorboard/model/transformer-*/events.out.tfevents.*"))
    assert len(list(run.glob("tensorboard/model/transformer-*"))) == 6


@pytest.mark.ray
def test_an_unknown_text_is_placed_near_its_relatives_without_training(run: Path, tmp_path: Path) -> None:
    afrikaans = [row["text"] for row in pq.read_table(TABLE).to_pylist() if row["lang"] == "afr_Latn"]
    (tmp_path / "notes.txt").write_text("\n".join(afrikaans), encoding="utf-8")
    before = contents(run)
    for extra in ([], ["--models", "4"]):
        done = langscape("embed", str(tmp_path / "notes.txt"), "--run", str(run), "--kind", "ngram", *extra)
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[2].startswith("nld_Latn")
    assert "4 ngram models read" in done.stdout
    assert contents(run) == before


def test_a_text_that_cannot_be_placed_says_why(run: Path, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("ja\nnein\n")
    for words, reason in {
        (str(tmp_path / "short.txt"), "--run", str(run)): "no line of at least 10 characters",
        (str(tmp_path / "none.txt"), "--run", str(run)): "there is no file",
        (str(tmp_path / "short.txt"), "--run", str(tmp_path / "new")): "is no run yet",
        (str(tmp_path / "short.txt"), "--run", str(run), "--kind", "gru"): "Expected one of transformer, ngram",
    }.items():
        done = langscape("embed", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert reason in done.stderr and "Traceback" not in done.stderr


@pytest.mark.ray
def test_landmarks_train_few_models_and_place_every_language(run: Path, tmp_path: Path) -> None:
    few = tmp_path / "few"
    words = ("--set", "landmarks=3", "--set", "models=[{kind: ngram, order: 4}]")
    done = langscape("entropy2vec", "--recipe", "ci", "--run", str(few), *words)
    assert done.returncode == 0, done.stderr
    matrix = EntropyMatrix.from_parquet(few / "results/matrix.parquet")
    assert matrix.models == ("deu_Latn", "ind_Latn", "tam_Taml")  # the first of each family
    assert len(LanguageVectors.load(few / "results/vectors.parquet").codes) == 6
    whole = EntropyMatrix.from_parquet(run / "results/matrix-ngram.parquet")
    assert whole.select(models=matrix.models) == matrix


def test_a_share_of_the_machine_that_it_does_not_have_is_refused_at_once(tmp_path: Path) -> None:
    done = langscape("entropy2vec", "--recipe", "ci", "--run", str(tmp_path / "x"), "--set", "compute.gpus_per_model=1")
    assert done.returncode == 2
    assert "compute.gpus_per_model asks for 1, this machine has 0" in done.stderr


def test_languages_are_found_by_name_family_and_code() -> None:
    found = langscape("languages", "--search", "sinhala")
    assert "sin_Sinh  sinh1246  Sinhala" in found.stdout
    assert len(langscape("languages").stdout.splitlines()) > 8_000


def test_the_languages_of_the_bundled_declaration_can_be_listed() -> None:
    lines = langscape("languages", "--bundled").stdout.splitlines()
    assert sorted(line.split()[0] for line in lines) == list(available())
    assert langscape("languages", "--bundled", "--search", "klingon").returncode == 2


def test_the_usual_script_is_marked_where_there_are_several() -> None:
    lines = langscape("languages", "--search", "zho").stdout.splitlines()
    assert lines[0].startswith("zho_Hans") and "Chinese, usual script" in lines[0]
    assert not any("usual script" in line for line in lines if line.startswith("zho_H") and line != lines[0])


def test_the_command_says_its_version() -> None:
    done = langscape("--version")
    assert (done.returncode, done.stdout.startswith("langscape")) == (0, True)


def test_a_search_that_finds_nothing_says_so() -> None:
    done = langscape("languages", "--search", "klingonisch")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No language" in done.stderr


def test_a_place_that_cannot_be_written_to_exits_2(tmp_path: Path, s3: str) -> None:
    done = langscape("entropy2vec", "--recipe", "ci", "--run", "s3://no-such-bucket/run")
    assert (done.returncode, "cannot be written to" in done.stderr) == (2, True)
    (tmp_path / "file").touch()
    done = langscape("entropy2vec", "--recipe", "ci", "--run", str(tmp_path / "file"))
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
