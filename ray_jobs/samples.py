"""The stages before training: the encoder that all start from, and the samples that all learn from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from langvec.errors import InputError
from masking import start
from masking.alignment import Tagged, encode, encode_pairs
from masking.curriculum import Curriculum
from masking.encoder import Embedding
from masking.entities import tagged
from masking.masks import TokenMasks
from masking.parallel import Bitext, Divided, Division, Layout, divide_all, join, pairs, plain, sentences
from masking.pretraining import LOG, Lesson, pretrain
from masking.start import AnyStart
from masking.tokens import Tokens
from ray_jobs import sentences as stored
from ray_jobs.lem_recipe import HELD_OUT, LemRecipe, name_of
from ray_jobs.stages import Desk, Piece, Place
from ray_jobs.tag_results import ENTITIES

FORMAT = 1  # raise when a stage writes something else than before
DEV = "dev"
SETS = "sets.parquet"  # dev and test pairs
_SET = pa.schema([(name, pa.string()) for name in ("set", "pair", "id", "source", "target")])
_LEAST = 2  # pairs that can be told apart
_VALIDATED = 200  # samples of a head's own validation
_SHORT = 4  # tokens that a text has at least, more or less: more texts than that are not needed


def start_piece(recipe: LemRecipe, texts: Mapping[str, Piece]) -> Piece:
    """The encoder, its vocabulary trimmed to all texts of the run, its head trained if it came without."""
    encoder = recipe.encoder.model_dump(exclude={"model", "revision"})  # these are in its identity
    config = {"encoder": encoder, "head": recipe.head.model_dump(), "seed": recipe.seed, "format": FORMAT}
    if recipe.embedding.prefix:
        config["prefix"] = recipe.embedding.prefix  # is read, too
    work = partial(_begin, recipe.encoder, recipe.head, recipe.embedding, recipe.seed)
    place = Place(recipe.compute.cpus_per_worker, recipe.compute.gpus_per_worker)
    return Piece("start", "encoder", work, config, recipe.encoder.identity(), texts, recipe.seed, place)


def _begin(encoder: AnyStart, head: Curriculum, embedding: Embedding, seed: int, desk: Desk) -> dict[str, Any]:
    def texts() -> Iterator[str]:
        return (text for folder in desk.needed.values() for text in stored.texts(folder) if text)

    def read() -> Iterator[str]:
        """Also as it is judged, for a vocabulary without the pieces of the prefix would divide that otherwise."""
        return chain(texts(), (embedding.prefix + text for text in texts()) if embedding.prefix else ())

    begun, fresh = encoder.begin(read, seed)
    layer, layers = embedding.layer, begun.model.config.num_hidden_layers
    if layer is not None and layer > layers:
        raise InputError(
            f"embedding.layer is {layer}, the encoder has {layers} layers. Expected a layer from 0 to that."
        )
    start.save(begun, desk.folder)
    account: dict[str, Any] = {"pieces": len(begun.tokenizer), "layers": layers, "fresh_head": fresh}
    account["parameters"] = sum(weight.numel() for weight in begun.model.parameters())
    if fresh:
        account["head"] = _head_trained(head, [*texts()], seed, desk)
    return account


def _head_trained(head: Curriculum, texts: Sequence[str], seed: int, desk: Desk) -> dict[str, Any]:
    """Teach a fresh head to guess pieces, any of them, from what the encoder says; the encoder stays as it is."""
    order = np.random.default_rng(seed).permutation(len(texts))[: head.tokens // _SHORT if head.tokens else None]
    tokens = encode(start.load(desk.folder).tokenizer, [Tagged(texts[place], ()) for place in order])
    few = Tokens.of([tokens[place] for place in range(min(len(tokens), _VALIDATED))])
    lesson = Lesson(desk.folder, tokens, few, seed, "head", desk.memory, head_only=True)
    account = pretrain(head, TokenMasks(), lesson, desk.folder)
    (desk.folder / LOG).unlink()
    return {name: account[name] for name in ("tokens", "train_loss", "validation_loss")}


def samples_piece(
    recipe: LemRecipe, group: str, begun: Piece, blocks: Mapping[str, Sequence[Piece]], tests: Mapping[str, Piece]
) -> Piece:
    """What the encoders of one group learn from and are judged by.

    `blocks` are of entities, by language, or `mono CODE` for other text; `tests` are sentences, by `NAME CODE`.
    """
    several = recipe.groups()[group]
    codes = {code for pair in several for code in pair}
    wanted = {label: some for label, some in blocks.items() if label.split()[-1] in codes}
    needs = {"start": begun} | {f"{label} {n:05}": one for label, some in wanted.items() for n, one in enumerate(some)}
    needs |= {f"test {label}": one for label, one in tests.items() if label.split()[-1] in codes}
    config = {"division": recipe.division.model_dump(), "layout": recipe.layout.model_dump(), "seed": recipe.seed}
    config |= {"pairs": several, "format": FORMAT}
    work = partial(
        _make, several, recipe.division, recipe.layout, tuple(recipe.tests), bool(recipe.monolingual), recipe.seed
    )
    return Piece("samples", group, work, config, needs=needs, seed=recipe.seed)


def _make(
    several: Sequence[tuple[str, str]],
    division: Division,
    layout: Layout,
    tests: Sequence[str],
    other_text: bool,
    seed: int,
    desk: Desk,
) -> dict[str, Any]:
    tables = {code: _entities(desk, code) for code in dict.fromkeys(code for pair in several for code in pair)}
    joined = {name_of(pair): join(tables[pair[0]], tables[pair[1]], division.wrong_tags, seed) for pair in several}
    divided = divide_all(joined, division, seed)
    for name, one in divided.items():
        _refuse_empty(name, one)
    rows = [row for name, one in divided.items() for part in (DEV, HELD_OUT) for row in _rows(part, name, one)]
    rows += [row for test in tests for pair in several for row in _test_rows(desk, test, pair)]
    pq.write_table(pa.Table.from_pylist(rows, _SET), desk.folder / SETS)
    train, dev = ([getattr(one, part) for one in divided.values()] for part in ("train", "dev"))
    kept_back = {
        plain(text)
        for one in divided.values()
        for part in (one.dev, one.test)
        for side in part.texts()
        for text in side
    }
    first = _other(desk, several, kept_back) if other_text else sentences(train)
    tokenizer = start.load(desk.needed["start"]).tokenizer
    counts = {}
    for name, tokens in (
        ("mono", encode(tokenizer, first, layout.max_tokens)),
        ("mono-dev", encode(tokenizer, sentences(dev), layout.max_tokens)),
        ("para", encode_pairs(tokenizer, pairs(train, layout), layout.max_tokens, layout.separated)),
        ("para-dev", encode_pairs(tokenizer, pairs(dev, layout), layout.max_tokens, layout.separated)),
    ):
        pq.write_table(tokens.to_table(), desk.folder / f"{name}.parquet", compression="zstd")
        counts[name] = {"samples": len(tokens), "tokens": len(tokens.ids)}
    parts = {
        name: {"train": len(one.train), "dev": len(one.dev), "test": len(one.test)} for name, one in divided.items()
    }
    left_out = {name: one.dropped for name, one in divided.items()}
    for pair in several:
        left_out[name_of(pair)] |= _without_partner(pair, *(tables[code] for code in pair))
    return {"samples": counts, "pairs": parts, "left_out": left_out}


def _without_partner(pair: tuple[str, str], *tables: pa.Table) -> dict[str, int]:
    """How many sentences of each side have an id that the other has not."""
    ids = [set(table["id"].to_pylist()) for table in tables]
    counts = len(ids[0] - ids[1]), len(ids[1] - ids[0])
    return {f"{code} without a partner": count for code, count in zip(pair, counts, strict=True)}


def _entities(desk: Desk, label: str) -> pa.Table:
    """The blocks of one language, or of other text in it."""
    files = [folder / ENTITIES for name, folder in desk.needed.items() if name.rpartition(" ")[0] == label]
    return pa.concat_tables([pq.read_table(file) for file in files])


def _other(desk: Desk, several: Sequence[tuple[str, str]], kept_back: set[str]) -> list[Any]:
    """The text of the first stage that is not a side of the pairs; nothing that is held out."""
    codes = {code for pair in several for code in pair}
    there = [code for code in sorted(codes) if any(name.startswith(f"mono {code} ") for name in desk.needed)]
    found = [one for code in there for one in tagged(_entities(desk, f"mono {code}"))]
    return [
        one
        for one in {one.text: one for one in found}.values()
        if one.text.strip() and plain(one.text) not in kept_back
    ]


def _refuse_empty(name: str, divided: Divided) -> None:
    if min(len(divided.train), len(divided.dev), len(divided.test)) < _LEAST:
        dropped = ", ".join(f"{count} {reason}" for reason, count in divided.dropped.items() if count)
        raise InputError(
            f"{name}: {len(divided.train)} pairs to learn from, {len(divided.dev)} to stop by, {len(divided.test)} to "
            f"judge by (left out: {dropped or 'none'}). Expected {_LEAST} or more of each: the same ids in both "
            f"languages, more text, or larger `division.dev` and `division.test`."
        )


def _rows(part: str, name: str, divided: Divided) -> Iterator[dict[str, str]]:
    bitext: Bitext = divided.dev if part == DEV else divided.test
    for id, source, target in zip(bitext.ids, bitext.source, bitext.target, strict=True):
        yield {"set": part, "pair": name, "id": id, "source": source.text, "target": target.text}


def _test_rows(desk: Desk, test: str, pair: tuple[str, str]) -> Iterator[dict[str, str]]:
    """The sentences of a test that both languages have, each text once."""
    sides = []
    for code in pair:
        folder = desk.needed.get(f"test {test} {code}")
        if folder is None:
            return
        tables = [pq.read_table(file) for file in sorted(folder.glob("*.parquet"))]
        sides.append(
            {id: text for table in tables for id, text in zip(*table.to_pydict().values(), strict=True) if text}
        )
    seen = set[str]()
    for id, source in sides[0].items():
        target = sides[1].get(id)
        if target and not seen & {source, target}:
            seen |= {source, target}
            yield {"set": test, "pair": name_of(pair), "id": id, "source": source, "target": target}


def read_sets(folder: Path) -> dict[tuple[str, str], tuple[list[str], list[str], list[str]]]:
    """Ids, sources and targets by set and pair."""
    found: dict[tuple[str, str], tuple[list[str], list[str], list[str]]] = {}
    for row in pq.read_table(folder / SETS).to_pylist():
        columns = found.setdefault((row["set"], row["pair"]), ([], [], []))
        for column, name in zip(columns, ("id", "source", "target"), strict=True):
            column.append(row[name])
    return found
