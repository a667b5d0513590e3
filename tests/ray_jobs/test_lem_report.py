"""The report of a run of `lem`: what it says, what it leaves out, and that it is the same whenever it is made."""

import io
import shutil
import unicodedata
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from masking.entities import entity_table
from masking.masks import LemMasks
from masking.tagging.base import Sentence, Span
from masking.tokenizers import learn_tokenizer, load_tokenizer
from ray_jobs.lem_recipe import LemRecipe
from ray_jobs.outcomes import ALL
from ray_jobs.redraw import redraw
from ray_jobs.report import PAGE
from ray_jobs.report.lem import write_report
from ray_jobs.report.lem_findings import Comparison
from ray_jobs.report.lem_masked import segments
from ray_jobs.report.lem_words import verdict, verdicts
from ray_jobs.store import Store
from tests.ray_jobs.test_report import Page, files
from tests.small_run import HOSTILE, put, put_piece, rows

CODES = ("eng_Latn", "tam_Taml")
PAIR = "-".join(CODES)
TEXTS = {
    "eng_Latn": ("Nimal sees the old house by the sea in Colombo.", "The people of Galle eat fish on every day."),
    "tam_Taml": ("நிமல் கொழும்பில் கடலோரம் பழைய வீட்டைப் பார்க்கிறான்.", "காலி மக்கள் ஒவ்வொரு நாளும் மீன் சாப்பிடுகிறார்கள்."),
}
SECTIONS = {"recall", "curves", "hidden", "masked", "mined", "sweep", "coverage", "costs", "recipe"}
DRAWN_FROM = {
    "lem-differences": {"recall", "mined"},  # which arm is best stands there
    "lem-curves": {"curves"},
    "lem": {"hidden"},
    "lem-mined": {"mined"},
    "sweep-entities-arms": {"sweep"},
    "coverage": {"coverage"},
}


def recipe(**changes: Any) -> LemRecipe:
    return LemRecipe.model_validate(
        {
            "corpora": [{"kind": "udhr", "languages": list(CODES)}],
            "taggers": {code: {"kind": "salience"} for code in CODES},
            "pairs": [list(CODES)],
            "encoder": {"kind": "scratch"},
        }
        | changes
    )


def row(arm: str, mean: float, difference: tuple[float, float, float] | None = None, **changes: Any) -> dict[str, Any]:
    """One row of a table of differences; those of one seed unless told otherwise."""
    value, low, high = difference or (None, None, None)
    about = {"set": "held_out", "pair": ALL, "metric": "mined", "arm": arm, "mean": mean, "seeds": 1, "items": 40}
    above = {"sd_of_seeds": None, "baseline": "mlm", "difference": value, "low": low, "high": high}
    return about | above | {"p": None if difference is None else 0.25} | changes


def compared(more: str = "lem") -> list[dict[str, Any]]:
    found = [row("untouched", 0.1, (-0.2, -0.3, -0.1)), row(more, 0.4, (0.1, 0.02, 0.18)), row("mlm", 0.3)]
    places = [{"pair": pair, "metric": metric} for pair in (ALL, PAIR) for metric in ("mined", "forward", "backward")]
    return [one | place for place in places for one in found]


def encoder_row(arm: str) -> dict[str, Any]:
    row = {"arm": arm, "seed": 1, "group": PAIR, "set": "held_out", "pair": PAIR, "metric": "mined", "value": 0.5}
    for step in ("mono", "para"):
        row |= {f"{step}_tokens": 1234, f"{step}_mask_rate": 0.15, f"{step}_masks_on_ne": 0.625}
        row |= {f"{step}_masks_on_{kind}": 0.125 for kind in ("noun", "verb", "filler")}
    return row


def curve(arm: str, step: str, epoch: int) -> dict[str, Any]:
    about = {"arm": arm, "seed": 1, "group": PAIR, "step_of_training": step, "epoch": epoch, "tokens": 1000 * epoch}
    return about | {"train_loss": 5 / epoch, "validation_loss": 6 / epoch, "dev_retrieval": 0.1 * epoch}


def mined(arm: str, right: bool, source: str = "the sea") -> dict[str, Any]:
    about = {"arm": arm, "seed": 1, "set": "held_out", "pair": PAIR}
    return about | {"source": source, "target": "கடல்", "margin": 1.25, "right": right}


