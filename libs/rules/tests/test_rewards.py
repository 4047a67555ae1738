from datetime import date

import pytest

from sangkien.kernel import multiply_hundredths, round_up_to
from sangkien.rules import FormNotForHolder, Holder, NoRuleOnDate, UnknownForm, forms, quote
from sangkien.text.catalogue import message

# The last day of the 1.49 m base, the first of the 1.8 m, 2.34 m and 2.53 m ones.
DAYS = (date(2023, 6, 30), date(2023, 7, 1), date(2024, 7, 1), date(2026, 7, 1))
TABLE: list[tuple[str, Holder, tuple[int, ...]]] = [
    ("giay-khen-so", "individual", (450_000, 540_000, 710_000, 760_000)),
    ("giay-khen-so", "collective", (900_000, 1_080_000, 1_410_000, 1_520_000)),
    ("tap-the-ldtt", "collective", (1_200_000, 1_440_000, 1_880_000, 2_030_000)),
    ("cstd-co-so", "individual", (1_490_000, 1_800_000, 2_340_000, 2_530_000)),
    ("tap-the-ld-xuat-sac", "collective", (2_240_000, 2_700_000, 3_510_000, 3_800_000)),
    ("cstd-tinh", "individual", (4_470_000, 5_400_000, 7_020_000, 7_590_000)),
    ("bang-khen-thu-tuong", "individual", (5_220_000, 6_300_000, 8_190_000, 8_860_000)),
    ("cstd-toan-quoc", "individual", (6_710_000, 8_100_000, 10_530_000, 11_390_000)),
]


@pytest.mark.parametrize(("form", "holder", "amounts"), TABLE)
def test_quote_gives_the_published_table(form: str, holder: Holder, amounts: tuple[int, ...]) -> None:
    assert tuple(quote(form, holder, day).amount_vnd for day in DAYS) == amounts


def test_quote_of_a_commune_certificate_follows_its_coefficient() -> None:
    days = (date(2023, 6, 30), date(2023, 7, 1), date(2025, 6, 30), date(2025, 7, 1), date(2026, 7, 1))
    assert [quote("giay-khen-xa", "individual", day).amount_vnd for day in days] == [
        230_000, 270_000, 360_000, 710_000, 760_000,
    ]  # fmt: skip
    assert [quote("giay-khen-xa", "collective", day).amount_vnd for day in days] == [
        450_000, 540_000, 710_000, 1_410_000, 1_520_000,
    ]  # fmt: skip


def test_quote_doubles_the_coefficient_before_it_rounds() -> None:
    assert round_up_to(multiply_hundredths(1_490_000, 30), 10_000) == 450_000
    doubled = quote("giay-khen-xa", "collective", date(2023, 6, 30))
    assert (doubled.coefficient_hundredths, doubled.amount_vnd) == (30, 450_000)  # not 2 × 230,000 = 460,000


def test_quote_of_the_official_examples_at_the_2018_base() -> None:
    day = date(2018, 7, 2)
    assert quote("giay-khen-quan", "collective", day).amount_vnd == 840_000
    shown = quote("tap-the-ldtt", "collective", day)
    assert (shown.amount_vnd, shown.derivation[0]) == (1_120_000, "Nghị định 72/2018/NĐ-CP: 1.390.000")


def test_quote_of_the_district_list_of_2023_is_verified_and_shows_its_reckoning() -> None:
    individual = quote("giay-khen-quan", "individual", date(2023, 12, 20))
    collective = quote("giay-khen-quan", "collective", date(2023, 12, 20))
    assert 43 * collective.amount_vnd + 53 * individual.amount_vnd == 75_060_000
    assert (collective.verified, collective.unverified) == (True, ())
    assert collective.rule_set_id == "vn.reward.nd-91-2017+vn.base-salary.2023-07-01"
    assert collective.derivation == (
        "Nghị định 24/2023/NĐ-CP: 1.800.000",
        "Nghị định 91/2017/NĐ-CP, Điều 73: 0,30 × 2 = 0,60",
        "1.800.000 × 0,60 = 1.080.000",
        "1.080.000 → 1.080.000 (↑ 10.000)",
    )
    assert collective.sources == (
        "Nghị định 24/2023/NĐ-CP",
        "Nghị định 91/2017/NĐ-CP, Điều 73",
        "Nghị định 91/2017/NĐ-CP, Điều 68(2)",
    )


