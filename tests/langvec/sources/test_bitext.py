"""Pairs come out of every format as they went in, and what is wrong with a file is told with its place."""

import gzip
import json
import tracemalloc
from pathlib import Path
from xml.sax.saxutils import escape

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from langvec.errors import InputError
from langvec.sources.bitext import Joined, Moses, Table, Tmx
from langvec.sources.bitext.base import Bitext
from langvec.sources.bitext.tmx import speaks

PAIRS = [("A house.", "வீடு."), ('He said "no".', "இல்லை"), ("Empty", "")]
LANGUAGES = ("eng", "tam")


def read(bitext: Bitext) -> list[tuple[str, str]]:
    return [pair for batch in bitext.read() for pair in zip(batch.sources, batch.targets, strict=True)]


def tmx(units: str) -> bytes:
    head = '<?xml version="1.0"?><!DOCTYPE tmx SYSTEM "tmx14.dtd"><tmx version="1.4"><header/><body>'
    return f"{head}{units}</body></tmx>".encode()


def unit(source: str, target: str, codes: tuple[str, str] = ("en", "ta")) -> str:
    sides = zip(codes, (source, target), strict=True)
    return "<tu>" + "".join(f'<tuv xml:lang="{code}"><seg>{text}</seg></tuv>' for code, text in sides) + "</tu>\n"


def test_a_table_is_read_alike_from_every_format_and_compressed(tmp_path: Path) -> None:
    tsv = "source\ttarget\n" + "".join(f"{a}\t{b}\n" for a, b in PAIRS)
    (tmp_path / "a.tsv").write_text(tsv)
    (tmp_path / "b.tsv.gz").write_bytes(gzip.compress(tsv.encode()))
    (tmp_path / "c.jsonl").write_text("".join(json.dumps({"source": a, "target": b}) + "\n" for a, b in PAIRS))
    columns = {"source": [a for a, _ in PAIRS], "target": [b for _, b in PAIRS]}
    pq.write_table(pa.table(columns), tmp_path / "d.parquet")
    for name in ("a.tsv", "b.tsv.gz", "c.jsonl", "d.parquet"):
        assert read(Table(languages=LANGUAGES, files=str(tmp_path / name))) == PAIRS


def test_files_as_ccaligned_and_nllb_hand_them_out_are_read(tmp_path: Path) -> None:
    """Without names of columns: source, target, LASER score; NLLB's have no suffix and more columns."""
    (tmp_path / "en_XX-ta_IN.tsv").write_text("A house.\tவீடு.\t1.25\nNo\tஇல்லை\t1.1\n")
    rows = "A house.\tவீடு.\t1.25\t0.99\t0.98\tcrawl\thttp://a\tcrawl\thttp://b\n"
    (tmp_path / "eng_Latn-tam_Taml.gz").write_bytes(gzip.compress(rows.encode()))
    numbered = {"languages": LANGUAGES, "header": False, "source": "1", "target": "2", "score": "3"}
    for name, format in (("en_XX-ta_IN.tsv", None), ("eng_Latn-tam_Taml.gz", "tsv")):
        batch = next(Table(files=str(tmp_path / name), format=format, **numbered).read())  # type: ignore[arg-type]
        assert (batch.sources[0], batch.targets[0], batch.scores and batch.scores[0]) == ("A house.", "வீடு.", 1.25)


def test_the_translation_column_of_data_sets_on_the_hub_is_read_by_its_fields(tmp_path: Path) -> None:
    column = pa.array([{"en": "A house.", "ta": "வீடு."}])
    pq.write_table(pa.table({"translation": column, "id": ["7"]}), tmp_path / "train.parquet")
    table = Table(
        languages=LANGUAGES,
        files=str(tmp_path / "*.parquet"),
        source="translation.en",
        target="translation.ta",
        id="id",
    )
    assert read(table) == [("A house.", "வீடு.")]
    assert next(table.read()).ids == ["7"]


def test_a_table_without_the_column_says_which_fields_name_columns(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("en\tta\nA\tB\n")
    (problem,) = Table(languages=LANGUAGES, files=str(tmp_path / "a.tsv")).problems()
    assert "no column 'source'. Columns found: en, ta" in problem and "`header: false`" in problem


def test_moses_files_are_read_line_by_line_with_their_scores(tmp_path: Path) -> None:
    for name, lines in (("c.en", "A\nB\n"), ("c.ta", "அ\nஆ\n"), ("c.scores", "1.5\n\n")):
        (tmp_path / name).write_text(lines)
    paths = {
        name: str(tmp_path / f"c.{end}") for name, end in (("source", "en"), ("target", "ta"), ("scores", "scores"))
    }
    (batch,) = Moses(languages=LANGUAGES, **paths).read()
    assert (batch.sources, batch.targets) == (["A", "B"], ["அ", "ஆ"])
    assert batch.scores and batch.scores[0] == 1.5 and batch.scores[1] != batch.scores[1]


def test_moses_files_of_unequal_length_are_refused_with_both_counts(tmp_path: Path) -> None:
    (tmp_path / "c.en").write_text("x\n" * 12_001)
    (tmp_path / "c.ta").write_text("x\n" * 12_003)
    with pytest.raises(InputError, match=r"c\.en has 12,001 lines, .*c\.ta has 12,003 lines; .*c\.ta is the longest"):
        read(Moses(languages=LANGUAGES, source=str(tmp_path / "c.en"), target=str(tmp_path / "c.ta")))


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20).map(lambda text: " ".join(text.split()))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5))
def test_what_is_written_as_tmx_is_read_back_whatever_it_says(tmp_path: Path, pairs: list[tuple[str, str]]) -> None:
    (tmp_path / "m.tmx").write_bytes(tmx("".join(unit(*map(escape, pair)) for pair in pairs)))
    assert read(Tmx(languages=LANGUAGES, files=str(tmp_path / "m.tmx"))) == pairs