def entities(code: str, texts: tuple[str, ...]) -> bytes:
    sentences = [Sentence(str(number), text) for number, text in enumerate(texts)]
    spans = [[Span(0, text.index(" "), "NE", "x")] for text in texts]
    buffer = io.BytesIO()
    pq.write_table(entity_table(sentences, spans, code, "t"), buffer)
    return buffer.getvalue()


def make_run(folder: Path, tokenizer: Path) -> Store:
    """Everything that the page can show, in a new run directory."""
    store = Store.open(str(folder / "run"))
    store.write("recipe.yaml", recipe().to_yaml().encode())
    put(store, "results/lem-differences.parquet", rows(compared()))
    put(store, "results/sweep-entities-arms.parquet", rows(compared("lem-ne+verb")))
    put(store, "results/lem.parquet", rows([encoder_row(arm) for arm in ("lem", "mlm")]))
    curves = [curve(arm, step, n) for arm in ("lem", "mlm") for step in ("mono", "para") for n in (1, 2, 3)]
    put(store, "results/lem-curves.parquet", rows(curves))
    put(
        store,
        "results/lem-mined.parquet",
        rows([mined(arm, right) for arm in ("lem", "mlm") for right in (True, False)]),
    )
    counts = {"sentences": 60, "set_aside": 9, "without_tags": 1, "words": 938, "share_ne": 0.25}
    about = {"reasons": "no partner (9 times)", "tagger": "salience"}
    put(store, "results/coverage.parquet", rows([{"lang": code} | counts | about for code in CODES]))
    for code, texts in TEXTS.items():
        store.write(f"results/entities/{code}/00000.parquet", entities(code, texts))
    account = {"layers": 2, "pieces": 2000, "parameters": 737488}
    learnt = {"pairs": {PAIR: {"train": 26, "dev": 10, "test": 14}}}
    put_piece(
        store, "start", "encoder", {file.name: file.read_bytes() for file in tokenizer.iterdir()}, account=account
    )
    put_piece(store, "samples", PAIR, {}, account=learnt)
    put_piece(store, "para", f"{PAIR}.lem.1", {}, account={})
    return store


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    learn_tokenizer((text for texts in TEXTS.values() for text in texts), 150).save_pretrained(folder)
    return folder


def report(store: Store) -> str:
    assert write_report(store, store.records(), recipe()) == [f"report -> {store.uri}/{PAGE}"]
    return (store.read(PAGE) or b"").decode()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tokenizer: Path) -> Store:
    store = make_run(tmp_path_factory.mktemp("finished"), tokenizer)
    report(store)
    return store


@pytest.fixture
def run(finished: Store, tmp_path: Path) -> Store:
    return Store.open(shutil.copytree(finished.uri, tmp_path / "run").as_posix())


def test_a_whole_run_has_all_sections_and_its_pictures(finished: Store) -> None:
    page = Page(report(finished))
    assert set(page.ids) >= SECTIONS
    assert len(page.ids) == len(set(page.ids))
    pictures = {path.name for path in Path(finished.uri, "results/pictures").iterdir()}
    names = ("recall-held_out", "sweep-held_out", f"curves-{PAIR}")
    assert pictures == {f"{name}.{kind}" for name in names for kind in ("svg", "pdf")}


def test_the_reader_is_told_what_was_found_and_what_one_seed_cannot_tell(finished: Store) -> None:
    text = report(finished)
    assert "lem is above mlm, beyond its interval: lem finds 0.400 of the 40 pairs, mlm 0.300" in text
    assert "these encoders alone" in text
    assert "62.5%" in Page(text).words["td"]
    assert "737,488 parameters" in text


def test_a_rerun_changes_no_file_and_another_place_gives_the_same_bytes(
    run: Store, tmp_path: Path, tokenizer: Path
) -> None:
    before = files(run)
    report(run)
    assert files(run) == before
    again = make_run(tmp_path / "again", tokenizer)
    report(again)
    assert [data for data, _ in files(again).values()] == [data for data, _ in before.values()]


@pytest.mark.parametrize("name", DRAWN_FROM)
def test_a_missing_table_leaves_its_sections_out_and_no_other(run: Store, name: str) -> None:
    run.delete(f"results/{name}.parquet")
    assert SECTIONS - set(Page(report(run)).ids) == DRAWN_FROM[name]


def test_without_entities_no_sentences_are_shown(run: Store) -> None:
    run.delete_folder("results/entities")
    assert "masked" not in Page(report(run)).ids


