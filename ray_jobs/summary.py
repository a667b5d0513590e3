"""What a command says at its end, out of the tables it has written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from langvec.glottolog import told

Rows = Sequence[Mapping[str, Any]]
TOO_FEW = 3  # languages, for centred vectors of two are always opposite


def corpora_lines(rows: Rows) -> Iterator[str]:
    def total(column: str) -> int:
        return sum(int(row.get(column) or 0) for row in rows)

    outcomes = dict.fromkeys(name for row in rows for name in row if name.startswith("lines_"))
    dropped = [name for name in outcomes if name != "lines_kept" and total(name)]
    reasons = ", ".join(f"{total(name):,} {name.removeprefix('lines_').replace('_', ' ')}" for name in dropped)
    splits = ", ".join(f"{split} {total(f'{split}_lines'):,}" for split in ("train", "validation", "test"))
    symbols = sum(total(f"{split}_symbols") for split in ("train", "validation", "test"))
    yield f"{len(rows)} languages, {total('lines_kept'):,} lines kept ({splits}), {symbols:,} symbols"
    yield f"dropped: {reasons or 'nothing'}"


def scores_lines(rows: Rows, speeds: Sequence[float], languages: int) -> Iterator[str]:
    """The models: how well they predict, and what their vectors know of descent."""
    yield ""
    yield f"{'model':<12} {'nats/char, own language':>24} {'own model best':>15} {'triplets':>9} {'nearest is kin':>15}"
    for row in rows:
        best = f"{row['own_model_best']} of {row['own_texts']}"
        known = f"{_number(row['triplets']):>9} {_number(row['nearest_is_kin']):>15}"
        yield f"{row['kind']:<12} {row['own_nats_per_char']:>24.3f} {best:>15} {known}"
    if rows[0]["triplets_resolved"]:
        chance = f"{_number(1 / 3):>9} {_number(rows[0]['nearest_is_kin_by_chance']):>15}"
        yield f"{'chance':<53} {chance}"
        yield f"{'script alone':<53} {_number(rows[0]['triplets_by_script_alone']):>9}"
        yield f"Triplets that Glottolog resolves: {rows[0]['triplets_resolved']:,}."
    else:
        yield "No three of these languages are such that Glottolog holds two for closer kin."
    if languages < TOO_FEW:
        yield f"Vectors of {languages} languages say nothing: centred, two are always opposite. Add languages."
    yield from _verdict(rows)
    if speeds:
        yield f"{len(speeds)} neural models learnt {sum(speeds) / len(speeds):,.0f} symbols a second each."


def _verdict(rows: Rows) -> Iterator[str]:
    """Whether the first model is worth its training."""
    better = [row for row in rows[1:] if row["own_nats_per_char"] < rows[0]["own_nats_per_char"]]
    if better:
        names = " and ".join(row["kind"] for row in better)
        yield f"On this much text {names} models predict their own languages better than {rows[0]['kind']} models do."


def tree_lines(rows: Rows, left_out: Mapping[str, str]) -> Iterator[str]:
    """The trees of one kind of model, then what any of them has to beat."""
    yield ""
    yield f"Trees of {rows[0]['kind']} models"
    yield f"{'tree':<14} {'triplets':>8}  {'95% interval':<14} {'quartet distance':>17} {'clades as in Glottolog':>23}"
    first = next(row["tree"] for row in rows if row["role"] == "construction")
    constructions = [row for row in rows if row["role"] == "construction"]
    blind = [row for row in rows if row["role"] == "baseline" and not row["tree"].startswith("random-")]
    yield from (_tree_line(row["tree"], row) for row in constructions)
    yield from (_tree_line("random", row) for row in rows if row["tree"] == f"random-{first}")
    yield from (_tree_line(row["tree"], row) for row in blind)
    if left_out:
        yield f"Without a place in Glottolog's tree: {told(left_out)}."


def _tree_line(name: str, row: Mapping[str, Any]) -> str:
    low, high = row.get("triplets_low"), row.get("triplets_high")
    ends = "" if low is None or high is None else f"{low:.3f} to {high:.3f}"
    clades = f"{row['clades_shared']:.0f} of {row['clades']:.0f}"
    return f"{name:<14} {_number(row['triplets']):>8}  {ends:<14} {_number(row['quartet_distance']):>17} {clades:>23}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
