"""Vectors that recipes name: of a finished run, of a table, made of text in the same run, or several side by side."""

from __future__ import annotations

import hashlib
import os
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from pydantic import Field, field_validator

from langvec.addresses import absolute
from langvec.alchemy import Block
from langvec.cleaning import Cleaning
from langvec.config import Strict
from langvec.errors import InputError
from langvec.outside import OutsideTable
from langvec.sources import AnySource
from langvec.sources.base import content_hash
from langvec.vectors import LanguageVectors
from ray_jobs import entropy2vec
from ray_jobs.recipe import Recipe
from ray_jobs.results import suffix
from ray_jobs.stages import Desk, Piece, Stage
from ray_jobs.store import RECIPE, Store

VECTORS = "vectors.parquet"
FORMAT = 1  # raise when a block is made otherwise than before
_MADE = "ngram"  # the models of vectors that are made in the run
_TREE = "tree"


class RunVectors(Strict):
    """The vectors of a run that `langscape entropy2vec` has finished."""

    kind: Literal["run"] = "run"
    run: str = Field(description="its directory: a path, or s3://, gs://")
    models: Literal["transformer", "ngram"] | None = Field(None, description="kind of models; null: the recipe's first")

    @field_validator("run")
    @classmethod
    def _absolute(cls, run: str) -> str:
        return absolute(run)

    def identity(self) -> dict[str, str]:
        return {"vectors": hashlib.sha256(self._stored()).hexdigest()}

    def block(self, codes: tuple[str, ...]) -> Block:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / VECTORS
            file.write_bytes(self._stored())
            return of_languages(LanguageVectors.load(file), codes)

    def _stored(self) -> bytes:
        store = Store.open(self.run)
        recipe = yaml.safe_load(store.read(RECIPE) or b"")
        models = recipe.get("models", ()) if isinstance(recipe, dict) else ()
        kinds = [model["kind"] for model in models]
        if self.models not in (None, *kinds) or not kinds:
            found = f"It has {' and '.join(kinds)} models." if kinds else "It is no run of `langscape entropy2vec`."
            raise InputError(f"{self.run} has no vectors of {self.models or 'any'} models. {found} Name another run.")
        name = f"results/vectors{suffix(self.models or kinds[0], kinds)}.parquet"
        if (stored := store.read(name)) is None:
            raise InputError(f"{self.run} has no {name} yet. Let `langscape entropy2vec` finish it, or name another.")
        return stored


class TableVectors(Strict):
    """Features of languages out of a table, such as URIEL's."""

    kind: Literal["table"] = "table"
    file: str = Field(description="CSV, TSV or NPZ: a code first in each line, numbers behind it")
    missing: float | None = Field(None, description="a number that stands for an unknown value, e.g. -1")

    @field_validator("file")
    @classmethod
    def _absolute(cls, file: str) -> str:
        return os.path.abspath(os.path.expanduser(file))

    def identity(self) -> dict[str, str]:
        return {"table": content_hash(Path(self.file))}

    def block(self, codes: tuple[str, ...]) -> Block:
        return Block(codes, OutsideTable.read(self.file, self.missing).values_of(codes))


class TextVectors(Strict):
    """Vectors made in the same run: n-grams of each language read the text of all, as `entropy2vec` does."""

    kind: Literal["text"] = "text"
    corpora: tuple[AnySource, ...] = Field(description="where the text of each language comes from")
    cleaning: Cleaning = Cleaning(romanise="uroman")

    def stages(self, seed: int) -> list[Stage]:
        recipe = Recipe(seed=seed, corpora=self.corpora, cleaning=self.cleaning)
        return [stage for stage in entropy2vec.stages(recipe) if stage.name != _TREE]


class JoinedVectors(Strict):
    """Other vectors of the recipe side by side; each counts as much as another, whatever its size."""

    kind: Literal["joined"] = "joined"
    of: tuple[str, ...] = Field(min_length=2, description="names of the others")


AnyVectors = Annotated[RunVectors | TableVectors | TextVectors | JoinedVectors, Field(discriminator="kind")]


def of_languages(vectors: LanguageVectors, codes: tuple[str, ...]) -> Block:
    """Rows of these languages, each in its own script or else in the only other one there is."""
    places = {code: place for place, code in enumerate(vectors.codes)}
    found = {}
    for code in codes:
        others = [known for known in vectors.codes if known.partition("_")[0] == code.partition("_")[0]]
        if code in places or len(others) == 1:
            found[code] = places[code if code in places else others[0]]
    return Block(tuple(found), vectors.vectors[list(found.values())])


def block_piece(name: str, how: RunVectors | TableVectors | TextVectors, codes: tuple[str, ...], seed: int) -> Piece:
    """The vectors of these languages as a table."""
    config = {"codes": codes, "format": FORMAT, "kind": how.kind}
    if isinstance(how, TextVectors):
        made = next(stage for stage in how.stages(seed) if stage.name == "vectors")
        needs = {"vectors": next(piece for piece in made.pieces if piece.name == _MADE)}
        return Piece("features", name, partial(_write_made, codes), config, needs=needs)
    config |= how.model_dump(exclude={"run", "file"})
    return Piece("features", name, partial(_write, how, codes), config, how.identity())


def _write(how: RunVectors | TableVectors, codes: tuple[str, ...], desk: Desk) -> dict[str, Any]:
    return write_block(how.block(codes), desk.folder)


def _write_made(codes: tuple[str, ...], desk: Desk) -> dict[str, Any]:
    return write_block(of_languages(LanguageVectors.load(desk.needed["vectors"] / VECTORS), codes), desk.folder)


def write_block(block: Block, folder: Path) -> dict[str, Any]:
    rows = pa.array(list(block.values), pa.list_(pa.float64()))
    pq.write_table(pa.table({"lang": pa.array(block.codes, pa.string()), "vector": rows}), folder / VECTORS)
    return {"languages": len(block.codes), "dimensions": block.values.shape[1]}


def read_block(folder: Path) -> Block:
    import numpy as np

    table = pq.read_table(folder / VECTORS)
    return Block(tuple(table["lang"].to_pylist()), np.array(table["vector"].to_pylist(), np.float64))
