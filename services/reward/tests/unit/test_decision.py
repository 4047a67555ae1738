from collections.abc import Callable
from datetime import date

import pytest

from sangkien.kernel import Refusal
from sangkien.kernel.numbering import Numbered
from sangkien.reward.adapters.decision_pdf import seat
from sangkien.reward.domain.decision import Issue, Names, Price, RewardDecision, Signing, State
from sangkien.reward.domain.errors import NoRecipients, RecipientTwice, SigningMalformed, TooManyRecipients
from sangkien.reward.domain.events import DecisionWasIssued
from sangkien.reward.domain.recipients import Recipient, check_recipients, chunks

DAY, TODAY = date(2023, 12, 20), date(2026, 11, 20)
PRICE = Price(540_000, "rules", ("1.800.000 × 0,30",), (), ("NĐ 91/2017",))
DOUBLE = Price(1_080_000, "rules", ("1.800.000 × 0,60",), ("rounding",), ("NĐ 91/2017",))


def issue(signer: str = "leader", on: date = DAY, number: int = 3034) -> Issue:
    signing = Signing.read(signer, "TM", "Chủ tịch", "")
    return Issue(Numbered(number, f"{number}/QĐ-UBND"), on, PRICE, DOUBLE, signing, Names("A", "UBND", ""))


def decision(state: State = State.DRAFT) -> RewardDecision:
    made = RewardDecision("D1", "issuer", "/QĐ-UBND", "giay-khen-quan", "vì", 53, 43, "drafter", "key", "print", "")
    if state is not State.DRAFT:
        made.submit()
    if state is State.ISSUED:
        made.issue(issue(), TODAY)
    return made


Move = Callable[[RewardDecision], object]
SUBMIT: Move = lambda d: d.submit()  # noqa: E731
ISSUE: Move = lambda d: d.issue(issue(), TODAY)  # noqa: E731


@pytest.mark.parametrize(
    ("state", "move", "after"),
    [
        (State.DRAFT, SUBMIT, "TRINH_KY"),
        (State.DRAFT, ISSUE, "reward_not_submitted"),
        (State.SUBMITTED, SUBMIT, "TRINH_KY"),
        (State.SUBMITTED, ISSUE, "BAN_HANH"),
        (State.ISSUED, SUBMIT, "BAN_HANH"),
        (State.ISSUED, ISSUE, "reward_issued_otherwise"),  # `may_issue` is what answers a repeated call
    ],
)
def test_decision_moves_as_the_law_has_it(state: State, move: Move, after: str) -> None:
    moved = decision(state)
    refused = ""
    try:
        move(moved)
    except Refusal as refusal:
        refused = refusal.code
    assert (refused or moved.state.value) == after
    assert not refused or moved.state is state


@pytest.mark.parametrize(
    ("state", "signer", "on", "says"),
    [
        (State.SUBMITTED, "leader", DAY, True),
        (State.SUBMITTED, "leader", None, True),
        (State.SUBMITTED, "drafter", DAY, "reward_signer_is_drafter"),
        (State.DRAFT, "drafter", DAY, "reward_signer_is_drafter"),
        (State.SUBMITTED, "leader", date(2026, 11, 21), "reward_issued_in_future"),
        (State.ISSUED, "leader", DAY, False),
        (State.ISSUED, "leader", None, False),
        (State.ISSUED, "leader", date(2023, 12, 21), "reward_issued_otherwise"),
        (State.ISSUED, "another", DAY, "reward_issued_otherwise"),
    ],
)
def test_decision_may_be_issued_once_by_another_than_its_drafter(
    state: State, signer: str, on: date | None, says: bool | str
) -> None:
    try:
        answer: bool | str = decision(state).may_issue(signer, on, TODAY)
    except Refusal as refusal:
        answer = refusal.code
    assert answer == says


def test_issue_reckons_the_total_and_records_it() -> None:
    issued = decision(State.ISSUED)
    assert issued.total_vnd == 43 * 1_080_000 + 53 * 540_000 == 75_060_000
    assert issued.issued.unverified == ("rounding",)
    assert issued.pull_events() == [
        DecisionWasIssued("D1", 3034, "3034/QĐ-UBND", "giay-khen-quan", DAY, "issuer", "rules", 53, 43, 75_060_000)
    ]


def people(count: int) -> list[Recipient]:
    return [Recipient("individual", f"local:{n}") for n in range(count)]


def test_recipients_stand_once_and_within_bounds() -> None:
    check_recipients(people(20_000))
    with pytest.raises(NoRecipients):
        check_recipients([])
    with pytest.raises(TooManyRecipients) as many:
        check_recipients(people(20_001))
    assert many.value.facts == {"count": 20_001, "limit": 20_000}
    with pytest.raises(RecipientTwice) as twice:  # under another kind as well: one id is one holder
        check_recipients([*people(3), Recipient("collective", "local:1")])
    assert twice.value.facts == {"position": 4, "first": 2}


def test_chunks_keep_the_list_in_its_order() -> None:
    cut = chunks("D1", people(450))
    assert [(chunk.id, len(chunk.recipients)) for chunk in cut] == [
        ("D1:00000", 200),
        ("D1:00200", 200),
        ("D1:00400", 50),
    ]
    assert [each for chunk in cut for each in chunk.recipients] == people(450)


@pytest.mark.parametrize(
    ("mode", "title", "behalf", "stands_for"),
    [
        ("TM", "Chủ tịch", "", ""),
        ("", "Giám đốc", "", ""),
        ("KT", "Phó Chủ tịch", "", "Chủ tịch"),
        ("KT", "Phó Giám đốc", "Giám đốc Sở", "Giám đốc Sở"),
        ("TL", "Chánh Văn phòng", "Chủ tịch", "Chủ tịch"),
    ],
)
def test_signing_says_in_whose_stead(mode: str, title: str, behalf: str, stands_for: str) -> None:
    assert Signing.read("leader", mode, title, behalf).on_behalf_of == stands_for


@pytest.mark.parametrize(
    ("mode", "title", "behalf"),
    [("TM", "", ""), ("XX", "Chủ tịch", ""), ("TUQ", "Trưởng phòng", ""), ("TM", "Chủ tịch", "Chủ tịch")],
)
def test_signing_refuses_what_the_law_does_not_know(mode: str, title: str, behalf: str) -> None:
    with pytest.raises(SigningMalformed):
        Signing.read("leader", mode, title, behalf)


@pytest.mark.parametrize(
    ("agency", "place"),
    [
        ("Ủy ban nhân dân quận Ba Đình", "Ba Đình"),
        ("UBND xã Hoài Đức", "Hoài Đức"),
        ("ỦY BAN NHÂN DÂN THÀNH PHỐ HÀ NỘI", "HÀ NỘI"),
        ("Sở Khoa học và Công nghệ", ""),
    ],
)
def test_seat_is_read_from_the_agency_that_is_named_after_it(agency: str, place: str) -> None:
    assert seat(agency) == place
