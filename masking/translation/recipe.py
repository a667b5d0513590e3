"""Which translator learns, how long, and how it translates."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from langvec.config import Strict
from langvec.errors import InputError
from masking.curriculum import slope
from masking.draws import Draws
from masking.pretrained import Precision, Pretrained, PretrainedModel
from masking.tokenizers import learn_tokenizer

_POSITIONS = 1024


class Learning(Strict):
    """Training ends at the first limit that is reached. Steps and tokens make selections of unlike size comparable."""

    steps: int = Field(10_000, ge=1, description="steps of the optimiser at most")
    tokens: int | None = Field(None, ge=1, description="stop after about so many tokens of both sides; null: no limit")
    epochs: int | None = Field(None, ge=1, description="passes over the pairs at most; null: no limit")
    batch_tokens: int = Field(4096, ge=1, description="tokens of one step, those of both sides")
    learning_rate: float = Field(1e-3, gt=0, description="the highest; falls to 0 in a straight line")
    warmup: float = Field(0.1, ge=0, lt=1, description="share of the way in which the rate rises first")
    weight_decay: float = Field(0, ge=0)
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="share of a piece's probability that all pieces share")
    clip: float = Field(1, gt=0, description="longest gradient")
    every: int = Field(500, ge=1, description="steps from one look at the dev pairs to the next")
    patience: int = Field(5, ge=1, description="looks without a better one before training stops")
    keep: Literal["loss", "chrf", "last"] = Field(
        "loss", description="which weights are kept: of the best dev loss, of the best dev chrF, or the last"
    )
    precision: Precision = Field("bfloat16", description="of products in training; weights and sums are float32")
    max_tokens: int = Field(256, ge=4, description="longer pairs are left out, longer texts are cut")
    beams: int = Field(5, ge=1, description="translations that are followed at once; 1: the likeliest piece each time")
    length_penalty: float = Field(1, description="above 0 for longer translations, below for shorter ones")

    def budget(self, tokens: int) -> float:
        """Tokens that training may see, given those of an epoch."""
        return min(self.tokens or float("inf"), self.epochs * tokens if self.epochs else float("inf"))

    def done(self, step: float, seen: float, budget: float) -> float:
        """The share of the way that lies behind; 1 is the end."""
        return max(step / self.steps, seen / budget)

    def rate(self, done: float) -> float:
        return self.learning_rate * slope(done, self.warmup)

    def worded(self, text: str) -> str:
        """The source as the model wants it."""
        return text


class ScratchTranslator(Learning):
    """A small Transformer that knows nothing yet, with one vocabulary for both sides, learnt from the training pairs.

    Of the make of M2M-100 and NLLB: layers normalise what comes in, positions are waves, and the embeddings of both
    sides are the output's weights.
    """

    kind: Literal["scratch"] = "scratch"
    layers: int = Field(4, ge=1, description="of the encoder")
    decoder_layers: int = Field(2, ge=1, description="few make it fast and cost little (Kasai and others, 2021)")
    width: int = Field(256, ge=8)
    heads: int = Field(4, ge=1)
    dropout: float = Field(0.2, ge=0, lt=1)
    pieces: int = Field(8000, ge=50, description="sub-words of both sides together")

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> ScratchTranslator:
        if self.width % self.heads:
            raise ValueError(f"a width of {self.width} cannot be shared by {self.heads} heads; expected a multiple")
        return self

    def problems(self) -> list[str]:
        return []

    def identity(self) -> dict[str, str]:
        return {library: version(library) for library in ("transformers", "tokenizers")}

    def begin(self, texts: Iterable[str], seed: int) -> Pretrained:
        import torch
        from transformers import M2M100Config, M2M100ForConditionalGeneration

        tokenizer = _learnt_tokenizer(texts, self.pieces)
        config = M2M100Config(
            vocab_size=len(tokenizer),
            d_model=self.width,
            encoder_layers=self.layers,
            decoder_layers=self.decoder_layers,
            encoder_attention_heads=self.heads,
            decoder_attention_heads=self.heads,
            encoder_ffn_dim=4 * self.width,
            decoder_ffn_dim=4 * self.width,
            encoder_layerdrop=0.0,
            decoder_layerdrop=0.0,
            attention_dropout=0.0,
            dropout=self.dropout,
            init_std=self.width**-0.5,  # as fairseq has it, for embeddings and about so for matrices
            max_position_embeddings=_POSITIONS,
            bos_token_id=tokenizer.bos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            eos_token_id=tokenizer.eos_token_id,
            decoder_start_token_id=tokenizer.eos_token_id,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(Draws.of(seed, "translator").key >> 1)
            return Pretrained(tokenizer, M2M100ForConditionalGeneration(config))

    def load(self, folder: Path) -> Pretrained:
        """What was learnt."""
        return PretrainedTranslator(model=str(folder.absolute())).seq2seq()


class PretrainedTranslator(PretrainedModel, Learning):
    """A translator, or a model that has learnt to repair text: mBART-50, NLLB-200, M2M-100, mT5, Marian."""

    makes: ClassVar[str] = "translator"

    kind: Literal["pretrained"] = "pretrained"
    source_code: str | None = Field(None, description="what its tokenizer calls the source: `sin_Sinh`, `si_LK`, `si`")
    target_code: str | None = Field(None, description="and the target; null for both where it has no such codes")
    prefix: str = Field("", description="text before each source, e.g. of T5, or `>>sin<<` of Marian")
    steps: int = Field(100_000, ge=1, description="steps of the optimiser at most")
    epochs: int | None = Field(3, ge=1, description="passes over the pairs at most; null: no limit")
    learning_rate: float = Field(2e-5, gt=0, description="the highest; falls to 0 in a straight line")
    weight_decay: float = Field(0.01, ge=0)

    def begin(self, texts: Iterable[str], seed: int) -> Pretrained:
        return self.seq2seq()

    def load(self, folder: Path) -> Pretrained:
        return self.model_copy(update={"model": str(folder.absolute()), "revision": None}).seq2seq()

    def worded(self, text: str) -> str:
        return self.prefix + text

    def seq2seq(self) -> Pretrained:
        """The model on the CPU. Its tokenizer knows the languages, and its translations begin as the target's do."""
        from transformers import AutoModelForSeq2SeqLM

        found, missing = self._loaded(AutoModelForSeq2SeqLM)
        self._refuse_incomplete(found.model, missing)
        self._tell_languages(found.tokenizer)
        if self.target_code:
            found.model.generation_config.forced_bos_token_id = _first(found.tokenizer)
        return found

    def _tell_languages(self, tokenizer: Any) -> None:
        """Set its codes, if it has any: then both are needed."""
        codes = {"src_lang": self.source_code, "tgt_lang": self.target_code}
        needs = hasattr(type(tokenizer), "src_lang")
        if needs != (self.source_code is not None) or needs != (self.target_code is not None):
            raise InputError(
                f"The tokenizer of {self.model} {'names' if needs else 'does not name'} the languages. Expected "
                f"{'both' if needs else 'neither'} of `source_code` and `target_code`, found {self.source_code} and "
                f"{self.target_code}."
            )
        for name, code in codes.items() if needs else ():
            if code not in (known := language_codes(tokenizer)):
                near = get_close_matches(str(code), known, 3, 0) or known[:3]
                raise InputError(
                    f"The tokenizer of {self.model} has no language {code}. Expected one of {len(known)} codes, "
                    f"such as {', '.join(near)}."
                )
            setattr(tokenizer, name, code)


def _first(tokenizer: Any) -> int:
    """The piece that translations begin with: the code of the target."""
    return int(tokenizer(text_target="")["input_ids"][0])


def language_codes(tokenizer: Any) -> list[str]:
    """What it calls the languages it knows."""
    found = getattr(tokenizer, "lang_code_to_id", None) or getattr(tokenizer, "lang_code_to_token", None)
    return sorted(found or (name for name in tokenizer.get_added_vocab() if name[0].isalpha()))


def _learnt_tokenizer(texts: Iterable[str], pieces: int) -> Any:
    """Like that of an encoder, but a sentence has an end and no beginning."""
    from tokenizers import processors

    tokenizer = learn_tokenizer(texts, pieces)
    end = tokenizer.eos_token
    tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {end}", pair=f"$A $B {end}", special_tokens=[(end, tokenizer.eos_token_id)]
    )
    tokenizer.model_max_length = _POSITIONS
    return tokenizer
