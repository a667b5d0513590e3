"""Exported encoders, loaded by transformers alone; vectors by the rules that sentence_transformers would read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
)

from langvec.errors import InputError
from langvec.languages import find, shortest
from masking.card import Card, Figure, Source, Taught
from masking.encoder import Embedding, Encoder
from masking.export import check, shortened, write
from masking.metrics import Interval
from masking.pretrained import Pretrained

LAYERS, WIDTH = 3, 16
SIZES = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.fixture
def texts(declaration: Callable[[str], list[str]]) -> list[str]:
    lines = [line for code in ("eng", "sin", "tam") for line in declaration(code)[:6]]
    return [*lines, "  white space around ", "a", " ".join(lines)]


@pytest.fixture(params=["bert", "xlm-r"])
def trained(request: pytest.FixtureRequest, tokenizers) -> Pretrained:
    torch.manual_seed(0)
    size = SIZES | {"vocab_size": len(tokenizers["unigram"]), "max_position_embeddings": 80}
    model = (
        BertForMaskedLM(BertConfig(**size))
        if request.param == "bert"
        else XLMRobertaForMaskedLM(XLMRobertaConfig(**size, pad_token_id=1))
    )
    return Pretrained(tokenizers["unigram"], model.eval())


def as_the_files_say(folder: Path, texts: list[str]) -> np.ndarray:
    """One text at a time, by the rules that sentence_transformers reads from the folder."""
    modules = [module["type"].rpartition(".")[2] for module in json.loads((folder / "modules.json").read_text())]
    assert modules == ["Transformer", "Pooling", "Normalize"]
    rules = json.loads((folder / "sentence_bert_config.json").read_text())
    pooling = json.loads((folder / "1_Pooling/config.json").read_text())
    prompts = json.loads((folder / "config_sentence_transformers.json").read_text())
    prefix = prompts["prompts"].get(prompts["default_prompt_name"], "")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    found = []
    for text in texts:
        given = tokenizer(prefix + text, truncation=True, max_length=rules["max_seq_length"], return_tensors="pt")
        with torch.no_grad():
            states = model(**given).last_hidden_state[0]
        assert pooling["pooling_mode_mean_tokens"] != pooling["pooling_mode_cls_token"]
        vector = (states.mean(dim=0) if pooling["pooling_mode_mean_tokens"] else states[0]).numpy()
        found.append(vector / np.linalg.norm(vector))
    return np.array(found)


@pytest.mark.parametrize(
    "embedding",
    [
        Embedding(),
        Embedding(pooling="first", max_tokens=12),
        Embedding(prefix="query: ", layer=LAYERS),
        Embedding(layer=1),
        Embedding(layer=0, prefix="right to "),
    ],
)
def test_an_exported_folder_alone_gives_the_vectors_that_the_encoder_was_judged_by(trained, texts, embedding, tmp_path):
    expected = Encoder(embedding, trained).embed(texts)
    write(shortened(trained, embedding.layer), embedding, tmp_path)
    np.testing.assert_allclose(as_the_files_say(tmp_path, texts), expected, atol=1e-5)
    check(tmp_path, trained, embedding, texts)


def test_the_whole_encoder_keeps_its_head_and_one_that_is_cut_has_none(trained, texts, tmp_path):
    for name, layer in (("whole", None), ("cut", 2)):
        (tmp_path / name).mkdir()
        write(shortened(trained, layer), Embedding(layer=layer), tmp_path / name)
    loaded, found = AutoModelForMaskedLM.from_pretrained(tmp_path / "whole", output_loading_info=True)
    assert not found["missing_keys"]
    ids = trained.tokenizer(texts[0], return_tensors="pt")["input_ids"]
    with torch.no_grad():
        torch.testing.assert_close(loaded.eval()(input_ids=ids).logits, trained.model(input_ids=ids).logits)
    cut = AutoModel.from_pretrained(tmp_path / "cut")
    assert cut.config.num_hidden_layers == 2 and "ForMaskedLM" not in cut.config.architectures[0]
    assert trained.model.config.num_hidden_layers == LAYERS


def test_the_tokenizer_that_is_exported_cuts_nothing_unless_it_is_asked_to(trained, texts, tmp_path):
    embedding = Embedding(max_tokens=8)
    Encoder(embedding, trained).embed(texts)  # leaves a rule of truncation in the tokenizer
    write(trained, embedding, tmp_path)
    stored = json.loads((tmp_path / "tokenizer.json").read_text())
    assert stored["truncation"] is None and stored["padding"] is None
    assert len(AutoTokenizer.from_pretrained(tmp_path)(texts[-1], verbose=False)["input_ids"]) > 100
    assert "/" not in (tmp_path / "tokenizer_config.json").read_text().replace("</s>", "")


def test_a_folder_that_gives_other_vectors_is_refused(trained, texts, tmp_path):
    write(shortened(trained, 1), Embedding(layer=1), tmp_path)
    with pytest.raises(InputError, match="other vectors than the run's"):
        check(tmp_path, trained, Embedding(layer=2), texts)


def card(**others) -> Card:
    account = {"tokens": 12345, "epochs": 4, "kept_epoch": 2, "mask_rate": 0.15, "validation_loss": 2.5}
    fields = {
        "name": "eng_Latn-nor_Latn.lem.1",
        "folder": "ours",
        "base": "someone/encoder",
        "start": "`someone/encoder`",
        "from_nothing": False,
        "codes": ["eng_Latn", "nob_Latn", "grc_Grek"],
        "sources": [Source("parallel text", "eng_Latn", "files", 1234, "a|b")],
        "pairs": {"eng_Latn-nob_Latn": {"train": 900, "dev": 100, "test": 234}},
        "arm": "lem",
        "masks": {"strategy": "lem", "rate": 0.15, "kinds": ["NE", "VERB"]},
        "seed": 1,
        "taught": [Taught("para", "pairs", 900, account)],
        "embedding": Embedding(prefix="query: "),
        "layers": (12, 12),
        "pieces": (250_002, 9_000),
        "trimmed": False,
        "versions": {"torch": "2.13.0"},
        "figures": [Figure("held_out", "p", "mined", 234, Interval(0.5, 0.4, 0.6), Interval(0.25, 0.2, 0.3))],
    }
    return Card(**(fields | others))


def front(text: str) -> dict:
    return yaml.safe_load(text.split("---")[1])


def test_a_card_begins_with_what_the_hub_reads(tmp_path):
    found = front(card().text())
    assert found["language"] == ["en", "nb", "grc"]  # Ancient Greek has no two letters
    assert found["base_model"] == "someone/encoder"
    assert (found["library_name"], found["pipeline_tag"]) == ("sentence-transformers", "sentence-similarity")
    assert "fill-mask" in found["tags"]
    cut = front(card(base=None, layers=(8, 12)).text())
    assert "base_model" not in cut and "fill-mask" not in cut["tags"]


def test_a_card_says_what_was_done_how_good_it_is_and_where_it_ends():
    text = card().text()
    for said in (
        "| parallel text | eng_Latn | files | 1,234 | a/b |",
        "| eng_Latn-nob_Latn | 900 | 100 | 234 |",
        "kinds NE+VERB",
        "| para | pairs | 900 | 12,345 | 4 | 2 | 0.150 | 2.500 | - |",
        "| 234 | 0.500 (0.400 to 0.600) | 0.250 (0.200 to 0.300) |",
        "prefix 'query: '",
        "Of its 250,002 pieces 9,000 are in the texts",
        'SentenceTransformer("ours")',
        'AutoModelForMaskedLM.from_pretrained("ours")',
    ):
        assert said in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= 120
    assert "trimmed to the 9,000 pieces" in card(trimmed=True, pieces=(9000, 9000)).text()
    assert "has not judged" in card(figures=[]).text()
    cut = card(layers=(8, 12)).text()
    assert "layer 8 of 12" in cut and "AutoModelForMaskedLM.from_pretrained" not in cut


def test_languages_have_two_letters_where_iso_has_them():
    assert [shortest(find(code)) for code in ("eng", "sin_Sinh", "nor", "grc", "tcy")] == [
        "en",
        "si",
        "no",
        "grc",
        "tcy",
    ]


def test_names_in_a_card_stay_in_their_cells():
    nasty = "a|b\n\n# Heading <img src=x onerror=alert(1)>"
    lines = card(sources=[Source("parallel text", "eng_Latn", nasty, 1)]).text().splitlines()
    assert "| parallel text | eng_Latn | a/b # Heading &lt;img src=x onerror=alert(1)> | 1 |  |" in lines
