"""Messages of installed programs as text, and the same messages in two languages as pairs."""

import gettext
import struct
from collections import Counter
from pathlib import Path

import pytest
from pydantic import ValidationError

from langvec.errors import InputError
from langvec.sources import Catalogs
from langvec.sources.base import BATCH_LINES

ENGLISH = {
    "_Open file…": {"de": "Datei _öffnen…", "si": "ගොනුව _විවෘත කරන්න…", "ta": "கோப்பை திற…"},
    "Copy %s": {"de": "%s kopieren", "si": "%s පිටපත් කරන්න"},
    "OK": {"de": "OK", "si": "OK", "ta": "சரி"},
    "menu\x04Save": {"de": "Speichern", "si": "සුරකින්න", "ta": "Salvare"},
    "%d file\0%d files": {"de": "%d Datei\0%d Dateien", "ta": "%d கோப்பு\0%d கோப்புகள்"},
}


def write_mo(path: Path, entries: dict[str, str]) -> Path:
    header = {"": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n != 1;\n"}
    pairs = sorted((key.encode(), text.encode()) for key, text in {**header, **entries}.items())
    tables, strings, start = b"", b"", 28 + 16 * len(pairs)
    for column in zip(*pairs, strict=True):
        for text in column:
            tables += struct.pack("<2I", len(text), start + len(strings))
            strings += text + b"\0"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    path.write_bytes(head + tables + strings)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A program called `editor` in three languages."""
    for locale in ("de", "si", "ta"):
        entries = {key: texts[locale] for key, texts in ENGLISH.items() if locale in texts}
        write_mo(tmp_path / f"share/locale/{locale}/LC_MESSAGES/editor.mo", entries)
    return tmp_path


def read(source: Catalogs, code: str) -> tuple[list[tuple[str, str]], Counter[str]]:
    batches = list(source.read(code))
    dropped = Counter[str]()
    for batch in batches:
        dropped.update(batch.dropped)
    return [pair for batch in batches for pair in zip(batch.passages or [], batch.texts, strict=True)], dropped


def texts(source: Catalogs, code: str) -> list[str]:
    return [text for _, text in read(source, code)[0]]


def test_every_form_of_every_message_is_read_without_markup_and_the_rest_is_counted(root: Path) -> None:
    source = Catalogs(roots=[str(root)], languages=["deu", "sin", "tam", "eng"])
    assert source.problems() == []
    assert sorted(texts(source, "deu_Latn")) == ["Datei", "Datei öffnen…", "Dateien", "Speichern", "kopieren"]
    assert read(source, "deu_Latn")[1] == {"same as the English": 1}
    assert sorted(texts(source, "tam_Taml")) == sorted(["கோப்பை திற…", "சரி", "கோப்பு", "கோப்புகள்"])
    assert read(source, "tam_Taml")[1] == {"not in the script": 1}


def test_english_is_what_the_programs_ask_for_each_message_once(root: Path) -> None:
    source = Catalogs(roots=[str(root)], languages=["eng"])
    assert sorted(texts(source, "eng_Latn")) == ["Copy", "OK", "Open file…", "Save", "file", "files"]


def test_the_library_finds_the_same_translations(root: Path) -> None:
    library = gettext.translation("editor", str(root / "share/locale"), ["si"])
    source = Catalogs(roots=[str(root)], languages=["sin"])
    assert set(texts(source, "sin_Sinh")) == {
        library.gettext("_Open file…").replace("_", ""),
        library.gettext("Copy %s").replace("%s ", ""),
        library.pgettext("menu", "Save"),
    }


def test_a_message_is_the_same_passage_in_every_language(root: Path) -> None:
    source = Catalogs(roots=[str(root)], languages=["deu", "sin", "eng"])
    german, sinhala, english = (dict(read(source, code)[0]) for code in source.codes())
    assert sinhala.keys() <= german.keys() <= english.keys()
    opening = next(passage for passage, text in english.items() if text == "Open file…")
    assert (german[opening], sinhala[opening]) == ("Datei öffnen…", "ගොනුව විවෘත කරන්න…")


def test_pairs_go_through_the_english_message_in_any_direction(root: Path) -> None:
    source = Catalogs(roots=[str(root)], languages=["deu"])
    expected = {("Datei öffnen…", "கோப்பை திற…"), ("Dateien", "கோப்புகள்")}
    pairs = list(source.pairs("deu_Latn", "tam_Taml"))
    assert {(german, tamil) for _, german, tamil in pairs} == expected
    assert {(p, g, t) for p, t, g in source.pairs("tam_Taml", "deu_Latn")} == set(pairs)
    assert ("Open file…", "கோப்பை திற…") in {pair[1:] for pair in source.pairs("eng_Latn", "tam_Taml")}
    assert len({passage for passage, *_ in pairs}) == len(pairs)


def test_a_catalog_only_in_brazilian_portuguese_stands_in_for_portuguese(tmp_path: Path) -> None:
    for locale, domain, text in (("pt", "a", "Janela"), ("pt_BR", "a", "Tela"), ("pt_BR", "b", "Quadro")):
        write_mo(tmp_path / f"{locale}/LC_MESSAGES/{domain}.mo", {"Window": text})
    roots = [str(tmp_path)]
    assert texts(Catalogs(roots=roots, languages=["por"]), "por_Latn") == ["Janela", "Quadro"]
    brazilian = Catalogs(roots=roots, languages=["por"], names={"por": ["pt_BR"]})
    assert texts(brazilian, "por_Latn") == ["Tela", "Quadro"]


def test_a_django_folder_of_po_files_is_read_without_the_fuzzy_ones(tmp_path: Path) -> None:
    file = tmp_path / "app/locale/de/LC_MESSAGES/django.po"
    file.parent.mkdir(parents=True)
    file.write_text('msgid "Yes"\nmsgstr "Ja"\n\n#, fuzzy\nmsgid "No"\nmsgstr "Nie"\n\nmsgid "Maybe"\nmsgstr ""\n')
    kept, dropped = read(Catalogs(roots=[str(tmp_path)], languages=["deu"]), "deu_Latn")
    assert ([text for _, text in kept], dropped) == (["Ja"], {"untranslated": 1})


def test_a_po_file_beside_its_compiled_one_is_not_read_twice(root: Path) -> None:
    before = texts(Catalogs(roots=[str(root)], languages=["deu"]), "deu_Latn")
    (root / "share/locale/de/LC_MESSAGES/editor.po").write_text('msgid "Yes"\nmsgstr "Ja"\n')
    assert texts(Catalogs(roots=[str(root)], languages=["deu"]), "deu_Latn") == before


def test_a_second_name_of_the_same_file_is_not_read_twice(root: Path) -> None:
    (root / "share/locale/de/LC_MESSAGES/old-name.mo").symlink_to("editor.mo")
    assert len(texts(Catalogs(roots=[str(root)], languages=["deu"]), "deu_Latn")) == 5


def test_domains_choose_catalogs_by_glob(root: Path) -> None:
    write_mo(root / "share/locale/de/LC_MESSAGES/player-ui.mo", {"Play": "Abspielen"})
    assert texts(Catalogs(roots=[str(root)], languages=["deu"], domains=["player*"]), "deu_Latn") == ["Abspielen"]


def test_many_messages_come_in_small_batches_in_the_same_order_each_time(tmp_path: Path) -> None:
    entries = {f"Message {number}": f"Nachricht {number}" for number in range(2 * BATCH_LINES + 1)}
    write_mo(tmp_path / "de/LC_MESSAGES/many.mo", entries)
    source = Catalogs(roots=[str(tmp_path)], languages=["deu"])
    batches = list(source.read("deu_Latn"))
    assert [len(batch.texts) for batch in batches] == [BATCH_LINES, BATCH_LINES, 1]
    assert batches == list(source.read("deu_Latn"))


def test_the_identity_follows_the_bytes_and_not_the_place(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    moved = tmp_path_factory.mktemp("moved")
    (root / "share").rename(moved / "share")
    here, there = Catalogs(roots=[str(root)], languages=["deu"]), Catalogs(roots=[str(moved)], languages=["deu", "eng"])
    before = there.identity("deu_Latn")
    (moved / "share").rename(root / "share")
    assert here.identity("deu_Latn") == before
    write_mo(root / "share/locale/si/LC_MESSAGES/editor.mo", {"Play": "ධාවනය"})
    assert here.identity("deu_Latn") == before
    write_mo(root / "share/locale/de/LC_MESSAGES/editor.mo", {"Play": "Abspielen"})
    assert here.identity("deu_Latn") != before


def test_many_catalogs_are_named_by_one_hash(tmp_path: Path) -> None:
    for number in range(60):
        write_mo(tmp_path / f"de/LC_MESSAGES/d{number}.mo", {"Play": "Abspielen"})
    source = Catalogs(roots=[str(tmp_path)], languages=["deu"])
    before = source.identity("deu_Latn")
    write_mo(tmp_path / "de/LC_MESSAGES/d7.mo", {"Play": "Spielen"})
    assert list(before) == ["60 catalogs"]
    assert source.identity("deu_Latn") != before


def test_a_damaged_catalog_is_named_when_it_is_read(root: Path) -> None:
    file = root / "share/locale/de/LC_MESSAGES/editor.mo"
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"de/LC_MESSAGES/editor\.mo: the file ends at offset"):
        list(Catalogs(roots=[str(root)], languages=["deu"]).read("deu_Latn"))


def test_all_problems_are_told_together_with_what_is_there(root: Path) -> None:
    source = Catalogs(roots=[str(root)], languages=["deu", "fra", "zul"], domains=["editor", "player*"])
    assert [problem.split(". ")[0].replace(str(root), "ROOT") for problem in source.problems()] == [
        "catalogs.domains: 'player*' matches no catalog under ROOT",
        "catalogs: no catalog for fra_Latn under ROOT",
        "catalogs: no catalog for zul_Latn under ROOT",
    ]
    assert "Locales there: de, si, ta." in source.problems()[1]


def test_a_folder_that_is_not_there_is_named() -> None:
    (problem,) = Catalogs(roots=["/nowhere/locale"], languages=["deu"]).problems()
    assert problem.startswith("catalogs: /nowhere/locale is not a folder.")


def test_a_name_for_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValidationError, match="xyzzy"):
        Catalogs(roots=["/usr"], languages=["deu"], names={"xyzzy": ["de"]})
