"""A cluster as users have it: a head with a token, worker nodes with disks of their own, a store that all share.

Jobs are submitted to it as a user does, and nodes are lost under them every few seconds.
"""

import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.fs
import pytest

from ray_jobs.entropy2vec import JOB
from ray_jobs.lem_recipe import LemRecipe
from ray_jobs.loading import load_recipe
from ray_jobs.recipe import Recipe
from ray_jobs.results import write_results
from ray_jobs.store import Store
from tests.conftest import langscape
from tests.nodes import RAY, Head, head
from tests.ray_jobs.here import walk_here
from tests.ray_jobs.test_export import made
from tests.submitting import submit

ENTROPY = """
corpora: [{{kind: files, files: {{deu: {texts}/deu.txt, nld: {texts}/nld.txt, hin: {texts}/hin.txt}}}}]
alphabet: {{kind: byte}}
models:
  - {{kind: transformer, layers: 1, width: 32, heads: 2, context: 64, batch_symbols: 512, epochs: 3}}
  - {{kind: ngram, order: 3}}
trees: {{grow: [{{construction: average}}], draws: 10}}
compute: {{checkpoint_every_s: 0}}
"""
LEM = """
corpora: [{{kind: files, files: {{eng: {texts}/en.txt, deu: {texts}/de.txt}}}}]
taggers:
  eng: {{kind: lexicon, file: en.tsv, tags: upos}}
  deu: {{kind: projection, of: eng}}
pairs: [[eng, deu]]
encoder: {{kind: scratch, layers: 1, width: 32, heads: 2, pieces: 300}}
arms: {{lem: {{strategy: lem}}}}
baseline: untouched
division: {{dev: 0.1, test: 0.2}}
mono: null
para: {{epochs: 6, batch_tokens: 512, learning_rate: 2.e-3}}
compute: {{save_every_s: 0}}
"""


@pytest.fixture(scope="module")
def cluster(s3: str) -> Iterator[Head]:
    with head() as made:
        for _ in range(3):
            made.add()
        yield made


@pytest.fixture
def texts(s3: str, tmp_path: Path, write_text: Callable[..., Path]) -> str:
    """Text in the store: no node sees the disk of another."""
    for lang in ("deu", "nld", "hin"):
        write_text(lang, 400)
    lines = [[(line * 7 + step * (3 + line % 5)) % 100 for step in range(4 + line % 6)] for line in range(260)]
    for code, word in (("en", "word"), ("de", "wort")):
        (tmp_path / f"{code}.txt").write_text("".join(" ".join(f"{word}{n}" for n in line) + "\n" for line in lines))
    there, root = pyarrow.fs.FileSystem.from_uri(f"s3://bucket/{uuid.uuid4().hex}")
    for file in tmp_path.glob("*.txt"):
        pyarrow.fs.copy_files(str(file), f"{root}/{file.name}", destination_filesystem=there)
    return f"s3://{root}"


@pytest.fixture
def folder(tmp_path: Path, texts: str) -> Path:
    """What travels with a job: recipes, and a list of words."""
    made = tmp_path / "study"
    made.mkdir()
    (made / "entropy.yaml").write_text(ENTROPY.format(texts=texts))
    (made / "lem.yaml").write_text(LEM.format(texts=texts))
    (made / "en.tsv").write_text("".join(f"word{number}\tNOUN\n" for number in range(0, 100, 3)))
    return made


def results(run: str) -> dict[str, bytes | None]:
    """All that counts in a run, whatever machines it was made on and however often."""
    store = Store(run)
    records = store.records().values()
    assert not any(record.damage for record in records)
    names = [f"{record.folder}/{file}" for record in records for file in record.meta["files"]]
    names += [f"results/{name}" for name in store.names("results") if name.endswith((".parquet", ".csv", ".nwk"))]
    return {name: store.read(name) for name in names}


