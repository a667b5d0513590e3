"""The Sinhala tagger gives what sinling itself gives, by the characters of the text, and unpickles nothing."""

import subprocess
import sys
from itertools import chain, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.errors import InputError
from langvec.sources.udhr import Udhr
from masking.tagging.base import Sentence, named
from masking.tagging.sinhala import SinlingRecipe, SinlingTagger, cut_out, tokens
from masking.tagging.tidy import tidied
from tests.conftest import REPOSITORY

SHORT_FORMS = ["පෙ.ව.", "ඩබ්ලිව්.", "අයි.", "රු.", "3.14", "වයි."]
LETTERS = list("අවපෙරුක්ෂී ab1 .,\t\n\u200d\u0dca\u0d80")


@pytest.fixture(scope="module")
def sinling() -> Any:
    """The package itself, which takes seconds and much memory."""
    import sinling

    return sinling


@pytest.fixture(scope="module")
def tagger() -> SinlingTagger:
    return SinlingRecipe().load()


@pytest.fixture(scope="module")
def declaration() -> list[str]:
    return [text for batch in Udhr(languages=("sin_Sinh",)).read("sin_Sinh") for text in batch.texts]


def test_tags_are_those_of_sinling_for_the_whole_declaration(
    sinling: Any, tagger: SinlingTagger, declaration: list[str]
) -> None:
    sentences = [words for text in declaration if (words := sinling.SinhalaTokenizer().tokenize(text))]
    theirs = [[tag for _, tag in sentence] for sentence in sinling.POSTagger().predict(sentences)]
    assert [tagger.labels(words) for words in sentences] == theirs
    assert len(list(chain.from_iterable(theirs))) > 1500


def test_words_are_those_of_sinling_for_the_whole_declaration(sinling: Any, declaration: list[str]) -> None:
    theirs = [sinling.SinhalaTokenizer().tokenize(text) for text in declaration]
    assert [[word.text for word in tokens(text)] for text in declaration] == theirs


@given(st.data())
def test_words_are_those_of_sinling_for_any_text(sinling: Any, data: st.DataObject) -> None:
    theirs = sinling.SinhalaTokenizer()
    signs = [*theirs.punctuation_marks, *theirs.ignoring_chars, *theirs.invalid_chars]
    text = "".join(data.draw(st.lists(st.sampled_from(signs + LETTERS + SHORT_FORMS), max_size=20)))
    assert [word.text for word in tokens(text)] == theirs.tokenize(text)


@given(st.text(st.sampled_from([*LETTERS, "\u200c", "\u00ad", "€", "«"]), max_size=20))
def test_a_word_is_its_characters_in_the_text_but_for_those_that_are_ignored(text: str) -> None:
    found = tokens(text)
    assert all(a.end <= b.start for a, b in pairwise(found))
    for word in found:
        inside = [char for char in text[word.start : word.end] if char not in "\u200c\u00ad€«"]
        assert "".join(inside).replace("\u0d80", ".") == word.text
        assert text[word.start] not in "\u200c\u00ad€«"


def test_conjuncts_and_short_forms_stay_whole_and_brackets_do_not() -> None:
    text = "(ශ්\u200dරී පෙ.ව. 8.30)"
    assert [text[word.start : word.end] for word in tokens(text)] == ["(", "ශ්\u200dරී", "පෙ.ව.", "8.30", ")"]


def test_nouns_and_verbs_come_out_with_their_tags(tagger: SinlingTagger) -> None:
    text = "ජාතීන් අතර මිත්\u200dර සම්බන්ධතා තවදුරටත් වර්ධනය කිරීම අත්\u200dයාවශ්\u200dය වන හෙයින් ද,"
    (spans,) = tagger.tag([Sentence("1", text)])
    assert tidied(text, spans) == spans
    assert [(text[span.start : span.end], span.kind, span.label) for span in spans] == [
        ("ජාතීන්", "NOUN", "NNC"),
        ("සම්බන්ධතා", "NOUN", "NNC"),
        ("කිරීම", "VERB", "VNN"),
        ("අත්\u200dයාවශ්\u200dය", "NOUN", "NNC"),
        ("වන", "VERB", "VP"),
    ]


def test_empty_texts_have_nothing_in_them(tagger: SinlingTagger) -> None:
    assert tagger.tag([Sentence("1", ""), Sentence("2", " \u00a0\u200b")]) == [[], []]
    assert tagger.labels([]) == []


def test_the_tagger_works_without_importing_the_package_or_a_loader_of_pickles() -> None:
    program = (
        "import sys; from masking.tagging.sinhala import SinlingRecipe; SinlingRecipe().load().labels(['මම']);"
        "print(sorted({'sinling', 'joblib', 'sklearn', 'sklearn_crfsuite'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_file_without_a_whole_model_is_refused(tmp_path: Any) -> None:
    for content in (b"", b"nothing", b"..lCRF", b"..lCRF\xff\x00\x00\x00"):
        (tmp_path / "model").write_bytes(content)
        with pytest.raises(InputError, match="does not hold a whole CRFsuite model"):
            cut_out(tmp_path / "model")


def test_the_name_holds_both_versions() -> None:
    assert SinlingRecipe().problems() == []
    assert named(SinlingRecipe()).startswith("sinling (sinling 0.")
    assert "python-crfsuite" in named(SinlingRecipe())
