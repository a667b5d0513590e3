"""The run store, on a local disk and on S3 alike: what is published is whole, what is not does not count."""

import errno
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from langvec.errors import InputError
from ray_jobs.store import MARKER, RECIPE, Store

META: dict[str, Any] = {"config": {}, "inputs": {}, "needs": {}, "cost": {"finished": "2026-01-01"}}


def publish(store: Store, folder: str = "corpus/deu-1", **files: bytes) -> dict[str, Any]:
    with store.scratch() as scratch:
        for name, data in files.items():
            (scratch / name).write_bytes(data)
        return store.publish(scratch, folder, META)


def test_a_published_folder_is_found_whole_and_can_be_fetched(store: Store) -> None:
    publish(store, text=b"abc", empty=b"")
    (record,) = store.records().values()
    assert (record.folder, record.damage) == ("corpus/deu-1", None)
    assert (store.fetch(record.folder, record.digest) / "text").read_bytes() == b"abc"


def test_the_digest_depends_on_names_and_contents_alone(store: Store) -> None:
    one = publish(store, "corpus/a-1", x=b"1", y=b"2")["digest"]
    assert publish(store, "corpus/b-1", y=b"2", x=b"1")["digest"] == one
    assert publish(store, "corpus/c-1", x=b"2", y=b"1")["digest"] != one


def test_a_folder_without_its_marker_does_not_count(store: Store) -> None:
    publish(store, text=b"abc")
    store.delete(f"corpus/deu-1/{MARKER}")
    assert store.records() == {}


def test_a_file_cut_short_is_seen_and_publishing_again_heals_it(store: Store) -> None:
    publish(store, text=b"abc")
    store.write("corpus/deu-1/text", b"a")
    assert store.records()["corpus/deu-1"].damage == "text has 1 bytes, expected 3"
    publish(store, text=b"abc")
    assert store.records()["corpus/deu-1"].damage is None


def test_a_garbled_marker_is_seen_and_healed(store: Store) -> None:
    publish(store, text=b"abc")
    for garbled in (b'{"files": ', b"null", b"{}", b""):
        store.write(f"corpus/deu-1/{MARKER}", garbled)
        assert store.records()["corpus/deu-1"].damage == "meta.json is not readable"
    publish(store, text=b"abc")
    assert store.records()["corpus/deu-1"].damage is None


def test_the_first_of_two_workers_wins(store: Store) -> None:
    publish(store, text=b"abc")
    before = store.read(f"corpus/deu-1/{MARKER}")
    publish(store, text=b"abc")
    assert store.read(f"corpus/deu-1/{MARKER}") == before


def test_a_result_that_is_already_there_is_not_written_again(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "run"))
    store.write_if_new("results/a.csv", b"1")
    before = (tmp_path / "run/results/a.csv").stat().st_mtime_ns
    store.write_if_new("results/a.csv", b"1")
    assert (tmp_path / "run/results/a.csv").stat().st_mtime_ns == before
    store.write_if_new("results/a.csv", b"2")
    assert store.read("results/a.csv") == b"2"


def test_a_worker_that_fails_leaves_no_scratch_folder(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "run"))
    with pytest.raises(OSError, match="full"), store.scratch() as scratch:
        (scratch / "half").write_bytes(b"x")
        raise OSError(errno.ENOSPC, "full")
    assert not list((tmp_path / "run/.scratch").iterdir())


def test_a_store_travels_to_workers(store: Store) -> None:
    publish(store, text=b"abc")
    assert pickle.loads(pickle.dumps(store)).records().keys() == store.records().keys()


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match=r"holds other files \(thesis.tex, ...\) and no recipe.yaml"):
        Store.open(str(tmp_path))
    (tmp_path / RECIPE).touch()
    assert Store.open(str(tmp_path)).records() == {}


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/",
        "../a b",
        "runs/a b",
        "runs/a;rm",
        "runs/\x00",
        "-x",
        "runs/é",
    ],
)
def test_names_that_could_lead_elsewhere_are_refused(uri: str) -> None:
    with pytest.raises(InputError, match="expected a path"):
        Store.open(uri)