def ray_job(cluster: Head, *words: str) -> str:
    done = subprocess.run(
        [RAY, "job", *words, "--address", cluster.url], env=cluster.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def repeats(run: str) -> int:
    return sum(record.meta["cost"]["attempts"] - 1 for record in Store(run).records().values())


def metrics(cluster: Head) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{cluster.metrics}/metrics") as page:
        return str(page.read().decode())


def wait_for(there: Callable[[], object], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.ray
def test_a_job_stopped_and_submitted_again_on_nodes_that_are_lost_ends_as_in_peace(
    one_thread: None, cluster: Head, folder: Path, tmp_path: Path
) -> None:
    run = f"s3://bucket/{uuid.uuid4().hex}"
    words = ("--", "entropy2vec", "--recipe", "entropy.yaml", "--run", run, "--no-report")
    begun = submit(cluster, folder, "--id", "first", "--no-follow", *words)
    assert begun.returncode == 0 and "`ray job stop first --address" in begun.stdout, begun.stderr
    wait_for(lambda: any(name.startswith("model/") for name in Store(run).records()))
    assert "as job first (since" in langscape("status", "--run", run).stdout
    wait_for(lambda: "langscape_pieces_done" in metrics(cluster))
    assert f'run="{run}"' in metrics(cluster)
    ray_job(cluster, "stop", "first")
    assert "nobody is at work; the last command was stopped" in langscape("status", "--run", run).stdout
    assert Store(run).names(".lock") == []

    with cluster.losing(every_s=6) as lost:
        done = submit(cluster, folder, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(lost) > 1
    recipe, calm = load_recipe(Recipe, str(folder / "entropy.yaml")), Store.open(str(tmp_path / "calm"))
    write_results(calm, walk_here(JOB, calm, recipe), recipe)
    assert results(run) == results(calm.uri)
    print("lost", len(lost), "repeats", repeats(run))


@pytest.mark.ray
def test_an_encoder_trained_on_nodes_that_are_lost_is_the_one_trained_in_peace(
    one_thread: None, cluster: Head, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = f"s3://bucket/{uuid.uuid4().hex}"
    with cluster.losing(every_s=12) as lost:
        done = submit(cluster, folder, "--", "lem", "--recipe", "lem.yaml", "--run", run, "--no-report")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(lost) > 2
    monkeypatch.chdir(folder)
    made(load_recipe(LemRecipe, "lem.yaml"), tmp_path / "calm")
    pieces = {name: data for name, data in results(run).items() if not name.startswith("results/")}
    assert pieces == results(str(tmp_path / "calm"))
    print("lost", len(lost), "repeats", repeats(run))


@pytest.mark.ray
def test_a_job_that_fails_ends_with_the_status_and_the_words_of_the_command(cluster: Head, folder: Path) -> None:
    run = f"s3://bucket/{uuid.uuid4().hex}"
    wrong = ("--recipe", "entropy.yaml", "--run", run, "--set", "seed=-1")
    done = submit(cluster, folder, "--id", "wrong", "--", "entropy2vec", *wrong)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "seed: expected 0 or more" in done.stdout and "Traceback" not in done.stdout + done.stderr
    done = submit(cluster, folder, "--", "entropy2vec", "--recipe", "entropy.yaml", "--run", "runs/mine")
    assert done.returncode == 2 and "in the copy of the folder that came with the job" in done.stdout
    done = submit(cluster, folder, "--id", "wrong", "--", "languages")
    assert done.returncode == 2 and "--id wrong: there is such a job" in done.stderr


@pytest.mark.ray
@pytest.mark.parametrize("token", [{"RAY_AUTH_TOKEN": "f" * 64}, {"RAY_AUTH_MODE": "disabled"}], ids=["wrong", "none"])
def test_who_has_not_the_token_of_the_cluster_is_refused(token: dict[str, str], cluster: Head, folder: Path) -> None:
    done = submit(cluster, folder, "--", "languages", **token)
    assert done.returncode == 2 and done.stdout == ""
    assert "token" in done.stderr and "RAY_AUTH_MODE=token" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.ray
def test_a_training_on_a_node_that_is_to_go_saves_at_once_whatever_the_recipe_says(
    cluster: Head, folder: Path, tmp_path: Path
) -> None:
    run = f"s3://bucket/{uuid.uuid4().hex}"
    long = ("--set", "compute.checkpoint_every_s=86400", "--set", "models.0.epochs=100000")
    words = ("--", "entropy2vec", "--recipe", "entropy.yaml", "--run", run, *long)
    assert submit(cluster, folder, "--id", "drained", "--no-follow", *words).returncode == 0
    store = Store(run)
    wait_for(lambda: "model/transformer" in langscape("status", "--run", run).stdout)
    assert store.names(".checkpoints/model") == []
    for node in nodes_of(cluster):  # as a cloud does that wants its spot machines back
        reason = ("--reason", "DRAIN_NODE_REASON_PREEMPTION", "--reason-message", "wanted by others")
        words = ("--address", cluster.address, "--node-id", node, "--deadline-remaining-seconds", "600")
        drained = subprocess.run([RAY, "drain-node", *words, *reason], env=cluster.environment, capture_output=True)
        assert drained.returncode == 0, drained.stderr
    wait_for(lambda: store.names(".checkpoints/model"))
    ray_job(cluster, "stop", "drained")


def nodes_of(cluster: Head) -> list[str]:
    """Ids of the nodes that work."""
    code = (
        "import ray, sys; ray.init(sys.argv[1], log_to_driver=False); "
        "print(*(node['NodeID'] for node in ray.nodes() if node['Alive'] and node['Resources'].get('CPU')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, cluster.address], env=cluster.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
