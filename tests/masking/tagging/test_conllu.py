"""Tags word by word: the characters of each word, and what is said of lines that are no such thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.tagging.conllu import LineError, read_conllu, read_two_columns
from masking.tagging.kinds import TagSet
from masking.tagging.tagged import TaggedSentence

ZWJ = "ක්\u200dෂේත්\u200dරය"  # one word: joiners spell its conjuncts
WORDS = st.text(st.characters(categories=["L", "M", "N", "P"]), min_size=1, max_size=6)


def row(number: str, form: str, upos: str = "_", xpos: str = "_", misc: str = "_") -> str:
    return "\t".join([number, form, "_", upos, xpos, "_", "_", "_", "_", misc])


def conllu(*lines: str, tags: TagSet = "upos") -> list[TaggedSentence]:
    return list(read_conllu(enumerate(lines, 1), tags))


def two_columns(text: str, tags: TagSet = "ne") -> list[TaggedSentence]:
    return list(read_two_columns(enumerate(text.splitlines(keepends=True), 1), tags))


def tagged(sentence: TaggedSentence) -> list[tuple[str, str]]:
    return [(sentence.text[span.start : span.end], span.tag) for span in sentence.spans]


def test_words_are_found_in_the_text_with_its_own_white_space() -> None:
    (sentence,) = conllu(
        "# newdoc", "# sent_id = a-1", "# text = Sri\u00a0Lanka,  heute.",
        row("1", "Sri", "PROPN"), row("2", "Lanka", "PROPN"), row("3", ",", "PUNCT"), row("4", "heute", "ADV"),
        row("5", ".", "PUNCT"),
    )  # fmt: skip
    assert sentence.id == "a-1"
    assert tagged(sentence) == [("Sri", "PROPN"), ("Lanka", "PROPN"), (",", "PUNCT"), ("heute", "ADV"), (".", "PUNCT")]


def test_a_text_that_is_not_given_is_put_together_from_words_and_space_after() -> None:
    (sentence,) = conllu(
        row("1", ZWJ, "NOUN", misc="Gloss=x|SpaceAfter=No"), row("2", ".", "PUNCT"), row("3", "ද", "X")
    )
    assert sentence.text == f"{ZWJ}. ද"
    assert tagged(sentence) == [(ZWJ, "NOUN"), (".", "PUNCT"), ("ද", "X")]


def test_words_written_as_one_are_parted_where_they_spell_it_and_lie_over_each_other_where_not() -> None:
    (sentence,) = conllu(
        "# text = don't vámonos", row("1-2", "don't"), row("1", "do", "AUX"), row("2", "n't", "PART"),
        row("3-4", "vámonos"), row("3", "vamos", "VERB"), row("4", "nos", "PRON"),
    )  # fmt: skip
    assert tagged(sentence) == [("do", "AUX"), ("n't", "PART"), ("vámonos", "VERB"), ("vámonos", "PRON")]


def test_space_after_is_that_of_the_whole_of_words_written_as_one() -> None:
    (sentence,) = conllu(
        row("1-2", "im", misc="SpaceAfter=No"), row("1", "in", "ADP"), row("2", "dem", "DET"), row("3", "!", "PUNCT")
    )
    assert sentence.text == "im!"


def test_empty_nodes_are_no_words() -> None:
    (sentence,) = conllu("# text = a b", row("1", "a", "X"), row("1.1", "sees", "VERB"), row("2", "b", "NOUN"))
    assert tagged(sentence) == [("a", "X"), ("b", "NOUN")]


def test_sentences_need_an_empty_line_between_them_and_none_at_the_end() -> None:
    first, second = conllu("", "# newpar", "", row("1", "a", "X"), "", "", row("1", "b", "NOUN"))
    assert (first.text, second.text, second.id) == ("a", "b", None)


def test_the_column_follows_from_the_tag_set() -> None:
    line = row("1", "Colombo", "PROPN", "NNP", "NER=B-LOC|SpaceAfter=No")
    assert [tagged(conllu(line, tags=tags)[0]) for tags in ("upos", "penn", "ne")] == [
        [("Colombo", "PROPN")],
        [("Colombo", "NNP")],
        [("Colombo", "LOC")],
    ]


@pytest.mark.parametrize(
    ("lines", "line", "why"),
    [
        (["# text = a c", row("1", "a"), row("2", "b")], 3, "'b', where the text reads 'c' .character 2"),
        (["# text = a b", row("1", "a")], 2, "goes on with 'b'"),
        ([row("1", "a"), "2\tb\tNOUN"], 2, "3 columns"),
        ([row("1", "a"), row("3", "b")], 2, "word id '3'. Expected 2"),
        ([row("1", "a"), row("1-2", "ab")], 2, "range 1-2, where word 2"),
        ([row("1-3", "abc"), row("1", "a"), row("2", "b")], 3, "before word 3"),
        ([row("1-2", "ab"), row("1-2", "ab")], 2, "range 1-2, where word 1"),
        ([row("x", "a")], 1, "word id 'x'"),
    ],
)
def test_a_line_that_is_no_conllu_is_named_with_the_reason(lines: list[str], line: int, why: str) -> None:
    with pytest.raises(LineError, match=why) as error:
        conllu(*lines)
    assert error.value.line == line


def test_two_columns_are_joined_by_spaces_and_their_names_are_whole() -> None:
    first, second = two_columns("New B-LOC\nYork I-LOC\n, O\n\n# sent_id = 7\nதமிழ்\tB-MISC\nநாடு\tB-LOC\n")
    assert first == (None, "New York ,", ((0, 8, "LOC"),))
    assert second.id == "7"
    assert tagged(second) == [("தமிழ்", "MISC"), ("நாடு", "LOC")]


def test_a_text_given_with_two_columns_decides_the_characters() -> None:
    (sentence,) = two_columns("# text = (New  York)\n( O\nNew B-LOC\nYork E-LOC\n) O\n")
    assert tagged(sentence) == [("New  York", "LOC")]


def test_a_number_sign_may_be_a_token() -> None:
    assert two_columns("# SYM\n1 NUM\n", "upos")[0].text == "# 1"


def test_equal_plain_labels_are_one_name_and_single_word_names_end_where_they_stand() -> None:
    (sentence,) = two_columns("a PER\nb PER\nc S-LOC\nd I-LOC\ne I-LOC\nf O\ng I-LOC\n")
    assert [word for word, _ in tagged(sentence)] == ["a b", "c", "d e", "g"]


@pytest.mark.parametrize("line", ["token", "a b O", "a\tb\tO", "a\t"])
def test_a_line_without_two_columns_is_named(line: str) -> None:
    with pytest.raises(LineError, match="Expected a token and its tag") as error:
        two_columns(f"x O\n{line}\n")
    assert error.value.line == 2


@given(st.lists(st.tuples(WORDS, st.booleans()), min_size=1, max_size=8))
def test_every_word_is_found_again_at_its_characters(parts: list[tuple[str, bool]]) -> None:
    rows = [row(str(n), form, "X", misc="_" if space else "SpaceAfter=No") for n, (form, space) in enumerate(parts, 1)]
    (sentence,) = conllu(*rows)
    assert [word for word, _ in tagged(sentence)] == [form for form, _ in parts]
    assert conllu(f"# text = {sentence.text}", *rows) == [sentence]
