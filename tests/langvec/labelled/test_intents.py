"""Utterances are made from templates that only their own split has."""

import json
import re
from pathlib import Path

import pytest

from langvec.labelled import SPLITS, Intents

LISTS = {"number": {"range": {"from": 3, "to": 5}}, "colour": {"values": [{"in": "(red|ruby)", "out": "r"}, "blue"]}}


def templates(*intents: tuple[str, list[str]]) -> dict[str, object]:
    """As the package has them: blocks of sentences with slots and metadata beside."""
    blocks = {name: {"data": [{"sentences": some, "slots": {"domain": "x"}}]} for name, some in intents}
    return {"intents": blocks, "lists": LISTS, "expansion_rules": {"set": "(set|put)"}}


def package(folder: Path, **files: dict[str, object]) -> str:
    folder.mkdir(exist_ok=True)
    for name, about in files.items():
        (folder / f"{name.replace('_', '-')}.json").write_text(json.dumps(about), encoding="utf-8")
    return str(folder)


def english(count: int = 10) -> dict[str, object]:
    paint = [f"<set> {{name}} to {{colour}} way{n}" for n in range(count)]
    wait = [f"wait {{number}} hours[ now] way{n}" for n in range(count)]
    return templates(("Paint", paint), ("Wait", wait), ("Rare", ["once", "twice"]))


def test_each_utterance_fits_a_template_of_its_intent_that_no_other_split_has(tmp_path: Path) -> None:
    source = Intents(languages=["eng"], folder=package(tmp_path, en=english()))
    assert source.problems() == []
    ways = {}
    for split in SPLITS:
        found = source.read("eng_Latn", split)
        assert set(found.labels) == {"Paint", "Wait"}
        assert len(set(found.texts)) == len(found.texts) == len(set(found.ids))
        for text, label in zip(found.texts, found.labels, strict=True):
            fits = {"Paint": r"(set|put) [A-Z]\w+ to (red|ruby|blue) way\d", "Wait": r"wait [345] hours( now)? way\d"}
            assert re.fullmatch(fits[label], text)
        ways[split] = {(label, text[-1]) for text, label in zip(found.texts, found.labels, strict=True)}
    assert [len(ways[split]) for split in SPLITS] == [14, 2, 4]
    assert len(set.union(*ways.values())) == 20
    assert source.read("eng_Latn", "test").dropped == {"intent has fewer than 3 templates": 2}


def test_the_same_seed_gives_the_same_utterances_and_a_cap_holds(tmp_path: Path) -> None:
    folder = package(tmp_path, en=english(), de=english())
    few = Intents(languages=["eng", "deu"], folder=folder, per_template=2)
    assert few.read("eng_Latn", "train") == Intents(languages=["eng"], folder=folder, per_template=2).read(
        "eng_Latn", "train"
    )
    assert len(few.read("eng_Latn", "train").ids) == 28
    other = few.model_copy(update={"seed": 2})
    assert other.read("eng_Latn", "train") != few.read("eng_Latn", "train")
    assert other.identity("eng_Latn", "train") != few.identity("eng_Latn", "train")


def test_utterances_of_two_intents_or_of_an_earlier_split_are_left_out_and_counted(tmp_path: Path) -> None:
    same = [f"go on{' ' * n}" for n in range(6)]  # six templates, one utterance
    about = templates(("Go", [*same, "go there", "go away"]), ("Leave", ["go away", "leave now", "leave [it]", "off"]))
    source = Intents(languages=["eng"], folder=package(tmp_path, en=about))
    rows = [source.read("eng_Latn", split) for split in SPLITS]
    texts = [text for one in rows for text in one.texts]
    assert "go away" not in texts
    assert len(set(texts)) == len(texts)
    assert rows[0].dropped["utterance of several intents"] == 1
    assert rows[0].dropped["utterance is in an earlier split"] >= 1


def test_only_intents_that_all_languages_have_are_read_unless_all_are_asked_for(tmp_path: Path) -> None:
    more = templates(("Wait", ["a", "b", "c", "d"]), ("Paint", ["e", "f", "g"]), ("Sing", ["h", "i", "j"]))
    folder = package(tmp_path, en=english(), sr_Latn=more)
    shared = Intents(languages=["eng", "srp_Latn"], folder=folder)
    assert shared.problems() == []
    assert set(shared.read("srp_Latn", "train").labels) == {"Paint", "Wait"}
    assert shared.read("srp_Latn", "train").dropped["intent is not in all the languages"] == 3
    every = Intents(languages=["eng", "srp_Latn"], folder=folder, intents="all")
    assert set(every.read("srp_Latn", "train").labels) == {"Paint", "Sing", "Wait"}


def test_languages_that_share_too_little_or_have_no_file_are_problems(tmp_path: Path) -> None:
    folder = package(
        tmp_path, en=english(), ta=templates(("Wait", ["a", "b", "c"])), de=templates(("Wait", ["(a"] * 3))
    )
    (problem,) = Intents(languages=["eng", "tam"], folder=folder).problems()
    assert "the languages share 1 intents" in problem and "tam_Taml 1" in problem
    (problem,) = Intents(languages=["eng", "sin"], folder=folder).problems()
    assert "no file for sin_Sinh" in problem and "Expected one of: de, en, ta" in problem
    (problem,) = Intents(languages=["eng", "tam"], folder=folder, names={"tam": ["xx"]}).problems()
    assert "There is no xx.json" in problem


def test_the_real_package_is_read_to_the_last_bracket() -> None:
    """What is left of a bracket that was not understood would stand in the utterances."""
    pytest.importorskip("home_assistant_intents")
    source = Intents(languages=["eng", "hin", "cmn_Hant", "fin"], per_template=1)
    assert source.problems() == []
    for code in source.codes():
        assert source.splits(code) == SPLITS
        found = source.read(code, "test")
        assert len(set(found.labels)) >= 10
        assert not any(set("<>{}[]()|;") & set(text) for text in found.texts)
