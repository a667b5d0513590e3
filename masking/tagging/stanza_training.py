"""Stanza models of one's own: the way to tag a language that stanza has no models of, from tagged sentences."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from langvec.errors import InputError, TrainingError
from masking.tagging.base import installed
from masking.tagging.kinds import TagSet
from masking.tagging.stanza_data import Labelled, labelled, write_conllu, write_json
from masking.tagging.stanza_models import add_model
from masking.tagging.tagged import TaggedSentence

_LAST_LINES = 8
_NER_RATE = 0.002
_EVALUATIONS = 10  # in a training, evenly spread; the best model of them is kept


@dataclass(frozen=True)
class StanzaSizes:
    """How large a model is and how long it learns: five to ten minutes for 2,000 sentences on two slow cores."""

    hidden: int = 100  # units of the sentence LSTM in each direction (stanza: 200)
    word: int = 50  # size of the word vectors (stanza: 75)
    character: int = 50  # size of the character vectors (stanza: 100)
    spelling: int = 100  # units of the character LSTM (stanza: 400)
    pos_steps: int = 1500
    ner_steps: int = 1000
    batch: int = 32  # sentences in a step
    seed: int = 1234  # of the initial weights and of the order of sentences


def train_stanza(
    learnt: Sequence[TaggedSentence],
    held_out: Sequence[TaggedSentence],
    tags: TagSet,
    folder: Path,
    language: str,
    sizes: StanzaSizes = StanzaSizes(),
) -> Path:
    """Train a tagger with stanza's own trainers and put it where `StanzaRecipe(folder=...)` finds it.

    It tags words, so use it with `tokenize: words`. A GPU is used where there is one.

    Args:
        learnt: sentences with all their tags.
        held_out: others, to choose the best of some states of the model by.
        tags: `upos` for a part-of-speech tagger, `ne` for a named-entity tagger.
        folder: of models in stanza's layout; made if it is missing, and models of other kinds in it stay.
        language: stanza's code, or a code of one's own for a language that it does not know.
        sizes: of the model and of its training.

    Returns:
        The file of the model.
    """
    installed("stanza", "taggers")
    if tags not in _TRAINERS:
        raise InputError(f"stanza's taggers cannot be trained on the tag set {tags}. Expected upos or ne.")
    trainer = _TRAINERS[tags]
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        for part, sentences in (("train", learnt), ("dev", held_out)):
            trainer.write(scratch / part, [labelled(sentence, tags) for sentence in sentences])
        files = ["--train_file", scratch / "train", "--eval_file", scratch / "dev", "--save_dir", scratch]
        output = _run([trainer.module, *map(str, files), "--save_name", "model.pt", *trainer.options(language, sizes)])
        if not (scratch / "model.pt").exists():
            raise TrainingError(f"{trainer.module} ended without a model. Its last lines were:\n{_tail(output)}")
        return add_model(folder, language, trainer.processor, scratch / "model.pt")


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


class _Trainer(NamedTuple):
    processor: Literal["pos", "ner"]
    module: str
    write: Callable[[Path, Sequence[Labelled]], None]
    options: Callable[[str, StanzaSizes], list[str]]


_TRAINERS: dict[TagSet, _Trainer] = {
    "upos": _Trainer("pos", "stanza.models.tagger", write_conllu, _pos_options),
    "ne": _Trainer("ner", "stanza.models.ner_tagger", write_json, _ner_options),
}
