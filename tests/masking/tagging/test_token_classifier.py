"""Token classifiers of the hub: offsets, words, names and windows against a slow definition, and what is refused."""

from collections import Counter
from pathlib import Path

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    BertForTokenClassification,
    PreTrainedTokenizerFast,
)

from langvec.errors import InputError
from masking.tagging.base import Sentence, Span, named
from masking.tagging.names import Tagged, spans_of
from masking.tagging.token_classifier import TokenClassifierRecipe, _Token, words_of
from tests.masking.tagging.conftest import declaration, sentences_of

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LABELS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-DATE"]
TEXTS = [
    "Anna and Ravi live in Oslo, not in Colombo.",
    "",
    " \n ",
    "ශ්‍රී ලංකා (தமிழ்‌நாடு) 🙂 e\u0301te\u0301",
    "one",
]


def make_model(folder: Path, labels: list[str] = LABELS, positions: int = 64) -> str:
    """A classifier with random weights, large enough for its labels to vary."""
    text = " ".join([*declaration("eng_Latn", 40), *declaration("sin_Sinh", 20), *declaration("tam_Taml", 20), *TEXTS])
    letters = sorted(set(text) - {" ", "\n"})
    common = [word for word, count in Counter(text.split()).most_common(60) if len(word) > 1]
    pieces = [*SPECIAL, *letters, *(f"##{letter}" for letter in letters), *common]
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    torch.manual_seed(2)  # of some seeds all labels come out alike
    BertForTokenClassification(config(labels, positions)).save_pretrained(folder)
    return str(folder)


