"""What tests share: one small Ray cluster, one S3 store on loopback, and text in a few languages."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from tests.nodes import s3_server

settings.register_profile("shared", deadline=None)  # the machine may be busy
settings.load_profile("shared")

# Set before Ray is imported.
os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_AUTH_MODE="disabled", RAY_ENABLE_UV_RUN_RUNTIME_ENV="0")
os.environ.pop("RAY_ADDRESS", None)

REPOSITORY = Path(__file__).parent.parent


def pytest_configure() -> None:
    """Begun in the background of a shell, the tests would ignore Ctrl-C, and the commands that they stop by it, too.

    Not done on import: workers of Ray import this module in a thread, where no signal can be set.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """A cluster of our own; without address="local" Ray would attach to one left running."""
    import ray

    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=100 << 20,
        log_to_driver=False,
        logging_level="ERROR",
    )
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Small models learn no faster on two cores, and sums are the same every time."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 server on loopback with the bucket `bucket`."""
    with s3_server() as environment:
        os.environ.update(environment)
        yield environment["AWS_ENDPOINT_URL"]


LETTERS = {"deu": "abcdefghijklmnopqrstuvwxyzäöüß", "nld": "abcdefghijklmnopqrstuvwxyz", "hin": "कखगघचछजझटठडढणतथदधन"}


def text_in(folder: Path, lang: str, lines: int = 60, name: str | None = None) -> Path:
    """A file of `lines` different lines in the letters of a language."""
    draw = random.Random(lang)
    words = ["".join(draw.choices(LETTERS[lang], k=draw.randint(2, 8))) for _ in range(200)]
    file = folder / (name or f"{lang}.txt")
    file.write_text("".join(" ".join(draw.choices(words, k=8)) + "\n" for _ in range(lines)), encoding="utf-8")
    return file


def recipe_in(folder: Path, extra: str = "alphabet: {kind: byte}\n", lines: int = 60) -> Path:
    """A recipe over German, Dutch and Hindi files; `extra` is more YAML."""
    files = ", ".join(f"{lang}: {text_in(folder, lang, lines)}" for lang in LETTERS)
    recipe = folder / "recipe.yaml"
    recipe.write_text(f"corpora:\n  - {{kind: files, files: {{{files}}}}}\n{extra}", encoding="utf-8")
    return recipe


@pytest.fixture
def write_text(tmp_path: Path) -> Callable[..., Path]:
    return partial(text_in, tmp_path)


@pytest.fixture
def write_recipe(tmp_path: Path) -> Callable[..., Path]:
    return partial(recipe_in, tmp_path)


def langscape(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command as a user types it, with its exit status and what it printed; no report unless it is asked for."""
    if words[0] == "entropy2vec" and "--report" not in words:
        words = (*words, "--no-report")  # drawing it takes seconds
    return subprocess.run(
        [sys.executable, "-m", "ray_jobs", *words],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def contents(run: Path) -> dict[str, bytes]:
    """Every finished file of a run but those that hold times: meta.json, the report and what TensorBoard reads."""
    names = {file: file.relative_to(run).as_posix() for file in sorted(run.rglob("*")) if file.is_file()}
    return {
        name: file.read_bytes()
        for file, name in names.items()
        if file.name not in ("meta.json", "report.html") and not name.startswith((".", "tensorboard/"))
    }
