"""The Sinhala part-of-speech tagger in the package sinling (Senarath): its model is read, its code is not run.

The package's own loader unpickles 50 MB of other things at import. The CRF in its model file is plain bytes that
CRFsuite can open, and what surrounds it (splitting text, word stems, features) is little and done here, so that spans
come out by the characters of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from langvec.errors import InputError
from masking.tagging.base import Sentence, Span, TaggerRecipe, installed
from masking.tagging.crf import CrfModel
from masking.tagging.tagged import TagSpan, counted
from masking.tagging.words import Word

_MODEL, _STEMS, _SUFFIXES = "pos-tagger-crf-sinling.joblib", "stem_dictionary.txt", "suffixes_list.txt"

# What sinling 0.3.7 splits at and keeps as a token of its own, unless it is white space.
_DELIMITERS = re.compile(
    "([" + re.escape(".,\n ¸‚\"/-|\\—¦”‘'“’´!@#$%^&*+£?˜()[]{}:;–Ê") + "\u00a0\u2003\ufffd\uf020\uf073\uf06c\uf190"
    "\u202a\u202c\u200f])"
)
# What it takes out before it splits: leavings of old Sinhala fonts. The zero-width joiner is not among them.
_IGNORED = frozenset(
    "\u200c\u00ad\u200b\ufeff\u007f\u0081\u0088\u008f\uf086\uf02e\uf075\uf02c"
    "ŠÁÀ®¡ªº¤¼¾Óø½ˆ¢ÿ·íΩ°×µ~ƒëÎ‰»«à¨…⋆›¥˝◊ŁêÕÄáÑÍçÆôŽ€§÷é¯æîïäÔõÈÝßùåØŒÜÖÛÏñýœ¹ÉÒ"
)
_SHORT_FORM = re.compile(
    r"(?:ඒ|බී|සී|ඩී|ඊ|එෆ්|ජී|එච්|අයි|ජේ|කේ|එල්|එම්|එන්|ඕ|පී|කිව්|ආර්|එස්|ටී|යූ|වී|ඩබ|ඩබ්ලිව්|ඩබ්|එක්ස්|වයි|ඉසෙඩ්|"
    r"පෙ|ව|රු|පා|[0-9])\."
)
_STOP = "\u0d80"  # stands for a full stop that ends no word; no letter has this number


class SinlingRecipe(TaggerRecipe):
    """Sinhala nouns and verbs by the CRF of the package sinling; it finds no named entities."""

    kind: Literal["sinling"] = "sinling"

    def problems(self) -> list[str]:
        try:
            self.identity()
            _resources()
        except InputError as error:
            return [f"tagger sinling: {error}"]
        return []

    def identity(self) -> dict[str, str]:
        return {name: installed(name, "taggers") for name in ("sinling", "python-crfsuite")}

    def load(self) -> SinlingTagger:
        self.identity()
        return SinlingTagger(_resources())


class SinlingTagger:
    """The model and the stems of sinling."""

    def __init__(self, resources: Path) -> None:
        self._model = CrfModel(cut_out(resources / _MODEL), str(resources / _MODEL))
        self._stems = _read_stems(resources / _STEMS)
        self._suffixes = frozenset((resources / _SUFFIXES).read_text(encoding="utf-8").split("\n"))

    def tag(self, sentences: Sequence[Sentence]) -> list[list[Span]]:
        """Nouns and verbs of each sentence."""
        return [counted(self._tags(sentence.text), "sinhala") for sentence in sentences]

    def labels(self, words: Sequence[str]) -> list[str]:
        """The tag of each word of a sentence."""
        return self._model.tag([self._features(words, i) for i in range(len(words))])

    def _tags(self, text: str) -> Iterator[TagSpan]:
        words = tokens(text)
        for word, label in zip(words, self.labels([word.text for word in words]), strict=True):
            yield TagSpan(word.start, word.end, label)

    def _features(self, words: Sequence[str], i: int) -> dict[str, Any]:
        """What the model was trained on, by the names it knows."""
        word = words[i]
        stem, suffix = self._stem(word)
        of_word = {"bias": 1.0, word: True, "STEM": stem, "SUFF": suffix, "len(word)": len(word)}
        before = _neighbour("-1", words[i - 1]) if i else {"BOS": True}
        after = _neighbour("+1", words[i + 1]) if i + 1 < len(words) else {"EOS": True}
        return of_word | {"word.isdigit()": word.isdigit()} | before | after

    def _stem(self, word: str) -> tuple[str, str]:
        if base := self._stems.get(word):
            return base, word[len(base) :] if word.startswith(base) else ""
        # The longest suffix known; a word that is one itself keeps it.
        start = next((i for i in range(len(word)) if word[i:] in self._suffixes), 0)
        return (word[:start], word[start:]) if start else (word, "")


def tokens(text: str) -> list[Word]:
    """The words and signs that sinling's tokenizer makes, by the characters of the text as it is."""
    at = [position for position, char in enumerate(text) if char not in _IGNORED]
    kept = "".join(text[position] for position in at)
    kept = _SHORT_FORM.sub(lambda form: form[0][:-1] + _STOP, kept)
    found: list[Word] = []
    start = 0
    for part in _DELIMITERS.split(kept):
        if part.strip():
            found.append(Word(at[start], at[start + len(part) - 1] + 1, part.replace(_STOP, ".")))
        start += len(part)
    return found


def cut_out(file: Path) -> bytes:
    """The CRFsuite model inside a pickle, found by its mark and its size: nothing is unpickled, so no code can run."""
    content = file.read_bytes()
    start = content.find(b"lCRF")
    size = int.from_bytes(content[start + 4 : start + 8], "little")
    if start < 0 or size == 0 or start + size > len(content):
        raise InputError(
            f"{file} does not hold a whole CRFsuite model. Expected that of sinling 0.3.7; install this version again."
        )
    return content[start : start + size]


def _resources() -> Path:
    """Where the package's data lies, without importing it."""
    spec = find_spec("sinling")
    if spec is None or not spec.submodule_search_locations:
        raise InputError("The package sinling has no folder. Expected sinling 0.3.7; install it again.")
    folder = Path(spec.submodule_search_locations[0]) / "resources"
    missing = [name for name in (_MODEL, _STEMS, _SUFFIXES) if not (folder / name).is_file()]
    if missing:
        raise InputError(f"{folder} lacks {', '.join(missing)}. Expected the files of sinling 0.3.7; install it again.")
    return folder


def _read_stems(file: Path) -> dict[str, str]:
    pairs = (line.strip().split("\t") for line in file.read_text(encoding="utf-8").split("\n"))
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}  # noqa: PLR2004


def _neighbour(place: str, word: str) -> dict[str, Any]:
    return {f"{place}:word": word, f"{place}:word.isdigit()": word.isdigit()}
