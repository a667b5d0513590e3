"""The command `export` as a user types it, on a run whose pieces were made in this process, without Ray."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import load_file
from transformers import AutoModelForMaskedLM, AutoTokenizer, XLMRobertaConfig, XLMRobertaForMaskedLM
from typer.testing import CliRunner, Result

from langvec.sources.udhr import Udhr
from masking.encoder import Embedding, Encoder
from masking.pretrained import Pretrained
from ray_jobs import export as command
from ray_jobs.cli import app
from ray_jobs.lem import stages
from ray_jobs.lem_recipe import LemRecipe
from ray_jobs.stages import Desk, Survey
from ray_jobs.store import RECIPE, Store
from ray_jobs.task import Task, do
from ray_jobs.training import Training
from tests.masking.conftest import learnt as learnt_tokenizer

CODES = ("eng", "nld", "fra")  # nobody trains on French
LEXICON = "right\tNOUN\neveryone\tNOUN\nhas\tVERB\nfreedom\tNOUN\n"
NAME = "eng_Latn-nld_Latn.lem.1"


def learnt(training: Training, desk: Desk) -> dict[str, Any]:
    return training.run(desk, desk.needed["start"], desk.folder, lambda row: None)


def made(recipe: LemRecipe, run: Path) -> None:
    """All pieces of a run, as the command makes them but for the processes."""
    store = Store.open(str(run))
    store.write(RECIPE, recipe.to_yaml().encode())
    survey = Survey({})
    for stage in stages(recipe):
        for entry in survey.entries(stage.of(survey.done)):
            piece = entry.piece
            if stage.name in ("mono", "para"):
                piece = replace(piece, work=partial(learnt, piece.work.args[0]))  # type: ignore[attr-defined]
            survey.finished(piece, do(Task.of(replace(entry, piece=piece), [], store, 60)))


def lines(code: str) -> list[str]:
    source = Udhr(languages=(code,))
    return [text.replace("\n", " ") for batch in source.read(*source.codes()) for text in batch.texts]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`base` is the encoder that `run` starts from; it has French pieces, too."""
    folder = tmp_path_factory.mktemp("export")
    texts = {code: lines(code) for code in CODES}
    some = min(map(len, texts.values()), default=0)
    files = {code: str(folder / f"{code}.txt") for code in CODES[:2]}
    for code, file in files.items():
        Path(file).write_text("\n".join(texts[code][: min(some, 40)]))
    (folder / "eng.tsv").write_text(LEXICON)
    torch.manual_seed(0)
    tokenizer = learnt_tokenizer("unigram", [text for code in CODES for text in texts[code]])
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    config = XLMRobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=514, pad_token_id=1, **sizes)
    XLMRobertaForMaskedLM(config).save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    curriculum = {"epochs": 1, "learning_rate": 0.01, "batch_tokens": 512}
    recipe = {
        "corpora": [{"kind": "files", "files": files}],
        "taggers": {
            "eng": {"kind": "lexicon", "file": str(folder / "eng.tsv"), "tags": "upos"},
            "nld": {"kind": "projection", "of": "eng"},
        },
        "pairs": [["eng", "nld"]],
        "encoder": {"kind": "pretrained", "model": str(folder / "base")},
        "embedding": {"max_tokens": 64, "prefix": "query: "},
        "arms": {"lem": {"strategy": "lem"}, "other": {"strategy": "lem", "rate": 0.3}},
        "baseline": "lem",
        "division": {"dev": 0.2, "test": 0.3},
        "mono": curriculum,
        "para": curriculum,
    }
    made(LemRecipe.model_validate(recipe), folder / "run")
    return folder


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Path:
    """A copy that may be spoilt."""
    return Path(shutil.copytree(home / "run", tmp_path / "run"))


def typed(run: Path, to: Path, name: str = "lem", *more: str) -> Result:
    return CliRunner().invoke(app, ["export", name, "--run", str(run), "--to", str(to), *more])


def trained(run: Path) -> Path:
    return next((run / "para").glob(f"{NAME}-*"))


def vectors(folder: Path, texts: list[str]) -> np.ndarray:
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForMaskedLM.from_pretrained(folder).eval()
    return Encoder(Embedding(max_tokens=64, prefix="query: "), Pretrained(tokenizer, model)).embed(texts)


def test_an_exported_encoder_has_the_whole_vocabulary_and_what_was_learnt(home, tmp_path):
    to = tmp_path / "ours"
    to.mkdir()  # an empty folder may be there
    done = typed(home / "run", to)
    assert done.exit_code == 0, done.output
    pieces = len(AutoTokenizer.from_pretrained(home / "base"))
    assert f"{NAME}: {pieces:,} pieces" in done.output and not list(tmp_path.glob(".*"))
    english, french = lines("eng")[:12], lines("fra")[:4]
    np.testing.assert_allclose(vectors(to, english), vectors(trained(home / "run"), english), atol=1e-5)
    whole, base, small = (load_file(one / "model.safetensors") for one in (to, home / "base", trained(home / "run")))
    name = "roberta.embeddings.word_embeddings.weight"
    kept = (whole[name] == base[name]).all(dim=1).numpy()
    # What the run's texts do not use is as it came.
    assert kept.any() and (~kept).sum() <= len(small[name]) < len(whole[name])
    tokenizer = AutoTokenizer.from_pretrained(to)
    assert tokenizer(french)["input_ids"] == AutoTokenizer.from_pretrained(home / "base")(french)["input_ids"]


