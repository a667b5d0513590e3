"""The report of a run: safe, whole, and the same whenever it is made."""

import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ray_jobs.recipe import Recipe
from ray_jobs.report import PAGE, write_report
from ray_jobs.store import Store
from tests.small_run import CODES, HOSTILE, corpus_row, make_run, put, put_piece, recipe, rows, tree_row


class Page(HTMLParser):
    """Which elements and attributes a browser would see, and the text of headings and cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.ids: list[str] = []
        self.words: dict[str, list[str]] = {"h2": [], "td": [], "option": [], "dt": [], "pre": []}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] in self.words:
            self.words[self.tags[-1]].append(data.strip())


def report(store: Store, made_of: Recipe | None = None) -> str:
    assert write_report(store, store.records(), made_of or recipe()) == [f"report -> {store.uri}/{PAGE}"]
    return page_of(store)


def files(store: Store) -> dict[str, tuple[bytes, int]]:
    found = (path for path in Path(store.uri, "results").rglob("*") if path.is_file())
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(found)}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A run with its report, for tests that leave it as it is."""
    store = make_run(tmp_path_factory.mktemp("finished"))
    report(store)
    return store


@pytest.fixture
def run(finished: Store, tmp_path: Path) -> Store:
    """A copy of it."""
    return Store.open(shutil.copytree(finished.uri, tmp_path / "run").as_posix())


def page_of(store: Store) -> str:
    return (store.read(PAGE) or b"").decode()


def test_a_whole_run_has_all_sections_and_a_picture_of_each_kind(finished: Store) -> None:
    page = Page(page_of(finished))
    sections = {"tree", "matrix", "map", "neighbours", "scores", "sweep", "curves", "corpora", "costs", "recipe"}
    assert sections <= set(page.ids)
    pictures = {path.stem for path in Path(finished.uri, "results/pictures").iterdir()}
    trees = {"consensus-transformer", "consensus-ngram", "nested-min0.3-ngram"}
    kinds = {f"{what}-{kind}" for what in ("matrix", "map") for kind in ("transformer", "ngram")}
    assert pictures == {f"tree-{tree}" for tree in trees} | kinds | {"tree-gold", "scores", "curves-transformer"}


def test_a_rerun_changes_no_file(run: Store) -> None:
    before = files(run)
    report(run)
    assert files(run) == before


def test_the_same_run_in_another_place_gives_the_same_bytes(finished: Store, tmp_path: Path) -> None:
    again = make_run(tmp_path)
    report(again)
    assert [data for data, _ in files(again).values()] == [data for data, _ in files(finished).values()]


@pytest.mark.parametrize("name", ["results/pictures/scores.pdf", "results/report.html"])
def test_a_file_that_was_lost_is_made_again(run: Store, name: str) -> None:
    before = run.read(name)
    run.delete(name)
    report(run)
    assert run.read(name) == before


def test_half_a_page_and_a_changed_table_are_drawn_again(run: Store) -> None:
    whole = page_of(run)
    run.write(PAGE, whole[: len(whole) // 2].encode())
    assert report(run) == whole
    put(run, "results/corpora.parquet", rows([corpus_row(code) | {"lines_kept": 4567} for code in CODES]))
    assert "4,567" in report(run)


def test_pictures_of_trees_that_are_gone_are_removed(run: Store) -> None:
    run.delete("results/tree-gold.nwk")
    report(run)
    left = {path.name for path in Path(run.uri, "results/pictures").iterdir()}
    assert not [name for name in left if name.startswith("tree-gold")]
    assert "tree-consensus-transformer.svg" in left


def test_what_is_missing_leaves_its_section_out(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "run"))
    store.write("recipe.yaml", recipe().to_yaml().encode())
    put(store, "results/corpora.parquet", rows([corpus_row("deu_Latn")]))
    page = Page(report(store))
    assert {"corpora", "recipe"} <= set(page.ids)
    assert not {"tree", "matrix", "map", "neighbours", "scores", "sweep", "curves", "costs"} & set(page.ids)


def test_one_kind_of_model_has_no_choice_of_kinds(run: Store) -> None:
    page = Page(report(run, recipe(models=[{"kind": "ngram"}])))
    assert "choose-matrix" not in page.ids


def test_hostile_texts_stay_texts(run: Store) -> None:
    harmless = Page(page_of(run))
    row = corpus_row("deu_Latn") | {"name": HOSTILE, "family": '"><img src=x onerror=alert(1)>', f"lines_{HOSTILE}": 3}
    put(run, "results/corpora.parquet", rows([row]))
    put(run, "results/trees.parquet", rows([tree_row("consensus", 0), tree_row(HOSTILE, 1)]))
    put(run, "results/sweep-dbscan.parquet", rows([{HOSTILE: "'\"><svg onload=alert(1)>"}]))
    run.write("results/tree-gold.nwk", b"((deu_Latn,eus_Latn)'</svg><script>alert(1)</script>',fra_Latn);")
    put_piece(run, "vectors", "transformer", {}, versions={HOSTILE: HOSTILE})
    text = report(run, recipe(corpora=[{"kind": "files", "files": {"deu": f"{HOSTILE}.txt"}}]))
    page = Page(text)
    assert page.tags.count("script") == harmless.tags.count("script")
    assert "img" not in page.tags
    assert not [name for name in page.attributes if name.startswith("on")]
    assert HOSTILE in page.words["td"]
    assert HOSTILE not in text


def test_a_picture_in_the_page_takes_no_id_of_another_and_no_fixed_ink(finished: Store) -> None:
    text = page_of(finished)
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert "#000001" not in text
    assert "DejaVu" not in text


def test_the_page_asks_for_nothing_outside_itself(finished: Store) -> None:
    text = page_of(finished)
    addresses = {address.split("/")[2] for address in text.split('"') if address.startswith(("http://", "https://"))}
    assert addresses == {"www.w3.org"}  # the names of SVG and XLink, which nobody fetches
    assert "default-src 'none'" in text


def test_the_scores_say_their_interval_and_nothing_where_there_is_none(finished: Store) -> None:
    words = Page(page_of(finished)).words
    assert "0.800" in words["td"]
    assert "–" in words["td"]
    assert "triplets as in Glottolog, transformer, consensus" in words["dt"]
