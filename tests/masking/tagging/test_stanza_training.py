"""Training of stanza models: what is learnt, and what is said when it fails."""

from pathlib import Path

import pytest

from langvec.errors import InputError, TrainingError
from masking.tagging.quality import judge
from masking.tagging.reading import read_tagged
from masking.tagging.stanza_data import labelled
from masking.tagging.stanza_training import train_stanza
from masking.tagging.tagged import TaggedSentence, TagSpan
from tests.masking.tagging.conftest import LANGUAGE, TINY, bio, conllu, generated


def test_a_trained_pipeline_knows_the_nouns_verbs_and_names_of_sentences_it_has_not_seen(by_words, tmp_path) -> None:
    rows = generated(40, seed=9)
    for write, name, tags in ((conllu, "new.conllu", "upos"), (bio, "new.bio", "ne")):
        (tmp_path / name).write_text(write(rows))
        for quality in judge(by_words, list(read_tagged(tmp_path / name, tags)), tags):
            assert quality.gold > 30
            assert quality.f1 > 0.9


def test_words_are_those_that_text_will_be_taken_apart_into(tmp_path: Path) -> None:
    file = tmp_path / "some.conllu"
    file.write_text(
        "# text = Le vent du sud.\n1\tLe\t_\tDET\t_\t_\t_\t_\t_\t_\n2\tvent\t_\tNOUN\t_\t_\t_\t_\t_\t_\n"
        "3-4\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n3\tde\t_\tADP\t_\t_\t_\t_\t_\t_\n4\tle\t_\tDET\t_\t_\t_\t_\t_\t_\n"
        "5\tsud\t_\tNOUN\t_\t_\t_\t_\t_\tSpaceAfter=No\n6\t.\t_\tPUNCT\t_\t_\t_\t_\t_\t_\n\n"
    )
    (sentence,) = read_tagged(file, "upos")
    words = labelled(sentence, "upos")
    assert [word for word, _ in words] == ["Le", "vent", "du", "sud", "."]
    assert [tag for word, tag in words if word != "du"] == ["DET", "NOUN", "NOUN", "PUNCT"]


def test_a_tag_set_that_stanza_does_not_train_on_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Expected upos or ne"):
        train_stanza([], [], "sinhala", tmp_path / "models", LANGUAGE)


def test_a_trainer_that_fails_is_quoted_and_leaves_no_model(tmp_path: Path) -> None:
    sentence = TaggedSentence("1", "Anna sleeps", (TagSpan(0, 4, "PROPN"),))
    with pytest.raises(TrainingError, match=r"stanza\.models\.tagger ended without a model"):
        train_stanza([sentence], [], "upos", tmp_path / "models", LANGUAGE, TINY)
    assert not (tmp_path / "models").exists()
