"""Stand-ins in the formats that datasets of the hub have give texts and the names of their classes."""

from collections.abc import Callable
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from langvec.errors import InputError
from langvec.labelled import LabelledHub
from langvec.labelled.hub import PRESETS

NAMES = ["negative", "neutral", "positive"]


def nusax(named: bool) -> datasets.Dataset:
    """mteb/NusaX-senti: columns id, text, lang, label, the label a number with or without names."""
    label = datasets.ClassLabel(names=NAMES) if named else datasets.Value("int64")
    string = datasets.Value("string")
    features = datasets.Features({"id": string, "text": string, "lang": string, "label": label})
    rows = {"id": ["219", "209"], "text": ["Bagus!", "Biasa"], "lang": ["ind", "ind"], "label": [2, 1]}
    return datasets.Dataset.from_dict(rows, features=features)


def saved(root: Path, rows: datasets.Dataset) -> None:
    datasets.DatasetDict({"train": rows, "test": rows}).save_to_disk(str(root / "ind"))


def parquet(root: Path, rows: datasets.Dataset) -> None:
    for split in ("train", "test"):
        (root / "ind").mkdir(parents=True, exist_ok=True)
        rows.to_parquet(str(root / f"ind/{split}-00000-of-00001.parquet"))


def repository(root: Path, rows: datasets.Dataset) -> None:
    parquet(root, rows)
    splits = "".join(f"  - split: {split}\n    path: ind/{split}-*.parquet\n" for split in ("train", "test"))
    (root / "README.md").write_text(f"---\nconfigs:\n- config_name: ind\n  data_files:\n{splits}---\n")


@pytest.mark.parametrize("write", [saved, parquet, repository])
@pytest.mark.parametrize("preset", [True, False])
def test_numbers_of_classes_become_their_names(tmp_path: Path, write: Callable[..., None], preset: bool) -> None:
    """Without the preset by what the datasets library wrote beside them; with it also where that is missing."""
    write(tmp_path, nusax(named=not preset))
    settings = {"preset": "nusax"} if preset else {"config": "{iso}", "id": "id"}
    source = LabelledHub(dataset=str(tmp_path), languages=["ind"], **settings)
    assert source.problems() == []
    assert source.splits("ind_Latn") == ("train", "test")  # that there is no validation is no mistake
    found = source.read("ind_Latn", "train")
    assert found == (["219", "209"], ["Bagus!", "Biasa"], ["positive", "neutral"], {})


def test_numbers_stay_numbers_where_nothing_names_them(tmp_path: Path) -> None:
    parquet(tmp_path, nusax(named=False))
    source = LabelledHub(dataset=str(tmp_path), config="{iso}", languages=["ind"])
    assert source.read("ind_Latn", "test").labels == ["2", "1"]


@pytest.mark.parametrize(
    ("preset", "code", "folder", "row"),
    [
        (
            "massive",
            "cmn_Hans",
            "zh-CN",
            {"id": "1", "label": "48", "label_text": "alarm_set", "text": "五点", "lang": ""},
        ),
        (
            "massive",
            "deu_Latn",
            "de",
            {"id": "1", "label": "48", "label_text": "alarm_set", "text": "um fünf", "lang": ""},
        ),
        ("masakhanews", "swh_Latn", "swa", {"category": "health", "headline": "Afya", "text": "...", "url": "u"}),
        ("masakhanews", "yor_Latn", "yor", {"category": "sports", "headline": "Ere", "text": "...", "url": "u"}),
        ("nusax", "bbc_Latn", "bbc", {"id": "3", "text": "Na denggan", "lang": "bbc", "label": 2}),
        ("sib200", "sin_Sinh", "sin_Sinh", {"index_id": 3, "category": "travel", "text": "ගමන"}),
    ],
)
def test_a_preset_knows_the_columns_and_the_name_of_each_language(tmp_path: Path, preset, code, folder, row) -> None:
    (tmp_path / folder).mkdir()
    for split in ("train", "validation", "test"):
        pq.write_table(pa.Table.from_pylist([row]), tmp_path / folder / f"{split}.parquet")
    source = LabelledHub(preset=preset, dataset=str(tmp_path), languages=[code])
    assert source.problems() == []
    assert source.splits(code) == ("train", "validation", "test")
    text = row["headline"] if preset == "masakhanews" else row["text"]
    label = row.get("label_text") or row.get("category") or "positive"
    assert source.read(code, "test")[1:3] == ([text], [label])


def test_every_preset_is_named_on_the_hub_and_says_so_in_its_identity() -> None:
    for preset, settings in PRESETS.items():
        source = LabelledHub(preset=preset, languages=["yor"], revision="abc")
        assert source.problems() == []
        assert source.identity("yor_Latn", "test")["dataset"] == f"{settings['dataset']}@abc"


def test_secret_labels_and_unknown_classes_are_refused(tmp_path: Path) -> None:
    for label, message in ((-1, "1 rows without a label in 'label': row 1"), (7, "class 7. Expected 0 to 2")):
        rows = [{"id": "3", "text": "x", "lang": "ind", "label": label}]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "test.parquet")
        with pytest.raises(InputError, match=message):
            LabelledHub(preset="nusax", dataset=str(tmp_path), config=None, languages=["ind"]).read("ind_Latn", "test")


def test_a_copy_with_other_columns_or_without_splits_is_a_problem(tmp_path: Path) -> None:
    saved(tmp_path / "a", nusax(named=True))
    (problem,) = LabelledHub(preset="sib200", dataset=str(tmp_path / "a"), config="{iso}", languages=["ind"]).problems()
    assert "no column 'category' or 'index_id'. Columns found: id, text, lang, label" in problem
    nusax(named=True).to_parquet(str(tmp_path / "b/rows.parquet"))
    (problem,) = LabelledHub(dataset=str(tmp_path / "b"), languages=["ind"]).problems()
    assert "which split the files are cannot be told" in problem


def test_identity_of_a_copy_follows_its_files(tmp_path: Path) -> None:
    parquet(tmp_path / "a", nusax(named=True))
    parquet(tmp_path / "b", nusax(named=True))
    parquet(tmp_path / "c", nusax(named=False))
    same, moved, other = (
        LabelledHub(dataset=str(tmp_path / name), config="{iso}", languages=["ind"]).identity("ind_Latn", "test")
        for name in "abc"
    )
    assert same == moved != other