@pytest.mark.parametrize("uri", ["../mine", "../here/../mine", "./../mine/"])
def test_a_path_may_lead_up_and_down_again(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert Store.open(uri) == Store.open(str(tmp_path / "mine"))


def test_a_path_that_leads_up_to_other_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InputError, match="holds other files"):
        Store.open("..")


@pytest.mark.parametrize("uri", ["s3://b/../c", "s3://b/..", "file:///tmp/../x"])
def test_an_address_that_leads_up_is_refused_by_that(uri: str) -> None:
    with pytest.raises(InputError, match=r"without '\.\.' in it"):
        Store.open(uri)


def test_a_slash_at_the_end_changes_nothing(tmp_path: Path) -> None:
    assert Store.open(f"{tmp_path}/run/") == Store.open(f"{tmp_path}/run")


def test_an_unknown_kind_of_storage_is_refused() -> None:
    with pytest.raises(InputError, match="found ftp://"):
        Store.open("ftp://host/run")


def test_metadata_is_readable_by_anyone(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "run"))
    publish(store, text=b"abc")
    meta = json.loads((tmp_path / "run/corpus/deu-1" / MARKER).read_text())
    assert meta["files"]["text"]["bytes"] == 3
    assert (tmp_path / "run/corpus/deu-1").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("uri", ["s3://AKIA:hush@bucket/run", "s3://AKIA@bucket/run", "s3://b/run?secret_key=hush"])
def test_an_address_with_credentials_is_refused_without_repeating_them(uri: str) -> None:
    with pytest.raises(InputError, match="AWS_SECRET_ACCESS_KEY") as refused:
        Store.open(uri)
    assert "hush" not in str(refused.value) and "AKIA" not in str(refused.value)


@pytest.mark.parametrize("size", [None, 3])
def test_a_marker_that_names_a_file_elsewhere_is_damage(tmp_path: Path, size: int | None) -> None:
    store = Store.open(str(tmp_path / "run"))
    publish(store, text=b"abc")
    marker = tmp_path / "run/corpus/deu-1" / MARKER
    meta = json.loads(marker.read_text())
    meta["files"]["../../../other"] = {"bytes": size}
    (tmp_path / "other").write_bytes(b"abc")
    marker.write_text(json.dumps(meta))
    assert store.records()["corpus/deu-1"].damage


def test_a_digest_is_no_path_and_no_promise(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others wrote into a run is copied nowhere but where copies lie, and only if it is whole."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = Store.open("s3://bucket/garbled")
    digest = publish(store, text=b"abc")["digest"]
    for wrong in (f"{tmp_path}/elsewhere", "../elsewhere", "0" * 64):
        with pytest.raises(InputError, match=r"corpus/deu-1 does not hold what its meta\.json says"):
            store.fetch("corpus/deu-1", wrong)
    assert [path.name for path in tmp_path.rglob("*") if path.is_dir()] == [f"langscape-{os.getuid()}"]
    assert (store.fetch("corpus/deu-1", digest) / "text").read_bytes() == b"abc"
    store.write("corpus/deu-1/text", b"abd")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / f"langscape-{os.getuid()}"))
    with pytest.raises(InputError, match="does not hold"):
        store.fetch("corpus/deu-1", digest)


def test_a_place_for_copies_that_is_a_link_of_another_user_is_refused(
    s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "mine").mkdir()
    (tmp_path / f"langscape-{os.getuid()}").symlink_to(tmp_path / "mine")
    if os.getuid() != 0:
        pytest.skip("only root can give a link to another user")
    os.lchown(tmp_path / f"langscape-{os.getuid()}", 65534, 65534)
    with pytest.raises(InputError, match="belongs to another user"):
        Store.open("s3://bucket/linked").fetch("corpus/deu-1", "0" * 64)
