"""Translators of others, of three makes: NLLB and mBART-50 name their languages, mT5 has a prefix at most."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    M2M100Config,
    M2M100ForConditionalGeneration,
    MBartConfig,
    MBartForConditionalGeneration,
    MT5Config,
    MT5ForConditionalGeneration,
)
from transformers.models.mbart50.tokenization_mbart50 import FAIRSEQ_LANGUAGE_CODES, MBart50Tokenizer
from transformers.models.nllb.tokenization_nllb import NllbTokenizer
from transformers.models.t5.tokenization_t5 import T5Tokenizer

from langvec.errors import InputError
from masking.tokenizers import learn_tokenizer
from masking.translation import AnyTranslator, PretrainedTranslator, ScratchTranslator
from masking.translation.decoding import translate
from masking.translation.training import Training, learn
from tests.masking.small_translations import course, pairs

SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
SIZES: dict[str, Any] = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2}
SIZES |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "init_std": 0.2}
CODES = {"nllb": ("eng_Latn", "sin_Sinh"), "mbart": ("en_XX", "si_LK"), "mt5": (None, None)}


pytestmark = pytest.mark.usefixtures("one_thread")


def model_of(make: str, vocabulary: int) -> Any:
    if make == "nllb":
        return M2M100ForConditionalGeneration(M2M100Config(vocab_size=vocabulary, **SIZES))
    if make == "mbart":
        return MBartForConditionalGeneration(MBartConfig(vocab_size=vocabulary, decoder_start_token_id=2, **SIZES))
    return MT5ForConditionalGeneration(
        MT5Config(
            vocab_size=vocabulary, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0
        )
    )


def tokenizer_of(make: str) -> Any:
    learnt = json.loads(learn_tokenizer((text for pair in pairs(200) for text in pair), 150).backend_tokenizer.to_str())
    pieces = learnt["model"]["vocab"]
    scores = [(piece, -float(place + 5)) for place, piece in enumerate(pieces) if piece not in SPECIAL]
    if make == "nllb":
        return NllbTokenizer(vocab=pieces, merges=[tuple(both) for both in learnt["model"]["merges"]])
    if make == "mbart":
        ends = [(code, 0.0) for code in (*FAIRSEQ_LANGUAGE_CODES, "<mask>")]
        return MBart50Tokenizer(vocab=[*((piece, 0.0) for piece in SPECIAL[:4]), *scores, *ends])
    return T5Tokenizer(vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *scores], extra_ids=0)


@pytest.fixture(scope="module", params=list(CODES))
def translator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> PretrainedTranslator:
    """As it lies on the hub: config.json, model.safetensors, tokenizer.json."""
    folder = tmp_path_factory.mktemp(request.param)
    tokenizer = tokenizer_of(request.param)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model_of(request.param, len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    source, target = CODES[request.param]
    return PretrainedTranslator(
        model=str(folder), source_code=source, target_code=target, steps=2, epochs=None, every=2, beams=2,
        batch_tokens=256, learning_rate=0.01, precision="float32",
    )  # fmt: skip


def test_the_loss_is_that_of_transformers_with_its_own_tokenizer_and_collator(translator: PretrainedTranslator) -> None:
    made = Training(translator, course())
    tokenizer, model = AutoTokenizer.from_pretrained(translator.model), made.pretrained.model.eval()
    if translator.source_code:
        tokenizer.src_lang, tokenizer.tgt_lang = translator.source_code, translator.target_code
    rows = [dict(tokenizer(source, text_target=target)) for source, target in course().train[:9]]
    batch = DataCollatorForSeq2Seq(tokenizer, model)(rows)
    expected = model(**batch).loss * (batch["labels"] != -100).sum()
    assert made._nats(made.train, np.arange(9), 0).item() == pytest.approx(expected.item(), rel=1e-5)


def test_it_learns_on_and_its_folder_translates_into_the_language_that_was_asked_for(
    translator: PretrainedTranslator, tmp_path: Path
) -> None:
    account = learn(translator, course(), tmp_path)
    assert account["kept_train_loss"] > 0
    before, after = (AutoModelForSeq2SeqLM.from_pretrained(folder) for folder in (translator.model, tmp_path))
    pair = course().train[0]
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    if translator.source_code:
        tokenizer.src_lang, tokenizer.tgt_lang = translator.source_code, translator.target_code
    inputs = tokenizer(pair[0], text_target=pair[1], return_tensors="pt")
    assert after(**inputs).loss < before(**inputs).loss
    said = after.generate(inputs["input_ids"], max_new_tokens=24 + 28, num_beams=2)[0]
    if translator.target_code:
        assert said[1] == tokenizer.convert_tokens_to_ids(translator.target_code) != tokenizer.unk_token_id
    expected = tokenizer.decode(said, skip_special_tokens=True).strip()
    assert translate(tmp_path, [pair[0]], translator) == [expected]


def test_a_prefix_is_read_before_each_source(translator: PretrainedTranslator) -> None:
    prefixed = translator.model_copy(update={"prefix": "old "})
    plain = course(train=[(f"old {source}", target) for source, target in course().train])
    one, other = Training(prefixed, course()).train, Training(translator, plain).train
    assert one.source.ids.tolist() == other.source.ids.tolist()
    assert one.target.ids.tolist() == other.target.ids.tolist()


def test_codes_that_are_missing_unknown_or_out_of_place_are_told(translator: PretrainedTranslator) -> None:
    def said(**codes: Any) -> str:
        with pytest.raises(InputError) as error:
            translator.model_copy(update=codes).seq2seq()
        return str(error.value)

    if translator.target_code:
        assert "names the languages. Expected both of `source_code` and `target_code`" in said(target_code=None)
        assert "has no language sinhala. Expected one of" in said(target_code="sinhala")
        assert translator.source_code in said(source_code=f"{translator.source_code}X")
    else:
        assert "does not name the languages. Expected neither" in said(source_code="si", target_code="en")


def test_weights_in_a_pickle_are_refused(translator: PretrainedTranslator, tmp_path: Path) -> None:
    found = translator.seq2seq()
    found.tokenizer.save_pretrained(tmp_path)
    found.model.config.save_pretrained(tmp_path)
    torch.save(found.model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"The translator .* does not load: .*safetensors"):
        translator.model_copy(update={"model": str(tmp_path)}).seq2seq()


def test_a_folder_without_a_model_is_told_before_anything_is_loaded(tmp_path: Path) -> None:
    (problem,) = PretrainedTranslator(model=str(tmp_path)).problems()
    assert problem.startswith(f"{tmp_path} is no translator. Expected a folder with config.json")


def test_recipes_of_both_kinds_come_back_from_json_as_they_were() -> None:
    either: TypeAdapter[Any] = TypeAdapter(AnyTranslator)
    for one in (ScratchTranslator(width=64), PretrainedTranslator(model="facebook/nllb-200-distilled-600M")):
        assert either.validate_json(either.dump_json(one)) == one
    with pytest.raises(ValidationError, match="a width of 30 cannot be shared by 4 heads"):
        either.validate_python({"kind": "scratch", "width": 30})
