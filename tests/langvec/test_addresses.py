"""Recipes are kept and shown, so no address in one may hold a secret."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from langvec.addresses import absolute, refuse_credentials
from langvec.labelled.files import LabelledFiles
from langvec.sources import Files
from langvec.sources.bitext import Moses, Table, Tmx
from ray_jobs.language_vectors import RunVectors

SECRET = "hush"
PAIR = ("eng", "tam")


@pytest.mark.parametrize(
    "uri",
    [
        "s3://AKIA:hush@bucket/x",
        "s3://AKIA:hu/sh@bucket/x",
        "s3://hush@bucket/x",
        "s3://bucket/x?access_key=a&secret_key=hush",
        "s3://bucket/x?region=eu&session_token=hush",
        "gs://bucket/x?access_token=hush",
        "https://host/x?X-Amz-Signature=hush",
        "https://host/x?sv=1&sig=hush",
        "https://me:hush@host/x",
        "hdfs://me:hush@host:9000/x",
        "abfs://box:hush@account/x",
    ],
)
def test_an_address_with_credentials_is_refused_with_where_they_belong(uri: str) -> None:
    with pytest.raises(ValueError, match="Credentials belong in the environment: AWS_ACCESS_KEY_ID") as refused:
        refuse_credentials(uri)
    assert SECRET not in str(refused.value) and "hu/sh" not in str(refused.value)


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/x",
        "s3://bucket/me@host/*.txt",
        "s3://bucket/file?.txt",
        "s3://bucket/x?region=eu-west-1&scheme=http&endpoint_override=127.0.0.1:9000",
        "gs://anonymous@bucket/x",
        "hdfs://me@host:9000/x",
        "abfs://box@account/x",
        "file:///tmp/x",
    ],
)
def test_an_address_without_credentials_stays_as_it_is(uri: str) -> None:
    assert absolute(uri) == uri


def test_a_path_is_taken_from_the_root_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute("a:b@c.txt") == str(tmp_path / "a:b@c.txt")


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Files, {"files": {"deu": "s3://AKIA:hush@bucket/x.txt"}}),
        (LabelledFiles, {"files": {"deu": {"train": "s3://AKIA:hush@bucket/x.csv"}}}),
        (LabelledFiles, {"path": "s3://AKIA:hush@bucket/{code}.csv", "languages": ["deu"]}),
        (Table, {"languages": PAIR, "files": "s3://AKIA:hush@bucket/x.tsv"}),
        (Tmx, {"languages": PAIR, "files": "s3://AKIA:hush@bucket/x.tmx"}),
        (Moses, {"languages": PAIR, "source": "s3://AKIA:hush@bucket/x.en", "target": "x"}),
        (RunVectors, {"run": "s3://AKIA:hush@bucket/run"}),
    ],
)
def test_no_source_of_a_recipe_takes_credentials(kind: type[BaseModel], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        kind.model_validate(fields)
    assert "belong in the environment" in str(refused.value.errors()[0]["msg"])


def test_what_a_recipe_is_told_does_not_repeat_the_secret(tmp_path: Path) -> None:
    from langvec.errors import InputError
    from ray_jobs.loading import load_recipe
    from ray_jobs.recipe import Recipe

    (tmp_path / "a.yaml").write_text("corpora: [{kind: files, files: {deu: 's3://AKIA:hush@bucket/x.txt'}}]\n")
    with pytest.raises(InputError, match="belong in the environment") as refused:
        load_recipe(Recipe, str(tmp_path / "a.yaml"))
    assert SECRET not in str(refused.value) and "AKIA" not in str(refused.value)
