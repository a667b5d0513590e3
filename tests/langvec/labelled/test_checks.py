"""Rows that would make a score mean nothing are found."""

from pathlib import Path

import pytest

from langvec.errors import InputError
from langvec.labelled import Labelled, LabelledFiles
from langvec.labelled.checks import refuse_missing_splits, refuse_unknown_labels, without_seen


def rows(*texts: str, label: str = "good") -> Labelled:
    return Labelled([str(number) for number in range(len(texts))], list(texts), [label] * len(texts))


def test_test_rows_whose_text_was_trained_on_are_left_out_and_counted() -> None:
    judged = rows("Neu", "schon  DA", "auch da", "Schon da.")
    found = without_seen(judged, rows("Schon da"), rows("auch da"))
    assert found.texts == ["Neu", "Schon da."]
    assert found.ids == ["0", "3"]
    assert found.dropped == {"text is in the training rows": 2}
    assert without_seen(judged, rows("anders")) == judged


def test_labels_that_were_never_trained_on_are_refused_with_the_split_that_has_them() -> None:
    judged = {"deu_Latn, test": rows("a"), "fra_Latn, test": rows("b", label="goood")}
    with pytest.raises(InputError, match=r"in fra_Latn, test: goood\. Expected some of bad, good"):
        refuse_unknown_labels(["good", "bad"], judged)
    refuse_unknown_labels(["good", "goood"], judged)


def test_languages_that_lack_a_split_are_refused_together(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label\na,b\n")
    source = LabelledFiles(
        files={"deu": {"train": str(path), "test": str(path)}, "fra": {"test": str(path)}, "nld": {"test": str(path)}}
    )
    refuse_missing_splits(source, source.codes(), "test")
    with pytest.raises(InputError, match=r"No train split for fra_Latn, nld_Latn.*fra_Latn test; nld_Latn test"):
        refuse_missing_splits(source, source.codes(), "train")
