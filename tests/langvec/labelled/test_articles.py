"""The task made of the bundled Declaration is the same in every language and gives nothing away."""

from collections import Counter

import pytest

from langvec.errors import InputError
from langvec.labelled import SPLITS, Articles
from langvec.labelled.articles import PARTS, part_of
from langvec.sources.udhr import Udhr

SOME = ("eng", "sin", "tam", "ace", "deu", "yor", "por")


def test_no_paragraph_is_trained_on_in_any_language_and_tested_in_another() -> None:
    source = Articles(languages="all")
    ids = {split: {key for code in source.codes() for key in source.read(code, split).ids} for split in SPLITS}
    assert [len(ids[split]) for split in SPLITS] == [29, 9, 12]
    assert not ids["train"] & ids["validation"] and not (ids["train"] | ids["validation"]) & ids["test"]


def test_every_split_of_a_complete_language_has_every_label() -> None:
    source = Articles(languages=SOME)
    assert source.problems() == []
    for code in ("eng_Latn", "sin_Sinh", "tam_Taml"):
        assert all(set(source.read(code, split).labels) == set(PARTS) for split in source.splits(code))


def test_the_paragraphs_are_those_of_the_source_under_the_label_of_their_article() -> None:
    source = Articles(languages=SOME)
    for code in source.codes():
        batch = next(Udhr(languages=(code,)).read(code))
        articles = {
            text: int(name.removeprefix("UDHR:")) for text, name in zip(batch.texts, batch.passages, strict=True)
        }
        for rows in (source.read(code, split) for split in SPLITS):
            assert [int(key[:2]) for key in rows.ids] == [articles[text] for text in rows.texts]
            assert rows.labels == [part_of(articles[text]) for text in rows.texts]


def test_an_article_that_is_not_divided_as_usual_is_left_out_and_every_paragraph_is_accounted_for() -> None:
    """Wancho has 18 of 30 articles as usual."""
    source = Articles(languages=["wwa", "eng"])
    for code in source.codes():
        batch = next(Udhr(languages=(code,)).read(code))
        rows = [source.read(code, split) for split in SPLITS]
        assert sum(len(one.ids) for one in rows) + sum(rows[0].dropped.values()) == len(batch.texts)
    odd = source.read("wwa_Latn", "train")
    assert odd.dropped["article is not divided into the usual paragraphs"] > 0
    usual = Counter(key[:2] for split in SPLITS for key in source.read("eng_Latn", split).ids)
    kept = Counter(key[:2] for split in SPLITS for key in source.read("wwa_Latn", split).ids)
    assert all(usual[article] == count for article, count in kept.items())


def test_another_seed_holds_out_other_paragraphs_and_the_same_seed_the_same() -> None:
    first, again, other = (Articles(languages=SOME, seed=seed) for seed in (1, 1, 2))
    assert first.read("eng_Latn", "test") == again.read("eng_Latn", "test")
    assert first.read("eng_Latn", "test").ids != other.read("eng_Latn", "test").ids
    assert first.identity("eng_Latn", "test") != other.identity("eng_Latn", "test")


def test_a_language_without_a_declaration_is_a_problem_and_refused() -> None:
    source = Articles(languages=["nij"])
    (problem,) = source.problems()
    assert problem.startswith("articles: there is no Declaration in nij_Latn")
    assert source.splits("nij_Latn") == ()
    with pytest.raises(InputError, match="no Declaration in nij_Latn"):
        source.read("nij_Latn", "train")
