"""Tokenizers: of a model on the hub or in a folder, of a tokenizer.json alone, or learnt from a text."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from langvec.errors import InputError
from masking.alignment import refuse_slow

LEARNT_PIECES = 4000
_ROLES = ("bos_token", "pad_token", "eos_token", "unk_token", "mask_token")
_SPECIAL = _START, _, _END, _UNKNOWN, _MASK = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")  # as XLM-R has them
_BERT = ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")


def load_tokenizer(name: str) -> Any:
    """A fast tokenizer by hub name, folder, or tokenizer.json; InputError says what was looked for."""
    if name.endswith(".json"):
        return _of_file(Path(name))
    from transformers import AutoTokenizer

    if os.path.sep in name and not Path(name).is_dir() and name.count("/") > 1:
        raise InputError(
            f"There is no folder {name}. Expected a tokenizer's folder, its tokenizer.json, or a hub name."
        )
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
    except Exception as error:  # transformers raises its own, OSError and ValueError for what is not there
        raise InputError(
            f"The tokenizer {name} cannot be loaded ({' '.join(str(error).split())[:300]}). Expected a folder with "
            f"tokenizer.json, that file itself, or a name on the Hugging Face hub and a way to reach it."
        ) from None
    refuse_slow(tokenizer)
    return tokenizer


def _of_file(file: Path) -> Any:
    from tokenizers import Tokenizer

    try:
        return _fast(Tokenizer.from_file(str(file)))
    except Exception as error:  # the library raises Exception itself
        raise InputError(
            f"{file} is no tokenizer.json ({error}). Expected one as the library tokenizers writes it."
        ) from None


def learn_tokenizer(texts: Iterable[str], pieces: int = LEARNT_PIECES) -> Any:
    """A tokenizer of the pieces that these texts need, with the marks and special tokens of XLM-R's.

    BPE, unlike XLM-R's: what the unigram trainer learns differs from process to process.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=_UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=pieces, special_tokens=list(_SPECIAL), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A {_END}",
        pair=f"{_START} $A {_END} {_END} $B {_END}",
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in (_START, _END)],
    )
    return _fast(tokenizer)


def _fast(tokenizer: Any) -> Any:
    """With the names of special tokens that a tokenizer.json does not tell the roles of."""
    from transformers import PreTrainedTokenizerFast

    known = tokenizer.get_vocab(with_added_tokens=True)
    names = next((names for names in (_SPECIAL, _BERT) if names[1] in known and names[4] in known), None)
    if names is None:
        raise InputError(
            f"The tokenizer has neither {_MASK} nor {_BERT[4]} with padding. Expected that of a masked language model."
        )
    make: Any = PreTrainedTokenizerFast
    return make(tokenizer_object=tokenizer, **dict(zip(_ROLES, names, strict=True)))
