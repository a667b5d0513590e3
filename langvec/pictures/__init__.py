"""Pictures of languages: trees, the entropy matrix, a map, learning curves and scores.

Every function takes plain data and returns a matplotlib Figure that belongs to nobody else; `as_svg` and `as_pdf` give
its bytes, the same for the same data. The drawing is black on white; its three inks have values that nothing else has
(`INK`, `MUTED`, `RULE`), so that a page may exchange them for those of its theme.
"""

from langvec.pictures.canvas import INK, MUTED, RULE, as_pdf, as_svg
from langvec.pictures.curves import Bar, learning_curves, score_bars
from langvec.pictures.families import COLOURS, OTHER, Families
from langvec.pictures.heat import heat_map
from langvec.pictures.plane import map_of_languages, on_a_plane
from langvec.pictures.trees import dendrogram, leaf_order, tanglegram

__all__ = [
    "COLOURS",
    "INK",
    "MUTED",
    "OTHER",
    "RULE",
    "Bar",
    "Families",
    "as_pdf",
    "as_svg",
    "dendrogram",
    "heat_map",
    "leaf_order",
    "learning_curves",
    "map_of_languages",
    "on_a_plane",
    "score_bars",
    "tanglegram",
]
