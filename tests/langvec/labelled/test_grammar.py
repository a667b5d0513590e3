"""Templates give exactly the sentences that they stand for."""

import numpy as np
import pytest

from langvec.errors import InputError
from langvec.labelled.grammar import drawn

RULES = {"the": "(the|my)", "turn": "(turn|switch)", "light": "[<the>] light[s]"}


def sentences(template: str, rules: dict[str, str] = RULES) -> set[str]:
    """Every sentence that is drawn; the templates below have few."""
    random = np.random.default_rng(1)
    return {drawn(template, rules, lambda name, r: ("(a|b)", "c")[int(r.integers(2))], random) for _ in range(300)}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("light", {"light"}),
        ("(on|off)", {"on", "off"}),
        ("light[s] on", {"light on", "lights on"}),
        ("[please|now] go", {"go", "please go", "now go"}),
        ("<turn> on", {"turn on", "switch on"}),
        ("<light>", {"light", "lights", "the light", "the lights", "my light", "my lights"}),
        (
            "all [[of ](the|my)] {area}",
            {f"all {x}{y}" for x in ("", "of the ", "the ", "of my ", "my ") for y in "abc"},
        ),
        ("(a;b;c)", {"a b c", "a c b", "b a c", "b c a", "c a b", "c b a"}),
        ("(on;[<the>])x", {"onx", "on x", "on thex", "on myx", "the onx", "my onx"}),
        ("(a;b|c)", {"a b", "b a", "c"}),
        ("{timer_hours:start_hours}( |-)hour", {f"{x}{y}hour" for x in "abc" for y in " -"}),
        (r"5 \(five\)", {"5 (five)"}),
        ("", {""}),
    ],
)
def test_a_template_gives_each_of_its_sentences_and_no_other(template: str, expected: set[str]) -> None:
    assert sentences(template) == expected


@pytest.mark.parametrize("template", ["(a|b", "a)", "[a)", "a]", "<a", "{a", "a>"])
def test_a_bracket_without_its_partner_is_refused(template: str) -> None:
    with pytest.raises(InputError, match="Expected each bracket to have its partner"):
        sentences(template)


def test_rules_that_are_missing_or_name_themselves_are_refused() -> None:
    with pytest.raises(InputError, match="No rule <them>"):
        sentences("<them>")
    with pytest.raises(InputError, match="names itself"):
        sentences("<a>", {"a": "b <a>"})
