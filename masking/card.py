"""The README.md of an exported encoder: what was done, how good it is, how to use it, and where it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Any

import yaml

from langvec.languages import find, shortest
from masking.encoder import Embedding
from masking.metrics import Interval

_METRICS = {
    "mined": "found by mining (best margin on both sides)",
    "forward": "nearest of all targets",
    "backward": "nearest of all sources",
}
_WIDTH = 120


@dataclass(frozen=True)
class Source:
    """Text of one language and where it came from."""

    role: str  # parallel text, other text, test NAME
    code: str
    kind: str
    sentences: int
    tagger: str | None = None


@dataclass(frozen=True)
class Taught:
    """What one step of training came to."""

    step: str
    learns_from: str
    samples: int
    account: Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """How one set was found, by this encoder and by the one it started from."""

    set: str
    pair: str
    metric: str
    items: int
    trained: Interval
    untouched: Interval | None


@dataclass(frozen=True)
class Card:
    """All that a card says."""

    name: str  # of the encoder in its run
    folder: str
    base: str | None  # a name on the hub
    start: str  # in words
    from_nothing: bool
    codes: Sequence[str]
    sources: Sequence[Source]
    pairs: Mapping[str, Mapping[str, int]]  # by name: how many to learn from, to stop by, to judge by
    arm: str
    masks: Mapping[str, Any]
    seed: int
    taught: Sequence[Taught]
    embedding: Embedding
    layers: tuple[int, int]  # that it has, and that were trained
    pieces: tuple[int, int]  # that it has, and that were trained
    trimmed: bool  # pieces that the run does not use are left out
    versions: Mapping[str, str]
    figures: Sequence[Figure]

    @property
    def has_head(self) -> bool:
        return self.layers[0] == self.layers[1]

    def text(self) -> str:
        return "\n".join(
            [
                *self._front(),
                *self._what(),
                *self._data(),
                *self._training(),
                *self._figures(),
                *self._use(),
                *self._limits(),
            ]
        )

    def _front(self) -> Iterator[str]:
        tags = ["sentence-transformers", "sentence-similarity", "feature-extraction", "langscape"]
        about: dict[str, Any] = {"language": [*dict.fromkeys(shortest(find(code)) for code in self.codes)]}
        about |= {"tags": [*tags, "fill-mask"] if self.has_head else tags}
        about |= {"base_model": self.base} if self.base else {}
        about |= {"library_name": "sentence-transformers", "pipeline_tag": "sentence-similarity"}
        yield from ("---", yaml.safe_dump(about, sort_keys=False, allow_unicode=True).strip(), "---", "")

    def _what(self) -> Iterator[str]:
        names = ", ".join(f"{find(code).name} ({code})" for code in self.codes)
        vector = "the mean of all tokens" if self.embedding.pooling == "mean" else "the first token"
        yield from (f"# {self.folder}", "")
        yield from _paragraph(
            f"An encoder of sentences in {names}, trained with langscape by guessing hidden pieces of text, and judged "
            f"by how well it finds translations. A sentence becomes {vector}, at unit length. In its run it is called "
            f"`{self.name}`. It starts from {self.start}."
        )
        if not self.has_head:
            yield from _paragraph(
                f"Vectors are made of what layer {self.layers[0]} of {self.layers[1]} says, so the layers after it are "
                f"cut off, and with them the head that guesses hidden pieces: it does not fit any more, and "
                f"`AutoModelForMaskedLM` would make one at random."
            )

    def _data(self) -> Iterator[str]:
        yield from ("## Text", "")
        rows = [(one.role, one.code, one.kind, f"{one.sentences:,}", one.tagger or "") for one in self.sources]
        yield from _table(("text", "language", "source", "sentences", "tagged by"), rows)
        pairs = [
            (name, *(f"{parts[part]:,}" for part in ("train", "dev", "test"))) for name, parts in self.pairs.items()
        ]
        yield from _table(("pairs", "to learn from", "to stop by", "to judge by"), pairs)

    def _training(self) -> Iterator[str]:
        yield from ("## Training", "")
        masks = ", ".join(f"{name} {_plain(value)}" for name, value in self.masks.items() if name != "strategy")
        yield from _paragraph(
            f"Arm `{self.arm}`: hidden pieces are chosen by the strategy `{self.masks['strategy']}` ({masks}). Seed "
            f"{self.seed}. Tokens, loss and dev retrieval are those at the epoch that was kept."
        )
        yield from _table(
            (
                "step",
                "learns from",
                "samples",
                "tokens",
                "epochs",
                "kept",
                "masked",
                "validation loss",
                "dev retrieval",
            ),
            [_row_of(one) for one in self.taught],
        )
        yield from _paragraph(f"Versions: {', '.join(f'{name} {which}' for name, which in self.versions.items())}.")

    def _figures(self) -> Iterator[str]:
        yield from ("## Figures", "")
        if not self.figures:
            yield from _paragraph("The run has not judged this encoder.")
            return
        yield from _paragraph(
            "Share of sentences that find their translation among those of the set, with the 95% interval that "
            "redrawing the pairs gives; beside it that of the encoder before this training. `held_out` is text of the "
            "same sources that training has not seen."
        )
        rows = [
            (
                one.set,
                one.pair,
                _METRICS.get(one.metric, one.metric),
                f"{one.items:,}",
                one.trained,
                one.untouched or "-",
            )
            for one in self.figures
        ]
        yield from _table(("set", "languages", "measure", "pairs", "this encoder", "untouched"), rows)

    def _use(self) -> Iterator[str]:
        auto = "AutoModelForMaskedLM" if self.has_head else "AutoModel"
        yield from ("## Use", "", "```python", "from sentence_transformers import SentenceTransformer")
        yield f'model = SentenceTransformer("{self.folder}")'
        yield from ("vectors = model.encode(sentences, normalize_embeddings=True)", "```", "")
        if self.embedding.prefix:
            yield from _paragraph(
                f"Every sentence gets the prefix {self.embedding.prefix!r}, which the folder holds as default prompt. "
                f"With transformers alone it has to be put before each sentence."
            )
        yield from ("```python", f"from transformers import AutoTokenizer, {auto}")
        yield f'tokenizer = AutoTokenizer.from_pretrained("{self.folder}")'
        yield from (f'model = {auto}.from_pretrained("{self.folder}")', "```", "")

    def _limits(self) -> Iterator[str]:
        yield from ("## Limits", "")
        others = "knows nothing" if self.from_nothing else "may have lost what its start knew"
        for limit in (
            f"Trained on {', '.join(self.codes)} alone. Of other languages it {others}; nothing was measured.",
            self._vocabulary(),
            f"Sentences are cut after {self.embedding.max_tokens} tokens, special ones and prefix included.",
            "The intervals are of the pairs of these sets and of this one encoder; another seed gives another encoder.",
            "A blank sentence has no meaning but gets a vector; langscape itself gives it zeros.",
            "Terms of use are those of its start and of its texts, and are not stated here.",
        ):
            yield fill(f"- {limit}", _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        yield ""

    def _vocabulary(self) -> str:
        has, trained = self.pieces
        if self.trimmed:
            return (
                f"Its vocabulary is trimmed to the {has:,} pieces that the texts of the run use. Other text falls into "
                f"smaller pieces or unknown ones: export the whole vocabulary for it."
            )
        if has > trained:
            return (
                f"Of its {has:,} pieces {trained:,} are in the texts of the run; the others are as they came, while "
                f"all layers have changed."
            )
        return f"Its {has:,} pieces are all that it was trained with; nothing was trimmed."


def _paragraph(text: str) -> tuple[str, str]:
    return fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False), ""


def _row_of(one: Taught) -> tuple[Any, ...]:
    found = one.account
    numbers = (f"{one.samples:,}", f"{found['tokens']:,}", found["epochs"], found["kept_epoch"])
    shares = (found.get(name) for name in ("mask_rate", "validation_loss", "dev_retrieval"))
    return (one.step, one.learns_from, *numbers, *("-" if value is None else f"{value:.3f}" for value in shares))


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(map(_cell, row))} |" for row in rows)
    yield ""


def _cell(value: Any) -> str:
    """A name stays in its cell, and is no HTML."""
    return " ".join(str(value).split()).replace("|", "/").replace("<", "&lt;")


def _plain(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
