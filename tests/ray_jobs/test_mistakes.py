"""One sentence for each mistake in a recipe: the field as `--set` spells it, what was expected, what was found."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from langvec.errors import InputError
from ray_jobs.lem_recipe import LemRecipe
from ray_jobs.loading import load_recipe
from ray_jobs.mistakes import EXAMPLES
from ray_jobs.recipe import Recipe
from ray_jobs.tag_recipe import TagRecipe

CORPORA = "corpora: [{kind: udhr, languages: [deu, nld]}]\n"


def refusal(folder: Path, text: str) -> str:
    (folder / "r.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_recipe(Recipe, str(folder / "r.yaml"))
    return str(caught.value).removeprefix(f"The recipe {folder / 'r.yaml'} ").removeprefix("cannot run. ")


@pytest.mark.parametrize(
    ("corpora", "sentence"),
    [
        (
            "[{kind: file, files: {deu: a.txt}}]",
            "corpora.0.kind: expected udhr, files, hub or catalogs, found 'file'; did you mean files?",
        ),
        (
            "[{files: {deu: a.txt}}]",
            "corpora.0: expected a kind (udhr, files, hub or catalogs), found none in {files: {deu: a.txt}}.",
        ),
        ("[udhr]", "corpora.0: expected a mapping such as {kind: udhr, languages: [deu, nld]}, found 'udhr'."),
        ("{kind: udhr}", "corpora: expected a list such as [{kind: udhr, languages: [deu, nld]}], found {kind: udhr}."),
        ("null", "corpora: expected a list such as [{kind: udhr, languages: [deu, nld]}], found null."),
        ("[{kind: files, files: {~: a.txt}}]", "corpora.0.files: expected text as a key, found null."),
        ("[{kind: files, files: {2020-01-01: a}}]", "corpora.0.files: expected text as a key, found 2020-01-01."),
        ("[{kind: files, files: {3: a}}]", "corpora.0.files: expected text as a key, found 3."),
        ("[{kind: 3}]", "corpora.0.kind: expected udhr, files, hub or catalogs, found '3'."),
        ("[{kind: udhr}]", "corpora.0.languages: missing, and it has no default; expected something such as"),
        ("[{kind: udhr, languages: deu}]", "corpora.0.languages: expected a list such as [deu, nld], found 'deu'."),
    ],
)
def test_a_mistaken_source_is_refused_in_one_sentence(tmp_path: Path, corpora: str, sentence: str) -> None:
    said = refusal(tmp_path, f"corpora: {corpora}")
    assert said.startswith(sentence) and "\n" not in said


@pytest.mark.parametrize(
    ("field", "sentence"),
    [
        (
            "alphabet: {knd: byte}",
            "alphabet: expected a kind (byte, char or bpe), found none in {knd: byte}; "
            "did you mean kind instead of knd?",
        ),
        ("alphabet: byte", "alphabet: expected a mapping such as {kind: byte}, found 'byte'."),
        ("models: ngram", "models: expected a list such as [{kind: ngram, order: 6}], found 'ngram'."),
        ("models: {kind: ngram}", "models: expected a list such as [{kind: ngram, order: 6}], found {kind: ngram}."),
        ("models: []", "models: expected a list of 1 or more such as [{kind: ngram, order: 6}], found []."),
        ("models: [ngram]", "models.0: expected a mapping such as {kind: ngram, order: 6}, found 'ngram'."),
        (
            "models: [{order: 3}]",
            "models.0: expected a kind (transformer, ngram or compressor), found none in {order: 3}.",
        ),
        (
            "models: [{kind: ngrm}]",
            "models.0.kind: expected transformer, ngram or compressor, found 'ngrm'; did you mean ngram?",
        ),
        ("models: [{kind: ngram, order: 9}]", "models.0.order: expected 8 or less, found 9."),
        (
            "vectors: bst",
            "vectors: expected best or paper, or a mapping such as {orientation: column, value: nats, scale: centred, "
            "metric: cosine}, found 'bst'; did you mean best?",
        ),
        (
            "vectors: {orientation: col, value: nats, scale: none, metric: cosine}",
            "vectors.orientation: expected row, column or symmetric, found 'col'; did you mean column?",
        ),
        ("cleaning: 3", "cleaning: expected a mapping such as {min_chars: 20}, found 3."),
        ("split: 7:2:1", "split: expected a mapping such as {train: 7, validation: 2, test: 1}, found 25321."),
        (
            "trees: {grow: [{construction: njj}]}",
            "trees.grow.0.construction: expected flat, nested, hdbscan, average, complete, ward or nj, found 'njj'; "
            "did you mean nj?",
        ),
        (
            "trees: {grow: [{construction: nested, min_samples: 1.5}]}",
            "trees.grow.0.min_samples: expected a whole number, or less than 1, found 1.5.",
        ),
        ("trees: {grow: nj}", "trees.grow: expected a list such as [{construction: nj}], found 'nj'."),
        ("compute: {gpus_per_model: -1}", "compute.gpus_per_model: expected 0 or more, found -1."),
        ("seed: 1.5", "seed: expected a whole number, found 1.5."),
        ("sed: 1", "sed: there is no such field; did you mean seed?"),
    ],
)
def test_a_mistaken_field_is_refused_in_one_sentence(tmp_path: Path, field: str, sentence: str) -> None:
    assert refusal(tmp_path, CORPORA + field) == sentence


def test_vectors_that_lack_fields_name_each_of_them_and_nothing_else(tmp_path: Path) -> None:
    lines = refusal(tmp_path, CORPORA + "vectors: {orientation: col}").splitlines()[1:]
    assert [line.split(":")[0] for line in lines] == [
        f"- vectors.{name}" for name in ("orientation", "value", "scale", "metric")
    ]


@pytest.mark.parametrize("languages", ["kind: udhr, languages: [deu, no]", "kind: files, files: {no: a.txt}"])
def test_norwegian_that_yaml_takes_for_false_is_explained(tmp_path: Path, languages: str) -> None:
    said = refusal(tmp_path, f"corpora: [{{{languages}}}]")
    assert "found false: YAML reads an unquoted no as false; quote it, or write nor for Norwegian." in said


def test_what_is_found_is_shown_in_part_if_it_is_long(tmp_path: Path) -> None:
    assert len(refusal(tmp_path, CORPORA + f"seed: {'x' * 10_000}")) < 200


@pytest.mark.parametrize(("text", "held"), [("", "is empty"), ("- a", "holds a list"), ("word", "holds only 'word'")])
def test_a_file_without_fields_is_refused_by_what_it_holds(tmp_path: Path, text: str, held: str) -> None:
    assert refusal(tmp_path, text) == f"{held}. Expected fields such as `corpora:`."


@pytest.mark.parametrize("kind", [Recipe, TagRecipe, LemRecipe])
def test_the_examples_in_messages_are_valid(kind: Any) -> None:
    raw = {name: yaml.safe_load(example) for name, example in EXAMPLES.items() if name in kind.model_fields}
    if "taggers" in raw:
        raw["corpora"] = [{"kind": "udhr", "languages": ["eng", "sin", "tam"]}]
        raw["taggers"]["sin"] = {"kind": "salience"}
    assert kind.model_validate(raw)
