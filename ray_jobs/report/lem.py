"""The page of `langscape lem`: what was hidden from encoders, and how well they find translations since."""

from __future__ import annotations

from collections.abc import Mapping

from ray_jobs.lem_recipe import LemRecipe
from ray_jobs.report.state import CODE, HERE, keep_page, state_of
from ray_jobs.stages import Record
from ray_jobs.store import Store

BLOCK = "entities/{code}/00000.parquet"  # sentences to show are taken from the first block of each language
_CODE = (*CODE, HERE.parent.parent / "masking")  # whose masks the page shows


def write_report(store: Store, records: Mapping[str, Record], recipe: LemRecipe) -> list[str]:
    """Draw what is under `results/`, as the report of `entropy2vec` does, and return the lines to print."""
    blocks = [BLOCK.format(code=code) for code in languages(recipe)]
    return keep_page(
        store, lambda: state_of(store, records, recipe, blocks, _CODE), lambda: _drawn(store, records, recipe)
    )


def languages(recipe: LemRecipe) -> list[str]:
    """Those of the pairs, each once."""
    return list(dict.fromkeys(code for pair in recipe.pairs for code in pair))


def _drawn(store: Store, records: Mapping[str, Record], recipe: LemRecipe) -> str:
    from ray_jobs.report.lem_findings import gather  # matplotlib is slow to load
    from ray_jobs.report.lem_gallery import draw
    from ray_jobs.report.lem_page import render
    from ray_jobs.report.picture import keep

    findings = gather(store, records, recipe)
    pictures = draw(findings)
    keep(store, pictures)
    return render(findings, pictures)
