from datetime import date

import pytest

from sangkien.directory.application.unit_index import Match, UnitIndex
from sangkien.directory.domain.organisation import Organisation
from sangkien.directory.domain.validity import ALWAYS
from sangkien.kernel import DateRange

QUAN_ERA = DateRange(date.min, date(2025, 6, 30))
WARD_ERA = DateRange(date(2025, 7, 1), date.max)


def unit(id: str, name: str, parent_id: str = "", validity: DateRange = ALWAYS, *aliases: str) -> Organisation:
    return Organisation(id, "X", name, parent_id, validity, "", aliases)


@pytest.fixture
def index() -> UnitIndex:
    filled = UnitIndex()
    filled.put(
        [
            unit("bd", "Quận Ba Đình", validity=QUAN_ERA),
            unit("hk", "Quận Hoàn Kiếm", validity=QUAN_ERA),
            unit("db", "Phường Điện Biên", "bd", QUAN_ERA),
            unit("hd", "Trường Tiểu học Hoàng Diệu", "bd"),
            unit("tc", "Trường THCS Thành Công", "bd", ALWAYS, "Thành Công 2"),
            unit("kt1", "Phòng Kinh tế", "bd", QUAN_ERA),
            unit("kt2", "Phòng Kinh tế", "hk", QUAN_ERA),
            unit("nh1", "Phường Ngọc Hà", "bd", QUAN_ERA),
            unit("nh2", "Phường Ngọc Hà", "", WARD_ERA),
            unit("hoa1", "Trường Mầm non Hoa", "bd"),
            unit("hoa2", "Trường Mầm non Hòa", "bd"),
        ]
    )
    return filled


@pytest.mark.parametrize(
    ("typed", "id"),
    [
        ("Phường Điện Biên", "db"),
        ("  phuong   dien bien ", "db"),
        ("Phu\u031bo\u031b\u0300ng \u00d0ie\u0323\u0302n Bie\u0302n", "db"),
        ("P. Điện Biên", "db"),
        ("TH Hoàng Diệu", "hd"),
        ("Trường trung học cơ sở Thành Công", "tc"),
        ("thành công 2", "tc"),
        ("Phòng Kinh tế, quận Hoàn Kiếm", "kt2"),
        ("Phòng Kinh tế (Quận Ba Đình)", "kt1"),
        ("Trường Mầm non Hoà", "hoa2"),
        ("trường mầm non hoa", "hoa1"),
    ],
)
def test_unit_is_found_by_what_people_type(index: UnitIndex, typed: str, id: str) -> None:
    assert index.find(typed, None).organisation_id == id


def test_units_of_one_name_are_told_apart_by_their_parents(index: UnitIndex) -> None:
    labels = ("Phòng Kinh tế (Quận Ba Đình)", "Phòng Kinh tế (Quận Hoàn Kiếm)")
    assert index.find("Phòng kinh tế", None) == Match(suggestions=labels, ambiguous=True)


@pytest.mark.parametrize(("on", "id"), [(date(2023, 5, 8), "nh1"), (date(2025, 7, 1), "nh2")])
def test_unit_is_the_one_of_the_day(index: UnitIndex, on: date, id: str) -> None:
    assert index.find("Phường Ngọc Hà", on).organisation_id == id


def test_unit_that_ended_is_not_found_afterwards(index: UnitIndex) -> None:
    assert index.find("Quận Ba Đình", date(2025, 7, 1)) == Match()
    assert index.suggest("Quận Ba Đình", date(2025, 7, 1)) == Match()


def test_name_nobody_has_gets_near_ones(index: UnitIndex) -> None:
    assert index.find("Phường Điên Biênn", None) == Match()
    assert index.suggest("Phường Điên Biênn", None) == Match(suggestions=("Phường Điện Biên",))


@pytest.mark.parametrize("typed", ["", "  ", "…", "()"])
def test_name_without_letters_finds_nothing(index: UnitIndex, typed: str) -> None:
    assert index.find(typed, None) == Match()


def test_alias_learnt_later_is_found(index: UnitIndex) -> None:
    index.put([unit("db", "Phường Điện Biên", "bd", QUAN_ERA, "Điện Biên Phủ")])
    assert index.find("dien bien phu", None) == Match("db", "Phường Điện Biên")
