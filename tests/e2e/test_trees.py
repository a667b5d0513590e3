"""Trees, their scores, and the commands that ask a finished run: as a user types them."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from langvec.compare import scores
from langvec.constructions import TreeRecipe
from langvec.matrix import EntropyMatrix
from langvec.sweep import points
from langvec.tree import Tree
from langvec.vectors import LanguageVectors
from ray_jobs.store import Store
from tests.conftest import REPOSITORY, contents, langscape

CONSTRUCTIONS = ["nested", "nested-min0.3", "flat", "hdbscan", "average", "complete", "ward", "nj"]


@pytest.mark.ray
def test_every_tree_is_there_with_support_and_its_scores_are_those_of_the_file(run: Path) -> None:
    gold = Tree.from_newick((run / "results/tree-gold.nwk").read_text())
    rows = pq.read_table(run / "results/trees.parquet").to_pylist()
    for kind, suffix in {"transformer": "", "ngram": "-ngram", "compressor": "-compressor"}.items():
        vectors = LanguageVectors.load(run / f"results/vectors{suffix}.parquet")
        for name in CONSTRUCTIONS:
            tree = Tree.from_newick((run / f"results/tree-{name}{suffix}.nwk").read_text())
            assert sorted(tree.leaves) == sorted(gold.leaves) == sorted(vectors.codes)
            assert all(0 <= float(label) <= 1 for label in tree.select(vectors.codes).labels[:-1])
            (row,) = (row for row in rows if (row["kind"], row["tree"]) == (kind, name))
            for measure, value in scores(tree, gold).items():
                assert row[measure] == pytest.approx(value) or (row[measure] is None and np.isnan(value)), measure
            assert row["triplets_low"] <= row["triplets_high"]
            assert Tree.from_newick((run / f"results/tree-{name}-consensus{suffix}.nwk").read_text())
        names = {row["tree"] for row in rows if row["kind"] == kind and row["role"] == "baseline"}
        assert names == {"star", "script", "geography", *(f"random-{name}" for name in CONSTRUCTIONS)}
    assert pyarrow.csv.read_csv(run / "results/trees.csv").num_rows == len(rows)


@pytest.mark.ray
def test_neighbours_distance_and_tree_tell_what_the_results_hold(run: Path) -> None:
    vectors = LanguageVectors.load(run / "results/vectors-ngram.parquet")
    asked = ("--run", str(run), "--kind", "ngram")
    near = langscape("neighbours", "deu", *asked, "--nearest", "3").stdout.splitlines()
    assert [line.split()[0] for line in near[2:]] == [code for code, _ in vectors.nearest("deu", 3)]
    assert near[2].endswith("Dutch, West Germanic")
    far = langscape("distance", "deu", "tam", *asked).stdout
    assert f"distance {vectors.distance('deu', 'tam'):.3f}, 95% interval" in far and "no common family" in far
    gold = langscape("tree", "--tree", "gold", *asked).stdout
    assert gold.splitlines()[0] == "gold, 6 languages"
    assert "├─ West Germanic" in gold or "└─ West Germanic" in gold
    shown = langscape("tree", "--tree", "average", *asked).stdout
    assert all(code in shown for code in vectors.codes)


@pytest.mark.ray
def test_what_a_run_does_not_have_is_named_with_what_it_has(run: Path) -> None:
    for words, reason in {
        ("neighbours", "dex"): "Did you mean deu",
        ("distance", "deu", "deu_Latn"): "Expected two languages. Found deu_Latn twice",
        ("tree", "--tree", "upgma"): "Expected one of average, average-consensus, ",
        ("tree", "--tree", "../../recipe"): "has no tree '../../recipe'",
        ("typology", "none.csv"): "none.csv cannot be read",
    }.items():
        done = langscape(*words, "--run", str(run))
        assert (done.returncode, done.stdout) == (2, "")
        assert reason in done.stderr and "Traceback" not in done.stderr


@pytest.mark.ray
def test_a_wrong_code_never_aborts_python_at_its_end(run: Path) -> None:
    """It did so in a third of the calls when tables were read from bytes of ours."""
    assert {langscape("neighbours", "xyz", "--run", str(run)).returncode for _ in range(10)} == {2}


@pytest.mark.ray
def test_a_changed_list_of_trees_grows_only_what_is_new_and_takes_old_results_away(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "copy")
    before = contents(tmp_path / "copy")
    words = ("--set", "models=[{kind: ngram, order: 4}]")
    trees = "trees.grow=[{construction: average, contract: 0.1}, {construction: nj}]"
    done = langscape("entropy2vec", "--recipe", "ci", "--run", str(tmp_path / "copy"), *words, "--set", trees)
    assert done.returncode == 0, done.stderr
    after = contents(tmp_path / "copy")
    new = {name.rpartition("-")[0] for name in after.keys() - before.keys() if name.startswith("tree/")}
    assert new == {"tree/ngram-average-cut0.1"}
    held = {name for name in after if name.startswith("results/tree")}
    names = ("average-cut0.1", "average-cut0.1-consensus", "nj", "nj-consensus", "gold")
    assert held == {"results/trees.csv", "results/trees.parquet", *(f"results/tree-{name}.nwk" for name in names)}
    matrix = EntropyMatrix.from_parquet(tmp_path / "copy/results/matrix.parquet")
    tree = TreeRecipe(construction="nj").grow(
        matrix.texts, LanguageVectors.load(tmp_path / "copy/results/vectors.parquet").distances()
    )
    assert scores(Tree.from_newick((tmp_path / "copy/results/tree-nj.nwk").read_text()), tree)["rf_rooted"] == 0


@pytest.mark.ray
def test_a_sweep_that_is_stopped_says_so_and_leaves_no_table(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, tmp_path / "run")
    words = [sys.executable, "-m", "ray_jobs", "sweep", "dbscan", "--kind", "ngram", "--run", str(tmp_path / "run")]
    command = subprocess.Popen(
        words, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, text=True
    )
    while not (tmp_path / "run/.tune").exists():
        assert command.poll() is None, "the sweep ended before it was stopped"
        time.sleep(0.01)
    os.killpg(command.pid, signal.SIGINT)
    said = command.communicate(timeout=60)
    assert (command.returncode, said[0]) == (130, "")
    assert "Stopped. What is finished stays" in said[1] and "Traceback" not in said[1]
    assert not list((tmp_path / "run/results").glob("sweep-*"))


@pytest.mark.ray
def test_a_sweep_killed_in_the_middle_goes_on_and_ends_as_an_undisturbed_one(run: Path, tmp_path: Path) -> None:
    for name in ("undisturbed", "killed"):
        shutil.copytree(run, tmp_path / name)
    words = [sys.executable, "-m", "ray_jobs", "sweep", "dbscan", "--kind", "ngram", "--run"]
    command = subprocess.Popen([*words, str(tmp_path / "killed")], cwd=REPOSITORY, start_new_session=True, text=True)
    store = Store(str(tmp_path / "killed"))
    while not (done := [name for name in store.records() if name.startswith("sweep/")]):
        assert command.poll() is None, "the sweep ended before it was killed"
        time.sleep(0.01)
    os.killpg(command.pid, signal.SIGKILL)
    command.wait()
    finished = {name: (tmp_path / "killed" / name / "meta.json").stat().st_mtime_ns for name in done}
    for name in ("undisturbed", "killed"):
        swept = langscape("sweep", "dbscan", "--kind", "ngram", "--run", str(tmp_path / name))
        assert swept.returncode == 0, swept.stderr
    assert (
        finished.items()
        <= {name: (tmp_path / "killed" / name / "meta.json").stat().st_mtime_ns for name in store.records()}.items()
    )
    tables = [
        pq.read_table(tmp_path / name / "results/sweep-dbscan-ngram.parquet") for name in ("undisturbed", "killed")
    ]
    assert tables[0] == tables[1]
    assert tables[0].num_rows == len(points(square=True))
    shares = [share for share in tables[0]["triplets_half_1"].to_pylist() if share is not None]
    assert shares == sorted(shares, reverse=True)
    assert "best on half 1 of the families" in swept.stdout and not (tmp_path / "killed/.tune").exists()
