"""Names or parts of speech by any token classifier of the Hugging Face hub."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from langvec.errors import InputError
from masking.contents import content_hash
from masking.tagging.base import Sentence, Span, TaggerRecipe, installed
from masking.tagging.kinds import TagSet
from masking.tagging.names import Tagged, spans_of


class TokenClassifierRecipe(TaggerRecipe):
    """A classifier with a fast tokenizer and weights in safetensors; code that comes with a model is never run."""

    kind: Literal["token_classifier"] = "token_classifier"
    model: str = Field(min_length=1, description="name on the hub, or a folder with the model and its tokenizer")
    tags: TagSet = Field("ne", description="what the labels of the model are: ne, upos, penn or sinhala")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="bfloat16 is for GPUs; tags may differ")
    batch: int = Field(32, ge=1, description="windows of text in a batch")
    max_tokens: int = Field(256, ge=8, description="sub-words in a window, special ones included")
    overlap: int = Field(32, ge=0, description="sub-words that two windows of a long text share")

    @field_validator("model")
    @classmethod
    def _absolute(cls, model: str) -> str:
        # Hub names have one slash at most; what lies here as a folder is meant as a folder.
        path = os.path.expanduser(model)
        local = model.startswith((".", "/", "~")) or model.count("/") > 1 or os.path.isdir(path)
        return os.path.abspath(path) if local else model

    @model_validator(mode="after")
    def _check_overlap(self) -> TokenClassifierRecipe:
        if self.overlap * 3 > self.max_tokens:
            raise ValueError(
                f"overlap ({self.overlap}) is more than a third of max_tokens ({self.max_tokens}); lower it"
            )
        return self

    def problems(self) -> list[str]:
        if self._local() and not Path(self.model, "config.json").is_file():
            return [
                f"No model in {self.model}. Expected a folder with config.json, model.safetensors and tokenizer.json, "
                f"as `save_pretrained` of a model and of its tokenizer writes it, or a name on the hub."
            ]
        return []

    def identity(self) -> dict[str, str]:
        model = content_hash(Path(self.model)) if self._local() else f"{self.model} {self._revision()}"
        return {"transformers": installed("transformers", "taggers"), "model": model}

    def load(self) -> TokenClassifier:
        if problems := self.problems():
            raise InputError(" ".join(problems))
        model, tokenizer = self._loaded()
        if not tokenizer.is_fast:
            raise InputError(
                f"The tokenizer of {self.model} is a slow one, which does not say where in the text its tokens are. "
                f"Expected tokenizer.json in the model; choose a model with a fast tokenizer."
            )
        return TokenClassifier(self, model, tokenizer)

    def _loaded(self) -> tuple[Any, Any]:
        import torch
        from safetensors import SafetensorError
        from transformers import AutoModelForTokenClassification, AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(self.model, trust_remote_code=False)
            model, found = AutoModelForTokenClassification.from_pretrained(
                self.model,
                dtype=getattr(torch, self.precision),
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            raise self._does_not_load(error) from None
        if found["missing_keys"]:
            # A language model without a classifier would load, and tag at random.
            raise InputError(
                f"{self.model} is not a trained token classifier: it has no weights for "
                f"{', '.join(sorted(found['missing_keys']))}. Choose a model that was trained for token classification."
            )
        return model, tokenizer

    def _local(self) -> bool:
        return os.path.isabs(self.model)

    def _revision(self) -> str:
        """The commit on the hub of what is in the cache, or will be."""
        from transformers import AutoConfig

        try:
            return str(AutoConfig.from_pretrained(self.model, trust_remote_code=False)._commit_hash)
        except (OSError, ValueError) as error:
            raise self._does_not_load(error) from None

    def _does_not_load(self, error: Exception) -> InputError:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return InputError(
            f"The token classifier {self.model!r} does not load: {said} Expected a folder, or a model of the hub that "
            f"is in the cache or can be downloaded (HF_HUB_OFFLINE forbids that), with weights in safetensors."
        )


class TokenClassifier:
    """A loaded classifier. Windows are sorted by length, so that a batch holds little padding."""

    def __init__(self, recipe: TokenClassifierRecipe, model: Any, tokenizer: Any) -> None:
        import torch

        self._tags, self._batch = recipe.tags, recipe.batch
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.eval().to(self._device)
        self._tokenizer = tokenizer
        limits = [recipe.max_tokens, tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None)]
        self._window = min(limit for limit in limits if limit)
        self._overlap = min(recipe.overlap, self._window // 3)

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span]]:
        if not sentences:
            return []
        coded = self._tokenizer(
            [sentence.text for sentence in sentences],
            truncation=True,
            max_length=self._window,
            stride=self._overlap,
            return_overflowing_tokens=True,
            verbose=False,
        )
        labels = self._labels(coded["input_ids"])
        tokens: list[list[_Token]] = [[] for _ in sentences]
        for owner, encoding, of_window in zip(
            coded["overflow_to_sample_mapping"], coded.encodings, labels, strict=True
        ):
            _append(tokens[owner], list(_tokens(encoding, of_window)), self._overlap)
        return [
            spans_of(words_of(sentence.text, of_sentence), self._tags)
            for sentence, of_sentence in zip(sentences, tokens, strict=True)
        ]

    def _labels(self, windows: Sequence[Sequence[int]]) -> list[list[str]]:
        """The label of each token of each window."""
        names = self._model.config.id2label
        found: list[list[str]] = [[] for _ in windows]
        order = sorted(range(len(windows)), key=lambda number: len(windows[number]))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            for number, row in zip(chosen, self._best([windows[number] for number in chosen]), strict=True):
                found[number] = [names[label] for label in row[: len(windows[number])]]
        return found

    def _best(self, windows: Sequence[Sequence[int]]) -> list[list[int]]:
        import torch

        longest = max(len(window) for window in windows)
        padding = self._tokenizer.pad_token_id or 0  # masked, so any token does
        ids = torch.tensor([[*window, *[padding] * (longest - len(window))] for window in windows])
        lengths = torch.tensor([len(window) for window in windows])
        mask = (torch.arange(longest) < lengths[:, None]).long()
        with torch.inference_mode():
            logits = self._model(input_ids=ids.to(self._device), attention_mask=mask.to(self._device)).logits
        return list(logits.argmax(dim=-1).tolist())


class _Token(NamedTuple):
    """A sub-word by its characters, the word it is of as the tokenizer counts them, and its label."""

    start: int
    end: int
    word: int
    label: str


def _tokens(encoding: Any, labels: Sequence[str]) -> Iterator[_Token]:
    """The sub-words of a window, without special ones."""
    for (start, end), word, label in zip(encoding.offsets, encoding.word_ids, labels, strict=True):
        if word is not None:
            yield _Token(start, end, word, label)


def _append(tokens: list[_Token], window: list[_Token], overlap: int) -> None:
    """Add the next window of a sentence. Of what two share, each gives the half that is farther from its cut."""
    if tokens:
        half = overlap // 2
        del tokens[len(tokens) - half :]
        window = window[overlap - half :]
    tokens += window


def words_of(text: str, tokens: Sequence[_Token]) -> list[Tagged]:
    """Words with the label of their first sub-word; to some tokenizers a whole text is one, so spaces end it."""
    words: list[Tagged] = []
    last = None
    for token in tokens:
        inside = text[token.start : token.end]
        start = token.start + len(inside) - len(inside.lstrip())
        if last == token.word and words and not text[words[-1].end : start].isspace():
            words[-1] = words[-1]._replace(end=max(token.end, words[-1].end))
        else:
            words.append(Tagged(start, token.end, token.label))
        last = token.word
    return [word for word in words if word.end > word.start]
