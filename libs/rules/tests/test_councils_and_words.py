from datetime import date

import pytest

from sangkien.rules import NoRuleOnDate, council_rules, effect_term, refusal_reasons, shortcomings, tiers


@pytest.mark.parametrize(("members", "needed"), [(5, 4), (6, 4), (7, 5), (9, 6), (10, 7), (12, 8)])
def test_vote_needs_two_thirds_of_all_members_whoever_is_present(members: int, needed: int) -> None:
    rules = council_rules(date(2023, 5, 8))
    assert (rules.votes_needed(members, present=members), rules.votes_needed(members, present=needed)) == (
        needed,
        needed,
    )
    assert rules.quorum(members) == needed


def test_council_rules_say_what_is_ours_and_what_is_the_circulars() -> None:
    rules = council_rules(date(2023, 5, 8))
    assert rules.rule_set_id == "vn.council.tt-18-2013"
    assert (rules.verified, rules.unverified) == (
        False, ("author_excluded", "min_members", "min_reviewers", "quorum"),
    )  # fmt: skip
    assert (rules.min_members, rules.required_roles) == (5, ("chair", "vice_chair", "secretary", "expert"))
    assert (rules.pass_num, rules.pass_den, rules.pass_denominator) == (2, 3, "all")
    assert str(rules.source) == "Thông tư 18/2013/TT-BKHCN, Điều 8"


def test_council_rules_of_a_province_stand_before_the_countrys() -> None:
    on = date(2025, 9, 1)
    bac_ninh = council_rules(on, jurisdiction="vn/bac-ninh/van-mon")
    assert (bac_ninh.votes_needed(10, 10), bac_ninh.votes_needed(9, 9)) == (7, 7)
    assert council_rules(on, jurisdiction="vn/ha-noi").rule_set_id == "vn.council.tt-18-2013"


def test_council_rules_start_with_the_circular() -> None:
    assert council_rules(date(2013, 9, 25)).rule_set_id == "vn.council.tt-18-2013"
    with pytest.raises(NoRuleOnDate) as refused:
        council_rules(date(2013, 9, 24))
    assert refused.value.facts == {"subject": "council", "on": "2013-09-24", "periods": "2013-09-25/"}


def test_refusal_reasons_have_both_languages_and_their_article() -> None:
    reasons = refusal_reasons(date(2023, 5, 8))
    assert list(reasons) == [
        "KHONG_MOI_TRUNG_DON_TRUOC",
        "DA_BOC_LO_CONG_KHAI",
        "TRUNG_GIAI_PHAP_DA_AP_DUNG_HOAC_KE_HOACH",
        "DA_THANH_QUY_DINH_BAT_BUOC",
        "CHUA_AP_DUNG",
        "KHONG_CO_LOI_ICH",
        "TRAI_TRAT_TU_DAO_DUC",
        "DANG_BAO_HO_SHTT",
        "QUA_THOI_HIEU_1_NAM",
        "KHONG_DU_HO_SO",
        "SAI_CO_SO_TIEP_NHAN",
    ]
    late = reasons["QUA_THOI_HIEU_1_NAM"]
    assert (late.vi, late.en, late.source, late.verified) == (
        "Nộp đơn quá 1 năm kể từ ngày áp dụng lần đầu",
        "Filed more than one year after the first application",
        "Nghị định 13/2012/NĐ-CP, Điều 5(2)",
        True,
    )
    assert [code for code, reason in reasons.items() if not reason.verified] == ["KHONG_DU_HO_SO"]


def test_tiers_lose_the_district_with_the_districts() -> None:
    assert list(tiers(date(2025, 6, 30))) == ["grassroots", "district", "city", "national"]
    assert list(tiers(date(2025, 7, 1))) == ["grassroots", "city", "national"]


def test_effect_of_an_initiative_is_named_by_the_law_of_the_day() -> None:
    before, on = date(2023, 12, 31), date(2024, 1, 1)
    assert [effect_term("initiative", day).vi for day in (before, on)] == [
        "hiệu quả áp dụng và phạm vi ảnh hưởng",
        "hiệu quả áp dụng và khả năng nhân rộng",
    ]
    assert effect_term("research", on).vi == "hiệu quả áp dụng và phạm vi ảnh hưởng"


def test_shortcomings_are_ours_and_say_so() -> None:
    words = shortcomings(date(2023, 5, 8))
    assert words["THIEU_XAC_NHAN_DON_VI"].vi == "Thiếu xác nhận của đơn vị"
    assert {word.verified for word in words.values()} == {False}
    assert words.keys() & refusal_reasons(date(2023, 5, 8)).keys() == set()
