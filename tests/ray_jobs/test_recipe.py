"""Recipes: strict, frozen, and honest about every mistake at once."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from langvec.errors import InputError
from ray_jobs.loading import load_recipe, shipped
from ray_jobs.recipe import Recipe


def refusal(recipe: Path, *settings: str) -> str:
    with pytest.raises(InputError) as caught:
        load_recipe(Recipe, str(recipe), settings)
    return str(caught.value)


@pytest.mark.parametrize("name", shipped(Recipe))
def test_shipped_recipes_are_valid(name: str) -> None:
    assert load_recipe(Recipe, name).descriptions()


def test_a_recipe_written_out_reads_back_as_the_same_recipe(write_recipe: Callable[..., Path], tmp_path: Path) -> None:
    recipe = load_recipe(Recipe, str(write_recipe()))
    (tmp_path / "again.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    assert load_recipe(Recipe, str(tmp_path / "again.yaml")) == recipe


def test_set_reaches_fields_list_items_and_sections_that_are_not_there(write_recipe: Callable[..., Path]) -> None:
    settings = ["cleaning.min_chars=3", "corpora.0.errors=replace", "alphabet={kind: bpe, size: 500}"]
    recipe = load_recipe(Recipe, str(write_recipe()), settings)
    assert (recipe.cleaning.min_chars, recipe.corpora[0].errors, recipe.alphabet.kind) == (3, "replace", "bpe")


def test_set_reaches_into_the_defaults_of_a_recipe_that_leaves_them_out(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("corpora: [{kind: udhr, languages: [deu, nld]}]")
    settings = ["models.0.order=4", "trees.grow.1.min_samples=0.2", "alphabet.min_count=3"]
    recipe = load_recipe(Recipe, str(tmp_path / "r.yaml"), settings)
    assert (recipe.models[0].order, recipe.trees.grow[1].min_samples, recipe.alphabet.min_count) == (4, 0.2, 3)
    assert "models.0.order: expected 8 or less, found 9" in refusal(tmp_path / "r.yaml", "models.0.order=9")
    assert "a list of 1 (count from 0)" in refusal(tmp_path / "r.yaml", "models.1.order=4")


def test_a_recipe_cannot_be_changed_after_it_was_checked(write_recipe: Callable[..., Path]) -> None:
    recipe = load_recipe(Recipe, str(write_recipe()))
    with pytest.raises(ValidationError):
        recipe.seed = 2


def test_every_mistake_is_reported_at_once_fields_and_inputs_alike(write_recipe: Callable[..., Path]) -> None:
    recipe = write_recipe("cleaning: {min_char: 5, max_lines: many}\nsplit: {train: 0}\n")
    raw = yaml.safe_load(recipe.read_text())
    raw["corpora"][0]["files"]["deu"] = "none.txt"
    recipe.write_text(yaml.safe_dump(raw))
    text = refusal(recipe)
    assert "4 mistakes; nothing was started" in text
    assert "cleaning.min_char: there is no such field; did you mean min_chars?" in text
    assert "cleaning.max_lines: expected a whole number" in text and "found 'many'" in text
    assert "split.train: expected 1 or more, found 0" in text
    assert "deu_Latn: there is no file" in text


def test_what_is_wrong_with_a_source_does_not_hide_what_is_wrong_with_its_files(
    write_recipe: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = write_recipe()
    raw = yaml.safe_load(recipe.read_text())
    source = raw["corpora"][0]
    source["files"] |= {"qqq": "a.txt", "../x": "b.txt", "swe": "none.txt"}
    source["colum"] = "content"
    (tmp_path / "deu.txt").write_bytes(b"")
    recipe.write_text(yaml.safe_dump(raw))
    text = refusal(recipe)
    assert "5 mistakes" in text
    for mistake in ("files.qqq: There is no language", "files.../x: There is no language", "colum: there is no such"):
        assert f"corpora.0.{mistake}" in text
    assert "swe_Latn: there is no file" in text and "deu.txt is empty" in text


def test_an_unknown_language_is_refused_with_the_nearest_right_ones(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("corpora: [{kind: udhr, languages: [deu, qqq]}]")
    text = refusal(tmp_path / "r.yaml")
    assert "qqq" in text and "langscape languages --search" in text


@pytest.mark.parametrize("code", ["../deu", "deu/../x", "deu\n", "dëu", "", "deu Latn"])
def test_codes_that_could_become_a_path_are_refused(tmp_path: Path, code: str) -> None:
    (tmp_path / "r.yaml").write_text(yaml.safe_dump({"corpora": [{"kind": "udhr", "languages": [code]}]}))
    assert "cannot run" in refusal(tmp_path / "r.yaml")


def test_a_language_in_two_sources_is_refused(write_recipe: Callable[..., Path]) -> None:
    recipe = write_recipe()
    raw = yaml.safe_load(recipe.read_text())
    raw["corpora"].append({"kind": "udhr", "languages": ["fra", "nld"]})
    recipe.write_text(yaml.safe_dump(raw))
    assert "nld_Latn in more than one source; expected each language once" in refusal(recipe)


def test_a_key_given_twice_in_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("seed: 1\nseed: 2\n")
    assert "seed given twice" in refusal(tmp_path / "r.yaml")


def test_an_unknown_recipe_is_refused_with_the_shipped_ones(tmp_path: Path) -> None:
    assert "shipped recipes: ci, demo, paper" in refusal(tmp_path / "none.yaml")


@pytest.mark.parametrize("setting", ["seed", "=3", "a..b=1", "corpora.7.errors=replace", "alphabet={kind"])
def test_a_setting_that_leads_nowhere_is_refused(write_recipe: Callable[..., Path], setting: str) -> None:
    assert f"--set {setting}" in refusal(write_recipe(), setting)


def test_the_order_of_languages_is_the_order_of_the_recipe(write_recipe: Callable[..., Path]) -> None:
    recipe = load_recipe(Recipe, str(write_recipe()))
    assert isinstance(recipe, Recipe)
    assert [corpus.code for corpus in recipe.descriptions()] == ["deu_Latn", "nld_Latn", "hin_Deva"]
