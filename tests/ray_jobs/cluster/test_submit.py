"""What is seen to be wrong before anything travels to a cluster."""

from pathlib import Path

import pytest

from ray_jobs.cluster.submit import _travelling
from tests.conftest import langscape

NOBODY = "http://127.0.0.1:1"


def test_a_folder_too_large_to_travel_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    for name, size in (("corpus/large.txt", 40 << 20), ("corpus/larger.txt", 45 << 20), ("ignored.bin", 90 << 20)):
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    (tmp_path / ".rayignore").write_text("ignored.bin\n")
    words = ("submit", "--address", NOBODY, "--working-dir", str(tmp_path), "--", "languages")
    done = langscape(*words)
    assert done.returncode == 2
    assert "85 MiB; expected at most 50" in done.stderr and "ignored.bin" not in done.stderr
    assert "corpus/larger.txt (45 MiB), corpus/large.txt (40 MiB)" in done.stderr
    (tmp_path / ".rayignore").write_text("ignored.bin\ncorpus/\n")
    assert f"No cluster takes jobs at {NOBODY}" in langscape(*words).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("entropy2vek", "--recipe", "ci"), "Did you mean 'entropy2vec'?"),
        (("--", "sweep", "dbscam"), "Did you mean 'dbscan'?"),
        (("--", "entropy2vec", "--recipy", "ci", "--run", "s3://b/x"), "No such option: --recipy"),
        (("entropy2vec", "--recipe", "ci"), "Missing option '--run'"),
        (("--address", "auto", "languages"), "expected the cluster's dashboard, such as http://127.0.0.1:8265"),
        (("--working-dir", str(Path.home()), "languages"), "would be copied to every node"),
        (("--working-dir", "no/such", "languages"), "there is no such folder"),
        (("--id", "a b/c", "languages"), "expected letters, digits"),
        (("--address", "127.0.0.1:1", "python", "-m", "ray_jobs", "languages"), f"No cluster takes jobs at {NOBODY}"),
    ],
)
def test_a_mistake_in_what_is_typed_is_told_here(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    folder = () if "--working-dir" in words else ("--working-dir", str(tmp_path))
    done = langscape("submit", *folder, *words)
    assert done.returncode == 2 and said in done.stderr.replace("\n", " "), done.stderr
    assert "Traceback" not in done.stderr


def test_hidden_files_and_environments_stay_at_home(tmp_path: Path) -> None:
    for name in ("mine.yaml", "words/deu.tsv", ".env", ".ssh/id_rsa", "sub/.token", "venv/lib.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = {path.relative_to(tmp_path).as_posix() for path, _ in _travelling(tmp_path)}
    assert found == {"mine.yaml", "words/deu.tsv"}


def test_a_command_beside_the_cluster_is_told_which_address_it_wants(tmp_path: Path) -> None:
    words = ("--recipe", "ci", "--run", str(tmp_path / "run"), "--address", "http://127.0.0.1:8265")
    done = langscape("entropy2vec", *words)
    assert done.returncode == 2 and "expected HOST:PORT of the head" in done.stderr
