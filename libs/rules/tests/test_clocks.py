from datetime import date, timedelta
from importlib import resources

import pytest
from holidays import country_holidays
from hypothesis import given
from hypothesis import strategies as st

from sangkien.rules import NoCalendar, NoRuleForJurisdiction, NoRuleOnDate, UnknownClock, clocks, due
from sangkien.rules.calendar_source import OBSERVED, SWAPS, render

LIBRARY = country_holidays("VN", years=range(2011, 2101))


def iso(day: str) -> date:
    return date.fromisoformat(day)


@pytest.mark.parametrize(
    ("rule", "start", "end"),
    [
        ("decide", "2026-11-30", "2027-03-01"),  # no 30 February; the 28th is a Sunday
        ("formal-check", "2024-01-31", "2024-02-29"),  # leap year
        ("formal-check", "2025-12-31", "2026-02-02"),  # across the year; 31 January is a Saturday
        ("supplement", "2023-05-10", "2023-06-12"),
        ("filing-limit", "2024-02-29", "2025-02-28"),
        ("appeal-file", "2023-12-20", "2024-03-19"),
        ("appeal-accept", "2026-11-05", "2026-11-16"),  # the tenth day is a Sunday
        ("appeal-resolve", "2026-11-02", "2026-12-02"),
        ("appeal-resolve-complex", "2026-11-02", "2026-12-17"),
        ("second-appeal-file", "2026-11-02", "2026-12-02"),
        ("second-appeal-resolve", "2026-11-02", "2026-12-17"),
        ("second-appeal-resolve-complex", "2026-11-02", "2027-01-04"),  # 1 January, then a weekend
    ],
)
def test_due_counts_months_and_days(rule: str, start: str, end: str) -> None:
    assert due(rule, iso(start)).due == iso(end)


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("2024-12-01", "2025-01-02", "01/01/2025 là ngày nghỉ: Tết Dương lịch."),
        ("2026-01-16", "2026-02-23", "16/02/2026 là ngày nghỉ: Giao thừa Tết Nguyên Đán."),
        ("2025-03-07", "2025-04-08", "07/04/2025 là ngày nghỉ: Ngày Giỗ Tổ Hùng Vương."),
        ("2026-03-27", "2026-04-28", "27/04/2026 là ngày nghỉ: Ngày Giỗ Tổ Hùng Vương (nghỉ bù)."),
        ("2026-03-30", "2026-05-04", "30/04/2026 là ngày nghỉ: Ngày Chiến thắng."),
        ("2026-08-02", "2026-09-03", "02/09/2026 là ngày nghỉ: Quốc khánh."),
        ("2024-03-29", "2024-05-02", "29/04/2024 là ngày nghỉ: Ngày nghỉ (thay cho ngày 04/05/2024)."),
        ("2024-03-02", "2024-04-02", ""),
        ("2024-04-04", "2024-05-04", ""),  # a Saturday made a working day
        ("2025-12-02", "2026-01-05", "02/01/2026 là ngày nghỉ: Ngày nghỉ (thay cho ngày 10/01/2026)."),
        ("2025-12-10", "2026-01-10", ""),
        ("2012-12-05", "2013-01-05", ""),
        ("2013-12-28", "2014-02-06", "28/01/2014 là ngày nghỉ: Ngày nghỉ (thay cho ngày 25/01/2014)."),
    ],
)
def test_due_moves_past_days_off_and_says_which(start: str, end: str, reason: str) -> None:
    found = due("formal-check", iso(start))
    assert found.due == iso(end)
    assert found.why[1:2] == ((reason,) if reason else ())


def test_due_explains_every_step_in_order() -> None:
    found = due("decide", iso("2026-11-30"))
    assert found.why == (
        "Nghị định 13/2012/NĐ-CP, Điều 7(1): 3 tháng kể từ 30/11/2026, ngày cuối là 28/02/2027.",
        "Tháng kết thúc không có ngày 30, nên lấy ngày cuối tháng 28/02/2027.",
        "28/02/2027 là ngày nghỉ: Chủ nhật.",
        "Bộ luật Dân sự 2015, Điều 147, 148: thời hạn kết thúc vào ngày làm việc tiếp theo, 01/03/2027.",
    )
    assert found.rule_set_id == "vn.clock.decide.nd-13-2012+vn.counting.civil-code-2015"


