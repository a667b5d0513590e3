"""Tags looked up word by word, as the authors of LEM did: no context, but nothing to train or to download."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field

from langvec.errors import InputError
from masking.contents import content_hash
from masking.tagging.base import LocalPath, Sentence, Span, TaggerRecipe
from masking.tagging.kinds import TagSet, bare, kind_of
from masking.tagging.reading import read_lines
from masking.tagging.tagged import TaggedSentence, TagSpan, counted, labels_of
from masking.tagging.words import words

Key = tuple[str, ...]


class Entry(NamedTuple):
    """A word, or several, and its tag."""

    text: str
    tag: str


class _Form(NamedTuple):
    """A word of a text as it is compared, alone and with the signs that part it from the word before."""

    start: int
    end: int
    alone: str
    led: str


class LexiconRecipe(TaggerRecipe):
    """A list of words with tags. Where several entries begin at a word, the one of most words counts."""

    kind: Literal["lexicon"] = "lexicon"
    file: LocalPath = Field(description="lines entry<TAB>tag; an entry may be several words, such as a name")
    tags: TagSet = Field(description="the tag set of the file: upos, penn, sinhala, or ne for names of any kind")
    ignore_case: bool = Field(True, description="Mark and mark are one word; switch it off for names in Latin script")

    def problems(self) -> list[str]:
        """Also of the first entry, for a wrong format mostly shows there."""
        if not Path(self.file).is_file():
            return [f"tagger lexicon: there is no file {self.file}. Check the path."]
        try:
            next(read_lexicon(Path(self.file)), None)
        except InputError as error:
            return [f"tagger lexicon: {error}"]
        return []

    def identity(self) -> dict[str, str]:
        return {"file": content_hash(Path(self.file))}

    def load(self) -> LexiconTagger:
        file = Path(self.file)
        return LexiconTagger(self.file, read_lexicon(file), self.tags, self.ignore_case)


class LexiconTagger:
    """Entries by the words that they are made of."""

    def __init__(self, file: str, entries: Iterable[Entry], tags: TagSet, ignore_case: bool) -> None:
        self._tags = tags
        self._ignore_case = ignore_case
        self._tag: dict[Key, str] = {}
        self._longest: dict[str, int] = {}  # words in the longest entry that begins with a word
        for entry in entries:
            self._add(file, entry)
        if not any(kind_of(tag, tags) for tag in self._tag.values()):
            raise InputError(
                f"{file}: none of its {len(self._tag)} entries has a tag that counts as a noun, a verb or a name in "
                f"tag set {tags}. Tags found: {', '.join(sorted(set(self._tag.values()))[:10]) or 'none'}. "
                f"Check `tags`."
            )

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span]]:
        """What of each sentence is in the lexicon and counts."""
        return [counted(self._found(sentence.text), self._tags) for sentence in sentences]

    def _add(self, file: str, entry: Entry) -> None:
        key = compared(entry.text, self._ignore_case)
        if not key:
            raise InputError(f"{file}: the entry {entry.text!r} holds no word. Expected letters or digits in it.")
        if self._tag.setdefault(key, entry.tag) != entry.tag:
            raise InputError(
                f"{file}: {entry.text!r} has two tags, {self._tag[key]} and {entry.tag}. Expected one; entries that "
                f"differ only in case need `ignore_case: false`."
            )
        self._longest[key[0]] = max(len(key), self._longest.get(key[0], 0))

    def _found(self, text: str) -> Iterator[TagSpan]:
        forms = _forms(text, self._ignore_case)
        at = 0
        while at < len(forms):
            sizes = range(min(self._longest.get(forms[at].alone, 0), len(forms) - at), 0, -1)
            size = next((size for size in sizes if _key(forms[at : at + size]) in self._tag), 0)
            if size:
                found = forms[at : at + size]
                yield TagSpan(found[0].start, found[-1].end, self._tag[_key(found)])
            at += size or 1


def train_lexicon(
    tagged: Iterable[TaggedSentence],
    tags: TagSet,
    min_count: int = 1,
    share: float = 0.5,
    ignore_case: bool = True,
) -> list[Entry]:
    """The words that are mostly nouns, verbs or names in tagged text, each with its most frequent tag.

    A word's `share` is that of the occurrences that count as the same kind (NOUN and PROPN both as noun) among all its
    occurrences; names of several words are entries too, and are counted only where they are tagged.
    """
    of_key: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for sentence in tagged:
        forms = _forms(sentence.text, ignore_case)
        for form, label in zip(forms, _labels(sentence, tags), strict=True):
            of_key[form.alone,][label] += 1
        for span in sentence.spans:
            name = _forms(sentence.text[span.start : span.end], ignore_case)
            if len(name) > 1:
                of_key[_key(name)][span.tag] += 1
    tag_of = {key: _tag(counts, tags, min_count, share) for key, counts in of_key.items()}
    return sorted(Entry(" ".join(key), tag) for key, tag in tag_of.items() if tag)


def write_lexicon(entries: Iterable[Entry], file: Path) -> None:
    """Sorted lines entry<TAB>tag: the same entries give the same bytes."""
    lines = sorted({f"{entry.text}\t{entry.tag}\n" for entry in entries})
    file.write_text("".join(lines), encoding="utf-8", newline="\n")


def read_lexicon(file: Path) -> Iterator[Entry]:
    """The entries of a file; InputError names the line that is none."""
    for number, line in enumerate(read_lines(file), 1):
        columns = [column.strip() for column in line.split("\t")]
        if len(columns) == len(Entry._fields) and all(columns):
            yield Entry(*columns)
        elif line.strip():
            raise InputError(f"{file}, line {number}: {line.rstrip()!r}. Expected an entry, a tab and its tag.")


def compared(text: str, ignore_case: bool) -> Key:
    """What entries are equal by: their words, and the signs between them; empty if there is no word."""
    forms = _forms(text, ignore_case)
    return _key(forms) if forms else ()


def _forms(text: str, ignore_case: bool) -> list[_Form]:
    forms: list[_Form] = []
    for start, end, word in words(text):
        alone = _folded(word, ignore_case)
        between = text[forms[-1].end if forms else 0 : start]
        forms.append(_Form(start, end, alone, "".join(between.split()) + alone))
    return forms


def _key(forms: Sequence[_Form]) -> Key:
    """Signs inside an entry count, those about it do not: `Congo (Kinshasa)` is not `Congo. Kinshasa`."""
    return (forms[0].alone, *(form.led for form in forms[1:]))


def _folded(text: str, ignore_case: bool) -> str:
    """Composed, for text from elsewhere may spell a vowel or an accent with two characters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold() if ignore_case else text)


def _labels(sentence: TaggedSentence, tags: TagSet) -> list[str]:
    """The tag of each word; none for a part of a longer name, which is an entry of its own."""
    labels = labels_of(words(sentence.text), sentence, tags)
    if tags != "ne":
        return labels
    return [
        "O" if label.startswith("I-") or after.startswith("I-") else bare(label)
        for label, after in pairwise([*labels, "O"])
    ]


def _tag(counts: Counter[str], tags: TagSet, min_count: int, share: float) -> str | None:
    """The most frequent tag of a word if it counts and its kind is frequent enough."""
    best = min(counts, key=lambda tag: (-counts[tag], tag))
    kind = kind_of(best, tags)
    same = sum(count for tag, count in counts.items() if kind_of(tag, tags) == kind)
    return best if kind and counts.total() >= min_count and same >= share * counts.total() else None
