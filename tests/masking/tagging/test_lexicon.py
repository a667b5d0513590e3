"""Words looked up in a list: which are found, and which list comes of tagged text."""

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langvec.errors import InputError
from masking.tagging.base import Sentence
from masking.tagging.lexicon import (
    Entry,
    LexiconRecipe,
    LexiconTagger,
    read_lexicon,
    train_lexicon,
    write_lexicon,
)
from masking.tagging.tagged import TaggedSentence, TagSpan

SRI_LANKA = "ශ්\u200dරී ලංකාව"
WORDS = st.lists(st.sampled_from(["a", "b", "ab", "É", "e\u0301", "ශ්\u200dරී", "(b)", "a-b", "-"]), max_size=12)


def load(tmp_path: Path, *lines: str, tags: str = "ne", ignore_case: bool = True) -> LexiconTagger:
    file = tmp_path / "lexicon.tsv"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return LexiconRecipe.model_validate({"file": str(file), "tags": tags, "ignore_case": ignore_case}).load()


def found(tagger: LexiconTagger, text: str) -> list[tuple[str, str]]:
    (spans,) = tagger.tag([Sentence("1", text)])
    return [(text[span.start : span.end], span.label) for span in spans]


def sentence(text: str, *tags: tuple[str, str]) -> TaggedSentence:
    """Tags on parts of a text, which are looked for from left to right."""
    spans, at = [], 0
    for part, tag in tags:
        at = text.index(part, at)
        spans.append(TagSpan(at, at + len(part), tag))
        at += len(part)
    return TaggedSentence(None, text, tuple(spans))


def test_punctuation_that_is_attached_does_not_hide_a_word(tmp_path: Path) -> None:
    tagger = load(tmp_path, "road\tNOUN", "கல்வி\tNOUN", tags="upos")
    assert found(tagger, "“Road.” (கல்வி), by-road") == [("Road", "NOUN"), ("கல்வி", "NOUN")]


def test_the_longest_name_counts_and_words_inside_it_are_not_looked_up_again(tmp_path: Path) -> None:
    tagger = load(tmp_path, "New York\tLOC", "New York Times\tORG", "York\tLOC", "Times Square\tLOC")
    assert found(tagger, "New York Times Square, New York; York New") == [
        ("New York Times", "ORG"),
        ("New York", "LOC"),
        ("York", "LOC"),
    ]


def test_a_name_is_not_found_across_punctuation_unless_it_holds_it(tmp_path: Path) -> None:
    tagger = load(tmp_path, f"{SRI_LANKA}\tLOC", "Congo (Kinshasa)\tLOC")
    assert found(tagger, f"{SRI_LANKA}.") == [(SRI_LANKA, "LOC")]
    assert found(tagger, f"{SRI_LANKA.replace(' ', ', ')}") == []
    assert found(tagger, "(Congo  (Kinshasa) Congo. Kinshasa Congo Kinshasa") == [("Congo  (Kinshasa", "LOC")]


def test_composed_and_decomposed_spellings_are_one_word_found_where_they_stand(tmp_path: Path) -> None:
    decomposed = unicodedata.normalize("NFD", "Curaçao கொழும்பு")
    assert decomposed != "Curaçao கொழும்பு"
    for entry in ("Curaçao கொழும்பு", decomposed):
        assert found(load(tmp_path, f"{entry}\tLOC"), f"x {decomposed} Curaçao கொழும்பு") == [
            (decomposed, "LOC"),
            ("Curaçao கொழும்பு", "LOC"),
        ]


def test_joiners_are_letters_of_the_word(tmp_path: Path) -> None:
    tagger = load(tmp_path, "ශ්\u200dරී\tPER")
    assert found(tagger, "ශ්\u200dරී ශ්රී") == [("ශ්\u200dරී", "PER")]


def test_case_counts_when_it_is_asked_for(tmp_path: Path) -> None:
    assert found(load(tmp_path, "Turkey\tLOC"), "turkey Turkey TURKEY") == [
        ("turkey", "LOC"),
        ("Turkey", "LOC"),
        ("TURKEY", "LOC"),
    ]
    assert found(load(tmp_path, "Turkey\tLOC", "turkey\tMISC", ignore_case=False), "turkey Turkey TURKEY") == [
        ("turkey", "MISC"),
        ("Turkey", "LOC"),
    ]


def test_words_whose_tag_does_not_count_are_passed_over_with_the_name_they_are_in(tmp_path: Path) -> None:
    tagger = load(tmp_path, "may\tAUX", "may day\tPROPN", "run\tVERB", tags="upos")
    assert found(tagger, "may run May Day") == [("run", "VERB"), ("May Day", "PROPN")]


def test_an_empty_text_has_nothing_in_it(tmp_path: Path) -> None:
    assert load(tmp_path, "a\tLOC").tag([Sentence("1", ""), Sentence("2", " ... ")]) == [[], []]


