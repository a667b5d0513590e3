"""Pictures say what the data says, whoever draws them and whenever."""

import base64
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from scipy.cluster.hierarchy import linkage, to_tree
from scipy.spatial.distance import pdist, squareform

from langvec.languages import find, search
from langvec.pictures import (
    COLOURS,
    OTHER,
    Bar,
    Families,
    as_pdf,
    as_svg,
    dendrogram,
    heat_map,
    leaf_order,
    learning_curves,
    map_of_languages,
    on_a_plane,
    score_bars,
    tanglegram,
)
from langvec.tree import Tree
from tests.small_run import CODES, trees

SVG = "{http://www.w3.org/2000/svg}"
POINTS = np.random.default_rng(3).normal(size=(len(CODES), 2))

DRAWINGS: dict[str, Callable[[], Figure]] = {
    "dendrogram": lambda: dendrogram(trees()["consensus"]),
    "tanglegram": lambda: tanglegram(trees()["consensus"], trees()["gold"]),
    "heat map": lambda: heat_map(np.arange(49.0).reshape(7, 7), CODES, CODES),
    "map": lambda: map_of_languages(squareform(pdist(POINTS)), CODES),
    "curves": lambda: learning_curves({"deu_Latn": [3, 2, 1], "fra_Latn": [3, 2.5]}),
    "scores": lambda: score_bars([Bar("average", 0.8, 0.7, 0.9), Bar("random", 0.333, baseline=True)]),
}


def texts(figure: Figure) -> list[str]:
    return [text.text or "" for text in ET.fromstring(as_svg(figure)).iter(f"{SVG}text")]


def many(count: int) -> Tree:
    codes = [language.code for language in search("")[:: len(search("")) // count]][:count]
    points = np.random.default_rng(1).normal(size=(count, 3))
    _, nodes = to_tree(linkage(points), rd=True)
    clades = np.zeros((count - 1, count), bool)
    for row, node in enumerate(nodes[count:]):
        clades[row, node.pre_order()] = True
    return Tree.of_clades(codes, clades, None, ["0.7"] * (count - 1))


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_picture_drawn_twice_is_the_same_bytes(name: str) -> None:
    assert as_svg(DRAWINGS[name]()) == as_svg(DRAWINGS[name]())
    assert as_pdf(DRAWINGS[name]()) == as_pdf(DRAWINGS[name]())


@pytest.mark.parametrize("name", ["dendrogram", "tanglegram"])
def test_every_leaf_has_its_name_and_its_code_once(name: str) -> None:
    shown = texts(DRAWINGS[name]())
    assert [shown.count(code) for code in CODES] == [1] * len(CODES)
    assert {find(code).name for code in CODES} <= set(shown)


def test_a_tree_of_450_leaves_is_higher_and_has_all_of_them() -> None:
    tree = many(450)
    figure = dendrogram(tree)
    assert set(tree.leaves) <= set(texts(figure))
    assert figure.get_figheight() > 5 * dendrogram(many(30)).get_figheight()


def test_leaves_stand_from_top_to_bottom_in_the_order_that_is_told() -> None:
    tree = trees()["consensus"]
    drawn = ET.fromstring(as_svg(dendrogram(tree))).iter(f"{SVG}text")
    heights = {text.text: float(text.get("y", 0)) for text in drawn}
    assert sorted(CODES, key=lambda code: heights[code]) == leaf_order(tree)


def test_support_is_written_in_percent_and_as_dots_in_a_large_tree() -> None:
    assert {"97", "88", "50"} <= set(texts(DRAWINGS["dendrogram"]()))
    assert "70" not in texts(dendrogram(many(120)))


def test_lengths_below_zero_lead_no_node_left_of_the_root() -> None:
    tree = Tree.from_newick("((deu_Latn:1,nld_Latn:-2):-1,fra_Latn:2);")
    marks = [line for line in dendrogram(tree).axes[0].lines if line.get_marker() != "None"]
    assert min(float(x) for line in marks for x in line.get_xdata()) >= 0.12


def test_two_trees_may_have_different_leaves() -> None:
    gold = trees()["gold"].select(CODES[:-1])
    assert set(CODES) <= set(texts(tanglegram(trees()["consensus"], gold)))


def test_what_hangs_from_the_root_of_gold_is_called_by_its_top_family() -> None:
    gold = Tree.from_newick("((deu_Latn:3,nld_Latn:1)'West Germanic':4,fin_Latn:2,eus_Latn:2);")
    shown = texts(tanglegram(gold, gold))
    assert {"Indo-European", "Uralic", "isolate"} <= set(shown)
    assert "West Germanic" not in shown


def test_names_with_dollars_and_angles_are_shown_as_they_are() -> None:
    gold = Tree.from_newick("((deu_Latn,eus_Latn)'<b>$x^2$</b>',fra_Latn);")
    assert "<b>$x^2$</b>" in texts(tanglegram(gold, gold))


def test_points_on_a_plane_keep_their_distances_when_they_came_from_one() -> None:
    points, share = on_a_plane(squareform(pdist(POINTS)))
    np.testing.assert_allclose(pdist(points), pdist(POINTS), atol=1e-9)
    assert share == pytest.approx(1)


def test_names_on_the_map_do_not_lie_on_each_other() -> None:
    codes = many(150).leaves
    figure = map_of_languages(squareform(pdist(np.random.default_rng(2).normal(size=(150, 2)))), codes)
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [text.get_window_extent(renderer) for text in figure.axes[0].texts]
    names = [box.shrunk(0.98, 0.6) for box in boxes]  # of the line, the part with letters
    assert len(names) > 50
    assert not [pair for pair in combinations(names, 2) if pair[0].overlaps(pair[1])]


def test_the_cells_of_a_heat_map_are_its_numbers_in_order() -> None:
    nats = np.arange(42.0).reshape(6, 7)[::-1]
    svg = as_svg(heat_map(nats, CODES[:6], CODES)).decode()
    image = re.search(r'<image[^>]*base64,([^"]*)"[^>]*id="cells"|id="cells"[^>]*base64,([^"]*)"', svg)
    assert image
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(image[1] or image[2]))).convert("L"), float)
    assert pixels.shape == (6, 7)
    assert np.corrcoef(pixels.ravel(), nats.ravel())[0, 1] > 0.95


def test_the_largest_family_has_the_first_colour_and_an_isolate_none() -> None:
    families = Families(CODES)
    assert families.colour("deu_Latn") == families.colour("hin_Deva") == COLOURS[0]
    assert families.colour("fin_Latn") == COLOURS[1]
    assert families.colour("eus_Latn") == OTHER
    assert [words for words, _, _ in families.entries()] == ["Indo-European (5)", "Uralic (1)", "isolates (1)"]


def test_families_beyond_the_last_colour_share_one() -> None:
    families = Families(many(450).leaves)
    assert len({colour for _, colour, _ in families.entries()}) == len(COLOURS) + 1
