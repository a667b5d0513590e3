"""Where models of stanza lie: which files a pipeline needs, how they get there, and how one's own join them."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from langvec.errors import InputError
from masking.tagging.base import installed

_INDEX = "resources.json"
_OWN = "local"  # the name of models trained here


def default_folder() -> Path:
    """Where stanza looks for models when it is not told otherwise; other versions of stanza look elsewhere."""
    installed("stanza", "taggers")
    from stanza.resources.common import DEFAULT_MODEL_DIR

    return Path(DEFAULT_MODEL_DIR)


def index(folder: Path) -> dict[str, Any]:
    """What the folder says it has, by language; nothing for a folder that says nothing."""
    file = folder / _INDEX
    if not file.exists():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            f"{file} is damaged ({error}). Expected the index of stanza's models; fetch it again."
        ) from None
    return dict(content)


def model_files(folder: Path, language: str, package: str, processors: Sequence[str]) -> dict[str, Path]:
    """The files that a pipeline of these processors loads, by what they are; whether they exist is not looked at.

    A processor that the language has no model of is left out; `mwt`, which takes words apart, comes with `tokenize`
    where the language needs it.
    """
    content = index(folder)
    code = content.get(language, {}).get("alias", language)
    entry = content.get(code, {})
    known = entry.get("packages", {}).get(package, {})
    names = {**known.get("optional", {}), **known}
    wanted = [*processors, "mwt"] if "tokenize" in processors else [*processors]
    files = {}
    for processor in wanted:
        if processor in names:
            for kind, name in _with_dependencies(entry, processor, names[processor]):
                title = kind if kind == processor else f"{kind} {name}"
                files[title] = folder / code / kind / f"{name}.pt"
    return files


def _with_dependencies(entry: dict[str, Any], processor: str, name: str) -> Iterator[tuple[str, str]]:
    yield processor, name
    for needed in entry.get(processor, {}).get(name, {}).get("dependencies", []):
        yield needed["model"], needed["package"]


def offered(language: str, processor: Literal["tokenize", "pos", "ner"]) -> bool:
    """Whether stanza has such a model to download."""
    from stanza.resources.default_packages import default_ners, default_treebanks

    return language in (default_ners if processor == "ner" else default_treebanks)


def add_model(folder: Path, language: str, processor: str, model: Path) -> Path:
    """Move a trained model into a folder of models and make it the default of its language."""
    file = folder / language / processor / f"{_OWN}.pt"
    file.parent.mkdir(parents=True, exist_ok=True)
    arrived = file.with_suffix(".new")
    shutil.copyfile(model, arrived)
    arrived.replace(file)
    content = index(folder)
    entry = content.setdefault(language, {"lang_name": language})
    entry.setdefault("packages", {}).setdefault("default", {})[processor] = _OWN
    entry.setdefault(processor, {})[_OWN] = {}
    new = folder / f".{_INDEX}.new"
    new.write_text(json.dumps(content, indent=1), encoding="utf-8")
    new.replace(folder / _INDEX)
    return file


def fetch(language: str, folder: Path | None = None, package: str = "default") -> list[str]:
    """Download the models that tag a language, and the index of all models; the names of the files that were needed.

    Files that are there already and whole are not downloaded again.
    """
    folder = folder or default_folder()
    installed("stanza", "taggers")
    processors = [name for name in ("tokenize", "pos", "ner") if offered(language, name)]
    if not processors:
        raise InputError(none_offered(language))
    import stanza

    try:
        stanza.download(
            language, model_dir=str(folder), package=package, processors=",".join(processors), verbose=False
        )
    except OSError as error:  # what requests and huggingface_hub raise is an OSError
        raise InputError(_unreachable(language, folder, error)) from None
    return [os.fspath(file) for file in model_files(folder, language, package, processors).values()]


def none_offered(language: str) -> str:
    """What to do for a language without a model."""
    return (
        f"stanza has no models of the language {language!r}. Expected one of its codes, such as en, fr or ta. For "
        f"other languages use the taggers projection (tags of a translation), lexicon (lists of words) or crf (trained "
        f"on a few tagged sentences), or train a model of stanza's kind on tagged sentences."
    )


def _unreachable(language: str, folder: Path, error: OSError) -> str:
    return (
        f"The models of {language!r} could not be downloaded ({type(error).__name__}). Tried the servers of stanza, "
        f"raw.githubusercontent.com and huggingface.co. Run `langscape taggers fetch {language}` on a machine "
        f"with a network and the same version of stanza, and copy its folder of models to {folder}."
    )