def config(labels: list[str] = LABELS, positions: int = 64) -> BertConfig:
    return BertConfig(
        vocab_size=500, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=positions, initializer_range=1.0, id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return make_model(tmp_path_factory.mktemp("classifier"))


@pytest.fixture(scope="module")
def long_folder(tmp_path_factory) -> str:
    return make_model(tmp_path_factory.mktemp("classifier"), positions=512)


def by_definition(folder: str, text: str) -> list[Span]:
    """Names by the words of the sentence, one at a time, for texts that fit the model."""
    model = AutoModelForTokenClassification.from_pretrained(folder)
    coded = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt", return_offsets_mapping=True)
    offsets = coded.pop("offset_mapping")[0].tolist()
    with torch.no_grad():
        best = model(**coded).logits[0].argmax(-1).tolist()
    spans: list[Span] = []
    inside = ""  # the label of the name that the word before was in
    for word in sorted({word for word in coded.word_ids(0) if word is not None}):
        places = [i for i, of in enumerate(coded.word_ids(0)) if of == word]
        start, end = offsets[places[0]][0], offsets[places[-1]][1]
        prefix, _, label = LABELS[best[places[0]]].partition("-")
        if label in ("PER", "LOC"):
            if prefix == "I" and inside == label:
                spans[-1] = spans[-1]._replace(end=end)
            else:
                spans.append(Span(start, end, "NE", label))
        inside = label
    return spans


def test_names_are_those_of_the_definition_one_sentence_at_a_time(long_folder):
    texts = [*TEXTS, *declaration("eng_Latn", 25), *declaration("sin_Sinh", 5)]
    found = TokenClassifierRecipe(model=long_folder, max_tokens=512, batch=8).load().tag(sentences_of(texts))
    assert found == [by_definition(long_folder, text) for text in texts]
    assert sum(len(spans) for spans in found) > 100
    assert any(" " in text[s.start : s.end] for text, spans in zip(texts, found, strict=True) for s in spans)


def test_sentences_tagged_together_have_the_tags_they_have_alone(folder):
    tagger = TokenClassifierRecipe(model=folder, batch=3).load()
    texts = [*TEXTS, *declaration("tam_Taml", 10)]
    assert tagger.tag(sentences_of(texts)) == [tagger.tag(sentences_of([text]))[0] for text in texts]
    assert tagger.tag([]) == []


def windows_by_definition(folder: str, text: str, size: int, overlap: int) -> list[Span]:
    """Each sub-word's label from the window where it is farther from a cut, window after window."""
    model = AutoModelForTokenClassification.from_pretrained(folder)
    coded = AutoTokenizer.from_pretrained(folder)(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, body = coded["input_ids"], size - 2
    labels: dict[int, tuple[int, str]] = {}
    for first in range(0, len(ids), body - overlap):
        window = ids[first : first + body]
        with torch.no_grad():
            best = model(torch.tensor([[2, *window, 3]])).logits[0, 1:-1].argmax(-1).tolist()
        for i, label in enumerate(best):
            left = i if first else len(ids)
            right = len(window) - 1 - i if first + body < len(ids) else len(ids)
            labels.setdefault(first + i, (-1, ""))
            if min(left, right) > labels[first + i][0]:
                labels[first + i] = (min(left, right), LABELS[label])
        if first + body >= len(ids):
            break
    words: dict[int, Tagged] = {}
    for i, ((start, end), word) in enumerate(zip(coded["offset_mapping"], coded.word_ids(), strict=True)):
        words[word] = words[word]._replace(end=end) if word in words else Tagged(start, end, labels[i][1])
    return spans_of(list(words.values()), "ne")


@pytest.mark.parametrize("overlap", [0, 1, 7, 12])
def test_text_beyond_the_window_is_tagged_by_windows_that_overlap(folder, overlap):
    text = " ".join(declaration("eng_Latn", 12))
    (spans,) = TokenClassifierRecipe(model=folder, max_tokens=40, overlap=overlap).load().tag([Sentence("s", text)])
    assert spans == windows_by_definition(folder, text, 40, overlap)
    assert spans[-1].end > len(text) - 100


def test_windows_are_no_longer_than_the_model_takes(folder):
    text = " ".join(declaration("eng_Latn", 12))
    wide, narrow = (
        TokenClassifierRecipe(model=folder, max_tokens=size, overlap=10).load().tag([Sentence("s", text)])
        for size in (512, 64)
    )
    assert wide == narrow


def test_a_line_of_a_megabyte_has_tags_to_its_end(folder):
    text = "Anna and Ravi " * 10_000 + "x" * 860_000 + " Oslo and Colombo" * 50
    (spans,) = TokenClassifierRecipe(model=folder, batch=256).load().tag([Sentence("s", text)])
    assert spans[-1].end > len(text) - 100
    assert all(text[span.start : span.end].strip() for span in spans)


def test_parts_of_speech_are_one_span_a_word(tmp_path):
    model = make_model(tmp_path, ["NOUN", "VERB", "PROPN", "ADP"])
    (spans,) = TokenClassifierRecipe(model=model, tags="upos").load().tag([Sentence("s", TEXTS[0])])
    words = [TEXTS[0][span.start : span.end] for span in spans]
    assert len(words) > 2
    assert set(words) <= {"Anna", "and", "Ravi", "live", "in", "Oslo", ",", "not", "Colombo", "."}
    assert {(span.kind, span.label) for span in spans} <= {("NOUN", "NOUN"), ("NOUN", "PROPN"), ("VERB", "VERB")}


def test_a_space_ends_a_word_where_the_tokenizer_counts_the_text_as_one():
    tokens = [_Token(0, 2, 0, "A"), _Token(2, 4, 0, "B"), _Token(4, 7, 0, "C"), _Token(7, 8, 0, "D")]
    assert words_of("Anna is.", tokens) == [(0, 4, "A"), (5, 8, "C")]


def test_a_language_model_without_a_classifier_is_refused(tmp_path, folder):
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    BertForMaskedLM(config()).save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"not a trained token classifier.*classifier\.weight"):
        TokenClassifierRecipe(model=str(tmp_path)).load()


def test_weights_that_are_not_safetensors_are_refused(tmp_path, folder):
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    model = BertForTokenClassification(config())
    model.config.save_pretrained(tmp_path)
    torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(InputError, match="safetensors"):
        TokenClassifierRecipe(model=str(tmp_path)).load()


def test_a_missing_folder_is_named(tmp_path):
    (problem,) = TokenClassifierRecipe(model=str(tmp_path / "none")).problems()
    assert str(tmp_path / "none") in problem


def test_a_name_of_the_hub_that_cannot_be_had_says_what_was_expected(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    recipe = TokenClassifierRecipe(model="nobody/no-such-model")
    assert recipe.problems() == []
    for use in (recipe.load, recipe.identity):
        with pytest.raises(InputError, match=r"nobody/no-such-model.*HF_HUB_OFFLINE"):
            use()


def test_the_name_has_the_version_and_changes_with_the_weights(folder, tmp_path):
    recipe = TokenClassifierRecipe(model=folder)
    other = TokenClassifierRecipe(model=make_model(tmp_path, positions=32))
    assert named(recipe).startswith(f"token_classifier (transformers {transformers.__version__}, model ")
    assert named(recipe) != named(other)


def test_a_folder_is_found_from_wherever_the_tagger_loads(folder, monkeypatch):
    monkeypatch.chdir(Path(folder).parent)
    recipe = TokenClassifierRecipe(model=Path(folder).name)
    monkeypatch.chdir("/")
    assert recipe.problems() == []
    assert recipe.model == folder


def test_an_overlap_that_leaves_no_window_is_refused():
    with pytest.raises(ValueError, match="overlap"):
        TokenClassifierRecipe(model="a/b", max_tokens=32, overlap=16)