def test_due_speaks_english_when_asked() -> None:
    assert due("appeal-accept", iso("2026-11-04"), lang="en").why == (
        "Luật Khiếu nại 2011, Điều 27: 10 days from 4 November 2026, so the last day is 14 November 2026.",
        "14 November 2026 is a day off: Saturday.",
        "15 November 2026 is a day off: Sunday.",
        "Bộ luật Dân sự 2015, Điều 147, 148: the term ends on the next working day, 16 November 2026.",
    )


def test_due_of_a_decision_starts_from_the_end_of_first_application_if_later() -> None:
    accepted = iso("2023-05-08")
    assert due("decide", accepted, later_start=iso("2023-06-01")).due == iso("2023-09-05")  # 1–4 September are days off
    assert (
        due("decide", accepted, later_start=iso("2023-05-01")).due == due("decide", accepted).due == iso("2023-08-08")
    )


def test_due_of_other_rules_has_one_start() -> None:
    with pytest.raises(ValueError, match="one start only"):
        due("appeal-file", iso("2023-05-08"), later_start=iso("2023-06-01"))


@pytest.mark.parametrize(
    ("rule", "start", "unverified"),
    [
        ("decide", "2025-11-03", ()),
        ("formal-check", "2025-11-03", ("length",)),
        ("decide", "2026-11-03", ("holidays",)),  # ends in a year whose swaps are not announced
        ("decide", "2026-08-24", ("holidays",)),  # Vietnam Cultural Day, which no law was found for
        ("decide", "2026-08-25", ()),
        ("appeal-file", "2012-07-02", ("counting",)),  # by the code of 2005
    ],
)
def test_due_names_what_is_not_verified(rule: str, start: str, unverified: tuple[str, ...]) -> None:
    found = due(rule, iso(start))
    assert (found.unverified, found.verified) == (unverified, not unverified)


@given(st.sampled_from(sorted(clocks())), st.dates(iso("2012-07-01"), iso("2098-12-31")))
def test_due_is_the_first_working_day_not_before_the_end_of_the_term(rule: str, start: date) -> None:
    clock = clocks()[rule]
    if clock.unit == "month":
        months = start.year * 12 + start.month + clock.length
        days = [start + timedelta(days=n) for n in range(28 * clock.length, 31 * clock.length + 1)]
        end = max(day for day in days if day.year * 12 + day.month == months and day.day <= start.day)
    else:
        end = start + timedelta(days=clock.length)
    while end not in SWAPS.values() and (end in SWAPS or end in OBSERVED or not LIBRARY.is_working_day(end)):
        end += timedelta(days=1)
    assert due(rule, start).due == end


def test_calendar_file_is_what_the_installed_library_says() -> None:
    assert resources.files("sangkien.rules").joinpath("data/calendar.yaml").read_text("utf-8") == render()


def test_due_refuses_what_it_has_no_rule_for() -> None:
    with pytest.raises(UnknownClock) as unknown:
        due("decided", iso("2023-05-08"))
    with pytest.raises(NoRuleOnDate) as early:
        due("decide", iso("2012-04-24"))
    with pytest.raises(NoRuleForJurisdiction) as abroad:
        due("decide", iso("2023-05-08"), jurisdiction="la")
    assert unknown.value.facts == {"known": ", ".join(clocks())}
    assert early.value.facts == {"subject": "decide", "on": "2012-04-24", "periods": "2012-04-25/"}
    assert abroad.value.facts == {"subject": "decide", "known": "vn"}
    assert due("decide", iso("2012-04-25")).due == iso("2012-07-25")


@pytest.mark.parametrize("start", ["2099-11-30", "2100-01-01", "9999-12-31"])
def test_due_refuses_years_without_a_calendar(start: str) -> None:
    with pytest.raises(NoCalendar) as refused:
        due("decide", iso(start))
    assert refused.value.facts == {"last_year": 2099}
