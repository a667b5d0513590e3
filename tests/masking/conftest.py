"""Small real tokenizers of the three kinds that encoders have, learnt from the Declaration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

from langvec.sources.udhr import Udhr

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


@pytest.fixture(scope="session")
def declaration() -> Callable[[str], list[str]]:
    """The lines of the Declaration in a language."""

    def lines(code: str) -> list[str]:
        source = Udhr(languages=(code,))
        texts = [text for batch in source.read(*source.codes()) for text in batch.texts]
        return [line for text in texts for line in text.split("\n") if line.strip()]

    return lines


def learnt(kind: str, texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """A tokenizer of the make of XLM-R (unigram), mBERT (wordpiece) or GPT-2 (bytes)."""
    trainer: Any
    if kind == "unigram":
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.normalizer = normalizers.Replace("\u00a0", " ")
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=3000, special_tokens=SPECIAL, unk_token="<unk>")
    elif kind == "wordpiece":
        tokenizer = Tokenizer(models.WordPiece(unk_token="<unk>"))
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=3000, special_tokens=SPECIAL)
    else:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=3000, special_tokens=SPECIAL, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts, trainer)
    ends = [("<s>", 0), ("</s>", 2)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends
    )
    names = dict(zip(("bos_token", "pad_token", "eos_token", "unk_token", "mask_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


@pytest.fixture(scope="session")
def tokenizers(declaration: Callable[[str], list[str]]) -> dict[str, PreTrainedTokenizerFast]:
    texts = [line for code in ("eng", "sin", "tam", "tha") for line in declaration(code)]
    return {kind: learnt(kind, texts) for kind in ("unigram", "wordpiece", "bytes")}


@pytest.fixture(scope="session")
def encoders(
    tokenizers: dict[str, PreTrainedTokenizerFast], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Folders of small random encoders: positions of BERT count from 0, those of XLM-R from behind the padding."""
    sizes: dict[str, Any] = {
        "vocab_size": len(tokenizers["unigram"]),
        "hidden_size": 16,
        "num_hidden_layers": 3,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 66,
        "pad_token_id": 1,
        "initializer_range": 0.2,  # so that texts differ
    }
    torch.manual_seed(0)
    made = {"bert": BertModel(BertConfig(**sizes)), "xlm-r": XLMRobertaModel(XLMRobertaConfig(**sizes))}
    folders = {name: tmp_path_factory.mktemp("encoder") / name for name in made}
    for name, model in made.items():
        model.save_pretrained(folders[name])
        tokenizers["unigram"].save_pretrained(folders[name])
    return {name: str(folder) for name, folder in folders.items()}
