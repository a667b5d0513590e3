"""A real browser opens the report from disk, with no network to ask."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from langvec.languages import find
from ray_jobs.report import PAGE, write_report
from tests.small_run import HOSTILE, make_run, put, recipe, rows, tree_row

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")

DESKTOP, PHONE = (1280, 900), (390, 844)


@dataclass
class Visit:
    """A page, and what went on behind it."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = make_run(tmp_path_factory.mktemp("page"))
    put(store, "results/trees.parquet", rows([tree_row("consensus", 0), tree_row("star", 1), tree_row(HOSTILE, 2)]))
    write_report(store, store.records(), recipe())
    return Path(store.uri, PAGE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def visit(browser: Browser, report: Path, size: tuple[int, int] = DESKTOP, scheme: str = "light") -> Visit:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        offline=True,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    found = Visit(context.new_page())
    found.page.on("request", lambda request: found.asked.append(request.url))
    found.page.on("console", lambda message: found.complaints.append(message.text))
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.on("dialog", lambda dialog: (found.complaints.append(dialog.message), dialog.dismiss()))
    found.page.goto(report.as_uri())
    return found


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_opens_without_a_complaint_a_request_or_sideways_scrolling(
    browser: Browser, report: Path, size: tuple[int, int]
) -> None:
    found = visit(browser, report, size)
    for select in found.page.locator("select").all():
        select.select_option(index=1)
    assert found.page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert [url for url in found.asked if not url.startswith("data:")] == [report.as_uri()]
    assert found.complaints == []


def in_the_cell(image: Locator, row: int, column: int, cells: int) -> tuple[float, float]:
    image.scroll_into_view_if_needed()
    box = image.bounding_box()
    assert box
    return box["x"] + (column + 0.5) * box["width"] / cells, box["y"] + (row + 0.5) * box["height"] / cells


def readout(found: Visit) -> re.Match[str]:
    words = found.page.locator(".readout").first.inner_text()
    said = re.fullmatch(r"(.+) reads (.+): ([\d.]+) ± ([\d.]+) nats per character", words)
    assert said, words
    return said


def test_the_cell_under_the_pointer_says_what_the_table_says(browser: Browser, report: Path) -> None:
    found = visit(browser, report)
    table = pq.read_table(report.with_name("matrix.parquet")).to_pylist()
    nats = {(find(row["model"]).name, find(row["text"]).name): row["nats_per_char"] for row in table}
    seen = set()
    for row, column in ((0, 0), (2, 5), (6, 1)):
        found.page.mouse.move(*in_the_cell(found.page.locator('image[id$="-cells"]').first, row, column, 7))
        said = readout(found)
        assert float(said[3]) == pytest.approx(nats[said[1], said[2]], abs=0.0005)
        assert float(said[4]) == pytest.approx(0.25, abs=0.0005)
        seen.add((said[1], said[2]))
    assert len(seen) == 3


def test_arrow_keys_go_from_cell_to_cell(browser: Browser, report: Path) -> None:
    found = visit(browser, report)
    found.page.locator(".heat").first.focus()
    found.page.keyboard.press("ArrowRight")
    first = readout(found)
    found.page.keyboard.press("ArrowRight")
    second = readout(found)
    assert first[1] == second[1]
    assert first[2] != second[2]


def test_a_finger_on_a_cell_is_as_good_as_a_pointer(browser: Browser, report: Path) -> None:
    found = visit(browser, report, PHONE)
    found.page.mouse.click(*in_the_cell(found.page.locator('image[id$="-cells"]').first, 1, 1, 7))
    assert readout(found)


def test_a_click_on_a_header_sorts_numbers_as_numbers_and_a_second_turns_them(browser: Browser, report: Path) -> None:
    found = visit(browser, report)
    header = found.page.locator("#sweep th").nth(1)
    cells = found.page.locator("#sweep tbody td:nth-child(2)")
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    values = [float(text) for text in cells.all_inner_texts()]
    assert values == sorted(values)
    assert max(values) >= 10
    header.locator("button").click()
    assert header.get_attribute("aria-sort") == "descending"
    assert [float(text) for text in cells.all_inner_texts()] == values[::-1]


def test_the_filter_leaves_the_rows_that_have_the_word(browser: Browser, report: Path) -> None:
    found = visit(browser, report)
    found.page.fill("#filter", "fin_latn")
    shown = found.page.locator("#neighbours .panel:visible tbody tr:visible")
    assert shown.count() == 1
    assert "Finnish" in shown.inner_text()


def test_another_tree_can_be_chosen(browser: Browser, report: Path) -> None:
    found = visit(browser, report)
    panels = found.page.locator("#tree .panel")
    assert [panel.is_visible() for panel in panels.all()] == [True, False, False]
    found.page.select_option("#choose-tree", label="nested density clusters, min0.3, ngram")
    assert [panel.is_visible() for panel in panels.all()] == [False, True, False]


def test_the_dark_scheme_turns_paper_and_ink(browser: Browser, report: Path) -> None:
    def lightness(scheme: str, what: str, where: str) -> float:
        page = visit(browser, report, scheme=scheme).page
        colour = page.evaluate(f"getComputedStyle(document.querySelector({where!r})).{what}")
        return sum(float(part) for part in re.findall(r"[\d.]+", colour)[:3]) / 3

    assert lightness("light", "backgroundColor", "body") > 240
    assert lightness("dark", "backgroundColor", "body") < 40
    assert lightness("light", "fill", ".picture text") < 60
    assert lightness("dark", "fill", ".picture text") > 200
