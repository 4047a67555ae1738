from datetime import UTC, date, datetime, timedelta

import pytest

from sangkien.directory.domain.account import SignInTries, check_login, check_password
from sangkien.directory.domain.errors import (
    LoginMalformed,
    PasswordTooLong,
    PasswordTooShort,
    RolesMissing,
    RoleUnknown,
    SignInBlocked,
    ValidityMalformed,
    ValidityReversed,
)
from sangkien.directory.domain.organisation import Namesakes
from sangkien.directory.domain.person import RoleBook
from sangkien.directory.domain.validity import ALWAYS, parse_validity
from sangkien.kernel import DateRange

JAN, MAR, JUN, DEC = date(2023, 1, 1), date(2023, 3, 1), date(2023, 6, 30), date(2023, 12, 31)


@pytest.mark.parametrize(
    ("first", "last", "period"),
    [
        ("", "", ALWAYS),
        ("2023-01-01", "", DateRange(JAN, date.max)),
        ("", "2023-06-30", DateRange(date.min, JUN)),
        ("2023-06-30", "2023-06-30", DateRange(JUN, JUN)),
    ],
)
def test_validity_leaves_empty_ends_open(first: str, last: str, period: DateRange) -> None:
    assert parse_validity(first, last) == period


@pytest.mark.parametrize("text", ["30/06/2025", "2025-6-30", "20250630", "2025-02-30", "2025-W01-1", "mai"])
def test_validity_refuses_what_is_no_day(text: str) -> None:
    with pytest.raises(ValidityMalformed) as refused:
        parse_validity("", text)
    assert refused.value.field == "valid_to"


def test_validity_refuses_an_end_before_the_beginning() -> None:
    with pytest.raises(ValidityReversed):
        parse_validity("2025-07-01", "2025-06-30")


def test_namesakes_stand_one_at_a_time() -> None:
    namesakes = Namesakes("", [("old", DateRange(date.min, JUN))])
    namesakes.add("new", DateRange(date(2023, 7, 1), date.max))
    days = [(JAN, JAN), (JUN, JUN), (date(2023, 7, 1), DEC)]
    assert [namesakes.standing_in(DateRange(*each)) for each in days] == ["old", "old", "new"]


def test_roles_hold_on_the_days_granted() -> None:
    book = RoleBook("p", "o", {})
    assert book.grant(["secretary", "author"], DateRange(MAR, JUN))
    days = [date(2023, 2, 28), MAR, JUN, date(2023, 7, 1)]
    both = frozenset({"secretary", "author"})
    assert [book.held_on(day) for day in days] == [frozenset(), both, both, frozenset()]


def test_same_grant_again_changes_nothing() -> None:
    book = RoleBook("p", "o", {})
    book.grant(["leader"], DateRange(MAR))
    assert not book.grant(["leader"], DateRange(MAR))


def test_later_grant_sets_the_last_day_of_the_one_it_continues() -> None:
    book = RoleBook("p", "o", {})
    book.grant(["operator"], DateRange(JAN))
    book.grant(["operator"], DateRange(MAR, JUN))
    assert book.grants == {"operator": [DateRange(JAN, JUN)]}


def test_grants_apart_stay_apart() -> None:
    book = RoleBook("p", "o", {})
    book.grant(["finance"], DateRange(DEC))
    book.grant(["finance"], DateRange(JAN, MAR))
    assert book.grants == {"finance": [DateRange(JAN, MAR), DateRange(DEC)]}


@pytest.mark.parametrize("roles", [["service"], ["author", "king"], [""]])
def test_grant_of_an_unknown_role_changes_nothing(roles: list[str]) -> None:
    book = RoleBook("p", "o", {"author": [DateRange(JAN)]})
    with pytest.raises(RoleUnknown):
        book.grant(roles, DateRange(MAR))
    assert book.grants == {"author": [DateRange(JAN)]}


def test_grant_of_nothing_is_refused() -> None:
    with pytest.raises(RolesMissing):
        RoleBook("p", "o", {}).grant([], DateRange(JAN))


def test_tries_are_slowed_down_after_five() -> None:
    start = datetime(2023, 5, 8, 8, tzinfo=UTC)
    tries = SignInTries("k", 0, datetime.min.replace(tzinfo=UTC))
    for _ in range(5):
        tries.take(start)
    pauses = []
    now = start
    for _ in range(7):
        with pytest.raises(SignInBlocked) as blocked:
            tries.take(now)
        wait = int(blocked.value.facts["seconds"])
        with pytest.raises(SignInBlocked):
            tries.take(now + timedelta(seconds=wait - 1))
        now += timedelta(seconds=wait)
        tries.take(now)
        pauses.append(wait)
    assert pauses == [30, 60, 120, 240, 480, 900, 900]


def test_login_is_compared_in_small_letters() -> None:
    assert check_login(" Thu.Ky@BaDinh.vn ") == "thu.ky@badinh.vn"


@pytest.mark.parametrize("login", ["", "ab", "thư.ký", "a b c", "a" * 65, "-dash"])
def test_login_of_another_form_is_refused(login: str) -> None:
    with pytest.raises(LoginMalformed):
        check_login(login)


def test_password_length_is_bounded() -> None:
    assert check_password("mười hai ký ") == "mười hai ký "
    with pytest.raises(PasswordTooShort):
        check_password("x" * 11)
    with pytest.raises(PasswordTooLong):
        check_password("x" * 257)
