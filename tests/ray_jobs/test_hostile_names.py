"""Names out of tables and recipes of others reach pages, pictures and names of files as nothing but names."""

import re
from pathlib import Path
from typing import Any

from ray_jobs.alchemy_recipe import AlchemyRecipe
from ray_jobs.curate_recipe import CurateRecipe
from ray_jobs.loading import load_recipe
from ray_jobs.report import classification, curate
from ray_jobs.store import Store
from tests.ray_jobs.test_report import Page, report
from tests.small_run import HOSTILE, make_run, put, rows

NASTY = f'$\\x"><img src=x onerror=alert(1)>{HOSTILE}]]>../../../../elsewhere'
JUDGED = {"value": 0.5, "low": 0.4, "high": 0.6}


def harmless(text: str, folder: Path) -> bool:
    """Whether nothing of the nasty name became an element, an attribute or a place."""
    page = Page(text)
    nothing_runs = page.tags.count("script") == 1 and "img" not in page.tags
    assert "alert(1)" in text  # it is there
    assert not [path for path in folder.rglob("*elsewhere*") if path.parent.name != "pictures"]
    return nothing_runs and not [name for name in page.attributes if name.startswith("on")]


def curated(store: Store) -> None:
    ranked = {"ranking": NASTY, "filtered": False, "noise": "all"}
    put(store, "results/curation-rankings.parquet", rows([ranked | JUDGED | {"metric": "average_precision"}]))
    put(store, "results/curation-curves.parquet", rows([ranked | {"recall": r, "precision": 0.5} for r in (0.5, 1.0)]))
    heights = {"ranking": NASTY, "kind": NASTY, "low": 0.0, "high": 1.0, "pairs": 3}
    put(store, "results/curation-histograms.parquet", rows([heights, heights | {"kind": "pairs"}]))
    translated = {"ranking": NASTY, "top": 30, "pairs": 30, "seed": 1, "metric": "chrf", "signature": NASTY}
    put(store, "results/translation.parquet", rows([translated | JUDGED | {"direction": NASTY}]))
    reasons = {"reason": NASTY, "noise": "not_noise", "pairs": 3, "first": 1, "any": 1}
    put(store, "results/curation-reasons.parquet", rows([reasons]))


def test_the_page_of_curate_shows_names_as_text(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "a/b/run"))
    store.write("recipe.yaml", b"")
    curated(store)
    curate.write_report(store, {}, load_recipe(CurateRecipe, "curation-demo"))
    assert harmless((store.read("results/report.html") or b"").decode(), tmp_path)
    assert len(list((tmp_path / "a/b/run/results/pictures").iterdir())) == 6


def test_the_pages_of_alchemy_and_sentiment_show_names_as_text(tmp_path: Path) -> None:
    store, made_of = Store.open(str(tmp_path / "a/b/run")), load_recipe(AlchemyRecipe, "alchemy-demo")
    course = next(iter(made_of.courses()))
    system: dict[str, Any] = {"encoder": NASTY, "course": course, "beside": NASTY, "baseline": NASTY, "group": "unseen"}
    system |= {"accuracy": 0.5, "macro_f1": 0.5, "accuracy_difference": 0.1, "accuracy_low": 0.0, "accuracy_high": 0.2}
    system |= {
        "sd_of_seeds": 0.1,
        "accuracy_p": 0.5,
        "p_over_languages": 0.5,
        "better_in": 1,
        "languages": 2,
        "seeds": 2,
    }
    figure = system | {"lang": NASTY, "seen": False, "seed": 1, "texts": 9}
    put(store, "results/alchemy-differences.parquet", rows([system]))
    put(store, "results/alchemy.parquet", rows([figure]))
    classification.write_report(store, {}, made_of)
    assert harmless((store.read("results/report.html") or b"").decode(), tmp_path)


def test_a_tree_whose_file_has_a_nasty_name_is_drawn_under_a_tame_one(tmp_path: Path) -> None:
    store = make_run(tmp_path)
    tame = len(Page(report(store)).tags)
    store.write('results/tree-x"><img src=x onerror=alert(1)>.nwk', b"((deu_Latn,nld_Latn),fra_Latn);")
    page = Page(report(store))
    assert len(page.tags) > tame and "img" not in page.tags
    assert not [name for name in page.attributes if name.startswith("on")]
    ids = [name for name in page.ids if "onerror" in name]
    assert ids and not [name for name in ids if re.search(r"[^\w.+-]", name)]
