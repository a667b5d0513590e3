"""Recipes of `langscape lem`: shipped ones are valid, and what cannot work is said before work starts."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from langvec.errors import InputError
from ray_jobs.lem_recipe import LemRecipe, arms
from ray_jobs.loading import load_recipe, shipped
from ray_jobs.sweep_entities import arms_of

SMALL: dict[str, Any] = {
    "corpora": [{"kind": "udhr", "languages": ["eng", "sin", "tam"]}],
    "taggers": {code: {"kind": "salience"} for code in ("eng", "sin", "tam")},
    "pairs": [["eng", "sin"]],
    "encoder": {"kind": "scratch"},
}


def made(**changes: Any) -> LemRecipe:
    return LemRecipe.model_validate(SMALL | changes)


@pytest.mark.parametrize("name", shipped(LemRecipe))
def test_shipped_recipes_have_the_fields_of_recipes(name: str) -> None:
    recipe = LemRecipe.model_validate(yaml.safe_load((LemRecipe.shipped_in / f"{name}.yaml").read_text()))
    assert recipe.baseline in recipe.arms
    assert LemRecipe.model_validate(yaml.safe_load(recipe.to_yaml())) == recipe


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"pairs": [["eng", "eng"]]}, "expected two languages"),
        ({"pairs": [["eng", "fra"]]}, "fra_Latn in `pairs`, but no text"),
        ({"pairs": [["eng", "sin"], ["sin", "eng"]]}, "a pair is given twice"),
        ({"mono": None, "para": None}, "expected at least one stage"),
        ({"baseline": "nothing"}, "expected untouched or one of lem, mlm"),
        ({"arms": {"untouched": {"strategy": "mlm"}}, "baseline": "untouched"}, "expected another name"),
        ({"arms": {"A b": {"strategy": "mlm"}}}, "arms"),
        ({"encoder": {"kind": "scratch", "width": 30, "heads": 4}}, "cannot be shared by 4 heads"),
        ({"monolingual": [{"kind": "udhr", "languages": ["deu"]}]}, "expected languages of `corpora`"),
        (
            {
                "taggers": SMALL["taggers"] | {"sin": {"kind": "projection", "of": "eng"}},
                "monolingual": [{"kind": "udhr", "languages": ["sin"]}],
            },
            "tagged by projection",
        ),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        made(**changes)


def test_a_missing_encoder_and_a_missing_test_file_are_told_together(tmp_path: Path) -> None:
    wrong = SMALL | {
        "encoder": {"kind": "pretrained", "model": str(tmp_path / "none")},
        "tests": {"news": {"kind": "files", "files": {"eng": str(tmp_path / "none.txt")}}},
    }
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(wrong))
    with pytest.raises(InputError) as refused:
        load_recipe(LemRecipe, str(file))
    assert "is no encoder" in str(refused.value)
    assert "tests.news" in str(refused.value)


def test_each_arm_has_an_encoder_of_each_seed() -> None:
    assert [arm.id for arm in arms(made(seeds=2, seed=5))] == ["lem.5", "lem.6", "mlm.5", "mlm.6"]


def test_the_full_grid_has_each_choice_once_and_what_it_has_to_beat() -> None:
    full, contrasts = arms_of("full"), arms_of("contrasts")
    assert len(full) == 5 + 4 * 2 * 4 * 2 + 3 * 4 * 2  # kinds with names have two units, the three others one
    assert len(contrasts) == 5 + 7 + 4
    assert set(contrasts) <= set(full)
    assert all(contrasts[name] == full[name] for name in contrasts)
    assert len({how.model_dump_json() for how in full.values()}) == len(full)
