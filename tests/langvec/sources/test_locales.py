"""The locale folders of a language: the plain one first, scripts kept apart, old and new codes taken as one."""

import pytest

from langvec.languages import other_codes
from langvec.sources.locales import matching, parse

INSTALLED = [
    *("C.utf8", "ar", "bn_BD", "bn_IN", "ca", "ca@valencia", "ceb", "de", "de_AT", "de_CH", "en_GB", "es_AR", "es_MX"),
    *("fil", "l10n", "pa", "pa_PK", "pt", "pt_BR", "sr", "sr@latin", "sr_Latn", "tt", "tt@iqtelif", "uz"),
    *("uz@cyrillic", "zh_CN", "zh_HK", "zh_Hans", "zh_TW"),
]


@pytest.mark.parametrize(
    ("code", "folders"),
    [
        ("deu", ["de"]),
        ("por", ["pt"]),
        ("spa", ["es_AR", "es_MX"]),
        ("ben", ["bn_BD", "bn_IN"]),
        ("cat", ["ca"]),
        ("srp", ["sr"]),
        ("srp_Latn", ["sr@latin", "sr_Latn"]),
        ("uzb_Latn", ["uz"]),
        ("uzb_Cyrl", ["uz@cyrillic"]),
        ("zho_Hans", ["zh_Hans"]),
        ("cmn_Hant", ["zh_HK", "zh_TW"]),
        ("pan", ["pa"]),
        ("pan_Arab", ["pa_PK"]),
        ("arb", ["ar"]),
        ("ara", ["ar"]),
        ("tat_Latn", ["tt@iqtelif"]),
        ("ceb", ["ceb"]),
        ("tgl", []),
    ],
)
def test_a_language_is_found_in_its_folders(code: str, folders: list[str]) -> None:
    assert matching(code, INSTALLED) == folders


def test_simplified_chinese_is_zh_cn_where_nothing_plainer_is_there() -> None:
    assert matching("cmn_Hans", ["zh_CN", "zh_TW", "zh_SG"]) == ["zh_CN", "zh_SG"]


@pytest.mark.parametrize("name", ["C", "l10n", "DE", "LC_MESSAGES", "de_", "english"])
def test_a_folder_that_is_no_locale_is_passed_over(name: str) -> None:
    assert parse(name) is None


def test_a_macrolanguage_and_the_language_it_means_share_their_codes() -> None:
    assert set(other_codes("arb")) == set(other_codes("ara")) == {"ar", "arb", "ara"}
    assert other_codes("arb")[0] == "ar"
    assert other_codes("ceb") == ("ceb",)
