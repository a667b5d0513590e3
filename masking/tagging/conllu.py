"""Tags word by word: CoNLL-U, and two columns (token and tag) with B-, I- and O. A word's characters follow from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from masking.tagging.kinds import TagSet
from masking.tagging.tagged import TaggedSentence, spans_of
from masking.tagging.words import Word

Lines = Iterable[tuple[int, str]]

_COLUMNS = 10
_XPOS, _UPOS, _MISC = 4, 3, 9
_ABOUT = re.compile(r"#\s*(sent_id|text)\s*=\s*(.*?)\s*")
_PLAIN, _RANGE, _EMPTY = re.compile(r"[1-9]\d*"), re.compile(r"([1-9]\d*)-([1-9]\d*)"), re.compile(r"\d+\.[1-9]\d*")


class LineError(ValueError):
    """What is wrong in which line of a file; who opened the file knows its name."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line


class _Block(NamedTuple):
    """The lines of one sentence, and what its comments say."""

    about: dict[str, str]
    rows: list[tuple[int, str]]


class _Token(NamedTuple):
    """A stretch of text without a break, and the words in it with their labels (more than one in `don't`)."""

    line: int
    form: str
    space_after: bool
    words: list[tuple[str, str]]


def read_conllu(lines: Lines, tags: TagSet) -> Iterator[TaggedSentence]:
    """Sentences of CoNLL-U: the tag is UPOS, XPOS (`penn` and `sinhala`) or `NER=` of the last column (`ne`)."""
    for block in _blocks(lines, lambda line: line.startswith("#")):
        yield _sentence(block, list(_tokens(block.rows, tags)), tags)


def read_two_columns(lines: Lines, tags: TagSet) -> Iterator[TaggedSentence]:
    """Sentences of lines `token<TAB>tag` (or a space), an empty line between them; `# sent_id = x` may name one."""
    for block in _blocks(lines, lambda line: _ABOUT.fullmatch(line) is not None):
        yield _sentence(block, [_pair(line, row) for line, row in block.rows], tags)


def _blocks(lines: Lines, is_comment: Callable[[str], bool]) -> Iterator[_Block]:
    block = _Block({}, [])
    for number, raw in lines:
        line = raw.rstrip("\n")
        if not line.strip():
            if block.rows:
                yield block
            block = _Block({}, [])
        elif not block.rows and is_comment(line):
            if about := _ABOUT.fullmatch(line):
                block.about[about[1]] = about[2]
        else:
            block.rows.append((number, line))
    if block.rows:
        yield block


def _pair(number: int, row: str) -> _Token:
    columns = row.split("\t") if "\t" in row else row.split()
    if len(columns) != 2 or not all(column.strip() for column in columns):  # noqa: PLR2004
        raise LineError(number, f"{row!r}. Expected a token and its tag with a tab or a space between them")
    token, tag = (column.strip() for column in columns)
    return _Token(number, token, True, [(token, tag)])


def _tokens(rows: Sequence[tuple[int, str]], tags: TagSet) -> Iterator[_Token]:
    """Tokens of a CoNLL-U sentence; a range such as 3-4 is one token of two words, empty nodes are no words."""
    token, last, expected = None, 0, 1
    for line, row in rows:
        columns = _columns(line, row)
        number, form = columns[:2]
        if span := _RANGE.fullmatch(number):
            if int(span[1]) != expected or int(span[2]) < expected or expected <= last:
                raise LineError(line, f"the range {number}, where word {expected} was to come")
            last, token = int(span[2]), _Token(line, form, _space_after(columns), [])
        elif _PLAIN.fullmatch(number) and int(number) == expected:
            if expected > last or token is None:
                last, token = expected, _Token(line, form, _space_after(columns), [])
            token.words.append((form, _label(columns, tags)))
            expected += 1
            if expected > last:
                yield token
        elif not _EMPTY.fullmatch(number):
            raise LineError(line, f"the word id {number!r}. Expected {expected}, a range or an empty node such as 3.1")
    if expected <= last:
        raise LineError(rows[-1][0], f"the sentence ends before word {last} of the range that was begun")


def _columns(line: int, row: str) -> list[str]:
    columns = row.split("\t")
    if len(columns) != _COLUMNS:
        raise LineError(line, f"{len(columns)} columns. Expected {_COLUMNS} with a tab between them, as CoNLL-U has")
    return columns


def _space_after(columns: list[str]) -> bool:
    return "SpaceAfter=No" not in columns[_MISC].split("|")


def _label(columns: list[str], tags: TagSet) -> str:
    if tags == "ne":
        pairs = (pair.partition("=") for pair in columns[_MISC].split("|"))
        return next((value for key, _, value in pairs if key.upper() in ("NER", "NE")), "O")
    return columns[_UPOS if tags == "upos" else _XPOS]


def _sentence(block: _Block, tokens: list[_Token], tags: TagSet) -> TaggedSentence:
    text = block.about.get("text") or _joined(tokens)
    words, labels = _located(text, tokens)
    return TaggedSentence(block.about.get("sent_id") or None, text, spans_of(words, labels, tags))


def _joined(tokens: list[_Token]) -> str:
    return "".join(token.form + " " * token.space_after for token in tokens).rstrip()


def _located(text: str, tokens: list[_Token]) -> tuple[list[Word], list[str]]:
    """The words by the characters of the text, and their labels."""
    words: list[Word] = []
    at = 0
    for token in tokens:
        at = _next(text, at)
        if not text.startswith(token.form, at):
            raise LineError(
                token.line, f"the word {token.form!r}, where the text reads {text[at : at + 20]!r} (character {at})"
            )
        words += _parts(token, at)
        at += len(token.form)
    if rest := text[_next(text, at) :]:
        raise LineError(
            tokens[-1].line,
            f"the last word of the sentence, but its `# text` goes on with {rest[:20]!r} (character {at}). Expected a "
            f"word for every character but white space",
        )
    return words, [label for token in tokens for _, label in token.words]


def _next(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _parts(token: _Token, at: int) -> list[Word]:
    """Where the words of a token are: next to each other if they spell it, else each of them all over it."""
    forms = [form for form, _ in token.words]
    if "".join(forms) != token.form:
        return [Word(at, at + len(token.form), form) for form in forms]
    ends = [at + len("".join(forms[: n + 1])) for n in range(len(forms))]
    return [Word(end - len(form), end, form) for form, end in zip(forms, ends, strict=True)]
