"""The commands as a user types them."""

import json
from pathlib import Path

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from ray_jobs.store import Store
from tests.conftest import langscape


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the recipe `ci`."""
    folder = tmp_path_factory.mktemp("runs") / "ci"
    done = langscape("entropy2vec", "--recipe", "ci", "--run", str(folder), "--set", "seed=7")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"all done  -> {folder}/results/\n")
    return folder


@pytest.mark.ray
def test_a_run_ends_with_encoded_corpora_and_one_row_a_language(run: Path) -> None:
    table = pq.read_table(run / "results/corpora.parquet")
    assert table["lang"].to_pylist() == ["deu_Latn", "eng_Latn", "ind_Latn", "nld_Latn", "tam_Taml", "tgl_Latn"]
    assert table["test_symbols"].to_pylist() == table["test_bytes"].to_pylist()
    assert pyarrow.csv.read_csv(run / "results/corpora.csv").to_pylist() == table.to_pylist()


@pytest.mark.ray
def test_the_same_passages_are_held_out_in_every_language(run: Path) -> None:
    held_out = [set(pq.read_table(file)["passage"].to_pylist()) for file in run.glob("corpus/*/test.parquet")]
    assert len(held_out) == 6
    assert all(passages == held_out[0] for passages in held_out)


@pytest.mark.ray
def test_meta_says_what_a_piece_was_made_from_and_what_it_cost(run: Path) -> None:
    for record in Store(str(run)).records().values():
        meta = record.meta
        assert meta["seed"] == 7
        assert meta["cost"]["wall_s"] >= 0 and meta["host"]["cores"] and meta["versions"]["pyarrow"]
    (corpus,) = run.glob("corpus/deu*/meta.json")
    meta = json.loads(corpus.read_text())
    assert meta["inputs"].keys() == {"udhr"}
    assert meta["cost"]["wall_s"] > 0


def test_languages_are_found_by_name_family_and_code() -> None:
    found = langscape("languages", "--search", "sinhala")
    assert "sin_Sinh  sinh1246  Sinhala" in found.stdout
    assert len(langscape("languages").stdout.splitlines()) > 8_000


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
