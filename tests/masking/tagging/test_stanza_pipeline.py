"""The pipeline of stanza: the right characters whatever the text, batches like single sentences, missing models."""

import pytest
import stanza
from hypothesis import given
from hypothesis import strategies as st
from stanza.utils.conll import CoNLL

from langvec.errors import InputError
from masking.tagging.base import Sentence, Span, named
from masking.tagging.stanza_models import fetch
from masking.tagging.stanza_pipeline import StanzaRecipe, sentence_of
from masking.tagging.words import pieces
from tests.masking.tagging.conftest import LANGUAGE, NAMES, NOUNS, VERBS, declaration, generated, sentences_of, written

TEXTS = [
    "Anna Ravi sees the cat in Oslo.",
    "",
    " \n\t ",
    "Ravi eats a dog.\n\nAnna finds the\tcat.  \r\n Oslo likes a house.",
    "(Anna) sees\u00a0the «cat»\u2028in Oslo...",
    "ශ්‍රී ලංකා \u0dc1\u0dca\u200d\u0dbb\u0dd3 தமிழ்‌நாடு 🙂 e\u0301te\u0301",
    "x" * 3000 + " Anna sees a cat.",
]


def expected(rows) -> list[tuple[str, str]]:
    """What a sentence of the conftest must yield, by its own rows."""
    return [(word, {"PROPN": "NOUN"}.get(tag, tag)) for word, tag, _ in rows if tag in ("PROPN", "NOUN", "VERB")]


@pytest.mark.parametrize("how", ["by_words", "by_model"])
def test_words_and_names_of_new_sentences_come_out_as_they_were_made(how, request):
    rows = generated(150, seed=1)
    texts = [written(row) for row in rows]
    found = request.getfixturevalue(how).tag(sentences_of(texts))
    right = [
        [(text[span.start : span.end], span.kind) for span in spans if span.kind != "NE"] == expected(row)
        for text, row, spans in zip(texts, rows, found, strict=True)
    ]
    assert sum(right) > 0.7 * len(right)
    names = {
        text[s.start : s.end]: s.label
        for text, spans in zip(texts, found, strict=True)
        for s in spans
        if s.kind == "NE"
    }
    assert all(names[name] == label for name, label in NAMES.items())


@pytest.mark.parametrize("how", ["by_words", "by_model"])
def test_sentences_tagged_together_have_the_tags_they_have_alone(how, request):
    tagger = request.getfixturevalue(how)
    texts = [*TEXTS, *(written(row) for row in generated(20, seed=2))]
    assert tagger.tag(sentences_of(texts)) == [tagger.tag(sentences_of([text]))[0] for text in texts]


def test_the_tags_are_those_of_stanza_itself(by_words, tiny_training):
    pipeline = stanza.Pipeline(
        LANGUAGE, dir=str(tiny_training), processors="tokenize,pos,ner", tokenize_pretokenized=True,
        download_method=None, verbose=False, allow_unknown_language=True,
    )  # fmt: skip
    texts = [written(row) for row in generated(30, seed=3)]
    for text, spans in zip(texts, by_words.tag(sentences_of(texts)), strict=True):
        (by_stanza,) = pipeline([[word.text for word in pieces(text)]]).sentences
        assert [text[s.start : s.end] for s in spans if s.kind == "NE"] == [entity.text for entity in by_stanza.ents]
        assert [s.label for s in spans if s.kind != "NE"] == [
            word.upos for word in by_stanza.words if word.upos in ("NOUN", "PROPN", "VERB")
        ]


@pytest.mark.parametrize("how", ["by_words", "by_model"])
@given(words=st.lists(st.sampled_from([*NAMES, *NOUNS, *VERBS, ".", " ", "\n\n", "\u200d", "ශ්‍රී", "«", "\x85"])))
def test_every_span_lies_in_its_text_and_neither_begins_nor_ends_in_white_space(how, words, request):
    text = " ".join(words)
    (spans,) = request.getfixturevalue(how).tag([Sentence("s", text)])
    for span in spans:
        assert 0 <= span.start < span.end <= len(text)
        assert text[span.start : span.end] == text[span.start : span.end].strip()


@pytest.mark.parametrize("how", ["by_words", "by_model"])
def test_a_line_of_a_megabyte_has_tags_to_its_end(how, request):
    text = "a" * 1_000_000 + " " + "b" * 50_000 + " Anna sees the cat."
    (spans,) = request.getfixturevalue(how).tag([Sentence("long", text)])
    assert spans[-1] == Span(len(text) - 4, len(text) - 1, "NOUN", "NOUN")


def test_a_long_text_of_many_sentences_has_the_tags_of_its_sentences(by_model):
    one = "Anna sees the cat in Oslo. "
    (alone,) = by_model.tag([Sentence("one", one)])
    (spans,) = by_model.tag([Sentence("many", one * 1000)])
    whole = 10_000 // len(one)  # sentences before the first cut
    assert spans[: whole * len(alone)] == [
        span._replace(start=span.start + i * len(one), end=span.end + i * len(one))
        for i in range(whole)
        for span in alone
    ]
    assert len(spans) >= 0.98 * 1000 * len(alone)


def test_text_of_another_language_has_spans_in_it_and_no_error(by_words, by_model):
    texts = [text for code in ("sin_Sinh", "tam_Taml", "jpn_Jpan") for text in declaration(code, 30)]
    for tagger in (by_words, by_model):
        for text, spans in zip(texts, tagger.tag(sentences_of(texts)), strict=True):
            assert all(text[span.start : span.end].strip() for span in spans)


