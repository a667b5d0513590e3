"""Fingerprints and plans: what makes a piece stale, and what does not."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ray_jobs.stages import Desk, Entry, Piece, Record, Survey, fingerprint


def nothing(desk: Desk) -> dict[str, Any]:
    return {}


def survey(pieces: list[Piece], records: Mapping[str, Record]) -> list[Entry]:
    return Survey(records).entries(pieces)


def piece(stage: str = "corpus", name: str = "deu_Latn", **settings: Any) -> Piece:
    return Piece(stage, name, nothing, settings.pop("config", {"min_chars": 10}), **settings)


def done(one: Piece, digest: str = "d1", needed: Mapping[str, Record] = {}, finished: str = "2026-01-01") -> Record:
    essence = one.essence(needed)
    folder = f"{one.id}-{fingerprint(one.stage, one.name, essence)}"
    return Record(folder, {**essence, "digest": digest, "cost": {"finished": finished}}, None)


def by_folder(*records: Record) -> dict[str, Record]:
    return {record.folder: record for record in records}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CONFIGS = st.dictionaries(st.text(min_size=1), JSON, max_size=4)


@given(CONFIGS, st.randoms())
def test_the_order_of_fields_does_not_matter_to_a_fingerprint(config: dict[str, Any], random: Any) -> None:
    fields = list(config.items())
    random.shuffle(fields)
    assert done(piece(config=config)).folder == done(piece(config=dict(fields))).folder


@given(CONFIGS, CONFIGS)
def test_fingerprints_are_equal_only_if_the_configs_are(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = done(piece(config=one)).folder == done(piece(config=other)).folder
    assert same == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


def test_a_plan_names_the_field_that_changed_with_both_values() -> None:
    (entry,) = survey([piece(config={"min_chars": 20})], by_folder(done(piece())))
    assert (entry.state, entry.reason) == ("stale", "min_chars 10 -> 20")


def test_a_plan_names_the_input_that_changed() -> None:
    before, now = piece(inputs={"a.txt": "1", "b.txt": "1"}), piece(inputs={"a.txt": "2", "c.txt": "1"})
    (entry,) = survey([now], by_folder(done(before)))
    assert entry.reason == "input a.txt changed; input b.txt gone; input c.txt added"


def test_a_piece_is_compared_with_its_latest_finished_self() -> None:
    old = done(piece(config={"min_chars": 1}), finished="2026-01-01")
    new = done(piece(config={"min_chars": 2}), finished="2026-02-01")
    (entry,) = survey([piece(config={"min_chars": 3})], by_folder(new, old))
    assert entry.reason == "min_chars 2 -> 3"


def test_a_field_set_back_finds_the_old_result() -> None:
    (entry,) = survey([piece()], by_folder(done(piece()), done(piece(config={"min_chars": 2}), finished="2027")))
    assert entry.state == "done"


def test_a_piece_waits_for_what_it_needs() -> None:
    corpus = piece()
    entries = survey([corpus, piece("encoded", needs={"corpus": corpus})], {})
    assert [(entry.state, entry.reason) for entry in entries] == [
        ("to run", ""),
        ("to run", "waits for corpus/deu_Latn"),
    ]


def test_an_upstream_change_that_changes_no_output_stops_there() -> None:
    before, now = piece(config={"min_chars": 10}), piece(config={"min_chars": 11})
    encoded = done(piece("encoded", needs={"corpus": before}), "d2", {"corpus": done(before)})
    records = by_folder(done(before, "same"), done(now, "same", finished="2027"), encoded)
    needed_same = done(piece("encoded", needs={"corpus": now}), "d2", {"corpus": done(now, "same")})
    entries = survey([now, piece("encoded", needs={"corpus": now})], records | by_folder(needed_same))
    assert [entry.state for entry in entries] == ["done", "done"]


def test_a_damaged_piece_is_not_done() -> None:
    good = done(piece())
    (entry,) = survey([piece()], by_folder(Record(good.folder, good.meta, "a.bin has 3 bytes, expected 4")))
    assert (entry.state, entry.reason) == ("stale", "damaged: a.bin has 3 bytes, expected 4")


def test_kin_are_the_whole_finished_pieces_of_the_stage_whose_names_start_alike() -> None:
    cells = [piece("grid", name) for name in ("ngram-deu.000", "ngram-deu.001", "ngram-nld.000")]
    torn = Record("grid/ngram-deu.002-0123456789ab", {}, "cells.parquet is gone")
    found = Survey({**by_folder(*map(done, cells)), torn.folder: torn}).kin(
        piece("grid", "ngram-deu.003", kin="ngram-deu.")
    )
    assert sorted(record.folder.rpartition("-")[0] for record in found) == ["grid/ngram-deu.000", "grid/ngram-deu.001"]
    assert Survey(by_folder(done(cells[0]))).kin(cells[0]) == []
