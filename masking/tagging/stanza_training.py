"""Stanza models of one's own: the way to tag a language that stanza has no models of, from tagged sentences."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from langvec.config import Strict
from langvec.errors import InputError, TrainingError
from masking.tagging.base import installed
from masking.tagging.stanza_data import TaggedSentence, read_conllu, read_entities, write_conllu, write_json
from masking.tagging.stanza_models import add_model

_BEST = re.compile(r"Best dev F1 = ([\d.]+)")
_LAST_LINES = 8
_NER_RATE = 0.002
_EVALUATIONS = 10  # in a training, evenly spread; the best model of them is kept


class StanzaSizes(Strict):
    """How large the models are and how long they learn: five to ten minutes for 2,000 sentences on two slow cores."""

    hidden: int = Field(100, ge=4, description="units of the sentence LSTM in each direction (stanza: 200)")
    word: int = Field(50, ge=4, description="size of the word vectors (stanza: 75)")
    character: int = Field(50, ge=4, description="size of the character vectors (stanza: 100)")
    spelling: int = Field(100, ge=4, description="units of the character LSTM (stanza: 400)")
    pos_steps: int = Field(1500, ge=10, description="training steps of the part-of-speech tagger")
    ner_steps: int = Field(1000, ge=10, description="training steps of the named-entity tagger")
    batch: int = Field(32, ge=1, description="sentences in a step")
    held_out: int = Field(10, ge=2, description="every how many-th sentence is kept from training, to choose by")
    seed: int = Field(1234, ge=0, description="seed of the initial weights and of the order of sentences")


class TrainedModel(NamedTuple):
    """The account of one model; `dev_f1` (0 to 100) is of the sentences kept from training."""

    processor: Literal["pos", "ner"]
    file: Path
    train_sentences: int
    dev_sentences: int
    dev_f1: float
    wall_s: float


def train_stanza(
    tagged: Path | None, entities: Path | None, folder: Path, language: str, sizes: StanzaSizes | None = None
) -> list[TrainedModel]:
    """Train taggers with stanza's own trainers and put them where `StanzaRecipe(folder=...)` finds them.

    They tag words, so use them with `tokenize: words`. A GPU is used where there is one.

    Args:
        tagged: CoNLL-U with universal tags; None for no part-of-speech tagger.
        entities: a word and its BIO tag a line, or stanza's JSON; None for no named-entity tagger.
        folder: of models in stanza's layout; made if it is missing, and models of other kinds in it stay.
        language: stanza's code, or a code of one's own for a language that it does not know.
        sizes: of the models and of their training.
    """
    installed("stanza", "taggers")
    if not tagged and not entities:
        raise InputError("Nothing to train on. Expected tagged sentences (CoNLL-U), sentences with entities, or both.")
    sizes = sizes or StanzaSizes()
    trained = []
    if tagged:
        split = _split(tagged, read_conllu(tagged), sizes.held_out)
        trained.append(_train("pos", split, folder, language, sizes))
    if entities:
        split = _split(entities, read_entities(entities), sizes.held_out)
        trained.append(_train("ner", split, folder, language, sizes))
    return trained


class _Split(NamedTuple):
    train: list[TaggedSentence]
    dev: list[TaggedSentence]


def _split(file: Path, sentences: list[TaggedSentence], held_out: int) -> _Split:
    if len(sentences) < held_out:
        raise InputError(
            f"{file} has {len(sentences)} sentences. Expected {held_out} or more, for every {held_out}th is kept from "
            f"training to choose the best model by; add sentences or lower held_out."
        )
    train = [sentence for number, sentence in enumerate(sentences, 1) if number % held_out]
    return _Split(train, sentences[held_out - 1 :: held_out])


def _train(
    processor: Literal["pos", "ner"], split: _Split, folder: Path, language: str, sizes: StanzaSizes
) -> TrainedModel:
    began = time.monotonic()
    module = {"pos": "stanza.models.tagger", "ner": "stanza.models.ner_tagger"}[processor]
    write = {"pos": write_conllu, "ner": write_json}[processor]
    options = {"pos": _pos_options, "ner": _ner_options}[processor](language, sizes)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for part, sentences in split._asdict().items():
            write(scratch / part, sentences)
        files = ["--train_file", scratch / "train", "--eval_file", scratch / "dev", "--save_dir", scratch]
        output = _run([module, *map(str, files), "--save_name", "model.pt", *options])
        best = _BEST.search(output)
        if best is None:
            raise TrainingError(f"{module} ended without a score. Its last lines were:\n{_tail(output)}")
        file = add_model(folder, language, processor, scratch / "model.pt")
    counts = (len(split.train), len(split.dev))
    return TrainedModel(processor, file, *counts, float(best.group(1)), round(time.monotonic() - began, 1))


def _pos_options(language: str, sizes: StanzaSizes) -> list[str]:
    half = sizes.hidden // 2 + 1
    return [
        *_options(
            lang=language,
            max_steps=sizes.pos_steps,
            eval_interval=sizes.pos_steps // _EVALUATIONS,
            transformed_dim=sizes.hidden,
            deep_biaff_hidden_dim=sizes.hidden * 2,
            composite_deep_biaff_hidden_dim=half,
            tag_emb_dim=half,
        ),
        "--fix_eval_interval",
        *_shared_options(language, sizes),
    ]


def _ner_options(language: str, sizes: StanzaSizes) -> list[str]:
    # stanza's own choice, plain gradient descent, is for many times the steps.
    steps = _options(
        max_steps=sizes.ner_steps, eval_interval=sizes.ner_steps // _EVALUATIONS, optim="adam", lr=_NER_RATE
    )
    return [*steps, *_shared_options(language, sizes)]


def _shared_options(language: str, sizes: StanzaSizes) -> list[str]:
    return [
        *_options(
            mode="train",
            shorthand=f"{language}_local",
            batch_size=sizes.batch,
            hidden_dim=sizes.hidden,
            word_emb_dim=sizes.word,
            char_emb_dim=sizes.character,
            char_hidden_dim=sizes.spelling,
            seed=sizes.seed,
        ),
        "--no_pretrain",
    ]


def _options(**values: str | float) -> list[str]:
    return [word for name, value in values.items() for word in (f"--{name}", str(value))]


def _run(words: Sequence[str]) -> str:
    """What a trainer of stanza prints; in a process of its own, for it sets seeds and loggers of its process."""
    done = subprocess.run(  # noqa: S603 (our own interpreter, no shell)
        [sys.executable, "-m", *words],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise TrainingError(
            f"{words[0]} failed with exit status {done.returncode}. Its last lines were:\n{_tail(done.stdout)}"
        )
    return done.stdout


def _tail(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-_LAST_LINES:])
