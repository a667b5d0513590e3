"""Tagged sentences in the two formats they come in, and in the two that stanza's trainers read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from langvec.errors import InputError
from masking.tagging.kinds import kind_of

_COLUMNS = 10  # of CoNLL-U: ID FORM LEMMA UPOS XPOS FEATS HEAD DEPREL DEPS MISC


class TaggedWord(NamedTuple):
    text: str
    tag: str


TaggedSentence = list[TaggedWord]


def read_conllu(file: Path) -> list[TaggedSentence]:
    """Words as they are written and their universal tags.

    A token of several words (French `du`) stays one, for text to be tagged later is not taken apart either; it
    has the tag of its first noun or verb, or else of its first word.
    """
    sentences = [_written(rows) for rows in _blocks(file, _COLUMNS)]
    blank = next((word.text for sentence in sentences for word in sentence if word.tag in ("", "_")), None)
    if blank is not None:
        raise InputError(f"{file}: the word {blank!r} has no universal tag. Expected one, such as NOUN, in column 4.")
    return sentences


def _written(rows: Sequence[Sequence[str]]) -> TaggedSentence:
    words = {int(row[0]): TaggedWord(row[1], row[3]) for row in rows if row[0].isdecimal()}
    for row in rows:
        first, dash, last = row[0].partition("-")
        if dash:
            parts = [words.pop(number) for number in range(int(first), int(last) + 1)]
            tags = [part.tag for part in parts]
            words[int(first)] = TaggedWord(row[1], next((tag for tag in tags if kind_of(tag, "upos")), tags[0]))
    return [words[number] for number in sorted(words)]


def read_entities(file: Path) -> list[TaggedSentence]:
    """Words and BIO tags: two columns with an empty line between sentences, or the JSON of stanza."""
    if file.suffix != ".json":
        return [[TaggedWord(row[0], row[-1]) for row in rows] for rows in _blocks(file, 2)]
    try:
        return [[TaggedWord(word["text"], word["ner"]) for word in words] for words in json.loads(_text(file))]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise InputError(
            f'{file} does not hold entities ({error!r}). Expected [[{{"text": "Oslo", "ner": "S-LOC"}}]].'
        ) from None


def _blocks(file: Path, columns: int) -> Iterator[list[list[str]]]:
    """The rows of each sentence, without comments."""
    rows: list[list[str]] = []
    for number, line in enumerate([*_text(file).splitlines(), ""], 1):
        if line.strip() and not (line.startswith("#") and columns == _COLUMNS):
            rows.append(_row(file, number, line, columns))
        elif rows and not line.strip():
            yield rows
            rows = []


def _row(file: Path, number: int, line: str, columns: int) -> list[str]:
    row = line.split("\t") if columns == _COLUMNS else line.split()
    if len(row) < columns:
        raise InputError(f"{file}, line {number}: {line!r} has {len(row)} columns. Expected {columns}.")
    return row


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"No file {file}. Expected sentences with tags to train on.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not UTF-8 ({error.reason} at byte {error.start}). Convert it first.") from None


def write_conllu(file: Path, sentences: Sequence[TaggedSentence]) -> None:
    """CoNLL-U with universal tags alone, so that no time goes into tags that nobody asks for."""
    with file.open("w", encoding="utf-8") as stream:
        for sentence in sentences:
            for number, (text, tag) in enumerate(sentence, 1):
                # A tree is asked for by stanza's scorer, not by the tagger: every word hangs on the first.
                tree = ("0", "root") if number == 1 else ("1", "dep")
                stream.write("\t".join([str(number), text, "_", tag, "_", "_", *tree, "_", "_"]) + "\n")
            stream.write("\n")


def write_json(file: Path, sentences: Sequence[TaggedSentence]) -> None:
    """The JSON that stanza's named-entity trainer reads."""
    rows = [[{"text": text, "ner": tag} for text, tag in sentence] for sentence in sentences]
    file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
