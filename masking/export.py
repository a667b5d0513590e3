"""A trained encoder as an ordinary folder that transformers and sentence_transformers load without our code.

The files of sentence_transformers are in the form that it has read since its first releases.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from langvec.errors import InputError
from masking import start
from masking.encoder import Embedding, Encoder
from masking.pretrained import Pretrained, PretrainedModel, quiet

CLOSE = 1e-5  # how far numbers of unit vectors may be from those of the run
_MODULES = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
_OF_ONE_USE = ("is_local", "local_files_only", "max_length", "stride", "truncation_strategy", "name_or_path")


def shortened(pretrained: Pretrained, layer: int | None) -> Pretrained:
    """The encoder up to a layer. Without its head then, which was made for what the last layer says."""
    model = pretrained.model
    if layer is None or layer == model.config.num_hidden_layers:
        return pretrained
    config = copy.deepcopy(model.config)
    config.num_hidden_layers = layer
    short, weights = type(model)(config), model.state_dict()
    short.load_state_dict({name: weights[name] for name in short.state_dict()})
    return Pretrained(pretrained.tokenizer, short.base_model.eval())


def write(pretrained: Pretrained, embedding: Embedding, folder: Path) -> None:
    """All but the card. The encoder is what `shortened` made of it."""
    pretrained.tokenizer.backend_tokenizer.no_truncation()  # what the last call left there would be taken for a rule
    pretrained.tokenizer.backend_tokenizer.no_padding()
    pretrained.tokenizer.model_max_length = pretrained.longest
    with quiet():
        start.save(pretrained, folder)
    (folder / "model.safetensors").chmod((folder / "config.json").stat().st_mode)  # that library lets nobody else read
    for name in ("config.json", "tokenizer_config.json"):
        kept = json.loads((folder / name).read_text(encoding="utf-8"))
        _write(folder / name, {field: value for field, value in kept.items() if field.lstrip("_") not in _OF_ONE_USE})
    longest = min(embedding.max_tokens, pretrained.longest)
    prompts = {"default": embedding.prefix} if embedding.prefix else {}
    versions = {"transformers": version("transformers"), "pytorch": version("torch")}
    _write(folder / "modules.json", [_module(number, *one) for number, one in enumerate(_MODULES)])
    _write(folder / "sentence_bert_config.json", {"max_seq_length": longest, "do_lower_case": False})
    _write(
        folder / "config_sentence_transformers.json",
        {
            "__version__": versions,
            "prompts": prompts,
            "default_prompt_name": "default" if prompts else None,
            "similarity_fn_name": "cosine",
        },
    )
    pooling = {
        "word_embedding_dimension": int(pretrained.model.config.hidden_size),
        "pooling_mode_cls_token": embedding.pooling == "first",
        "pooling_mode_mean_tokens": embedding.pooling == "mean",
        "include_prompt": True,
    }
    _write(folder / "1_Pooling" / "config.json", pooling)
    _write(folder / "2_Normalize" / "config.json", {})


def check(folder: Path, trained: Pretrained, embedding: Embedding, texts: Sequence[str]) -> None:
    """InputError if what is written makes other vectors of some texts than the encoder did as it was trained."""
    written = PretrainedModel(model=str(folder.absolute())).pretrained()
    found = Encoder(embedding.model_copy(update={"layer": None}), written).embed(texts)
    same_place = trained.model.eval().to(written.model.device)
    expected = Encoder(embedding, Pretrained(trained.tokenizer, same_place)).embed(texts)
    apart = float(np.abs(found - expected).max(initial=0))
    if not apart <= CLOSE:
        raise InputError(
            f"The exported encoder makes other vectors than the run's, {apart:.2g} apart; expected {CLOSE:g} or less. "
            f"Nothing was written. "
            + (
                "An encoder of this kind cannot be cut after a layer: train with `embedding.layer: null`."
                if embedding.layer is not None
                else "Expected the same version of transformers that it was trained with."
            )
        )


def _module(number: int, path: str, kind: str) -> dict[str, Any]:
    return {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}


def _write(file: Path, content: Any) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
