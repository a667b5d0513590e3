"""The grid of translators: ranking by size by direction by seed, each judged on pairs that were held out."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from langvec.errors import InputError
from masking.translation import AnyTranslator
from masking.translation.recipe import PretrainedTranslator
from ray_jobs.curate_held import read_held
from ray_jobs.curate_ranks import read_kept
from ray_jobs.curate_recipe import CurateRecipe, Direction
from ray_jobs.stages import Desk, Piece, Place

FORMAT = 1  # raise when the stage writes something else than before
TRANSLATIONS = "translations.parquet"
Pairs = list[tuple[str, str]]


def translated_piece(
    recipe: CurateRecipe,
    how: AnyTranslator,
    identity: Mapping[str, str],
    kept: Piece,
    held_out: Piece,
    direction: Direction,
    seed: int,
) -> Piece:
    languages = next(iter(recipe.bitexts.values())).languages
    target = languages[1] if direction == "forward" else languages[0]
    translator = turned(how) if direction == "backward" else how
    config = {"how": translator.model_dump(exclude={"model", "revision"}), "direction": direction, "target": target}
    return Piece(
        "translated",
        f"{kept.name}.{direction}.{seed}",
        partial(_translate, translator, direction, target, seed),
        config | {"seed": seed, "format": FORMAT},
        identity,
        {"kept": kept, "held_out": held_out},
        seed,
        translators_place(recipe),
    )


def translators_place(recipe: CurateRecipe) -> Place:
    """What a translator asks of the cluster."""
    return Place(recipe.compute.cpus_per_translator, recipe.compute.gpus_per_translator, actor=True)


def turned(how: AnyTranslator) -> AnyTranslator:
    """The same translator the other way round."""
    if isinstance(how, PretrainedTranslator):
        return how.model_copy(update={"source_code": how.target_code, "target_code": how.source_code})
    return how


def _translate(how: AnyTranslator, direction: Direction, target: str, seed: int, desk: Desk) -> dict[str, Any]:
    from masking.translation.decoding import translate
    from masking.translation.judging import judged
    from masking.translation.training import Course, learn

    train = _directed(read_kept(desk.needed["kept"]), direction)
    if not train:
        raise InputError("No pair is left to learn translation from. Expected some; see results/curation-reasons.csv.")
    dev, test = (_directed(read_held(desk.needed["held_out"], part), direction) for part in ("dev", "test"))
    with tempfile.TemporaryDirectory() as scratch:  # the model is as large as the run, and not asked for
        account = learn(how, Course(train, dev, seed, desk.memory), Path(scratch))
        found = translate(Path(scratch), [source for source, _ in test], how)
    references = [reference for _, reference in test]
    columns = {"source": [source for source, _ in test], "reference": references, "translation": found}
    pq.write_table(pa.table(columns), desk.folder / TRANSLATIONS, compression="zstd")
    return {"pairs": len(train), "figures": judged(found, references, target), "learnt": account}


def _directed(pairs: Pairs, direction: Direction) -> Pairs:
    return pairs if direction == "forward" else [(target, source) for source, target in pairs]
