"""Tagged sentences in the two formats that stanza's trainers read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from masking.tagging.kinds import TagSet
from masking.tagging.tagged import TaggedSentence, labels_of
from masking.tagging.words import pieces

Labelled = list[tuple[str, str]]  # words with a tag each


def labelled(sentence: TaggedSentence, tags: TagSet) -> Labelled:
    """By our own words, for text to be tagged later is taken apart in the same way."""
    words = pieces(sentence.text)
    return list(zip([word.text for word in words], labels_of(words, sentence, tags), strict=True))


def write_conllu(file: Path, sentences: Sequence[Labelled]) -> None:
    """CoNLL-U with universal tags alone, so that no time goes into tags that nobody asks for."""
    with file.open("w", encoding="utf-8") as stream:
        for sentence in filter(None, sentences):
            for number, (text, tag) in enumerate(sentence, 1):
                # A tree is asked for by stanza's scorer, not by the tagger: every word hangs on the first.
                tree = ("0", "root") if number == 1 else ("1", "dep")
                row = [str(number), text, "_", _UNTAGGED if tag == "_" else tag, "_", "_", *tree, "_", "_"]
                stream.write("\t".join(row) + "\n")
            stream.write("\n")


_UNTAGGED = "X"  # stanza refuses a word without a tag; in UD this is "other"


def write_json(file: Path, sentences: Sequence[Labelled]) -> None:
    """The JSON that stanza's named-entity trainer reads."""
    rows = [[{"text": text, "ner": tag} for text, tag in sentence] for sentence in filter(None, sentences)]
    file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
