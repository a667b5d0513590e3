"""What the documentation tells people to type works, and what can be typed is documented."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from langvec.config import Strict
from ray_jobs.alchemy_recipe import AlchemyRecipe
from ray_jobs.cli import app
from ray_jobs.curate_recipe import CurateRecipe
from ray_jobs.lem_recipe import LemRecipe
from ray_jobs.recipe import Recipe
from ray_jobs.sentiment_recipe import SentimentRecipe
from tests.conftest import REPOSITORY

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def blocks(page: Path, language: str) -> str:
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S))


@pytest.fixture(scope="module")
def folder(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader types. The run that most pages begin with is there, and their command finds it done."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(run, folder / "runs/ci")
    return folder


@pytest.mark.ray
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")], ids=lambda page: page.stem)
def test_the_commands_of_a_page_run_as_they_stand(page: Path, folder: Path) -> None:
    script = f'langscape() {{ "{sys.executable}" -m ray_jobs "$@"; }}\nset -euo pipefail\n{blocks(page, "sh")}'
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.ray
def test_the_python_examples_run_over_a_run_of_the_ci_recipe(folder: Path) -> None:
    for page in PAGES:
        for code in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S):
            environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
            done = subprocess.run(
                [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
            assert done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_bundled_tables_are_those_whose_checksums_are_written_down() -> None:
    folder = REPOSITORY / "langvec/data"
    written = dict(re.findall(r"\| `(\w+\.parquet)` \|.*\| `([0-9a-f]{64})` \|", (folder / "README.md").read_text()))
    assert written == {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.parquet")}


def fields(model: type[BaseModel]) -> set[tuple[str, str]]:
    """Every field a recipe can hold, with the class it belongs to."""
    of_subclasses = [fields(subclass) for subclass in model.__subclasses__()]
    return {(model.__name__, name) for name in model.model_fields}.union(*of_subclasses)


def test_every_recipe_field_is_documented() -> None:
    page = (REPOSITORY / "docs/recipes.md").read_text(encoding="utf-8")
    rows = {row.split("|")[1].strip().strip("`"): row for row in page.splitlines() if row.startswith("| `")}
    recipes = (Recipe, LemRecipe, CurateRecipe, AlchemyRecipe, SentimentRecipe)
    assert {name for recipe in recipes for name in recipe.model_fields} <= rows.keys()
    missing = {name for owner, name in fields(Strict) if owner != "Corpus" and name not in rows}
    assert not missing


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["entropy2vec"],
        ["embed"],
        ["languages"],
        ["neighbours"],
        ["distance"],
        ["tree"],
        ["report"],
        ["status"],
        ["submit"],
        ["typology"],
        ["sweep", "dbscan"],
        ["sweep", "entities"],
        ["lem"],
        ["alchemy"],
        ["sentiment"],
        ["curate"],
        ["tag"],
        ["masks"],
        ["taggers", "fetch"],
        ["taggers", "train"],
        ["taggers", "judge"],
        ["taggers", "names"],
        ["mine"],
        ["score"],
    ],
)
def test_help_explains_every_option(words: list[str]) -> None:
    done = CliRunner().invoke(app, [*words, "--help"])
    assert done.exit_code == 0
    for option in re.findall(r"^\s+(--[a-z]+)(.*)$", done.stdout, re.M):
        assert len(option[1].strip()) > 10, option
