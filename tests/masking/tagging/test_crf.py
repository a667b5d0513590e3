"""A tagger trained here learns what spellings and neighbours tell, the same each time."""

import random
from pathlib import Path

import pytest

from langvec.errors import InputError
from masking.tagging.base import Sentence, named
from masking.tagging.crf import CrfRecipe, CrfTagger, features, train_crf
from masking.tagging.tagged import TaggedSentence, TagSpan
from masking.tagging.tidy import tidied

NOUNS = [f"{stem}ன்" for stem in ("மனித", "தமிழ", "அரச", "கண்ண", "மன்ன", "முருக")]
VERBS = [f"{stem}கிறான்" for stem in ("படிக்", "நடக்", "எழுது", "பேசு", "செல்", "காண்")]


def sentence(draw: random.Random, nouns: list[str] = NOUNS, verbs: list[str] = VERBS) -> TaggedSentence:
    """A man does something; the full stop is attached to the verb."""
    noun, verb = draw.choice(nouns), draw.choice(verbs)
    text = f"அந்த {noun} {verb}."
    places = [(0, 4, "DET"), (5, 5 + len(noun), "NOUN"), (6 + len(noun), len(text) - 1, "VERB")]
    spans = [*(TagSpan(*place) for place in places), TagSpan(len(text) - 1, len(text), "PUNCT")]
    return TaggedSentence(None, text, tuple(spans))


def treebank(sentences: int = 60) -> list[TaggedSentence]:
    draw = random.Random(0)
    return [sentence(draw) for _ in range(sentences)]


def names(sentences: int = 60) -> list[TaggedSentence]:
    draw = random.Random(0)
    found = []
    for _ in range(sentences):
        place = f"{draw.choice(['New', 'Old', 'Port'])} {draw.choice(['Kandy', 'Ella', 'Galle'])}"
        text = f"They left {place}, at last"
        found.append(TaggedSentence(None, text, (TagSpan(10, 10 + len(place), "LOC"),)))
    return found


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> CrfTagger:
    file = tmp_path_factory.mktemp("crf") / "tamil.crfsuite"
    train_crf(treebank(), file, "upos")
    return CrfRecipe(file=str(file), tags="upos").load()


def found(tagger: CrfTagger, text: str) -> list[tuple[str, str]]:
    (spans,) = tagger.tag([Sentence("1", text)])
    return [(text[span.start : span.end], span.kind) for span in tidied(text, spans)]


def test_words_it_has_never_seen_are_tagged_by_their_endings(model: CrfTagger) -> None:
    assert found(model, "அந்த மாணவன் பாடுகிறான்.") == [("மாணவன்", "NOUN"), ("பாடுகிறான்", "VERB")]


def test_punctuation_about_a_word_is_no_part_of_it(model: CrfTagger) -> None:
    assert found(model, "அந்த மனிதன் படிக்கிறான்.\u201d") == [("மனிதன்", "NOUN"), ("படிக்கிறான்", "VERB")]


def test_an_empty_text_has_nothing_in_it(model: CrfTagger) -> None:
    assert model.tag([Sentence("1", ""), Sentence("2", " \u00a0")]) == [[], []]


def test_training_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.crfsuite", "b.crfsuite"):
        train_crf(treebank(), tmp_path / name, "upos")
    assert (tmp_path / "a.crfsuite").read_bytes() == (tmp_path / "b.crfsuite").read_bytes()
    assert {file.name for file in tmp_path.iterdir()} == {"a.crfsuite", "b.crfsuite"}


def test_names_of_several_words_come_out_whole(tmp_path: Path) -> None:
    train_crf(names(), tmp_path / "a.crfsuite", "ne")
    tagger = CrfRecipe(file=str(tmp_path / "a.crfsuite"), tags="ne").load()
    assert found(tagger, "They left Old Ella, at last") == [("Old Ella", "NE")]


def test_composed_and_decomposed_spellings_look_the_same_to_the_model() -> None:
    assert features(["caf\u00e9", "கொ"]) == features(["cafe\u0301", "க\u0bc6\u0bbe"])


def test_a_word_is_seen_with_two_words_on_either_side_and_no_more() -> None:
    def middle(*words: str) -> list[str]:
        return features(words)[3]

    seen = middle("a", "b", "c", "X", "d", "e", "f")
    assert middle("z", "b", "c", "X", "d", "e", "z") == seen
    for words in (("a", "z", "c", "X", "d", "e", "f"), ("a", "b", "c", "X", "d", "z", "f")):
        assert middle(*words) != seen


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No tagged sentence to train on"):
        train_crf([TaggedSentence(None, " ", ())], tmp_path / "a.crfsuite", "upos")
    assert not list(tmp_path.iterdir())


def test_a_model_of_another_tag_set_is_refused(tmp_path: Path, model: CrfTagger) -> None:
    train_crf(treebank(), tmp_path / "a.crfsuite", "upos")
    with pytest.raises(InputError, match=r"in tag set penn\. Its labels are DET, NOUN"):
        CrfRecipe(file=str(tmp_path / "a.crfsuite"), tags="penn").load()


def test_a_file_cut_short_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.crfsuite"
    train_crf(treebank(), file, "upos")
    whole = file.read_bytes()
    for content in (whole[:-1], whole[:6], b"", b"PK\3\4" + whole, whole[:100] + whole[-100:]):
        file.write_bytes(content)
        with pytest.raises(InputError, match="not a whole"):
            CrfRecipe(file=str(file), tags="upos").load()


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    from pycrfsuite import Trainer

    trainer = Trainer("lbfgs", verbose=False)
    trainer.append([["word=a"], ["word=b"]], ["NOUN", "VERB"])
    trainer.train(str(tmp_path / "a.crfsuite"))
    with pytest.raises(InputError, match="not a whole model of this version's train_crf"):
        CrfRecipe(file=str(tmp_path / "a.crfsuite"), tags="upos").load()


def test_a_recipe_is_named_by_its_model_and_its_library(tmp_path: Path) -> None:
    recipe = CrfRecipe(file=str(tmp_path / "a.crfsuite"), tags="upos")
    assert "there is no file" in recipe.problems()[0]
    train_crf(treebank(), tmp_path / "a.crfsuite", "upos")
    assert recipe.problems() == []
    first = named(recipe)
    assert "python-crfsuite" in first
    train_crf(treebank(50), tmp_path / "a.crfsuite", "upos")
    assert named(recipe) != first
