"""Training of stanza models: what comes back, what is read, and what is said when it fails."""

import json

import pytest

from langvec.errors import InputError, TrainingError
from masking.tagging.stanza_data import TaggedWord, read_conllu, read_entities
from masking.tagging.stanza_training import StanzaSizes, train_stanza
from tests.masking.tagging.conftest import LANGUAGE, TINY, bio, conllu, generated


def test_the_account_counts_sentences_and_scores_those_kept_from_training(tiny_training):
    folder, (pos, ner) = tiny_training
    assert [(model.processor, model.train_sentences, model.dev_sentences) for model in (pos, ner)] == [
        ("pos", 180, 20),
        ("ner", 180, 20),
    ]
    assert pos.dev_f1 > 85
    assert ner.dev_f1 > 85
    assert all(model.file.is_relative_to(folder) and model.wall_s > 0 for model in (pos, ner))


def test_words_are_read_as_written_with_the_tag_of_their_first_noun_or_verb(tmp_path):
    file = tmp_path / "some.conllu"
    file.write_text(
        "# text = du vent\n1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n"
        "1\tde\t_\tADP\t_\t_\t_\t_\t_\t_\n2\tle\t_\tDET\t_\t_\t_\t_\t_\t_\n"
        "3\tvent\t_\tNOUN\t_\t_\t_\t_\t_\t_\n3.1\tx\t_\tVERB\t_\t_\t_\t_\t_\t_\n\n"
        "1-2\tdámelo\t_\t_\t_\t_\t_\t_\t_\t_\n1\tda\t_\tVERB\t_\t_\t_\t_\t_\t_\n2\tme\t_\tPRON\t_\t_\t_\t_\t_\t_\n"
    )
    assert read_conllu(file) == [
        [TaggedWord("du", "ADP"), TaggedWord("vent", "NOUN")],
        [TaggedWord("dámelo", "VERB")],
    ]


def test_sentences_come_back_from_conllu_as_they_were_written(tmp_path):
    rows = generated(20)
    (tmp_path / "a.conllu").write_text(conllu(rows))
    assert read_conllu(tmp_path / "a.conllu") == [[(word, tag) for word, tag, _ in row] for row in rows]


def test_entities_are_read_alike_from_two_columns_and_from_json(tmp_path):
    rows = generated(20)
    (tmp_path / "a.bio").write_text(bio(rows))
    (tmp_path / "a.json").write_text(json.dumps([[{"text": w, "ner": tag} for w, _, tag in row] for row in rows]))
    assert read_entities(tmp_path / "a.bio") == read_entities(tmp_path / "a.json")
    assert read_entities(tmp_path / "a.bio") == [[(word, tag) for word, _, tag in row] for row in rows]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("short.conllu", "1\tAnna\tPROPN\n", "line 1"),
        ("few.conllu", "1\tAnna\t_\tPROPN\t_\t_\t0\troot\t_\t_\n", "1 sentences"),
        ("bytes.conllu", b"1\t\xff\n", "not UTF-8"),
        ("blank.conllu", "1\tAnna\t_\t_\t_\t_\t0\troot\t_\t_\n", "'Anna' has no universal tag"),
        ("absent.conllu", None, "No file"),
    ],
)
def test_what_cannot_be_trained_on_is_named(name, content, said, tmp_path):
    if content is not None:
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=said) as caught:
        train_stanza(tmp_path / name, None, tmp_path / "models", LANGUAGE)
    assert name in str(caught.value)
    assert not (tmp_path / "models").exists()


def test_nothing_to_train_on_is_a_mistake_of_the_user(tmp_path):
    with pytest.raises(InputError, match="Nothing to train on"):
        train_stanza(None, None, tmp_path, LANGUAGE)


def test_json_of_another_shape_is_named(tmp_path):
    (tmp_path / "a.json").write_text('[[{"word": "Oslo"}]]')
    with pytest.raises(InputError, match="does not hold entities"):
        read_entities(tmp_path / "a.json")


def test_a_trainer_that_fails_is_quoted_and_leaves_no_model(tmp_path):
    (tmp_path / "a.bio").write_text(bio(generated(20)))
    endless = TINY.model_copy(update={"hidden": 10_000_000})  # more memory than any machine has
    with pytest.raises(TrainingError, match=r"stanza\.models\.ner_tagger failed(.|\n)*memory"):
        train_stanza(None, tmp_path / "a.bio", tmp_path / "models", LANGUAGE, endless)
    assert not (tmp_path / "models").exists()


def test_sizes_too_small_to_hold_anything_are_refused():
    with pytest.raises(ValueError, match="held_out"):
        StanzaSizes(held_out=1)
