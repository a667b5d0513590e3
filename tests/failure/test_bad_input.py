"""Wrong input, as a user would give it: one clear paragraph, exit 2, and finished work stays."""

import gzip
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ray_jobs.command import run_job
from ray_jobs.entropy2vec import JOB
from ray_jobs.store import Store
from tests.conftest import contents, langscape


def run(recipe: Path, folder: Path, *settings: str) -> int:
    """The command inside this process and its cluster."""
    return run_job(JOB, str(recipe), str(folder), settings, plan=False, address=None, endpoint=None)


def test_a_mistake_seen_before_the_start_exits_2_with_a_paragraph_and_no_traceback(
    write_recipe: Callable[..., Path], tmp_path: Path
) -> None:
    done = langscape(
        "entropy2vec", "--recipe", str(write_recipe("cleaning: {min_chars: 0}")), "--run", str(tmp_path / "r")
    )
    assert done.returncode == 2
    assert "cleaning.min_chars: expected 1 or more, found 0" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "r").exists()


def test_mistakes_in_the_recipe_and_in_the_run_name_are_reported_together(write_recipe: Callable[..., Path]) -> None:
    done = langscape("entropy2vec", "--recipe", str(write_recipe("seed: -1")), "--run", "a b")
    assert done.returncode == 2
    assert "seed: expected 0 or more" in done.stderr and "--run 'a b'" in done.stderr


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (f"runs/{'../' * 30}etc", "--run /etc holds other files"),
        ("runs/a b", "--run 'runs/a b'"),
        ("s3://bucket/../etc", "without '..' in it"),
        ("ftp://x/y", "--run ftp://x/y"),
    ],
)
def test_a_run_name_that_leads_elsewhere_exits_2(name: str, reason: str) -> None:
    done = langscape("entropy2vec", "--recipe", "ci", "--run", name)
    assert (done.returncode, reason in done.stderr) == (2, True)


@pytest.mark.ray
def test_a_truncated_gz_fails_alone_and_by_name(
    cluster: None, write_recipe: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(lines=40_000)
    whole = gzip.compress((tmp_path / "nld.txt").read_bytes(), 1)
    damaged = tmp_path / "nld.txt.gz"
    damaged.write_bytes(whole[: len(whole) * 3 // 4])
    recipe.write_text(recipe.read_text().replace("nld.txt", "nld.txt.gz"))
    assert run(recipe, tmp_path / "run") == 2
    said = capsys.readouterr().err
    assert "corpus/nld_Latn failed." in said and "nld.txt.gz: cannot be read to its end" in said
    assert "Not tried, since they need what failed: encoded/nld_Latn, model/ngram-nld_Latn, " in said
    finished = {name.rpartition("-")[0] for name in Store(str(tmp_path / "run")).records()}
    assert finished == {"alphabet/byte", "tree/known"} | {
        f"{stage}{lang}" for stage in ("corpus/", "encoded/", "model/ngram-") for lang in ("deu_Latn", "hin_Deva")
    }
    damaged.write_bytes(whole)
    before = contents(tmp_path / "run")
    assert run(recipe, tmp_path / "run") == 0
    assert before.items() - contents(tmp_path / "run").items() <= {
        (name, data) for name, data in before.items() if name.startswith("results/")
    }


@pytest.mark.ray
def test_bytes_that_are_not_utf8_are_named_by_offset_or_replaced_if_asked(
    cluster: None, write_recipe: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(lines=40_000)
    with (tmp_path / "deu.txt").open("ab") as file:
        at = file.tell()
        file.write(b"Gr\xfc\xdfe an alle Menschen\n")
    assert run(recipe, tmp_path / "run") == 2
    assert f"deu.txt: not UTF-8 at byte {at + 2:,} (0xfc)" in capsys.readouterr().err
    assert run(recipe, tmp_path / "run", "corpora.0.errors=replace") == 0


@pytest.mark.ray
def test_a_split_that_ends_up_empty_is_explained(
    cluster: None, write_recipe: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe()
    (tmp_path / "nld.txt").write_text("de enige zin die er is\n")
    assert run(recipe, tmp_path / "run") == 2
    assert "corpus/nld_Latn failed. nld_Latn: no line is left for" in capsys.readouterr().err


@pytest.mark.ray
def test_a_changed_recipe_redoes_what_it_affects_and_the_plan_says_so(
    cluster: None, write_recipe: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe("alphabet: {kind: char}\n")
    assert run(recipe, tmp_path / "run") == 0
    corpora = {path: path.stat().st_mtime_ns for path in (tmp_path / "run/corpus").rglob("*")}
    capsys.readouterr()
    assert run_job(JOB, str(recipe), str(tmp_path / "run"), ["alphabet.min_count=3"], True, None, None) == 0
    plan = capsys.readouterr().out
    assert "corpus     3 in all: 3 done" in plan
    assert "char         stale: min_count 2 -> 3" in plan
    assert "deu_Latn     stale: waits for alphabet/char" in plan
    assert run(recipe, tmp_path / "run", "alphabet.min_count=3") == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run/corpus").rglob("*")} == corpora


@pytest.mark.ray
def test_another_language_costs_only_its_own_pieces(
    cluster: None, write_recipe: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = write_recipe()
    whole = recipe.read_text()
    recipe.write_text(whole.replace(f", nld: {tmp_path / 'nld.txt'}", ""))
    assert run(recipe, tmp_path / "run") == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").glob("*/*/*")}
    recipe.write_text(whole)
    assert run(recipe, tmp_path / "run") == 0
    after = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").glob("*/*/*")}
    assert before.items() <= after.items()
    new = {
        path.parent.relative_to(tmp_path / "run").as_posix().rpartition("-")[0] for path in after.keys() - before.keys()
    }
    of_a_language = {name for name in new if name.startswith(("corpus/", "encoded/", "model/"))}
    assert of_a_language == {"corpus/nld_Latn", "encoded/nld_Latn", "model/ngram-nld_Latn"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("a small file system can only be mounted by root")
    yield disk
    subprocess.run(["umount", disk], check=True)


@pytest.mark.ray
def test_a_full_disk_is_explained_and_the_run_goes_on_once_there_is_room(
    cluster: None,
    write_recipe: Callable[..., Path],
    tmp_path: Path,
    small_disk: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recipe = write_recipe(lines=3_000)
    filler = small_disk / "filler"
    filler.write_bytes(os.urandom(700_000))
    assert run(recipe, small_disk / "run") == 2
    assert f"The disk that holds {small_disk / 'run'} is full." in capsys.readouterr().err
    assert all(record.damage is None for record in Store(str(small_disk / "run")).records().values())
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", small_disk], check=True)
    assert run(recipe, small_disk / "run") == 0
    assert run(recipe, tmp_path / "roomy") == 0
    assert contents(small_disk / "run") == contents(tmp_path / "roomy")
