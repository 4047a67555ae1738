import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangkien.text import fold, nfc, nfc_lines, same_name


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("Đơ\u0323t I", "Đợt I"),  # Windows-1258: the horn precomposed, the tone apart
        (unicodedata.normalize("NFD", "Nguyễn Thị Ằng"), "Nguyễn Thị Ằng"),
        ("\u00d0ặng Văn \u00f0ạt", "Đặng Văn đạt"),
        ("  Trường\u00a0THCS \t Thành\nCông ", "Trường THCS Thành Công"),
        ("e\u200b\u0302\u0301", "ế"),  # a zero-width space between a letter and its tone
        ("\ufeffSáng\u00ad kiến\x00", "Sáng kiến"),
        ("  plain   ascii ", "plain ascii"),
        ("\n", ""),
    ],
)
def test_nfc_gives_one_clean_line(raw: str, clean: str) -> None:
    assert nfc(raw) == clean


def test_nfc_replaces_a_lone_surrogate() -> None:
    assert nfc(json.loads('"a\\ud800b"')) == "a\ufffdb"


@given(st.text())
def test_nfc_is_stable_and_storable(text: str) -> None:
    clean = nfc(text)
    assert nfc(clean) == clean
    assert unicodedata.is_normalized("NFC", clean)
    assert clean.encode().decode() == clean


def test_nfc_lines_keeps_paragraphs() -> None:
    assert nfc_lines("Một  \r\n\r\n\r\n\r\n hai\u00a0ba\n") == "Một\n\nhai ba"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("hoà thuỷ khoẻ", "hòa thủy khỏe"),
        ("ĐỔI MỚI", "doi moi"),
        ("\u00d0ường ống", "duong ong"),
        ("Lớp １２", "lop 12"),
        (unicodedata.normalize("NFD", "Ữ Ỵ Ẵ"), "u y a"),
    ],
)
def test_fold_forgets_tones_case_and_their_placement(left: str, right: str) -> None:
    assert fold(left) == fold(right)


@given(st.text())
def test_fold_is_stable(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("Trần Thị Hòa", "trần  thị HOÀ", True),
        ("Trần Thị Hòa", unicodedata.normalize("NFD", "Trần Thị Hòa"), True),
        ("Thuỷ", "Thủy", True),
        ("Trần Thị Hòa", "Trần Thị Hoa", False),
        ("Phường An", "Phường Ân", False),
        ("Đức", "Dức", False),
        ("Tự", "Tư", False),
    ],
)
def test_one_name_forgets_case_blanks_and_the_place_of_a_tone_and_nothing_else(
    left: str, right: str, same: bool
) -> None:
    assert (same_name(left) == same_name(right)) is same
