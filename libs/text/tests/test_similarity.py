import pytest

from sangkien.text import similar

UNITS = [
    "Phường Điện Biên",
    "Phường Cống Vị",
    "Phường Thành Công",
    "Trường THCS Thành Công",
    "Trường Tiểu học Hoàng Diệu",
    "Trường Tiểu học Kim Đồng",
    "Trường Tiểu học Phong Thủy số 1",
    "Trường Tiểu học Phong Thủy số 2",
    "Trường Mầm non A",
    "Trường Mầm non B",
    "Phòng Kinh tế",
    "Quận Ba Đình",
    "Thành phố Hồ Chí Minh",
]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("P. Điện Biên", ["Phường Điện Biên"]),
        ("P.Công Vị", ["Phường Cống Vị"]),
        ("p kinh te", ["Phòng Kinh tế"]),
        ("Q. Ba Đình", ["Quận Ba Đình"]),
        ("MN A", ["Trường Mầm non A"]),
        ("Tr. Mầm non A", ["Trường Mầm non A"]),
        ("UBND phường Cống Vị", ["Phường Cống Vị"]),
        ("Ủy ban nhân dân P. Cống Vi", ["Phường Cống Vị"]),
        ("TH Hoàng Dieuu", ["Trường Tiểu học Hoàng Diệu"]),
        ("TP.  HCM", ["Thành phố Hồ Chí Minh"]),
        ("TpHCM", ["Thành phố Hồ Chí Minh"]),
        ("thcs thành công", ["Trường THCS Thành Công", "Phường Thành Công"]),
        ("TH Phong Thuỷ số 2", ["Trường Tiểu học Phong Thủy số 2"]),
    ],
)
def test_similar_understands_how_units_are_written(written: str, meant: list[str]) -> None:
    assert similar(written, UNITS) == meant


@pytest.mark.parametrize("written", ["", "Trường Tiểu học", "TH Nguyễn Trãi", "P.", "Phường", "???"])
def test_similar_offers_nothing_when_only_the_kind_is_shared(written: str) -> None:
    assert similar(written, UNITS) == []


def test_similar_gives_at_most_the_limit() -> None:
    assert similar("Tổ 7", ["Tổ 7", "tổ 7", "TỔ 7", "To 7"], limit=2) == ["To 7", "TỔ 7"]
