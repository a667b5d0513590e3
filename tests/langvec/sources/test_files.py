"""Files in every format and packing give the same text; damaged or wrong ones are refused in one paragraph."""

import gzip
import io
import json
import lzma
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow.fs import FileSystem
from pydantic import ValidationError

from langvec.errors import InputError
from langvec.sources import Files
from langvec.sources.formats import TextFile

TEXTS = [f"Zeile {number}: Grüße an 世界, mit 'Zitat' und Komma" for number in range(2_000)]
IDS = [f"p{number // 2}" for number in range(2_000)]


def zstd(data: bytes) -> bytes:
    return pa.compress(data, codec="zstd", asbytes=True)


def csv_of(separator: str) -> bytes:
    quote = '"' if separator == "," else ""
    rows = (f"{i}{separator}{quote}{text}{quote}\n" for i, text in zip(IDS, TEXTS, strict=True))
    return f"id{separator}text\n{''.join(rows)}".encode()


def parquet(path: Path) -> bytes:
    pq.write_table(pa.table({"id": IDS, "text": TEXTS}), path)
    return path.read_bytes()


def jsonl() -> bytes:
    records = ({"id": i, "text": text} for i, text in zip(IDS, TEXTS, strict=True))
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def read(path: Path | str, **settings: str) -> tuple[list[str], list[str] | None]:
    source = Files(files={"deu": str(path)}, **settings)
    assert source.problems() == []
    batches = list(source.read("deu_Latn"))
    passages = [p for batch in batches for p in batch.passages or []]
    return [text for batch in batches for text in batch.texts], passages or None


@pytest.mark.parametrize("pack", ["", ".gz", ".zst", ".xz"])
@pytest.mark.parametrize("kind", [".txt", ".jsonl", ".csv", ".tsv"])
def test_every_format_and_compression_gives_the_same_text(tmp_path: Path, kind: str, pack: str) -> None:
    plain = {".txt": "\n".join(TEXTS).encode(), ".jsonl": jsonl(), ".csv": csv_of(","), ".tsv": csv_of("\t")}[kind]
    packed = {"": bytes, ".gz": gzip.compress, ".zst": zstd, ".xz": lzma.compress}[pack](plain)
    file = tmp_path / f"deu{kind}{pack}"
    file.write_bytes(packed)
    passage = {} if kind == ".txt" else {"passage": "id"}
    assert read(file, **passage) == (TEXTS, IDS if passage else None)


def test_parquet_gives_the_same_text_too(tmp_path: Path) -> None:
    parquet(tmp_path / "deu.parquet")
    assert read(tmp_path / "deu.parquet", passage="id") == (TEXTS, IDS)


def test_two_gzip_members_in_one_file_are_read_as_one_text(tmp_path: Path) -> None:
    (tmp_path / "deu.txt.gz").write_bytes(gzip.compress(b"eins\n") + gzip.compress(b"zwei\n"))
    assert read(tmp_path / "deu.txt.gz")[0] == ["eins", "zwei"]


