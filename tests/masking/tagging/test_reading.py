"""Files of tags: the name says the form, and what is wrong with one is said with its line."""

import gzip
import json
from pathlib import Path

import pytest

from langvec.errors import InputError
from masking.tagging.reading import read_tagged, unreadable

SAME = {
    "a.conllu": "1\tKandy\t_\tPROPN\t_\t_\t_\t_\t_\tNER=B-LOC\n\n",
    "a.bio": "Kandy\tB-LOC\n",
    "a.conll": "Kandy B-LOC\r\n",
    "a.jsonl": '{"text": "Kandy", "spans": [{"start": 0, "end": 5, "label": "LOC"}], "source": "hand"}\n\n',
}


def write(file: Path, text: str) -> Path:
    data = text.encode()
    file.write_bytes(gzip.compress(data) if file.suffix == ".gz" else data)
    return file


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("name", SAME)
def test_every_form_holds_the_same_sentence(tmp_path: Path, name: str, packed: str, mark: str) -> None:
    file = write(tmp_path / (name + packed), mark + SAME[name])
    assert list(read_tagged(file, "ne")) == [(None, "Kandy", ((0, 5, "LOC"),))]


def test_ids_of_json_lines_may_be_numbers(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", '{"id": 7, "text": "", "spans": []}\n{"id": "7", "text": "x", "spans": []}')
    assert [sentence.id for sentence in read_tagged(file, "ne")] == ["7", "7"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("{", "Invalid JSON"),
        (json.dumps({"text": "a"}), "spans: Field required"),
        (json.dumps({"text": "a", "spans": [{"start": 0, "end": "1", "label": "X"}]}), "spans.0.end: .*valid integer"),
        (json.dumps({"text": "a", "spans": [{"start": -1, "end": 1, "label": "X"}]}), "spans.0.start"),
        (json.dumps({"text": "a", "spans": [{"start": 0, "end": 2, "label": "X"}]}), "0 to 2 in a text of 1 char"),
        (json.dumps({"text": "ab", "spans": [{"start": 1, "end": 1, "label": "X"}]}), "start before end"),
    ],
)
def test_a_row_that_is_no_tagged_sentence_is_named_by_file_and_line(tmp_path: Path, row: str, why: str) -> None:
    file = write(tmp_path / "a.jsonl", f"{SAME['a.jsonl']}{row}\n")
    with pytest.raises(InputError, match=f"a.jsonl, line 3: .*{why}"):
        list(read_tagged(file, "ne"))


def test_a_bad_line_of_any_form_is_named_by_file_and_line(tmp_path: Path) -> None:
    for name in ("a.conllu", "a.bio"):
        with pytest.raises(InputError, match=f"{name}, line 4: "):
            list(read_tagged(write(tmp_path / name, SAME[name].rstrip() + "\n\n\nword\n"), "ne"))


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.bio", b"caf\xe9 O\n", "not UTF-8"),
        ("a.bio.gz", b"caf O\n", "not a whole gzip"),
        ("a.bio.gz", gzip.compress(b"caf O\n" * 50, mtime=0)[:-12], "not a whole gzip"),
        ("a.bio.gz", gzip.compress(b"caf O\n", mtime=0)[:10] + b"\xff" * 40, "not a whole gzip"),
    ],
    ids=["latin-1", "not packed", "cut short", "damaged"],
)
def test_a_file_in_another_code_or_cut_short_is_named(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=why):
        list(read_tagged(tmp_path / name, "ne"))


def test_a_file_that_is_missing_or_of_no_known_form_is_refused_before_it_is_read(tmp_path: Path) -> None:
    assert "there is no file" in unreadable(str(tmp_path / "a.conllu"))[0]
    file = write(tmp_path / "a.txt", "")
    assert ".conllu, .bio" in unreadable(str(file))[0]
    assert not unreadable(str(write(tmp_path / "a.b.jsonl.gz", "")))
    with pytest.raises(InputError, match="does not say what is in it"):
        list(read_tagged(file, "ne"))
