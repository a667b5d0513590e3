"""The recipe of curation as the papers have it, whole, on small files in the formats of the public ones."""

from __future__ import annotations

import gzip
import lzma
import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import BertConfig, BertModel, M2M100Config, M2M100ForConditionalGeneration

from masking.tokenizers import learn_tokenizer
from ray_jobs.curate import JOB
from ray_jobs.curate_recipe import CurateRecipe
from ray_jobs.curate_results import write_results
from ray_jobs.loading import load_recipe
from ray_jobs.store import Store
from tests.masking.test_translation_pretrained import SIZES, tokenizer_of
from tests.ray_jobs.here import walk_here

pytestmark = pytest.mark.usefixtures("one_thread")

ENGLISH = ["dog", "cat", "sees", "hears", "old", "red", "the", "house", "river", "boat"]
SINHALA = ["බලු", "පූස්", "දකී", "අසයි", "වයස", "රතු", "එම", "ගෙය", "ගඟ", "ඔරු"]
WORDS = dict(zip(ENGLISH, SINHALA, strict=True))


def pairs(count: int, seed: int) -> list[tuple[str, str]]:
    draw = random.Random(seed)
    lines = [draw.choices(list(WORDS), k=draw.randint(4, 9)) for _ in range(count)]
    return [(" ".join(line), " ".join(WORDS[word] for word in line)) for line in lines]


def rows(some: Sequence[tuple[str, str]]) -> bytes:
    """Source, target and LASER's score, a tab between; no names of columns."""
    return "".join(f"{a}\t{b}\t{1 + n / 1000:.4f}\n" for n, (a, b) in enumerate(some)).encode()


def write_files(folder: Path) -> None:
    (folder / "ccaligned.tsv.xz").write_bytes(lzma.compress(rows(pairs(60, 1))))
    (folder / "eng_Latn-sin_Sinh.gz").write_bytes(gzip.compress(rows(pairs(60, 2))))
    mined = pairs(40, 3)
    for end, lines in (("en", [a for a, _ in mined]), ("si", [b for _, b in mined]), ("scores", ["1.07"] * 40)):
        (folder / f"CCMatrix.{end}").write_text("".join(f"{line}\n" for line in lines))
    for code, side in (("eng_Latn", 0), ("sin_Sinh", 1)):
        (folder / "flores" / code).mkdir(parents=True)
        texts = [pair[side] for pair in pairs(12, 4)]
        table = pa.table({"id": list(range(12)), "text": texts})
        pq.write_table(table, folder / "flores" / code / "devtest.parquet")


def write_models(folder: Path) -> None:
    torch.manual_seed(1)
    tokenizer = learn_tokenizer([text for pair in pairs(100, 1) for text in pair], 150)
    shape = {"hidden_size": 16, "num_hidden_layers": 8, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(tokenizer), **shape)).save_pretrained(folder / "encoder")
    tokenizer.save_pretrained(folder / "encoder")
    nllb = tokenizer_of("nllb")
    M2M100ForConditionalGeneration(M2M100Config(vocab_size=len(nllb), **SIZES)).save_pretrained(folder / "nllb")
    nllb.save_pretrained(folder / "nllb")


def test_the_recipe_of_the_papers_runs_to_its_end_on_files_of_their_formats(tmp_path: Path) -> None:
    write_files(tmp_path)
    write_models(tmp_path)
    encoder = f"{{model: {tmp_path}/encoder, layer: 8}}"
    settings = (
        f"bitexts.ccaligned.files={tmp_path}/ccaligned.tsv.xz",
        f"bitexts.nllb.files={tmp_path}/eng_Latn-sin_Sinh.gz",
        f"bitexts.ccmatrix.source={tmp_path}/CCMatrix.en",
        f"bitexts.ccmatrix.target={tmp_path}/CCMatrix.si",
        f"bitexts.ccmatrix.scores={tmp_path}/CCMatrix.scores",
        f"tests.of.dataset={tmp_path}/flores",
        f"encoders={{xlmr: {encoder}, lem: {encoder}, mlm: {encoder}}}",
        "held_out={dev: 0.05, test: 0.05, most: 8}",
        f"translation.how.model={tmp_path}/nllb",
        "translation.how.epochs=1",
        "translation.rankings=[lem-cosine, random]",
        "translation.top=[20]",
        "translation.seeds=1",
    )
    recipe = load_recipe(CurateRecipe, "curation-paper", settings)
    store = Store.open(str(tmp_path / "run"))
    write_results(store, walk_here(JOB, store, recipe), recipe)
    translated = store.table("results/translation.parquet").to_pylist()
    assert {(row["ranking"], row["direction"]) for row in translated} == {
        (ranking, direction) for ranking in ("lem-cosine", "random") for direction in ("forward", "backward")
    }
    assert {row["items"] for row in translated} == {12}  # those of FLORES
    kept = store.table("results/curation-kept-given.parquet").to_pylist()
    assert [row["score"] for row in kept] == sorted((row["score"] for row in kept), reverse=True)
    assert max(row["score"] for row in kept) == pytest.approx(1.07)  # CCMatrix's, in a file of its own
