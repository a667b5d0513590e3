"""Correlation with tables of features: against slow definitions, with signals put in on purpose."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from langvec.errors import InputError
from langvec.languages import find, search
from langvec.typology import Typology, agreement, read_typology

CODES = [language.code for language in search("Austronesian")[:15] + search("Bantu")[:15]]


def written(folder: Path, rows: dict[str, list[object]], name: str = "table.csv") -> Path:
    lines = [",".join(["iso", *(f"f{i}" for i in range(len(next(iter(rows.values())))))])]
    lines += [",".join([code, *map(str, row)]) for code, row in rows.items()]
    (folder / name).write_text("\n".join(lines).replace(",", "\t" if name.endswith("tsv") else ","))
    return folder / name


def test_languages_are_found_by_iso_code_by_code_with_script_and_by_glottocode(tmp_path: Path) -> None:
    codes = ["deu_Latn", "nld_Latn", "fra_Latn", "rus_Cyrl", "fin_Latn", "tam_Taml"]
    names = ["deu", "nld_Latn", str(find("fra").glottocode), "rus", "fin"]
    rows: dict[str, list[object]] = {name: [i, "", 1, 0.5 * i, "NA", 7] for i, name in enumerate(names)}
    for name in ("table.csv", "table.tsv"):
        table = read_typology(written(tmp_path, {**rows, "xyz": [9, 9, 9, 9, 9, 9]}, name), codes)
        assert table.codes == tuple(codes[:5])
        assert table.features.shape == (5, 2)  # columns that are empty or all one say nothing
        assert table.features[:, 0].tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_distances_are_mean_differences_over_what_is_known_of_both() -> None:
    features = np.random.default_rng(1).random((6, 9))
    features[0, :3] = features[1, 2:4] = np.nan
    features[2, :5] = np.nan
    found = Typology(tuple("abcdef"), features).distances()
    assert found[0, 1] == pytest.approx(np.abs(features[0, 4:] - features[1, 4:]).mean())
    assert np.isnan(found[2]).all()  # four known features are too few


def test_a_table_that_follows_the_distances_correlates_and_a_random_one_does_not() -> None:
    draw = np.random.default_rng(2)
    where = draw.random((len(CODES), 2))
    far = np.linalg.norm(where[:, None] - where[None, :], axis=-1)
    features = (where @ draw.normal(size=(2, 40)) > draw.normal(size=40) * 0.3).astype(float)
    plain, *_, controlled = agreement(far, Typology(tuple(CODES), features), 199, 1)
    there = Typology(tuple(CODES), features).distances()
    pairs = np.triu_indices(len(CODES), 1)
    assert plain["spearman"] == pytest.approx(spearmanr(far[pairs], there[pairs]).statistic)
    assert plain["p"] == controlled["p"] == 1 / 200
    noise = draw.integers(0, 2, (len(CODES), 40)).astype(float)
    assert all(row["p"] > 0.01 for row in agreement(far, Typology(tuple(CODES), noise), 199, 1))


def test_a_table_that_only_knows_families_is_explained_away_by_families() -> None:
    draw = np.random.default_rng(3)
    family = np.array([find(code).family[0] for code in CODES])
    known = np.tile((family == "Austronesian")[:, None], (1, 20)) ^ (draw.random((len(CODES), 20)) < 0.2)
    far = (family[:, None] != family).astype(float) + draw.random((len(CODES), len(CODES))) * 0.5
    rows = {
        row["controlled_for"]: row
        for row in agreement((far + far.T) / 2, Typology(tuple(CODES), known.astype(float)), 199, 1)
    }
    assert rows["nothing"]["spearman"] > 0.5 and rows["nothing"]["p"] == 1 / 200
    assert abs(rows["family"]["spearman"]) < 0.1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("iso,a\ndeu,1\n", "Expected at least 5 of the run's languages"),
        ("iso,a\n" + "".join(f"{code},SVO\n" for code in CODES), "Found \\['SVO', 'SVO', 'SVO'\\] in a"),
        ("\x00\xff", "cannot be read as CSV|Expected at least"),
    ],
)
def test_a_table_that_is_none_is_refused_with_what_was_found(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "table.csv").write_text(content)
    with pytest.raises(InputError, match=reason):
        read_typology(tmp_path / "table.csv", CODES)
    with pytest.raises(InputError, match="cannot be read as CSV"):
        read_typology(tmp_path / "none.csv", CODES)