def test_a_word_of_several_has_the_place_of_its_token_or_its_own_where_that_is_known():
    conllu = (
        "1-2\tdu\t_\t_\t_\t_\t_\t_\t_\tstart_char=0|end_char=2\n"
        "1\tde\t_\tADP\t_\t_\t0\troot\t_\t_\n"
        "2\tle\t_\tNOUN\t_\t_\t1\tdep\t_\t_\n"
        "3-4\tvadam\t_\t_\t_\t_\t_\t_\t_\tstart_char=3|end_char=8\n"
        "3\tva\t_\tVERB\t_\t_\t1\tdep\t_\tstart_char=3|end_char=5\n"
        "4\tdam\t_\tNOUN\t_\t_\t1\tdep\t_\tstart_char=5|end_char=8\n\n"
    )
    (sentence,) = CoNLL.conll2doc(input_str=conllu).sentences
    found = sentence_of(sentence, 0, 100)
    assert [(token.start, token.end) for token in found.tokens] == [(100, 102), (103, 108)]
    assert [(word.start, word.end) for word in found.words] == [(100, 102), (100, 102), (103, 105), (105, 108)]


def test_model_files_given_one_by_one_need_no_index(tiny_training, by_words, tmp_path):
    files = {name: str(next((tiny_training / LANGUAGE / name).glob("*.pt"))) for name in ("pos", "ner")}
    recipe = StanzaRecipe(
        language=LANGUAGE, folder=str(tmp_path), tokenize="words", pos_model=files["pos"], ner_model=files["ner"]
    )
    assert recipe.problems() == []
    assert recipe.load().tag(sentences_of(TEXTS)) == by_words.tag(sentences_of(TEXTS))


def test_one_processor_alone_gives_its_kinds_alone(tiny_training):
    recipe = StanzaRecipe(language=LANGUAGE, folder=str(tiny_training), tokenize="words", processors=("ner",))
    (spans,) = recipe.load().tag([Sentence("s", "Anna sees the cat in Oslo.")])
    assert [(span.kind, span.label) for span in spans] == [("NE", "PER"), ("NE", "LOC")]
    assert set(recipe.identity()) == {"stanza", "ner"}


def test_two_models_have_two_names(tiny_training, tmp_path):
    model = next((tiny_training / LANGUAGE / "pos").glob("*.pt"))
    other = tmp_path / "pos.pt"
    other.write_bytes(model.read_bytes() + b"\0")
    names = [
        named(StanzaRecipe(language=LANGUAGE, tokenize="words", processors=("pos",), pos_model=str(file)))
        for file in (model, other)
    ]
    assert names[0] != names[1]
    assert names[0].startswith(f"stanza (stanza {stanza.__version__}, pos ")


def test_missing_models_are_named_with_the_command_that_fetches_them(tmp_path):
    recipe = StanzaRecipe(language="en", folder=str(tmp_path / "models"))
    (problem,) = recipe.problems()
    assert str(tmp_path / "models") in problem
    assert "langscape taggers fetch en" in problem
    with pytest.raises(InputError, match="taggers fetch en"):
        recipe.load()


def test_a_missing_file_is_named(tmp_path):
    recipe = StanzaRecipe(language="en", processors=("pos",), tokenize="words", pos_model=str(tmp_path / "no.pt"))
    (problem,) = recipe.problems()
    assert str(tmp_path / "no.pt") in problem


def test_a_language_without_models_is_told_what_else_there_is(tmp_path):
    (sinhala,) = StanzaRecipe(language="si", folder=str(tmp_path)).problems()
    assert all(word in sinhala for word in ("no models", "projection", "lexicon", "crf"))
    (tamil,) = StanzaRecipe(language="ta", folder=str(tmp_path)).problems()
    assert "processors: [pos]" in tamil
    with pytest.raises(InputError, match="projection"):
        fetch("si", tmp_path)


def test_own_models_without_one_that_splits_text_point_to_words(tiny_training, tmp_path):
    (tmp_path / "resources.json").write_text('{"xx": {"packages": {"default": {"pos": "local"}}}}')
    (problem,) = StanzaRecipe(language=LANGUAGE, folder=str(tmp_path), processors=("pos",)).problems()
    assert "no model of tokenize" in problem
    assert "tokenize: words" in problem


def test_the_models_of_the_index_are_those_that_stanza_loads_with_what_they_need(tmp_path):
    (tmp_path / "resources.json").write_text(
        '{"nb": {"alias": "no"}, "no": {"packages": {"default": {"tokenize": "b", "pos": "b_charlm", "mwt": "b"}}, '
        '"pos": {"b_charlm": {"dependencies": [{"model": "pretrain", "package": "conll17"}]}}}}'
    )
    (problem,) = StanzaRecipe(language="nb", folder=str(tmp_path), processors=("pos",)).problems()
    for file in ("tokenize/b.pt", "mwt/b.pt", "pos/b_charlm.pt", "pretrain/conll17.pt"):
        assert str(tmp_path / "no" / file) in problem


def test_a_damaged_index_is_named(tmp_path):
    (tmp_path / "resources.json").write_text('{"en": ')
    (problem,) = StanzaRecipe(language="en", folder=str(tmp_path)).problems()
    assert "resources.json is damaged" in problem


def test_without_a_network_fetching_says_what_was_tried_and_how_else_models_come(tmp_path, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    with pytest.raises(InputError, match=r"raw\.githubusercontent\.com") as caught:
        fetch("en", tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert "copy" in str(caught.value)


@pytest.mark.parametrize("wrong", [{"processors": ("pos", "pos")}, {"processors": ("pos",), "ner_model": "x.pt"}])
def test_a_recipe_that_contradicts_itself_is_refused(wrong):
    with pytest.raises(ValueError, match="processors"):
        StanzaRecipe(language="en", **wrong)
