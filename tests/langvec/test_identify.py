"""Languages are told by models of the Declaration."""

import pytest

from langvec.identify import identifier

SENTENCES = {
    "deu_Latn": "Der alte Mann ging gestern mit seinem Hund am Ufer des Flusses spazieren.",
    "nld_Latn": "De oude man liep gisteren met zijn hond langs de oever van de rivier.",
    "spa_Latn": "El viejo paseaba ayer con su perro por la orilla del río.",
    "por_Latn": "O velho passeava ontem com o seu cão pela margem do rio.",
    "tam_Taml": "வயதானவர் நேற்று தனது நாயுடன் ஆற்றங்கரையில் நடந்து சென்றார்.",
}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_cheapest_in_its_own_language(code: str) -> None:
    known = identifier(tuple(SENTENCES))
    costs = known.nats_per_char(list(SENTENCES.values()))
    margins = known.margins(list(SENTENCES.values()), code)
    own = list(SENTENCES).index(code)
    assert [place for place, margin in enumerate(margins) if margin > 0] == [own]
    assert margins[own] == pytest.approx(sorted(costs[own])[1] - costs[own, own])


def test_models_are_learnt_once_for_the_same_languages() -> None:
    assert identifier(("deu_Latn", "nld_Latn")) is identifier(("deu_Latn", "nld_Latn"))
