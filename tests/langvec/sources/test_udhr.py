"""The bundled Declaration as a source of text."""

import numpy as np
import pytest
from pydantic import ValidationError

from langvec.cleaning import SPLITS, Split, keys
from langvec.sources import Udhr
from langvec.sources.udhr import available


def articles(code: str, **settings: dict[str, str]) -> dict[str, list[str]]:
    (batch,) = Udhr(languages=(code,), **settings).read(code)
    found: dict[str, list[str]] = {}
    for text, passage in zip(batch.texts, batch.passages or [], strict=True):
        found.setdefault(passage, []).append(text)
    return found


def test_article_one_says_what_it_says() -> None:
    assert articles("deu_Latn")["UDHR:01"][0].startswith(
        "Alle Menschen sind frei und gleich an Würde und Rechten geboren."
    )
    assert articles("eng_Latn")["UDHR:04"][0].startswith("No one shall be held in slavery or servitude")


def test_every_split_gets_articles_in_every_language() -> None:
    for code in available():
        passages = list(articles(code))
        assert np.unique(Split().of(keys(passages))).size == len(SPLITS), code


def test_all_means_every_language_bundled() -> None:
    assert Udhr(languages="all").codes() == available()
    assert len(available()) > 400


def test_a_translation_can_be_chosen_and_is_another_text() -> None:
    brazil, portugal = Udhr(languages=("por",)), Udhr(languages=("por",), translations={"por": "por_PT"})
    assert brazil.identity("por_Latn") != portugal.identity("por_Latn")
    assert articles("por_Latn") != articles("por_Latn", translations={"por": "por_PT"})


def test_a_translation_that_is_not_there_is_refused_with_those_that_are() -> None:
    (problem,) = Udhr(languages=("por",), translations={"por": "por_AO"}).problems()
    assert "por_Latn has no translation 'por_AO'. Expected one of: por_BR, por_PT" in problem


def test_a_macrolanguage_is_refused_with_its_usual_member() -> None:
    (problem,) = Udhr(languages=("est",)).problems()
    assert "no Declaration in est_Latn" in problem and "ekk_Latn" in problem
    assert "`langscape languages --bundled` lists them" in problem


def test_an_unknown_code_is_refused_by_pydantic() -> None:
    with pytest.raises(ValidationError, match="no language with the code 'xx'"):
        Udhr(languages=("deu", "xx"))


def test_another_language_in_the_recipe_does_not_change_the_identity_of_the_first() -> None:
    assert Udhr(languages=("deu", "nld")).identity("deu_Latn") == Udhr(languages=("deu",)).identity("deu_Latn")
