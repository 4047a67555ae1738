"""The transition matrix of a dossier."""

from collections.abc import Callable
from datetime import date

import pytest

from sangkien.intake.domain.dossier import Dossier, State
from sangkien.intake.domain.draft import Author, Draft
from sangkien.intake.domain.events import DossierMended, DossierTakenBack
from sangkien.intake.domain.rounds import Round
from sangkien.kernel import Refusal

ROUND = Round("R1", "Đợt 1", "district", "local:OWNER", date(2023, 4, 1), date(2023, 6, 30))
DRAFT = Draft(
    round_id="",
    tier="",
    initiative_id="",
    title="Một số biện pháp nâng cao chất lượng",
    field="",
    unit_id="local:UNIT",
    unit_name="",
    authors=(Author("local:A", "", 10_000),),
    first_applied_on=None,
    filed_on=date(2023, 5, 10),
)


def in_state(state: State, *, voted: bool = False) -> Dossier:
    dossier = Dossier.file(
        DRAFT,
        ROUND,
        dossier_id="01H00000000000000000000000",
        filed_by="local:A",
        answer_due=date(2023, 6, 12),
        fingerprint="first",
        traceparent="",
    )
    dossier.pull_events()
    dossier.state = state
    dossier.voted = voted
    dossier.supplement_due = date(2023, 6, 20) if state is State.SUPPLEMENT_ASKED else None
    return dossier


Act = Callable[[Dossier], object]
ACTS: dict[str, Act] = {
    "supplement": lambda one: one.supplement(
        DRAFT, expected=1, on=date(2023, 6, 1), fingerprint="second", filed_by="local:A"
    ),
    "withdraw": lambda one: one.withdraw(date(2023, 6, 1)),
    "asked": lambda one: one.learn_supplement_asked(("KHONG_DU_HO_SO",), date(2023, 6, 20), review_version=2),
    "accepted": lambda one: one.learn_accepted(review_version=2),
    "refused": lambda one: one.learn_refused("KHONG_CO_LOI_ICH", review_version=2),
    "voted": lambda one: one.learn_voted(review_version=2),
}


@pytest.mark.parametrize(
    ("start", "ends"),
    [  # in the order of ACTS
        ("DA_NOP", "supplement_not_asked RUT YEU_CAU_BO_SUNG CHAP_NHAN_DON TU_CHOI_DON CHAP_NHAN_DON"),
        ("YEU_CAU_BO_SUNG", "DA_NOP RUT YEU_CAU_BO_SUNG CHAP_NHAN_DON TU_CHOI_DON CHAP_NHAN_DON"),
        ("CHAP_NHAN_DON", "supplement_not_asked RUT CHAP_NHAN_DON CHAP_NHAN_DON TU_CHOI_DON CHAP_NHAN_DON"),
        ("TU_CHOI_DON", "supplement_not_asked withdrawal_too_late TU_CHOI_DON CHAP_NHAN_DON TU_CHOI_DON CHAP_NHAN_DON"),
        ("RUT", "supplement_not_asked RUT RUT RUT RUT RUT"),
    ],
)
def test_dossier_moves_or_refuses_from_every_state(start: str, ends: str) -> None:
    reached = []
    for act in ACTS.values():
        dossier = in_state(State(start))
        try:
            act(dossier)
            reached.append(dossier.state.value)
        except Refusal as refusal:
            reached.append(refusal.code)
    assert dict(zip(ACTS, reached, strict=True)) == dict(zip(ACTS, ends.split(), strict=True))


def test_supplement_keeps_round_and_day_of_the_first_version() -> None:
    dossier = in_state(State.SUPPLEMENT_ASKED)

    assert ACTS["supplement"](dossier) is True

    [event] = dossier.pull_events()
    assert isinstance(event, DossierMended)
    assert (event.revision, event.draft.round_id, event.draft.tier, event.draft.filed_on) == (
        2,
        "R1",
        "district",
        date(2023, 5, 10),
    )
    assert (dossier.revision, dossier.supplement_due, ACTS["supplement"](dossier)) == (2, None, False)


def test_withdrawal_is_recorded_once() -> None:
    dossier = in_state(State.FILED)

    assert (dossier.withdraw(date(2023, 6, 1)), dossier.withdraw(date(2023, 6, 2))) == (True, False)
    assert dossier.pull_events() == [DossierTakenBack(1, date(2023, 6, 1))]


def test_old_news_changes_nothing() -> None:
    dossier = in_state(State.FILED)
    dossier.review_version = 5

    assert [ACTS[name](dossier) for name in ("asked", "accepted", "refused", "voted")] == [False] * 4
    assert (dossier.state, dossier.review_version, dossier.voted) == (State.FILED, 5, False)