@pytest.mark.parametrize("line", ["word", "word LOC", "\tLOC", "word\t", "a\tb\tc"])
def test_a_line_that_is_no_entry_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match=r"lexicon.tsv, line 3: .*Expected an entry, a tab"):
        load(tmp_path, "a\tLOC", "", line)


def test_entries_that_contradict_each_other_are_refused_and_repeated_ones_are_not(tmp_path: Path) -> None:
    load(tmp_path, "May\tLOC", "may\tLOC")
    with pytest.raises(InputError, match="'may' has two tags, PER and LOC"):
        load(tmp_path, "May\tPER", "may\tLOC")


def test_a_lexicon_in_another_tag_set_or_without_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none of its 2 entries .* Tags found: NN, VB"):
        load(tmp_path, "a\tNN", "b\tVB", tags="upos")
    with pytest.raises(InputError, match="holds no word"):
        load(tmp_path, "...\tLOC")


def test_a_missing_file_is_a_problem_seen_before_loading(tmp_path: Path) -> None:
    (problem,) = LexiconRecipe(file=str(tmp_path / "none.tsv"), tags="ne").problems()
    assert "there is no file" in problem


def test_a_word_gets_its_most_frequent_tag_and_ties_go_by_name() -> None:
    tagged = [sentence("run run run walk walk", *zip(["run"] * 3, ["NOUN", "VERB", "VERB"], strict=True),
                       ("walk", "VERB"), ("walk", "NOUN"))]  # fmt: skip
    assert train_lexicon(tagged, "upos") == [("run", "VERB"), ("walk", "NOUN")]


def test_words_that_are_rare_mostly_something_else_or_never_count_are_left_out() -> None:
    tagged = [sentence("the fast fast run", ("the", "DET"), ("fast", "ADJ"), ("fast", "NOUN"), ("run", "NOUN"))]
    assert train_lexicon(tagged, "upos", share=0.6) == [("run", "NOUN")]
    assert train_lexicon(tagged * 2, "upos", min_count=3) == []


def test_a_share_is_that_of_the_kind_and_of_all_occurrences() -> None:
    tagged = [sentence("mark mark mark Mark", *zip(["mark"] * 3, ["NOUN", "NOUN", "VERB"], strict=True),
                       ("Mark", "PROPN"))]  # fmt: skip
    assert Entry("mark", "NOUN") in train_lexicon(tagged, "upos", share=0.75)
    assert train_lexicon(tagged, "upos", share=0.8) == []
    # Untagged occurrences are occurrences too.
    assert train_lexicon([sentence("ella ella ella", ("ella", "LOC"))], "ne", share=0.5) == []


def test_names_of_several_words_become_one_entry_and_their_words_none() -> None:
    tagged = [sentence("He left New York, York too.", ("New York,", "LOC"), ("York", "LOC"))]
    assert train_lexicon(tagged, "ne", ignore_case=False) == [("New York", "LOC"), ("York", "LOC")]


def test_a_trained_lexicon_finds_in_its_own_text_what_was_tagged(tmp_path: Path) -> None:
    tagged = [sentence(f"{SRI_LANKA} රට, New York (Congo).", (SRI_LANKA, "LOC"), ("New York", "LOC"), ("Congo", "LOC"))]
    write_lexicon(train_lexicon(tagged, "ne"), tmp_path / "a.tsv")
    tagger = LexiconRecipe(file=str(tmp_path / "a.tsv"), tags="ne").load()
    assert found(tagger, tagged[0].text) == [(SRI_LANKA, "LOC"), ("New York", "LOC"), ("Congo", "LOC")]


def test_a_written_lexicon_is_sorted_and_does_not_depend_on_the_order_of_entries(tmp_path: Path) -> None:
    entries = [Entry("b", "LOC"), Entry("a b", "PER"), Entry("b", "LOC")]
    write_lexicon(entries, tmp_path / "a.tsv")
    write_lexicon(reversed(entries), tmp_path / "b.tsv")
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes() == b"a b\tPER\nb\tLOC\n"
    assert list(read_lexicon(tmp_path / "a.tsv")) == [("a b", "PER"), ("b", "LOC")]


@given(WORDS, st.lists(st.tuples(st.integers(0, 11), st.integers(1, 3), st.sampled_from(["LOC", "PER"])), max_size=4))
def test_what_is_learnt_from_any_text_can_be_written_and_loaded(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], names: list[tuple[int, int, str]]
) -> None:
    text = " ".join(parts)
    starts = [0, *(i + 1 for i, char in enumerate(text) if char == " ")]
    ends = [*(i for i, char in enumerate(text) if char == " "), len(text)]
    known = [(first, min(first + size, len(parts)) - 1, tag) for first, size, tag in names if first < len(parts)]
    spans = tuple(TagSpan(starts[first], ends[last], tag) for first, last, tag in known)
    entries = train_lexicon([TaggedSentence(None, text, spans)], "ne", share=0)
    file = tmp_path_factory.mktemp("lexicon") / "a.tsv"
    write_lexicon(entries, file)
    if entries:
        assert list(read_lexicon(file)) == entries
        LexiconRecipe(file=str(file), tags="ne").load()
