"""Opening a run: the matrix of its recipe as it stands, or one sentence on why there is none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from langvec.errors import InputError
from ray_jobs import entropy2vec
from ray_jobs.embed import embed
from ray_jobs.finished import FinishedRun
from ray_jobs.loading import load_recipe
from ray_jobs.recipe import Recipe
from ray_jobs.stages import Survey
from ray_jobs.store import RECIPE, Store
from ray_jobs.task import Task, do

Work = Callable[..., Store]


@pytest.fixture
def work(write_recipe: Callable[..., Path], tmp_path: Path) -> Work:
    """Does the stages of a recipe up to one of them in this process, as a command that was killed after it would."""
    file = write_recipe()

    def until(last: str, *settings: str) -> Store:
        recipe = load_recipe(Recipe, str(file), settings)
        store = Store.open(str(tmp_path / "run"))
        store.write_if_new(RECIPE, recipe.to_yaml().encode())
        survey = Survey(store.records())
        for stage in entropy2vec.stages(recipe):
            for entry in survey.entries(stage.pieces):
                if entry.state != "done":
                    survey.finished(entry.piece, do(Task.of(entry, survey.kin(entry.piece), store, 60)))
            if stage.name == last:
                break
        return store

    return until


def refusal(store: Store, kind: str | None = None) -> str:
    with pytest.raises(InputError) as caught:
        FinishedRun.open(store.uri, kind)
    return str(caught.value)


def test_a_run_killed_before_its_matrix_is_said_to_be_unfinished(work: Work) -> None:
    said = refusal(work("grid"))
    assert "is not finished" in said and "Run the same `langscape entropy2vec` again" in said


def test_a_kind_that_the_recipe_does_not_have_is_refused_with_those_it_has(work: Work) -> None:
    work("matrix", "models=[{kind: compressor}, {kind: ngram}]")
    store = work("matrix", "models=[{kind: ngram}]")
    said = refusal(store, "compressor")
    assert said.startswith(
        f"--kind compressor: the recipe of --run {store.uri} has no such models. Expected one of ngram"
    )
    assert "not finished" not in said


@pytest.mark.parametrize(
    "change", ["models.0.order=3", "cleaning.min_chars=45", "split.train=5", "alphabet={kind: char}", "landmarks=2"]
)
def test_what_was_made_before_the_recipe_was_changed_does_not_count(work: Work, change: str) -> None:
    assert FinishedRun.open(work("matrix").uri, None)
    assert "is not finished" in refusal(work("encoded", change))
    assert FinishedRun.open(work("matrix", change).uri, None)


def test_a_change_of_the_recipe_that_changes_no_text_leaves_the_run_finished(work: Work) -> None:
    before = FinishedRun.open(work("matrix").uri, None)
    after = FinishedRun.open(work("matrix", "cleaning.min_chars=11").uri, None)
    assert after.newest == before.newest


def test_a_recipe_that_is_changed_back_finds_its_own_matrix_and_not_the_newest(work: Work) -> None:
    before = FinishedRun.open(work("matrix").uri, None)
    work("matrix", "models.0.order=3")
    assert FinishedRun.open(work("matrix").uri, None).newest == before.newest


def test_more_models_than_there_are_are_refused(work: Work, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--models 100: the run has 3 models\. Expected 2 to 3"):
        embed(str(tmp_path / "deu.txt"), work("matrix").uri, 100, 5, None)


def test_a_text_is_placed_by_as_many_models_as_asked_for(work: Work, tmp_path: Path) -> None:
    lines = embed(str(tmp_path / "deu.txt"), work("matrix").uri, 2, 5, None)
    assert "2 ngram models read" in lines[0] and lines[2].startswith("deu_Latn")


def test_a_model_that_is_damaged_is_named_as_a_reason_to_run_again(work: Work, tmp_path: Path) -> None:
    store = work("matrix")
    (model,) = Path(store.root).glob("model/ngram-deu*/ngram.safetensors")
    model.write_bytes(b"")
    with pytest.raises(InputError, match="gone or damaged"):
        embed(str(tmp_path / "deu.txt"), store.uri, None, 5, None)
