"""`langscape taggers`: models fetched, trained and judged, and lists of names made, before text is tagged."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast, get_args

from pydantic import TypeAdapter

from langvec.errors import InputError
from langvec.languages import find
from masking.tagging import AnyTagger
from masking.tagging.base import TaggerRecipe, named
from masking.tagging.gazetteer import gazetteer
from masking.tagging.kinds import TagSet
from masking.tagging.lexicon import write_lexicon
from masking.tagging.quality import Quality, judge
from masking.tagging.reading import read_tagged
from masking.tagging.stanza_models import fetch
from masking.tagging.training import Kind, train
from ray_jobs.described import described

TAGGER = TypeAdapter[AnyTagger](AnyTagger)


def fetched(language: str, folder: str | None) -> Iterator[str]:
    """Download stanza's models of a language."""
    print(f"Fetching stanza's models of {language} ...", file=sys.stderr)
    for file in fetch(language, Path(folder) if folder else None):
        yield f"there: {file}"
    yield f"Use them as {{kind: stanza, language: {language}{f', folder: {folder}' if folder else ''}}}."


def trained(kind: str, file: str, tags: str, to: str, language: str) -> Iterator[str]:
    """Train a tagger on the sentences of a file, and say how it does on those that were held out."""
    tag_set, sentences = _tag_set(tags), list(read_tagged(Path(file), _tag_set(tags)))
    if kind not in get_args(Kind):
        raise InputError(f"There is no tagger {kind!r} to train. Expected one of {', '.join(get_args(Kind))}.")
    with _writing(to) as path:
        lesson = train(cast(Kind, kind), sentences, tag_set, path, language)
    yield f"{lesson.learnt:,} sentences learnt, {lesson.held_out:,} held out (every tenth):"
    yield from _table(lesson.quality)
    place = f"language: {language}, folder: {to}, tokenize: words" if kind == "stanza" else f"file: {to}, tags: {tags}"
    yield f"Use it as {{kind: {kind}, {place}}}."


def judged(file: str, tags: str, tagger: str) -> Iterator[str]:
    """Say how a tagger does on sentences that people have tagged."""
    recipe = _recipe(tagger)
    gold = list(read_tagged(Path(file), _tag_set(tags)))
    if problems := recipe.problems():
        raise InputError(" ".join(problems))
    yield f"{named(recipe)} on {len(gold):,} sentences of {file}:"
    yield from _table(judge(recipe.load(), gold, _tag_set(tags)))


def names(code: str, to: str) -> Iterator[str]:
    """Write the names that Unicode's CLDR has of countries, languages and currencies in a language, as a lexicon."""
    entries = gazetteer(find(code).code)
    with _writing(to) as path:
        write_lexicon(entries, path)
    yield f"{len(entries):,} names in {find(code).name} -> {to}"
    yield f"Use them beside a tagger of nouns and verbs: {{kind: lexicon, file: {to}, tags: ne, ignore_case: false}}."


def _recipe(text: str) -> AnyTagger:
    expected = "a mapping as in the `taggers` of a recipe, such as '{kind: spacy, model: en_core_web_sm}'"
    return described("--tagger", text, TAGGER, TaggerRecipe, expected)


@contextmanager
def _writing(to: str) -> Iterator[Path]:
    """The path to write to, its folder made."""
    try:
        Path(to).parent.mkdir(parents=True, exist_ok=True)
        yield Path(to)
    except OSError as error:
        raise InputError(f"--to {to} cannot be written ({error}). Check the path and the rights.") from None


def _tag_set(tags: str) -> TagSet:
    if tags not in get_args(TagSet):
        raise InputError(f"--tags {tags}: there is no such tag set. Expected one of {', '.join(get_args(TagSet))}.")
    return cast(TagSet, tags)


def _table(rows: Iterable[Quality]) -> Iterator[str]:
    yield f"{'':<6} {'words':>8} {'precision':>10} {'recall':>8} {'F1':>8}"
    for row in rows:
        yield f"{row.kind:<6} {row.gold:>8,} {row.precision:>10.3f} {row.recall:>8.3f} {row.f1:>8.3f}"
