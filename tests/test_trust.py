"""Nothing that is read can run code. What ruff's rules S102, S301, S302, S307 and S506 see is not looked for again."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

OURS = [file for package in ("langvec", "masking", "ray_jobs") for file in (REPOSITORY / package).rglob("*.py")]
UNPICKLES = {"torch.load", "joblib.load", "cloudpickle.loads", "cloudpickle.load", "pickle.Unpickler"}
# Tasks between processes of our own; the files of a run are never read so.
EXCEPTIONS = {("ray_jobs/pool.py", "cloudpickle.loads")}
ANY_CODE = ("import_module", "__import__", "exec_module", "run_path", "run_module", "load_module")
# Modules of ours, by the name of a command that is typed out in the code.
IMPORTS = {("ray_jobs/job_command.py", "import_module")}
ALLOWED = {"trust_remote_code": False, "allow_pickle": False, "weights_only": True, "use_safetensors": True}


def calls(file: Path) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the last two names of what is called, as in `torch.load`; the one of safetensors is another."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) != "safetensors.torch.load":
            yield node, ".".join(ast.unparse(node.func).split(".")[-2:])


def dangers(file: Path) -> Iterator[str]:
    place = file.relative_to(REPOSITORY).as_posix() if file.is_relative_to(REPOSITORY) else file.name
    for call, name in calls(file):
        if name in UNPICKLES and (place, name) not in EXCEPTIONS:
            yield f"{name} in line {call.lineno}"
        if name.rpartition(".")[2] in ANY_CODE and (place, name) not in IMPORTS:
            yield f"{name} in line {call.lineno}"
        if name == "np.load" and "allow_pickle" not in {word.arg for word in call.keywords}:
            yield f"{name} without allow_pickle=False in line {call.lineno}"
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        yield from settings(node)


def settings(node: ast.AST) -> Iterator[str]:
    """Words with a dangerous value, whether they are arguments or keys of a mapping of arguments."""
    pairs: list[tuple[str | None, ast.expr]] = []
    if isinstance(node, ast.Call):
        pairs = [(word.arg, word.value) for word in node.keywords]
    if isinstance(node, ast.Dict):
        keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
        pairs = list(zip(map(str, keys), node.values, strict=True))
    for name, value in pairs:
        if name in ALLOWED and not (isinstance(value, ast.Constant) and value.value is ALLOWED[name]):
            yield f"{name}={ast.unparse(value)} in line {value.lineno}"


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.relative_to(REPOSITORY).as_posix())
def test_nothing_is_unpickled_and_no_code_is_loaded(file: Path) -> None:
    assert list(dangers(file)) == []


@pytest.mark.parametrize(
    "line",
    [
        "torch.load(f)",
        "torch.load(f, weights_only=True)",
        "x.torch.load(f, weights_only=flag)",
        "joblib.load(f)",
        "ray.cloudpickle.loads(b)",
        "importlib.import_module(name)",
        "np.load(f)",
        "np.load(f, allow_pickle=True)",
        "AutoModel.from_pretrained(n, trust_remote_code=True)",
        "options = {'trust_remote_code': anything}",
        "AutoModel.from_pretrained(n, use_safetensors=None)",
    ],
)
def test_the_look_finds_each_danger(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.py").write_text(f"{line}\n")
    assert list(dangers(tmp_path / "a.py"))


def models_loaded(file: Path) -> Iterator[ast.Call]:
    return (call for call, name in calls(file) if name.endswith(".from_pretrained"))


def test_every_model_is_loaded_with_its_own_code_refused() -> None:
    loads = [(file, call) for file in OURS for call in models_loaded(file)]
    assert len(loads) > 5
    for file, call in loads:
        words = {word.arg for word in call.keywords}
        assert "trust_remote_code" in words or None in words, f"{file}:{call.lineno}"  # None: words from a mapping


def test_the_page_about_security_names_tests_that_are_there() -> None:
    page = (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8")
    names = re.findall(r"(?:tests/)?(?:[\w]+/)*test_\w+\.py", page)
    assert len(names) > 5
    assert not [name for name in names if not list(REPOSITORY.glob(f"tests/**/{Path(name).name}"))]
