"""The jobs `alchemy` and `sentiment`: what is judged, what is compared, and what is refused before work starts."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import accuracy_score, f1_score

from langvec.alchemy import CONTROLS
from langvec.errors import InputError
from ray_jobs import alchemy, sentiment
from ray_jobs.alchemy_recipe import AlchemyRecipe
from ray_jobs.classification_results import write_results
from ray_jobs.classified import ITEMS, TEXTS
from ray_jobs.loading import load_recipe
from ray_jobs.report.classification import write_report
from ray_jobs.sentiment_recipe import SentimentRecipe
from ray_jobs.store import Store
from ray_jobs.verdicts import Judgement, System, mean_right
from tests.conftest import langscape
from tests.failure.test_pretraining_killed import killed, started, wait_for, workers
from tests.ray_jobs.here import walk_here

SCRATCH = "encoders={small: {kind: scratch, layers: 1, width: 16, heads: 2, pieces: 200}}"
QUICK = "tuning={epochs: 1, batch: 8, precision: float32}"
WORDS = {"good": ["nice", "fine", "sweet"], "bad": ["poor", "sour", "sad"], "so": ["thing", "day", "place"]}


pytestmark = pytest.mark.usefixtures("one_thread")


def sentences(count: int, seed: int, prefix: str) -> Iterator[tuple[str, str]]:
    """Texts of one language, whose words begin as no other's do, and their labels."""
    draw = random.Random(seed)
    for number in range(count):
        label = list(WORDS)[number % 3]
        yield " ".join(prefix + word for word in [*draw.choices(WORDS[label], k=4), f"x{seed}y{number}"]), label


def write_tables(folder: Path, codes: dict[str, str], train: int = 18, test: int = 9) -> Path:
    for code, prefix in codes.items():
        for split, count, seed in (("train", train, 1), ("test", test, 2)):
            with (folder / f"{code}.{split}.csv").open("w", newline="") as file:
                table = csv.writer(file)
                table.writerow(["id", "text", "label"])
                table.writerows([f"{split}{n}", *row] for n, row in enumerate(sentences(count, seed, prefix)))
    return folder


@pytest.fixture
def data(tmp_path: Path) -> str:
    folder = write_tables(tmp_path, {"deu_Latn": "a", "nld_Latn": "b", "fin_Latn": "c", "rus_Cyrl": "ж"})
    languages = "[deu, nld, fin, rus]"
    return f'data={{kind: files, path: "{folder}/{{code}}.{{split}}.csv", languages: {languages}, id: id}}'


@pytest.fixture
def vectors(tmp_path: Path) -> str:
    (tmp_path / "v.csv").write_text("code,a,b,c\ndeu,1,0,3\nnld,1,1,2\nfin,0,2,\nrus,4,0,1\n")
    return f"vectors={{ours: {{kind: table, file: {tmp_path}/v.csv}}}}"


def alchemy_recipe(*settings: str, name: str = "alchemy-demo") -> AlchemyRecipe:
    return load_recipe(AlchemyRecipe, name, settings)


SEEN = "seen=[deu, nld, rus]"