@pytest.mark.parametrize(
    ("form", "day_before", "amount_before", "amount_on"),
    [
        ("giay-khen-quan", date(2018, 6, 30), 390_000, 420_000),
        ("giay-khen-quan", date(2019, 6, 30), 420_000, 450_000),
        ("giay-khen-quan", date(2023, 6, 30), 450_000, 540_000),
        ("bang-khen-tinh", date(2023, 12, 31), 1_800_000, 2_700_000),
        ("giay-khen-quan", date(2024, 6, 30), 540_000, 710_000),
        ("giay-khen-quan", date(2025, 6, 30), 710_000, 710_000),
        ("giay-khen-quan", date(2026, 6, 30), 710_000, 760_000),
        ("giay-khen-xa", date(2025, 6, 30), 360_000, 710_000),
        ("giay-khen-xa", date(2026, 6, 30), 710_000, 760_000),
    ],
)
def test_quote_changes_on_the_first_day_of_force(
    form: str, day_before: date, amount_before: int, amount_on: int
) -> None:
    on = date.fromordinal(day_before.toordinal() + 1)
    assert quote(form, "individual", day_before).amount_vnd == amount_before
    assert quote(form, "individual", on).amount_vnd == amount_on


@pytest.mark.parametrize(
    ("form", "holder", "on", "unverified"),
    [
        ("bang-khen-tinh", "individual", date(2023, 12, 20), ("coefficient",)),
        ("bang-khen-tinh", "collective", date(2023, 12, 20), ("coefficient", "collective_factor")),
        ("giay-khen-xa", "individual", date(2024, 1, 1), ("rounding",)),
        ("giay-khen-xa", "collective", date(2024, 1, 1), ("collective_factor", "rounding")),
        ("bang-khen-tinh", "individual", date(2025, 7, 1), ("rounding",)),
        ("huan-chuong-lao-dong-ba", "collective", date(2025, 7, 1), ("rounding",)),
        ("giay-khen-quan", "individual", date(2017, 10, 1), ()),
        ("giay-khen-quan", "individual", date(2019, 7, 1), ()),
        ("giay-khen-quan", "individual", date(2025, 7, 1), ("issuer", "rounding")),
        ("giay-khen-quan", "collective", date(2026, 9, 30), ("issuer", "rounding")),
        ("giay-khen-xa", "individual", date(2026, 9, 30), ("rounding",)),
        ("giay-khen-xa", "individual", date(2026, 10, 1), ("instrument.valid_to", "rounding")),
    ],
)
def test_quote_names_what_is_not_verified(form: str, holder: Holder, on: date, unverified: tuple[str, ...]) -> None:
    found = quote(form, holder, on)
    assert (found.unverified, found.verified) == (unverified, not unverified)


def test_quote_of_a_form_nobody_can_grant_any_more_says_so_in_both_languages() -> None:
    doubled = quote("giay-khen-quan", "collective", date(2025, 7, 1))
    assert (doubled.coefficient_hundredths, doubled.amount_vnd, doubled.verified) == (60, 1_410_000, False)
    assert message("unverified.issuer") == (
        "cơ quan ban hành: từ 01/07/2025 không còn quận, nên không cơ quan nào ban hành được hình thức này"
    )
    assert message("unverified.issuer", lang="en") == (
        "issuer: no quận (urban district) has existed since 01/07/2025, so nobody can issue this form"
    )


def test_every_form_has_a_quote_for_some_holder_today() -> None:
    for form in forms():
        priced = []
        for holder in ("individual", "collective"):
            try:
                priced.append(quote(form, holder, date(2026, 11, 20)).amount_vnd)
            except FormNotForHolder:
                continue
        assert min(priced, default=0) > 0, form


@pytest.mark.parametrize(
    ("form", "on", "periods"),
    [
        ("giay-khen-quan", date(2017, 9, 30), "2017-10-01/"),
        ("cstd-co-so", date(2010, 1, 1), "2017-10-01/"),
        ("xa-phuong-tieu-bieu", date(2023, 12, 31), "2024-01-01/"),
    ],
)
def test_quote_refuses_where_no_rule_exists_and_names_the_periods_that_have_one(
    form: str, on: date, periods: str
) -> None:
    holder: Holder = "collective" if form == "xa-phuong-tieu-bieu" else "individual"
    with pytest.raises(NoRuleOnDate) as refused:
        quote(form, holder, on)
    assert refused.value.facts == {"subject": form, "on": on.isoformat(), "periods": periods}


@pytest.mark.parametrize(
    ("form", "holder", "holders"),
    [("cstd-co-so", "collective", "individual"), ("co-thi-dua-tinh", "individual", "collective")],
)
def test_quote_refuses_a_holder_the_form_is_not_for(form: str, holder: Holder, holders: str) -> None:
    with pytest.raises(FormNotForHolder) as refused:
        quote(form, holder, date(2023, 12, 20))
    assert refused.value.facts == {"form": form, "holders": holders}


def test_quote_of_an_unknown_form_lists_the_known_ones_and_not_what_was_typed() -> None:
    with pytest.raises(UnknownForm) as refused:
        quote("Nguyễn Văn A", "individual", date(2023, 12, 20))
    assert refused.value.facts == {"known": ", ".join(forms())}
    assert len(forms()) == 23
