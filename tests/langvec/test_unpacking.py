"""A small file that unpacks to far more than text can is refused soon, and takes little memory until then."""

import gzip
import lzma
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from langvec.errors import InputError
from langvec.outside import OutsideTable
from langvec.sources import Files, Hub
from langvec.sources.bitext import Table, Tmx
from langvec.sources.messages import read_mo
from langvec.unpacking import ALWAYS, MOST, refuse_bomb
from masking.tagging.reading import read_lines

LINES = (b"x" * 1023 + b"\n") * 1024  # a MiB


def zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.compress(data)


PACKERS: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".zst": zstd, ".xz": lzma.compress}


def read(path: Path) -> int:
    return sum(len(batch.texts) for batch in Files(files={"deu": str(path)}).read("deu_Latn"))


@pytest.mark.parametrize("pack", PACKERS)
def test_a_file_that_unpacks_to_endless_lines_is_refused_with_what_to_do(tmp_path: Path, pack: str) -> None:
    (tmp_path / f"deu.txt{pack}").write_bytes(PACKERS[pack](LINES) * 300)
    with pytest.raises(InputError, match=r"bytes unpack to [\d,]+ or more. Expected at most 250 .* unpack it yourself"):
        read(tmp_path / f"deu.txt{pack}")


@pytest.mark.parametrize("pack", PACKERS)
def test_as_much_as_any_file_may_hold_is_read(tmp_path: Path, pack: str) -> None:
    (tmp_path / f"deu.txt{pack}").write_bytes(PACKERS[pack](LINES) * (ALWAYS >> 20))
    assert read(tmp_path / f"deu.txt{pack}") == ALWAYS >> 10


def test_a_large_file_may_unpack_to_as_much_as_text_does() -> None:
    refuse_bomb("a", ALWAYS, MOST * ALWAYS)
    with pytest.raises(InputError, match="a: 67,108,864 bytes"):
        refuse_bomb("a", ALWAYS, MOST * ALWAYS + 1)


def test_several_xz_streams_with_padding_between_are_one_text(tmp_path: Path) -> None:
    (tmp_path / "deu.txt.xz").write_bytes(lzma.compress(b"eins\n") + b"\0" * 8 + lzma.compress(b"zwei\n") + b"\0" * 4)
    assert read(tmp_path / "deu.txt.xz") == 2


def test_an_xz_file_that_asks_for_gigabytes_of_memory_is_refused(tmp_path: Path) -> None:
    asks = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 20}]
    whole = bytearray(lzma.compress(b"eins\n", filters=asks))
    at = whole.index(b"\x21\x01", 12)  # the filter and the size of its properties; behind it the size of its window
    whole[at + 2] = 37  # 2 GiB
    header = (whole[12] + 1) * 4
    whole[12 + header - 4 : 12 + header] = zlib.crc32(whole[12 : 12 + header - 4]).to_bytes(4, "little")
    (tmp_path / "deu.txt.xz").write_bytes(whole)
    with pytest.raises(InputError, match=r"cannot be read to its end .*[Mm]emory"):
        read(tmp_path / "deu.txt.xz")


def test_a_zst_file_that_asks_for_gigabytes_of_memory_is_refused(tmp_path: Path) -> None:
    import zstandard

    how = zstandard.ZstdCompressionParameters.from_level(3, window_log=31, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=how).compressobj()  # does not know how much will come
    (tmp_path / "deu.txt.zst").write_bytes(packer.compress(b"eins\n") + packer.flush())
    with pytest.raises(InputError, match=r"cannot be read to its end .*too much memory"):
        read(tmp_path / "deu.txt.zst")


@pytest.mark.parametrize("header", [True, False])
def test_a_wide_table_whose_short_rows_would_all_be_filled_up_is_refused(tmp_path: Path, header: bool) -> None:
    names = ",".join(f"a{number}" for number in range(300_000))
    (tmp_path / "a.csv").write_text("\n" + names + "\nx" * 5_000)
    wide = Table(languages=("eng", "tam"), files=str(tmp_path / "a.csv"), header=header, source="a1", target="a2")
    with pytest.raises(InputError, match=r"300,000 columns. Expected at most 1,000"):
        next(wide.read())


@pytest.fixture
def table(tmp_path: Path) -> Path:
    columns = pa.array(["x" * 1_000_000] * 300)
    pq.write_table(pa.table({"text": columns}), tmp_path / "deu.parquet", compression="zstd", use_dictionary=False)
    return tmp_path / "deu.parquet"


def test_a_parquet_file_that_unpacks_to_far_more_is_refused_before_it_is_unpacked(table: Path) -> None:
    with pytest.raises(InputError, match="bytes unpack to 300,"):
        read(table)
    with pytest.raises(InputError, match="bytes unpack to 300,"):
        list(Hub(dataset=str(table), languages=("deu",)).read("deu_Latn"))


def test_a_parquet_file_of_endless_equal_rows_is_refused(tmp_path: Path) -> None:
    values = pa.DictionaryArray.from_arrays(np.zeros(ALWAYS + 1, np.int8), pa.array(["x"]))
    pq.write_table(pa.table({"text": values}), tmp_path / "deu.parquet")
    assert (tmp_path / "deu.parquet").stat().st_size < ALWAYS // MOST
    with pytest.raises(InputError, match="bytes unpack to 67,108,865 or more"):
        read(tmp_path / "deu.parquet")


def test_a_table_in_npz_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", codes=["deu"], features=np.zeros((1, ALWAYS // 8)))
    with pytest.raises(InputError, match="bytes unpack to"):
        OutsideTable.read(tmp_path / "a.npz")


def test_a_catalog_whose_strings_all_lie_over_each_other_is_refused() -> None:
    count, size = 4_000, 1 << 20
    entries = np.tile(np.array([size, 0], "<u4"), count).tobytes()
    head = np.array([0x950412DE, 0, count, 28, 28], "<u4").tobytes() + b"\0" * 8
    with pytest.raises(InputError, match="bytes unpack to"):
        list(read_mo((head + entries).ljust(size, b"x"), "bad.mo"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<tmx>" + b"<a>" * 1_000, "more than 100 elements in each other"),
        (b"<tmx><tu tuid='" + b"x" * (ALWAYS + (2 << 20)) + b"'>", "a tag of more than 64 MiB"),
    ],
)
def test_a_memory_that_can_be_filled_by_its_xml_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "m.tmx").write_bytes(data)
    with pytest.raises(InputError, match=said):
        list(Tmx(languages=("eng", "tam"), files=str(tmp_path / "m.tmx")).read())


def test_a_file_of_tags_is_no_way_round(tmp_path: Path) -> None:
    (tmp_path / "a.conllu.gz").write_bytes(gzip.compress(LINES) * 300)
    with pytest.raises(InputError, match="bytes unpack to"):
        sum(1 for _ in read_lines(tmp_path / "a.conllu.gz"))
    (tmp_path / "b.conllu.gz").write_bytes(gzip.compress(b"x" * (1 << 25)))
    with pytest.raises(InputError, match=r"a line of 16,777,216 characters"):
        list(read_lines(tmp_path / "b.conllu.gz"))
