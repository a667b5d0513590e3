"""Alignment by a real if tiny and random encoder, against slow definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from langvec.errors import InputError
from masking.tagging.embedding_align import ITERATIONS, EncoderAlignment, itermax, mutual
from masking.tagging.words import words

TEXTS = [
    "Everyone has the right to education, and to \u201crest\u201d.",
    "\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0dbd\u0d82\u0d9a\u0dcf\u0dc0 \u0d9a\u0dca\u200d\u0dbb\u0dd3\u0da9\u0dcf",
    "\u0b85\u0ba9\u0bc8\u0bb5\u0bb0\u0bc1\u0bae\u0bcd \u0b9a\u0bae\u0bae\u0bcd.",
    "",
    "Chacun a droit \u00e0 l'\u00e9ducation !",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    """A BERT of two layers with the kind of tokenizer that XLM-R has."""
    torch.manual_seed(0)
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(
        TEXTS * 5, trainers.UnigramTrainer(vocab_size=90, special_tokens=special, unk_token="<unk>")
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    target = tmp_path_factory.mktemp("encoder")
    named = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named).save_pretrained(target)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=tokenizer.get_vocab_size(), max_position_embeddings=80, pad_token_id=1, **sizes)
    BertModel(config).save_pretrained(target)
    return str(target)


def slow_vectors(aligner, text: str, layer: int) -> list[np.ndarray]:
    """Word by word: the mean over the pieces that have a character of the word, one text at a time."""
    given = aligner.encoder.tokenizer(text, return_tensors="pt", return_offsets_mapping=True)
    offsets = given.pop("offset_mapping")[0].tolist()
    with torch.no_grad():
        hidden = aligner.encoder.model(**given, output_hidden_states=True).hidden_states[layer][0].numpy()
    found = []
    for word in words(text):
        own = set(range(word.start, word.end))
        rows = [row for row, (a, b) in zip(hidden, offsets, strict=True) if own & set(range(a, b))]
        mean = np.mean(rows, axis=0)
        found.append(mean / np.linalg.norm(mean))
    return found


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_word_vectors_equal_the_definition_whatever_else_is_in_the_batch(folder, layer):
    aligner = EncoderAlignment(model=folder, layer=layer, batch=3).load()
    for text, vectors in zip(TEXTS, aligner.word_vectors(TEXTS), strict=True):
        expected = slow_vectors(aligner, text, layer)
        assert len(vectors) == len(expected) == len(words(text))
        np.testing.assert_allclose(vectors, np.reshape(expected, (-1, 16)), atol=1e-5)


def test_each_word_of_a_sentence_is_linked_to_itself_in_a_copy(folder):
    aligner = EncoderAlignment(model=folder, layer=1).load()
    copies = [(text, text) for text in TEXTS]
    for text, links in zip(TEXTS, aligner.align_texts(copies), strict=True):
        assert links == [(number, number) for number in range(len(words(text)))]


def test_a_prefix_is_seen_by_the_encoder_and_belongs_to_no_word(folder):
    plain = EncoderAlignment(model=folder, layer=0).load().word_vectors(TEXTS[:1])[0]
    prefixed = EncoderAlignment(model=folder, layer=2, prefix="right to ").load().word_vectors(TEXTS[:1])[0]
    assert prefixed.shape == plain.shape
    assert not np.allclose(prefixed, EncoderAlignment(model=folder, layer=2).load().word_vectors(TEXTS[:1])[0])


def test_words_beyond_the_longest_input_have_no_links(folder):
    long = " ".join(["right"] * 100)
    vectors = EncoderAlignment(model=folder, layer=2).load().word_vectors([long])[0]
    assert len(vectors) == 100 and not vectors[-1].any() and vectors[0].any()
    links = EncoderAlignment(model=folder, layer=2).load().align_texts([(long, long)])[0]
    assert links and max(i for i, _ in links) < 78


similarities = arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(0, 5)), elements=st.floats(-1, 1, width=16))


def slow_mutual(similarity: np.ndarray) -> set[tuple[int, int]]:
    found = set()
    for i, row in enumerate(similarity):
        for j, value in enumerate(row):
            first_in_row = all(value > other if k < j else value >= other for k, other in enumerate(row))
            column = similarity[:, j]
            first_in_column = all(value > other if k < i else value >= other for k, other in enumerate(column))
            if first_in_row and first_in_column and value > 0:
                found.add((i, j))
    return found


@given(similarities)
def test_mutual_links_equal_the_definition_written_as_loops(similarity):
    assert mutual(similarity) == sorted(slow_mutual(similarity))


@given(similarities)
def test_itermax_equals_the_definition_written_as_loops(similarity):
    links: set[tuple[int, int]] = set()
    for _ in range(ITERATIONS):
        left = similarity.copy()
        for i, j in np.ndindex(similarity.shape):
            ends = (i in {a for a, _ in links}) + (j in {b for _, b in links})
            left[i, j] *= np.float32([1, 0.9, 0][ends])
        links |= slow_mutual(left)
    assert itermax(similarity) == sorted(links)


def test_what_is_no_encoder_is_said_before_anything_is_loaded(folder, tmp_path):
    assert EncoderAlignment(model=folder).problems() == []
    assert EncoderAlignment(model="owner/name").problems() == []
    assert "no encoder" in EncoderAlignment(model=str(tmp_path)).problems()[0]
    assert "no model" in EncoderAlignment(model="some thing").problems()[0]
    assert "Only the hub" in EncoderAlignment(model=folder, revision="abc").problems()[0]
    with pytest.raises(InputError, match="no encoder"):
        EncoderAlignment(model=str(tmp_path)).load()


def test_a_layer_that_the_encoder_has_not_is_named(folder):
    with pytest.raises(InputError, match="has 2 layers"):
        EncoderAlignment(model=folder, layer=3).load()


def test_the_identity_follows_the_bytes_of_the_model(folder, tmp_path):
    assert EncoderAlignment(model=folder).identity() == EncoderAlignment(model=folder, layer=2).identity()
    assert EncoderAlignment(model="owner/name", revision="c0ffee").identity()["model"] == "owner/name@c0ffee"
    assert len(EncoderAlignment(model=folder).identity()["model"]) == 64