def test_alchemy_judges_every_arm_on_seen_and_unseen_languages(data: str, vectors: str, tmp_path: Path) -> None:
    recipe = alchemy_recipe(data, vectors, SEEN, SCRATCH, QUICK, "seeds=2", "controls=[one_hot]")
    store = Store.open(str(tmp_path / "run"))
    done = walk_here(alchemy.JOB, store, recipe)
    lines = write_results(store, done, recipe)
    rows = store.table("results/alchemy.parquet").to_pylist()
    arms = {(row["encoder"], row["beside"], row["seed"]) for row in rows}
    assert arms == {("majority", "none", 1), ("characters", "none", 1)} | {
        ("small", beside, seed) for beside in ("none", "ours-1", "one_hot-1") for seed in (1, 2)
    }
    assert {row["lang"] for row in rows if not row["seen"]} == {"fin_Latn"}
    assert any("1 unseen language, 9 texts" in line for line in lines)
    for row in rows[:: len(rows) // 7]:
        folder = (
            "plain/" + f"{row['encoder']}.seen"
            if row["encoder"] != "small"
            else (f"tuned/small.seen.{row['beside']}.{row['seed']}")
        )
        items = store.table(f"{done[folder].folder}/{ITEMS}").to_pylist()
        mine = [item for item in items if item["lang"] == row["lang"]]
        gold, found = ([item[name] for item in mine] for name in ("label", "found"))
        assert row["accuracy"] == pytest.approx(accuracy_score(gold, found))
        assert row["macro_f1"] == pytest.approx(f1_score(gold, found, average="macro", zero_division=0))
    assert all((row["named"] is None) == (row["beside"] == "none") for row in rows)
    write_report(store, done, recipe)
    page = (store.read("results/report.html") or b"").decode()
    assert "Does it help to know the language?" in page
    assert "small + ours-1" in page


def test_the_same_data_vectors_and_seed_give_the_same_answers_in_another_run(
    data: str, vectors: str, tmp_path: Path
) -> None:
    recipe = alchemy_recipe(data, vectors, SEEN, SCRATCH, QUICK, "seeds=1", "controls=[]", "baselines={}")
    tables = []
    for name in ("one", "other"):
        store = Store.open(str(tmp_path / name))
        record = walk_here(alchemy.JOB, store, recipe)["tuned/small.seen.ours-1.1"]
        tables.append(store.table(f"{record.folder}/{ITEMS}"))
    assert tables[0].equals(tables[1])


def test_a_new_weight_tunes_only_the_arms_that_it_is_of(data: str, vectors: str, tmp_path: Path) -> None:
    settings = (data, vectors, SEEN, SCRATCH, QUICK, "seeds=1", "controls=[]")
    store = Store.open(str(tmp_path / "run"))
    before = walk_here(alchemy.JOB, store, alchemy_recipe(*settings))
    after = walk_here(alchemy.JOB, store, alchemy_recipe(*settings, "weights=[1, learned]"))
    assert set(after) - set(before) == {"tuned/small.seen.ours-learned.1"}
    assert all(after[id].folder == record.folder for id, record in before.items())


def test_sentiment_trains_on_each_course_and_judges_mixed_text(data: str, tmp_path: Path) -> None:
    mixed = "mixed={deu+fin: {matrix: deu, embedded: fin, share: 0.5}}"
    train = "train={german: [deu], all: [deu, nld, fin, deu+fin]}"
    settings = (data, mixed, train, SCRATCH, QUICK, "seeds=1")
    recipe = load_recipe(SentimentRecipe, "sentiment-demo", settings)
    store = Store.open(str(tmp_path / "run"))
    done = walk_here(sentiment.JOB, store, recipe)
    lines = write_results(store, done, recipe)
    rows = store.table("results/sentiment.parquet").to_pylist()
    assert {row["course"] for row in rows} == {"german", "all"}
    assert {row["lang"] for row in rows} == {"deu_Latn", "nld_Latn", "fin_Latn", "rus_Cyrl", "deu+fin"}
    texts = store.table(f"{done['mixed/deu+fin'].folder}/{TEXTS}").to_pylist()
    words = [word for row in texts for word in row["text"].split()]
    share = sum(word.startswith("c") for word in words) / len(words)
    assert 0.3 < share <= 0.55
    assert any("1 code-mixed language," in line for line in lines)


def test_text_that_was_learnt_in_any_language_is_not_judged(data: str, tmp_path: Path) -> None:
    with (tmp_path / "fin_Latn.test.csv").open("a") as file:
        file.write("copy,anice anice afine asweet ax1y0,good\n")
        taught = next(iter(sentences(1, 1, "a")))
        file.write(f"taught,{taught[0].upper()},{taught[1]}\n")
    recipe = alchemy_recipe(data, "vectors={}", SEEN, SCRATCH, QUICK, "seeds=1", "controls=[]")
    store = Store.open(str(tmp_path / "run"))
    record = walk_here(alchemy.JOB, store, recipe)["plain/majority.seen"]
    ids = {row["id"] for row in store.table(f"{record.folder}/{ITEMS}").to_pylist() if row["lang"] == "fin_Latn"}
    assert "copy" in ids
    assert "taught" not in ids
    assert record.meta["account"]["not_judged"] == {"fin_Latn": 1}


def test_translations_of_one_text_are_redrawn_as_one() -> None:
    """By ids, so that the mean over texts is the mean over languages, whatever their sizes."""
    found = {"deu": [1, 1, 0, 0], "nld": [1, 0]}
    table = pa.table(
        {
            "lang": ["deu"] * 4 + ["nld"] * 2,
            "id": ["a", "b", "c", "d", "a", "c"],
            "label": ["x"] * 6,
            "found": ["x" if one else "y" for of in found.values() for one in of],
            "named": pa.nulls(6, pa.string()),
            "named_in_group": pa.nulls(6, pa.string()),
        }
    )
    judgement = Judgement(System("e", "c", "none"), [1], [table], ["x", "y"])
    right = mean_right(judgement, ["deu", "nld"])
    assert right.shape == (1, 4)
    assert right.mean() == pytest.approx(np.mean([np.mean(one) for one in found.values()]))


# The papers' recipes, on stand-ins in the format of the public data


def massive(folder: Path) -> str:
    """A copy of the data set on disk: one folder a language, a table a split."""
    for name, prefix in {"de": "a", "ru": "ж", "fi": "c"}.items():
        (folder / name).mkdir(parents=True)
        for split, seed, count in (("train", 1, 12), ("validation", 2, 6), ("test", 3, 6)):
            rows = [
                {"id": str(n), "label": n % 3, "label_text": label, "text": text, "lang": name}
                for n, (text, label) in enumerate(sentences(count, seed, prefix))
            ]
            pq.write_table(pa.Table.from_pylist(rows), folder / name / f"{split}-00000-of-00001.parquet")
    return f"data={{kind: hub, preset: massive, dataset: {folder}, languages: [deu, rus, fin]}}"


def test_the_recipe_of_lingualchemy_runs_to_its_end_on_a_copy_of_massive(vectors: str, tmp_path: Path) -> None:
    settings = (massive(tmp_path / "massive"), vectors, "seen=[deu, rus]", SCRATCH, "seeds=1", "controls=[one_hot]")
    recipe = alchemy_recipe(*settings, "tuning.epochs=1", name="alchemy-paper")
    store = Store.open(str(tmp_path / "run"))
    done = walk_here(alchemy.JOB, store, recipe)
    write_results(store, done, recipe)
    beside = {row["beside"] for row in store.table("results/alchemy.parquet").to_pylist()}
    assert beside == {"none", *(f"{name}-{w}" for name in ("ours", "one_hot") for w in ("10", "scale", "learned"))}


def test_the_recipe_of_code_mixed_sentiment_runs_to_its_end_on_comments_of_ones_own(tmp_path: Path) -> None:
    write_tables(tmp_path, {"sin": "ල"})
    for split in ("train", "test"):
        (tmp_path / f"sin.{split}.csv").rename(tmp_path / f"{split}.csv")
    settings = (f"data.path={tmp_path}/{{split}}.csv", SCRATCH, "tuning.epochs=1", "seeds=2")
    recipe = load_recipe(SentimentRecipe, "sentiment-paper", settings)
    store = Store.open(str(tmp_path / "run"))
    write_results(store, walk_here(sentiment.JOB, store, recipe), recipe)
    assert {row["seed"] for row in store.table("results/sentiment.parquet").to_pylist()} == {1, 2}


# Refused before work starts


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["seen=[deu, eng]"], "eng_Latn not in `data`"),
        (["seen=[deu]"], "nothing to be told from"),
        (["seen=[deu, nld]", "controls=[script]"], "all of `seen` are in one script"),
        (["vectors={ours: {kind: table, file: v.csv, mising: 1}}"], "did you mean missing"),
        (["vectors={}", "controls=[shuffled]"], "are made like vectors, and `vectors` is empty"),
        (["vectors={a: {kind: joined, of: [b, c]}}"], "joins b, c"),
        (["vectors={random: {kind: table, file: v.csv}}"], "is the name of a control"),
        (["vectors={a: {kind: table, file: nothing.csv}}"], "Cannot read .*nothing.csv"),
        (["vectors={a: {kind: run, run: nowhere}}"], "no run of `langscape entropy2vec`"),
        (["weights=[0]"], "more than 0"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused_with_what_to_do(
    data: str, vectors: str, changes: list[str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        alchemy_recipe(data, vectors, SEEN, SCRATCH, *changes)


def test_a_seen_language_without_a_vector_is_named_before_work_starts(data: str, vectors: str, tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("code,a\ndeu,1\nnld,2\n")
    with pytest.raises(InputError, match=r"vectors.ours: There is no vector of rus_Cyrl, which is trained on"):
        alchemy_recipe(data, vectors, SEEN, SCRATCH)


@pytest.mark.parametrize(
    ("row", "said"),
    [("odd,cnice cfine,strange", "fin_Latn: strange"), ("odd,cnice,", "label"), ("test0,cnice,good", "'test0'")],
    ids=["a label nobody was taught", "no label", "an id that is there"],
)
def test_a_row_that_would_stop_the_run_later_is_told_before_work_starts(
    data: str, tmp_path: Path, row: str, said: str
) -> None:
    with (tmp_path / "fin_Latn.test.csv").open("a") as file:
        file.write(f"{row}\n")
    with pytest.raises(InputError, match=said):
        alchemy_recipe(data, "vectors={}", SEEN, SCRATCH, QUICK, "seeds=1", "controls=[]")


def test_controls_that_nobody_named_are_those_that_say_something(data: str, vectors: str) -> None:
    assert alchemy_recipe(data, vectors, SEEN, SCRATCH).chosen_controls() == CONTROLS
    assert alchemy_recipe(data, vectors, "seen=[deu, nld]", SCRATCH).chosen_controls() == CONTROLS[:-1]
    assert alchemy_recipe(data, "vectors={}", SEEN, SCRATCH).chosen_controls() == ("one_hot", "script")


@pytest.mark.ray
def test_killed_and_typed_again_alchemy_ends_as_if_undisturbed(data: str, vectors: str, tmp_path: Path) -> None:
    """On Ray, killed once a training has begun: the answers are those of one process, and the third touches no file."""
    settings = [data, vectors, SEEN, SCRATCH, QUICK, "seeds=1", "controls=[]", "baselines={}", "compute.cpus=2"]
    words = [word for setting in settings for word in ("--set", setting)]
    run = tmp_path / "run"
    typed = ("alchemy", "--recipe", "alchemy-demo", "--run", str(run), *words)
    command = started(*typed)
    wait_for(command, lambda: any(run.glob("encoder/*/meta.json")) and bool(workers(command, "Owner")))
    killed(command)
    assert not list(run.glob("results/*"))
    done = langscape(*typed)
    assert done.returncode == 0, done.stderr
    store = Store.open(str(tmp_path / "here"))
    here = walk_here(alchemy.JOB, store, alchemy_recipe(*settings))
    on_ray = Store.open(str(run))
    for id, record in here.items():
        if id.startswith("tuned/"):
            assert on_ray.table(f"{record.folder}/{ITEMS}").equals(store.table(f"{record.folder}/{ITEMS}"))
    before = {file: file.stat().st_mtime_ns for file in run.rglob("*") if file.is_file()}
    again = langscape(*typed)
    assert again.returncode == 0, again.stderr
    assert before == {file: file.stat().st_mtime_ns for file in run.rglob("*") if file.is_file()}
