from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sangkien.intake.domain.codes import read_receipt_code, receipt_code
from sangkien.intake.domain.draft import Author, Draft, check_draft, limitation
from sangkien.intake.domain.errors import CouncilGone, DraftRefused, NoOpenRound
from sangkien.intake.domain.rounds import Round, the_open_round, the_successors_round
from sangkien.kernel import Refusal

DRAFT = Draft("", "", "", "Sáng kiến", "", "U", "", (Author("A", "", 10_000),), None, date(2023, 5, 10))
TODAY = date(2023, 5, 10)


def test_code_is_read_back_however_it_is_typed() -> None:
    code = receipt_code("01H4Z3NDEKTSV4RRFFQ69G5FAV", 2023)

    assert read_receipt_code(code) == code
    assert read_receipt_code(f" {code.lower().replace('-', ' ')} ") == code
    assert read_receipt_code("01H4Z3NDEKTSV4RRFFQ69G5FAV") is None


@given(st.text(min_size=5), st.integers(8, 16), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_code_with_one_wrong_character_is_noticed(seed: str, place: int, wrong: str) -> None:
    code = receipt_code(seed, 2023)
    if code[place] not in ("-", wrong):
        assert read_receipt_code(code[:place] + wrong + code[place + 1 :]) is None


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"title": "Bốn."}, "title_length"),
        ({"title": "x" * 501}, "title_length"),
        ({"summary": "x" * 20_001}, "text_too_long"),
        ({"benefit_vnd": -1}, "benefit_out_of_range"),
        ({"authors": (Author("", "", 10_000),)}, "author_unnamed"),
        ({"authors": (Author("", "x" * 501, 10_000),)}, "text_too_long"),
        ({"authors": tuple(Author(f"P{n}", "", 200) for n in range(51))}, "too_many_authors"),
        ({"authors": (Author("A", "", 10_000), Author("B", "", 0))}, "share_out_of_range"),
        ({"filed_on": date(2023, 5, 11)}, "filed_in_future"),
    ],
)
def test_draft_that_cannot_be_filed_is_refused(changed: dict[str, object], code: str) -> None:
    with pytest.raises(Refusal) as caught:
        check_draft(replace(DRAFT, **changed), TODAY)  # type: ignore[arg-type]
    assert caught.value.code == code


def test_draft_at_the_edges_is_accepted() -> None:
    authors = (Author("", "Nguyễn Văn A", 3_334), Author("", "Nguyễn Văn A", 3_333), Author("B", "", 3_333))
    check_draft(replace(DRAFT, title="Năm..", authors=authors, first_applied_on=TODAY), TODAY)
    with pytest.raises(DraftRefused):
        check_draft(replace(DRAFT, unit_id=""), TODAY)


@pytest.mark.parametrize(
    ("applied", "filed", "limit"),
    [
        (date(2022, 5, 10), date(2023, 5, 10), None),
        (date(2022, 5, 9), date(2023, 5, 10), "2023-05-09"),
        (date(2024, 2, 29), date(2025, 2, 28), None),
        (date(2024, 2, 29), date(2025, 3, 1), "2025-02-28"),
        (None, date(2023, 5, 10), None),
    ],
)
def test_limitation_warns_after_one_year(applied: date | None, filed: date, limit: str | None) -> None:
    warning = limitation(replace(DRAFT, first_applied_on=applied, filed_on=filed))
    assert (warning.facts["limit"] if warning else None) == limit


def test_open_round_is_chosen_by_tier_and_day() -> None:
    district = Round("R1", "Đợt 1", "district", "O", date(2023, 4, 1), date(2023, 6, 30))
    city = replace(district, round_id="R2", tier="city")
    closed = replace(district, round_id="R3", closed_on=date(2023, 5, 1))

    assert the_open_round([district, city, closed], "city", TODAY) == city
    assert the_open_round([district, closed], "", date(2023, 6, 30)) == district
    with pytest.raises(NoOpenRound):
        the_open_round([closed], "", TODAY)


def test_filing_after_its_council_is_gone_goes_to_the_one_successor_that_is_known() -> None:
    last, after = date(2025, 6, 30), date(2025, 7, 1)
    quan = Round("R1", "Đợt 1", "district", "QUAN", date(2025, 1, 1), date(2025, 12, 31))
    quan = replace(quan, owner_until=last, owner_successors=("PHUONG", "PHUONG2"))
    ward = replace(quan, round_id="R2", owner_id="PHUONG", owner_until=None, owner_successors=(), node="phuc-tan")
    moved = replace(ward, owner_until=last, owner_successors=("PHUONG3",))
    final = replace(ward, round_id="R3", owner_id="PHUONG3")
    rounds = [quan, ward]

    assert [the_successors_round(quan, rounds, "", day) for day in (last, after)] == [quan, ward]
    assert [the_open_round(rounds, "", day) for day in (last, after)] == [quan, ward]
    assert the_successors_round(quan, [quan, moved, final], "district", after) == final
    assert the_successors_round(quan, rounds, "city", after) == quan
    assert the_successors_round(quan, [*rounds, replace(ward, owner_id="PHUONG2")], "", after) == quan  # which of two?
    assert the_successors_round(quan, [quan, final], "", after) == quan
    quan.check("", last)
    with pytest.raises(CouncilGone):
        quan.check("", after)
