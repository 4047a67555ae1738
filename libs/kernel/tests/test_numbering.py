from datetime import date

import pytest

from sangkien.kernel import Refusal
from sangkien.kernel.numbering import (
    Numbered,
    NumberOutOfOrder,
    NumberRegister,
    RegisterOpenedOtherwise,
    RegisterStartMalformed,
    RegisterSuffixMalformed,
    RegisterYearMalformed,
    RegisterYearWrong,
    register_id,
)


def test_register_gives_consecutive_numbers_in_printed_form() -> None:
    register = NumberRegister.open("hn:1", "/QĐ-UBND", 2023, 8)
    taken = [register.take(date(2023, 12, day)) for day in (19, 20, 20)]
    assert taken == [Numbered(9, "09/QĐ-UBND"), Numbered(10, "10/QĐ-UBND"), Numbered(11, "11/QĐ-UBND")]
    assert (register.opened_at, register.last_number, register.last_day) == (8, 11, date(2023, 12, 20))


def test_register_comes_back_from_its_document() -> None:
    opened, used = (NumberRegister.open("hn:1", "/QĐ-UBND", 2023, 8) for _ in range(2))
    used.take(date(2023, 12, 19))
    for version, register in enumerate((opened, used), start=1):
        again = NumberRegister.from_document(register.as_document() | {"ver": version})
        assert (again, again.version) == (register, version)


def test_register_refuses_an_earlier_day_and_keeps_its_number() -> None:
    register = NumberRegister.open("hn:1", "/QĐ-UBND", 2023, 3033)
    register.take(date(2023, 12, 20))
    with pytest.raises(NumberOutOfOrder) as refused:
        register.take(date(2023, 12, 19))
    assert refused.value.facts == {"last_number": 3034, "last_day": "2023-12-20"}
    assert register.take(date(2023, 12, 31)) == Numbered(3035, "3035/QĐ-UBND")


def test_register_refuses_a_day_of_another_year() -> None:
    with pytest.raises(RegisterYearWrong):
        NumberRegister.open("hn:1", "/QĐ-UBND", 2023, 0).take(date(2024, 1, 1))


def test_opening_again_is_accepted_only_with_the_same_facts() -> None:
    register = NumberRegister.open("hn:1", "/QĐ-UBND", 2023, 7)
    register.take(date(2023, 1, 5))
    register.confirm_opened_at(7)
    with pytest.raises(RegisterOpenedOtherwise) as refused:
        register.confirm_opened_at(8)
    assert refused.value.facts == {"opened_at": 7, "last_number": 8}


def test_register_id_is_the_same_however_the_suffix_was_typed() -> None:
    typed = " /QĐ-UBND "
    decomposed = "/QĐ-HĐKHSA\u0301NG"
    assert register_id("hn:1", typed, 2023) == "hn:1|/QĐ-UBND|2023"
    assert register_id("hn:1", decomposed, 2023) == "hn:1|/QĐ-HĐKHSÁNG|2023"


@pytest.mark.parametrize(
    ("suffix", "year", "last_number", "error"),
    [
        ("", 2023, 0, RegisterSuffixMalformed),
        ("QĐ-UBND", 2023, 0, RegisterSuffixMalformed),
        ("/QĐ UBND", 2023, 0, RegisterSuffixMalformed),
        ("/QĐ-", 2023, 0, RegisterSuffixMalformed),
        ("/2023", 2023, 0, RegisterSuffixMalformed),
        ("/QĐ|UBND", 2023, 0, RegisterSuffixMalformed),
        ("/" + "Q" * 40, 2023, 0, RegisterSuffixMalformed),
        ("/QĐ-UBND", 23, 0, RegisterYearMalformed),
        ("/QĐ-UBND", 2023, -1, RegisterStartMalformed),
        ("/QĐ-UBND", 2023, 1_000_000, RegisterStartMalformed),
    ],
)
def test_register_refuses_malformed_openings(suffix: str, year: int, last_number: int, error: type[Refusal]) -> None:
    with pytest.raises(error):
        NumberRegister.open("hn:1", suffix, year, last_number)


@pytest.mark.parametrize("suffix", ["/QĐ-UBND", "/HĐKH&CN", "/QĐ-HĐKHSK", "/KT", "/BC-UBND/KT"])
def test_register_accepts_the_suffixes_in_use(suffix: str) -> None:
    assert NumberRegister.open("hn:1", suffix, 2023, 87).take(date(2023, 5, 8)).symbol == f"88{suffix}"
