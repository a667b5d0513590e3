"""Datasets by name from a stand-in of the hub, and every kind of copy on disk, give the same rows."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from hashlib import sha1
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from langvec.errors import InputError
from langvec.sources import Hub
from langvec.sources.base import BATCH_LINES

CODES = ("deu_Latn", "sin_Sinh")
ROWS = {
    "train": [
        ("431", "geography", "Satz eins"),
        ("403", "travel", 'Er sagte "zwei" Mal nein'),
        ("7", "sports", "Satz drei"),
    ],
    "dev": [("9", "health", '"Vier"'), ("1592", "travel", "Satz fünf")],
}


def rows_of(code: str, split: str) -> dict[str, list[str]]:
    ids, categories, texts = zip(*ROWS[split], strict=True)
    return {"index_id": list(ids), "category": list(categories), "text": [f"{code[:3]} {text}" for text in texts]}


def expected(code: str, *splits: str) -> list[str]:
    return [text for split in splits for text in rows_of(code, split)["text"]]


def tsv(code: str, split: str) -> str:
    """As pandas writes it: a field with a quotation mark is quoted and the mark doubled."""
    lines = ["index_id\tcategory\ttext"]
    for fields in zip(*rows_of(code, split).values(), strict=True):
        lines.append(
            "\t".join(f'"{field.replace(chr(34), 2 * chr(34))}"' if '"' in field else field for field in fields)
        )
    return "\n".join(lines) + "\n"


def write_tsv(root: Path) -> Path:
    for code in CODES:
        (root / code).mkdir(parents=True)
        for split in ROWS:
            (root / code / f"{split}.tsv").write_text(tsv(code, split), encoding="utf-8")
    return root


def write_parquet(root: Path) -> Path:
    for code in CODES:
        (root / code).mkdir(parents=True)
        for split in ROWS:
            pq.write_table(pa.table(rows_of(code, split)), root / code / f"{split}-00000-of-00001.parquet")
    return root


def write_saved(root: Path) -> Path:
    for code in CODES:
        parts = {split: datasets.Dataset.from_dict(rows_of(code, split)) for split in ROWS}
        datasets.DatasetDict(parts).save_to_disk(str(root / code))
    return root


def write_arrow(root: Path) -> Path:
    """As cis-lmu/Glot500 lies on the hub: each split saved alone."""
    for card in write_saved(root).glob("*/dataset_dict.json"):
        card.unlink()
    return root


def write_repository(root: Path) -> Path:
    """As Davlan/sib200 lies on the hub: a card that names the files of each configuration."""
    write_tsv(root / "data")
    configurations = "".join(
        f"- config_name: {code}\n  data_files:\n  - split: train\n    path: data/{code}/train.tsv\n"
        f"  - split: validation\n    path: data/{code}/dev.tsv\n"
        for code in CODES
    )
    (root / "README.md").write_text(f"---\nlicense: cc-by-sa-4.0\nconfigs:\n{configurations}---\n# SIB-200\n")
    return root


WRITERS = {
    "tsv": write_tsv,
    "parquet": write_parquet,
    "saved": write_saved,
    "arrow": write_arrow,
    "repository": write_repository,
}


def read(source: Hub, code: str) -> tuple[list[str], list[str]]:
    batches = list(source.read(code))
    return [t for batch in batches for t in batch.texts], [p for batch in batches for p in batch.passages or []]


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_copy_gives_the_rows_of_the_splits_asked_for(tmp_path: Path, kind: str) -> None:
    root = WRITERS[kind](tmp_path / "sib")
    source = Hub(dataset=str(root), config="{code}", languages=CODES, split="train+validation", passage="index_id")
    assert source.problems() == []
    texts, passages = read(source, "sin_Sinh")
    assert texts == expected("sin_Sinh", "train", "dev")
    assert passages == ["train/431", "train/403", "train/7", "validation/9", "validation/1592"]


@pytest.mark.parametrize("kind", ["tsv", "parquet", "saved"])
def test_the_preset_of_a_parallel_dataset_gives_the_same_passages_in_each_language(tmp_path: Path, kind: str) -> None:
    source = Hub(preset="sib200", dataset=str(WRITERS[kind](tmp_path / "sib")), languages=["deu", "sin"])
    assert source.problems() == []  # that the test split is missing is no mistake
    (german, of_german), (sinhala, of_sinhala) = (read(source, code) for code in source.codes())
    assert of_german == of_sinhala
    assert german != sinhala


def test_ids_are_passages_as_they_are_when_one_split_is_read(tmp_path: Path) -> None:
    root = write_tsv(tmp_path / "sib")
    source = Hub(dataset=f"{root}/{{code}}", languages=["deu"], split="dev", passage="index_id")
    assert read(source, "deu_Latn") == (expected("deu_Latn", "dev"), ["9", "1592"])


def test_a_glob_with_placeholders_reads_every_file_it_matches(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / "deu").mkdir(exist_ok=True)
        pq.write_table(pa.table({"content": [f"Teil {number}"]}), tmp_path / f"deu/part-{number}.parquet")
    source = Hub(dataset=f"{tmp_path}/{{iso}}/*.parquet", languages=["deu"], column="content")
    assert read(source, "deu_Latn") == (["Teil 0", "Teil 1"], [])


def test_a_file_named_outright_is_read_whatever_it_and_its_folder_are_called(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    pq.write_table(pa.table({"text": ["Satz"]}), tmp_path / "test/dev.parquet")
    assert read(Hub(dataset=f"{tmp_path}/test/dev.parquet", languages=["deu"]), "deu_Latn")[0] == ["Satz"]


def test_a_dataset_saved_without_splits_is_read_whole_in_batches(tmp_path: Path) -> None:
    texts = [f"Satz {number}" for number in range(BATCH_LINES + 1)]
    datasets.Dataset.from_dict({"text": [*texts, None]}).save_to_disk(str(tmp_path / "deu"))
    source = Hub(dataset=str(tmp_path / "deu"), languages=["deu"])
    batches = list(source.read("deu_Latn"))
    assert [len(batch.texts) for batch in batches] == [BATCH_LINES, 2]
    assert [text for batch in batches for text in batch.texts] == [*texts, ""]


def test_languages_that_are_rows_of_one_table_are_told_apart_by_where(tmp_path: Path) -> None:
    table = {"lang": ["de", "si", "de", None], "text": ["eins", "එක", "zwei", "?"], "id": [1, 1, 2, 3]}
    pq.write_table(pa.table(table), tmp_path / "all.parquet")
    source = Hub(dataset=str(tmp_path), languages=["deu", "sin"], where={"lang": "{name}"}, passage="id")
    assert read(source, "deu_Latn") == (["eins", "zwei"], ["1", "2"])
    assert read(source, "sin_Sinh") == (["එක"], ["1"])


def test_a_language_without_a_row_is_told_what_values_there_are(tmp_path: Path) -> None:
    pq.write_table(pa.table({"lang": ["German"], "text": ["eins"]}), tmp_path / "all.parquet")
    source = Hub(dataset=str(tmp_path), languages=["deu"], where={"lang": "{name}"})
    with pytest.raises(InputError, match=r"one where lang=de\. Found there: lang=German"):
        list(source.read("deu_Latn"))
    named = source.model_copy(update={"names": {"deu_Latn": "German"}})
    assert read(named, "deu_Latn")[0] == ["eins"]


def test_the_identity_of_a_copy_is_its_bytes_and_what_is_taken_from_it(tmp_path: Path) -> None:
    one = Hub(dataset=str(write_tsv(tmp_path / "a")), config="{code}", languages=CODES)
    two = Hub(dataset=str(write_tsv(tmp_path / "b")), config="{code}", languages=CODES)
    copy = Hub(dataset=str(write_repository(tmp_path / "c")), config="{code}", languages=CODES)
    assert one.identity("deu_Latn").items() & copy.identity("deu_Latn").items() == one.identity("deu_Latn").items()
    assert one.identity("deu_Latn") == two.identity("deu_Latn") != one.identity("sin_Sinh")
    assert one.identity("deu_Latn") != one.model_copy(update={"column": "category"}).identity("deu_Latn")
    (tmp_path / "b/deu_Latn/train.tsv").write_text(tsv("deu_Latn", "dev"))
    assert one.identity("deu_Latn") != two.identity("deu_Latn")


def test_the_identity_on_the_hub_names_dataset_revision_and_configuration() -> None:
    massive = Hub(preset="massive", languages=["deu", "cmn_Hant"], revision="31efe3c")
    assert massive.problems() == []
    assert [massive.identity(code)["config"] for code in massive.codes()] == ["de", "zh-TW"]
    assert massive.identity("deu_Latn")["dataset"] == "mteb/amazon_massive_intent@31efe3c"


def test_what_is_set_beside_a_preset_wins() -> None:
    source = Hub(preset="flores200", languages=["deu"], split="dev", names={"deu": "x"})
    assert (source.dataset, source.split, source.column, source.passage) == (
        "openlanguagedata/flores_plus",
        "dev",
        "text",
        "id",
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "neither `dataset` nor `preset` is given"),
        ({"preset": "massive", "dataset": "other/one"}, "both `preset: massive` and `dataset: other/one`"),
        ({"dataset": "SIB", "config": "{lang}"}, "has the placeholder {lang}. Expected one of {code}, {iso}"),
        ({"dataset": "SIB", "config": "{code"}, "is not a template"),
        (
            {"dataset": "SIB", "config": "{code}", "column": "sentence"},
            "no column sentence. Columns found: index_id, category,",
        ),
        ({"dataset": "SIB", "config": "{code}", "passage": "id"}, "no column id"),
        ({"dataset": "SIB", "config": "{code}", "split": "test"}, "no split test; found: dev, train."),
        ({"dataset": "SIB", "config": "{name}"}, "SIB/de does not exist"),
        ({"dataset": "SIB/nothing"}, "SIB/nothing does not exist"),
        ({"dataset": "SIB", "config": "{code}", "revision": "main"}, "Only the hub has any"),
        ({"dataset": "EMPTY"}, "no file that ends in .parquet or .tsv is there"),
    ],
)
def test_mistakes_are_found_before_anything_is_read(tmp_path: Path, settings: dict[str, str], message: str) -> None:
    write_tsv(tmp_path / "SIB")
    (tmp_path / "EMPTY").mkdir()
    settings = {key: re.sub("^(SIB|EMPTY)", f"{tmp_path}/\\1", value) for key, value in settings.items()}
    assert message in Hub(languages=["deu"], **settings).problems()[0]


def test_a_column_of_numbers_is_refused_with_its_type(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": [1, 2]}), tmp_path / "deu.parquet")
    (problem,) = Hub(dataset=str(tmp_path / "deu.parquet"), languages=["deu"]).problems()
    assert "expected text in column 'text', found int64" in problem


def test_a_row_without_an_id_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a", "b"], "id": [1, None]}), tmp_path / "deu.parquet")
    with pytest.raises(InputError, match="a row without an id in 'id'"):
        list(Hub(dataset=str(tmp_path / "deu.parquet"), languages=["deu"], passage="id").read("deu_Latn"))


@pytest.mark.parametrize(("kind", "pattern"), [("tsv", "train.tsv"), ("parquet", "train*"), ("saved", "train/*.arrow")])
def test_a_file_cut_short_is_named(tmp_path: Path, kind: str, pattern: str) -> None:
    root = WRITERS[kind](tmp_path / "sib")
    (file,) = (root / "deu_Latn").glob(pattern)
    file.write_bytes(file.read_bytes()[:-18])
    with pytest.raises(InputError, match=re.escape(str(file.parent))):
        list(Hub(dataset=str(root), config="{code}", languages=["deu"]).read("deu_Latn"))


def test_a_language_given_twice_or_unknown_is_refused() -> None:
    with pytest.raises(ValidationError, match="deu_Latn given twice"):
        Hub(dataset="a/b", languages=["deu", "deu_Latn"])
    with pytest.raises(ValidationError, match="xyzzy"):
        Hub(dataset="a/b", languages=["deu"], names={"xyzzy": "de"})


COMMIT = "c0ffee" * 6 + "c0ff"


class StandInHub(http.server.BaseHTTPRequestHandler):
    """The few calls of the hub's interface that streaming needs, over repositories that lie in a folder."""

    root: Path

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        match = re.fullmatch(r"(/api)?/datasets/(\w+/\w+)(?:/(\w+)/\w+/?(.*))?", urllib.parse.unquote(path))
        if match is None or match[2] == "org/missing":
            return self._send(404, {}, {"X-Error-Code": "RepoNotFound"})
        if match[2] == "org/gated":
            return self._send(401, {}, {"X-Error-Code": "GatedRepo"})
        repository, target = self.root / match[2], self.root / match[2] / (match[4] or "")
        if match[3] == "resolve":
            return self._send_file(target)
        if match[3] in (None, "revision"):
            return self._send(200, {"id": match[2], "sha": COMMIT, "private": False, "tags": []})
        found = sorted(target.rglob("*") if "recursive=true" in query else target.glob("*"))
        return self._send(200, [self._entry(path, repository) for path in found])

    do_HEAD = do_GET  # noqa: N815, the name the server looks for

    def _entry(self, path: Path, repository: Path) -> dict[str, str | int]:
        kind, size = ("file", path.stat().st_size) if path.is_file() else ("directory", 0)
        return {"type": kind, "size": size, "path": path.relative_to(repository).as_posix(), "oid": "0" * 40}

    def _send_file(self, path: Path) -> None:
        if not path.is_file():
            return self._send(404, {}, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        data = path.read_bytes()
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{sha1(data).hexdigest()}"'}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            return self._send(200, data, headers)
        part = data[int(asked[1]) : int(asked[2] or len(data)) + 1]
        headers["Content-Range"] = f"bytes {asked[1]}-{int(asked[1]) + len(part) - 1}/{len(data)}"
        return self._send(206, part, headers)

    def _send(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None: ...


READ = """
import json, sys
from langvec.errors import InputError
from langvec.sources import Hub

def answer(settings):
    try:
        source = Hub(**settings)
        return [[batch.texts, batch.passages] for code in source.codes() for batch in source.read(code)]
    except InputError as error:
        return str(error)

print(json.dumps([answer(settings) for settings in json.loads(sys.argv[1])]))
"""


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[object]:
    """Reads several sources in a process of its own, for the client takes the hub's address when it is imported."""
    StandInHub.root = tmp_path / "hub"
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandInHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def ask(*settings: dict[str, object]) -> list[object]:
        here = f"http://127.0.0.1:{server.server_port}"
        address = {"HF_ENDPOINT": here, "HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "0"}
        command = [sys.executable, "-c", READ, json.dumps(settings)]
        done = subprocess.run(
            command, env=os.environ | address, capture_output=True, text=True, timeout=120, check=True
        )
        return list(json.loads(done.stdout))

    yield ask
    server.shutdown()
    server.server_close()


def test_a_dataset_is_streamed_by_name_and_each_way_it_can_fail_is_told_apart(tmp_path: Path, answers) -> None:
    write_repository(tmp_path / "hub/org/sib")
    (tmp_path / "hub/org/script").mkdir()
    (tmp_path / "hub/org/script/script.py").write_text("raise SystemExit('a dataset script was run')")
    named = {"languages": CODES, "dataset": "org/sib", "config": "{code}", "split": "train+validation"}
    streamed, wrong_split, wrong_config, number, gated, missing, script = answers(
        {**named, "passage": "index_id", "revision": "main"},
        {**named, "split": "dev"},
        {**named, "languages": ["fra"]},
        {**named, "column": "index_id"},
        {**named, "dataset": "org/gated"},
        {**named, "dataset": "org/missing"},
        {**named, "dataset": "org/script"},
    )
    copy = Hub(**{**named, "dataset": str(tmp_path / "hub/org/sib"), "passage": "index_id"})
    assert streamed == [[batch.texts, batch.passages] for code in CODES for batch in copy.read(code)]
    assert "Bad split: dev. Available splits: ['train', 'validation']" in wrong_split
    assert "'fra_Latn' not found. Available: ['deu_Latn', 'sin_Sinh']" in wrong_config
    assert "expected text in column 'index_id', found int64" in number
    assert "gated" in gated and "HF_TOKEN" in gated
    assert "doesn't exist on the Hub" in missing
    assert "scripts are no longer supported" in script and "was run" not in script


def test_without_a_network_one_paragraph_says_what_to_do(monkeypatch: pytest.MonkeyPatch, answers) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (message,) = answers({"languages": ["ace"], "preset": "glot500"})
    assert message.startswith("cis-lmu/Glot500/ace_Latn, split train cannot be read: ")
    assert "save_to_disk" in message and "HF_HUB_OFFLINE" in message and "\n" not in message


def test_naming_a_source_loads_no_heavy_library() -> None:
    check = "import sys, langvec.sources; print([name for name in ('datasets', 'torch') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
