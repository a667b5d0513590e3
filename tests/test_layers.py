"""The science knows nothing of Ray, of the commands, or of its other half but what SHARED names."""

import ast
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SCIENCE = [*(REPOSITORY / "langvec").rglob("*.py"), *(REPOSITORY / "masking").rglob("*.py")]
FORBIDDEN = {"langvec": {"ray", "ray_jobs", "masking"}, "masking": {"ray", "ray_jobs", "langvec"}}
SHARED = {"langvec.errors", "langvec.config", "langvec.sealed", "langvec.languages", "langvec.unpacking"}
NAMELESS = {"utils", "helpers", "common", "misc"}


def imported(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.split(".")[0] for name in names if name not in SHARED}


@pytest.mark.parametrize("file", SCIENCE, ids=lambda file: file.relative_to(REPOSITORY).as_posix())
def test_the_science_packages_import_neither_ray_nor_each_other(file: Path) -> None:
    assert not imported(file) & FORBIDDEN[file.relative_to(REPOSITORY).parts[0]]


def test_no_module_is_named_for_nothing() -> None:
    files = [file for package in ("langvec", "masking", "ray_jobs") for file in (REPOSITORY / package).rglob("*.py")]
    assert not {file.stem for file in files} & NAMELESS