def test_a_run_that_has_only_begun_has_its_recipe(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "run"))
    store.write("recipe.yaml", recipe().to_yaml().encode())
    assert SECTIONS & set(Page(report(store)).ids) == {"recipe"}


def test_hostile_texts_stay_texts(run: Store) -> None:
    harmless = Page(report(run))
    texts = (f"Nimal {HOSTILE} and <img src=x onerror=alert(1)> too", *TEXTS["eng_Latn"])
    run.write("results/entities/eng_Latn/00000.parquet", entities("eng_Latn", texts))
    put(run, "results/lem-mined.parquet", rows([mined("lem", False, HOSTILE)]))
    put(run, "results/lem-differences.parquet", rows([one | {"set": HOSTILE} for one in compared()]))
    put(run, "results/sweep-entities-arms.parquet", rows(compared(HOSTILE)))
    text = report(run)
    page = Page(text)
    assert page.tags.count("script") == harmless.tags.count("script")
    assert "img" not in page.tags
    assert not [name for name in page.attributes if name.startswith("on")]
    assert HOSTILE in page.words["td"]
    assert HOSTILE not in text


def test_the_page_asks_for_nothing_outside_itself(finished: Store) -> None:
    text = report(finished)
    addresses = {address.split("/")[2] for address in text.split('"') if address.startswith(("http://", "https://"))}
    assert addresses == {"www.w3.org"}  # the names of SVG and XLink, which nobody fetches


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ([row("mlm", 0.3), row("lem", 0.32, (0.02, -0.05, 0.09))], "no difference can be told between lem and mlm"),
        ([row("mlm", 0.3), row("lem", 0.1, (-0.2, -0.3, -0.1))], "no arm is above mlm; even the best of the others"),
        ([row("mlm", 0.3), row("a", 0.5, (0.2, 0.1, 0.3)), row("b", 0.4, (0.1, 0.0, 0.2))], "the best of 2"),
        ([row("mlm", 0.3), row("lem", 0.3, (0.0, 0.0, 0.0))], "no difference can be told"),
        (
            [row("mlm", 0.1), row("lem", 0.2, (0.1, 0.05, 0.2)), row("untouched", 0.4, (0.3, 0.1, 0.5))],
            "more than any trained one, beyond the interval above mlm",
        ),
        ([row("lem", 0.3)], "nothing yet to compare with"),
    ],
)
def test_a_set_is_told_in_words_that_its_intervals_allow(found: list[dict[str, Any]], said: str) -> None:
    assert said in verdict(found)


def test_nothing_is_said_of_single_seeds_where_there_are_several() -> None:
    several = [one | {"seeds": 3} for one in compared()]
    assert len(verdicts(Comparison(several))) == 1
    assert len(verdicts(Comparison(compared()))) == 2


@pytest.mark.parametrize("text", ["Nimal sees  the sea.", TEXTS["tam_Taml"][0], "ක්\u200dරියා දේශ", "e\u0301te\u0301"])
@pytest.mark.parametrize("turn", [0, 1, 2])
def test_a_sentence_cut_at_its_masks_is_whole_and_hides_the_letters_of_hidden_tokens(
    tokenizer: Path, text: str, turn: int
) -> None:
    loaded = load_tokenizer(str(tokenizer))
    encoding = loaded([text]).encodings[0]
    hidden = [place % 3 == turn for place in range(len(encoding.ids))]
    parts = list(segments(text, loaded, ([0] * len(hidden), hidden), LemMasks()))
    assert "".join(part.text for part in parts) == text
    drawn = "".join(("x" if part.hidden else "-") * len(part.text) for part in parts)
    for token, (begin, end), mask in zip(encoding.tokens, encoding.offsets, hidden, strict=True):
        if mask and token.strip("\u2581"):
            assert all(drawn[place] == "x" or text[place].isspace() for place in range(begin, end))
    assert not [part for part in parts if unicodedata.category(part.text[0]).startswith("M")]


def test_the_command_report_draws_the_page_of_a_run_of_lem(run: Store) -> None:
    run.delete(PAGE)
    assert redraw(run.uri) == [f"report -> {run.uri}/{PAGE}"]
    sections = Page((run.read(PAGE) or b"").decode()).ids
    assert "recall" in sections
    assert "costs" not in sections  # none of its pieces is one that the recipe asks for