def test_a_glob_reads_its_files_by_name(tmp_path: Path) -> None:
    for name in ("b", "a", "c/d"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.txt").write_text(name)
    assert read(f"{tmp_path}/**/*.txt")[0] == ["a", "b", "c/d"]


def test_text_on_an_object_store_is_read_by_uri_and_by_glob(s3: str) -> None:
    from pyarrow.fs import FileSystem

    filesystem, root = FileSystem.from_uri("s3://bucket/texts")
    for name in ("one", "two"):
        with filesystem.open_output_stream(f"{root}/{name}.txt.gz", compression=None) as stream:
            stream.write(gzip.compress(f"text {name}\n".encode()))
    assert read("s3://bucket/texts/one.txt.gz")[0] == ["text one"]
    assert read("s3://bucket/texts/*.txt.gz")[0] == ["text one", "text two"]


def test_another_text_has_another_identity_and_another_place_has_not(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("eins")
    here = Files(files={"deu": str(tmp_path / "a.txt")}).identity("deu_Latn")
    (tmp_path / "sub").mkdir()
    moved = tmp_path / "sub" / "a.txt"
    moved.write_text("eins")
    assert Files(files={"deu": str(moved)}).identity("deu_Latn") == here
    moved.write_text("zwei")
    assert Files(files={"deu": str(moved)}).identity("deu_Latn") != here
    assert Files(files={"deu": str(tmp_path / "a.txt")}, errors="replace").identity("deu_Latn") != here


def test_a_byte_order_mark_and_carriage_returns_do_not_reach_the_text(tmp_path: Path) -> None:
    from langvec.cleaning import clean

    (tmp_path / "deu.txt").write_bytes(b"\xef\xbb\xbfeins\r\nzwei\r\n")
    assert clean("\n".join(read(tmp_path / "deu.txt")[0])) == ["eins", "zwei"]


def problems(path: Path | str, **settings: str) -> str:
    (problem,) = Files(files={"deu": str(path)}, **settings).problems()
    return problem


def test_a_missing_file_and_a_glob_without_a_match_are_named(tmp_path: Path) -> None:
    assert "deu_Latn: there is no file" in problems(tmp_path / "none.txt")
    assert "no file matches" in problems(tmp_path / "*.txt")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deu.txt").touch()
    assert "deu.txt is empty. Expected text" in problems(tmp_path / "deu.txt")


def test_an_unknown_kind_of_file_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    (tmp_path / "deu.docx").write_text("x")
    assert ".txt, .jsonl, .csv, .tsv, .parquet" in problems(tmp_path / "deu.docx")


def test_bytes_that_are_not_utf8_are_named_by_offset_even_deep_in_a_file(tmp_path: Path) -> None:
    start = b"eine Zeile\n" * 300_000
    (tmp_path / "deu.txt").write_bytes(start + b"Gr\xfc\xdfe\n")
    source = Files(files={"deu": str(tmp_path / "deu.txt")})
    with pytest.raises(InputError, match=rf"not UTF-8 at byte {len(start) + 2:,} \(0xfc\).*errors: replace"):
        list(source.read("deu_Latn"))
    last = list(source.model_copy(update={"errors": "replace"}).read("deu_Latn"))[-1]
    assert last.texts[-1] == "Gr\ufffd\ufffde"


def test_utf16_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "deu.txt").write_bytes("Grüße".encode("utf-16"))
    assert "It starts like UTF-16" in problems(tmp_path / "deu.txt")


@pytest.mark.parametrize("pack", [".gz", ".zst", ".xz"])
def test_a_truncated_compressed_file_is_refused_not_read_short(tmp_path: Path, pack: str) -> None:
    import random

    noise = "\n".join(random.Random(1).choices(TEXTS, k=40_000)).encode()
    packed = {".gz": gzip.compress, ".zst": zstd, ".xz": lzma.compress}[pack](noise)
    (tmp_path / f"deu.txt{pack}").write_bytes(packed[: len(packed) * 3 // 4])
    source = Files(files={"deu": str(tmp_path / f"deu.txt{pack}")})
    with pytest.raises(InputError, match=r"cannot be read to its end .*copy or download it again"):
        list(source.read("deu_Latn"))


def test_a_truncated_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deu.parquet").write_bytes(parquet(tmp_path / "whole.parquet")[:-9])
    assert "cannot be read to its end" in problems(tmp_path / "deu.parquet")


@pytest.mark.parametrize("kind", [".jsonl", ".csv", ".parquet"])
def test_a_missing_column_is_refused_with_the_columns_found(tmp_path: Path, kind: str) -> None:
    data = {".jsonl": jsonl, ".csv": lambda: csv_of(","), ".parquet": lambda: parquet(tmp_path / "x.parquet")}[kind]()
    (tmp_path / f"deu{kind}").write_bytes(data)
    assert "no column 'sentence'. Columns found: id, text." in problems(tmp_path / f"deu{kind}", column="sentence")


def test_broken_json_and_text_that_is_a_number_are_named(tmp_path: Path) -> None:
    (tmp_path / "deu.jsonl").write_text('{"text": "gut"}\n{"text": \n')
    assert "line 2: not JSON" in problems(tmp_path / "deu.jsonl")
    (tmp_path / "deu.jsonl").write_text('{"text": 17}\n')
    assert "expected text in column 'text', found int (17)" in problems(tmp_path / "deu.jsonl")


def test_a_record_without_a_passage_id_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deu.jsonl").write_text('{"id": 1, "text": "eins"}\n{"id": null, "text": "zwei"}\n')
    assert "a record without an id in 'id'" in problems(tmp_path / "deu.jsonl", passage="id")


def test_a_language_given_twice_under_two_spellings_is_refused() -> None:
    with pytest.raises(ValidationError, match="deu_Latn given twice"):
        Files(files={"deu": "a.txt", "deu_Latn": "b.txt"})


class Counted(io.BytesIO):
    """Bytes that remember how often they were asked for, as a store charges."""

    asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.asked += 1
        return super().read(size)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress, zstd], ids=["", "gz", "xz", "zst"])
def test_a_store_is_asked_for_few_large_ranges_also_of_packed_files(pack: Callable[[bytes], bytes]) -> None:
    noise = random.Random(1)
    lines = [noise.randbytes(60).hex() for _ in range(20_000)]
    data = Counted(pack("\n".join(lines).encode()))
    store = SimpleNamespace(open_input_file=lambda path: pa.PythonFile(data, mode="r"))
    suffix = {gzip.compress: ".gz", lzma.compress: ".xz", zstd: ".zst"}.get(pack, "")
    file = TextFile(cast(FileSystem, store), f"corpus.txt{suffix}", "text", None, "strict")
    assert [text for batch in file.read() for text in batch.texts] == lines
    assert data.asked <= 6  # one range, and a few looks at the end