def test_trimmed_is_the_small_one_and_needs_nothing_but_the_run(home, run, tmp_path):
    recipe = yaml.safe_load((run / RECIPE).read_text())
    recipe["encoder"]["model"] = str(tmp_path / "gone")
    for gone in ("corpora", "taggers"):  # texts and lexicons that nobody kept
        recipe[gone] = json.loads(json.dumps(recipe[gone]).replace(str(home), str(tmp_path)))
    (run / RECIPE).write_text(yaml.safe_dump(recipe))
    refused = typed(run, tmp_path / "ours")
    assert refused.exit_code == 2 and "is gone" in refused.output and "--trimmed" in refused.output
    done = typed(run, tmp_path / "ours", NAME, "--trimmed")
    assert done.exit_code == 0, done.output
    english = lines("eng")[:12]
    np.testing.assert_allclose(vectors(tmp_path / "ours", english), vectors(trained(run), english), atol=1e-5)
    assert "trimmed to the" in (tmp_path / "ours/README.md").read_text()


def test_the_card_tells_of_the_run_and_of_no_path(home, tmp_path):
    assert typed(home / "run", tmp_path / "ours").exit_code == 0
    card = (tmp_path / "ours/README.md").read_text()
    judged = next((home / "run/judged").glob(f"{NAME}-*")) / "meta.json"
    figure = json.loads(judged.read_text())["account"]["figures"][0]
    assert f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})" in card
    assert yaml.safe_load(card.split("---")[1])["language"] == ["en", "nl"]
    assert "| parallel text | nld_Latn | files | 40 | projection" in card
    assert card.count("| held_out | eng_Latn-nld_Latn |") == 3 and "| mono |" in card and "`base`" in card
    everything = [file for file in (tmp_path / "ours").rglob("*") if file.suffix in (".json", ".md")]
    assert len(everything) == 9
    for file in everything:
        assert str(home) not in file.read_text() and str(tmp_path) not in file.read_text()


def test_an_encoder_is_cut_after_the_layer_that_it_was_judged_by(home, tmp_path):
    recipe = yaml.safe_load((home / "run" / RECIPE).read_text())
    recipe |= {"embedding": {"layer": 1}, "arms": {"lem": {"strategy": "lem"}}, "mono": None}
    made(LemRecipe.model_validate(recipe), tmp_path / "run")
    done = typed(tmp_path / "run", tmp_path / "ours")
    assert done.exit_code == 0 and "1 layers of 2; no head" in done.output, done.output
    assert json.loads((tmp_path / "ours/config.json").read_text())["num_hidden_layers"] == 1


@pytest.mark.parametrize("name", ["lem.1", "nonsense", "eng_Latn-nld_Latn.untouched"])
def test_an_unknown_encoder_is_refused_with_those_that_there_are(home, tmp_path, name):
    done = typed(home / "run", tmp_path / "ours", name)
    assert done.exit_code == 2 and f"Expected one of {NAME}, eng_Latn-nld_Latn.other.1." in done.output
    assert not list(tmp_path.iterdir())


def test_an_arm_of_several_encoders_is_refused_with_their_names(run, tmp_path):
    recipe = yaml.safe_load((run / RECIPE).read_text())
    (run / RECIPE).write_text(yaml.safe_dump(recipe | {"seeds": 2}))
    done = typed(run, tmp_path / "ours")
    assert done.exit_code == 2 and f"Expected one of {NAME}, eng_Latn-nld_Latn.lem.2." in done.output
    done = typed(run, tmp_path / "ours", "eng_Latn-nld_Latn.lem.2")
    assert (
        done.exit_code == 2 and f"not trained yet in --run {run}" in done.output and f"Trained: {NAME}" in done.output
    )


def test_an_encoder_of_other_settings_than_those_of_the_recipe_is_not_taken_for_it(run, tmp_path):
    recipe = yaml.safe_load((run / RECIPE).read_text())
    for change in ({"seed": 2}, {"division": {"dev": 0.25}}, {"mono": {"epochs": 7}}, {"mono": None}):
        (run / RECIPE).write_text(yaml.safe_dump(recipe | change))
        done = typed(run, tmp_path / "ours", NAME.replace("1", str(change.get("seed", 1))))
        assert done.exit_code == 2 and "not trained yet" in done.output, (change, done.output)


def test_a_start_that_has_changed_since_is_refused(home, run, tmp_path):
    recipe = yaml.safe_load((run / RECIPE).read_text())
    base = shutil.copytree(home / "base", tmp_path / "base")
    recipe["encoder"]["model"] = str(base)
    (run / RECIPE).write_text(yaml.safe_dump(recipe))
    assert typed(run, tmp_path / "ours").exit_code == 0  # elsewhere, but the same
    (base / "config.json").write_text((base / "config.json").read_text() + "\n")
    for more in ((), ("--trimmed",)):
        done = typed(run, tmp_path / "more", "lem", *more)
        assert done.exit_code == 2 and "another encoder than the one" in done.output


def test_a_target_that_is_there_already_is_left_alone(home, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/kept").write_text("mine")
    (tmp_path / "file").write_text("mine")
    for name, said in (("full", "no empty folder"), ("file", "no empty folder"), ("no/where", "there is no folder")):
        done = typed(home / "run", tmp_path / name)
        assert done.exit_code == 2 and said in done.output
    assert (tmp_path / "full/kept").read_text() == (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), Exception("No space (os error 28)")])
def test_what_does_not_fit_the_disk_leaves_nothing_and_is_told_in_one_paragraph(home, tmp_path, monkeypatch, error):
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr(command.written, "check", full)  # by then the large files are written
    done = typed(home / "run", tmp_path / "ours")
    assert done.exit_code == 2 and "is full" in done.output and done.output.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_what_is_no_run_of_lem_is_refused(tmp_path):
    done = typed(tmp_path / "nothing", tmp_path / "ours")
    assert done.exit_code == 2 and "no run of `langscape lem`" in done.output