def test_a_unit_of_tmx_gives_the_asked_languages_without_the_codes_of_the_document(tmp_path: Path) -> None:
    units = (
        '<tu tuid="u1"><tuv xml:lang="TA-IN"><seg>வீடு</seg></tuv><tuv xml:lang="fr"><seg>maison</seg></tuv>'
        '<tuv lang="EN-us"><seg>a <bpt i="1">&lt;b></bpt>big<ept i="1">&lt;/b></ept> <hi>house</hi></seg></tuv></tu>'
    )
    (tmp_path / "m.tmx").write_bytes(tmx(units + unit("only", "French", ("en", "fr"))))
    (batch,) = Tmx(languages=LANGUAGES, files=str(tmp_path / "m.tmx")).read()
    assert (batch.sources, batch.targets, batch.ids) == (["a big house"], ["வீடு"], ["u1"])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<html></html>", "line 1: expected <tmx> around all, found <html>"),
        (tmx("<tu>\n<tuv><seg>x</seg></tuv></tu>"), "line 2: expected a language in `xml:lang`"),
        (tmx("<tu>\n\n</tuv>"), "line 3: not XML .mismatched tag"),
        (tmx("<tu>")[:-20], "not XML"),
        (tmx(unit("a", "b", ("en", "fr"))), "no translation unit with eng_Latn and tam_Taml.*found: en, fr"),
        (b'<!DOCTYPE tmx [<!ENTITY a "aaaa">]><tmx/>', "without entities of its own"),
        (
            b'<!DOCTYPE tmx SYSTEM "x.dtd"><tmx><tu><tuv xml:lang="en"><seg>&a;</seg></tuv></tu></tmx>',
            "without entities",
        ),
    ],
)
def test_bad_tmx_is_refused_with_its_line_and_what_was_expected(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "m.tmx").write_bytes(data)
    with pytest.raises(InputError, match=said):
        read(Tmx(languages=LANGUAGES, files=str(tmp_path / "m.tmx")))


def test_a_large_tmx_file_takes_no_more_memory_than_a_batch_of_it(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "m.tmx.gz", "wb", 1) as file:
        file.write(tmx("").removesuffix(b"</body></tmx>"))
        for number in range(40_000):
            file.write(unit(f"{number} house {'x' * 150}", f"வீடு {number}").encode())
        file.write(b"</body></tmx>")
    tracemalloc.start()
    pairs = sum(len(batch.sources) for batch in Tmx(languages=LANGUAGES, files=str(tmp_path / "m.tmx.gz")).read())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pairs == 40_000
    assert peak < 16 << 20  # the file has 13 million characters, which would take more as objects


@pytest.mark.parametrize("name", ["en", "EN", "en-US", "en_GB", "eng", "eng_Latn", "eng-Latn"])
def test_english_has_many_names(name: str) -> None:
    assert speaks("eng_Latn", name)


@pytest.mark.parametrize("name", ["enm", "de", "x-default", "", "en-Cyrl", "english"])
def test_others_are_not_english(name: str) -> None:
    assert not speaks("eng_Latn", name)


def test_old_and_scripted_names_are_known() -> None:
    assert speaks("deu_Latn", "ger") and speaks("srp_Latn", "sr-Latn-RS") and not speaks("srp_Latn", "sr")


def test_two_languages_of_the_declaration_are_joined_where_they_have_the_same_paragraphs() -> None:
    bitext = Joined(languages=("eng", "spa"), of={"kind": "udhr", "languages": ["eng", "spa", "deu"]})  # type: ignore[arg-type]
    pairs = read(bitext)
    assert len(pairs) > 50
    assert any("born free" in source and "nacen libres" in target for source, target in pairs)


def test_a_pair_is_of_two_languages() -> None:
    with pytest.raises(ValidationError, match="paired with itself"):
        Table(languages=("eng", "eng_Latn"), files="x.tsv")
    joined = Joined(languages=LANGUAGES, of={"kind": "udhr", "languages": ["eng", "deu"]})  # type: ignore[arg-type]
    assert "tam_Taml is not among the languages" in joined.problems()[0]
