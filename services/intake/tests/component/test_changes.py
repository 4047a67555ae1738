"""What becomes of a dossier after filing, over real gRPC and with review's events on a real broker."""

from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.contracts.events import (
    DossierAccepted,
    DossierRefused,
    DossierVoted,
    Event,
    RoundClosed,
    SupplementRequested,
)
from sangkien.rpc import RemoteRefusal
from sangkien.store import Store
from sangkien.testkit import eventually
from sangkien.testkit.directory_double import DirectoryDouble
from sangkien.testkit.service import RunningService

NewDraft = Callable[..., pb.Draft]


@pytest.fixture
async def filed(officer: IntakeServiceStub, round_one: str, draft: NewDraft) -> str:
    """The id of a filed dossier."""
    request = pb.FileDossierRequest(idempotency_key="key-0001", dossier=draft())
    return str((await officer.FileDossier(request)).dossier_id)


async def refusal(call: Any) -> str:
    with pytest.raises(RemoteRefusal) as caught:
        await call
    return caught.value.code


def asked(dossier_id: str) -> SupplementRequested:
    return SupplementRequested(
        dossier_id=dossier_id,
        dossier_version=1,
        round_id="R1",
        author_ids=("local:AUTHOR",),
        shortcomings=("KHONG_DU_HO_SO",),
        due=date(2023, 6, 20),
    )


def accepted(dossier_id: str) -> DossierAccepted:
    return DossierAccepted(
        dossier_id=dossier_id,
        dossier_version=2,
        round_id="R1",
        author_ids=("local:AUTHOR",),
        accepted_on=date(2023, 6, 21),
        decide_by=date(2023, 9, 21),
    )


def refused(dossier_id: str) -> DossierRefused:
    return DossierRefused(
        dossier_id=dossier_id,
        dossier_version=1,
        round_id="R1",
        author_ids=("local:AUTHOR",),
        reason="KHONG_CO_LOI_ICH",
        refused_on=date(2023, 6, 21),
    )


def voted(dossier_id: str) -> DossierVoted:
    return DossierVoted(
        dossier_id=dossier_id, round_id="R1", session_id="S1", council_id="C1", tier="district", outcome="passed",
        members=9, yes=9, no=0, abstained=0, mean_score_tenths=850, held_on=date(2023, 7, 1), rule_set="x", title="T",
        field="", unit_id="local:UNIT", authors=(),
    )  # fmt: skip


async def reaches(stub: IntakeServiceStub, dossier_id: str, state: str) -> pb.Dossier:
    async def now() -> pb.Dossier | None:
        dossier = (await stub.GetDossier(pb.GetDossierRequest(dossier_id=dossier_id))).dossier
        return dossier if dossier.state == state else None

    reached: pb.Dossier = await eventually(now, what=state)
    return reached


def supplement(dossier_id: str, draft: pb.Draft, expected: int = 1) -> pb.SupplementDossierRequest:
    return pb.SupplementDossierRequest(dossier_id=dossier_id, expected_version=expected, dossier=draft)


async def test_supplement_is_the_next_version_and_the_first_is_kept(
    officer: IntakeServiceStub, review: Any, draft: NewDraft, store: Store, filed: str
) -> None:
    await review.says(asked(filed), filed, 2)
    waiting = await reaches(officer, filed, "YEU_CAU_BO_SUNG")
    mended = draft(summary="Nêu rõ điểm mới.", filed_on="2023-06-20")
    answer = await officer.SupplementDossier(supplement(filed, mended))
    again = await officer.SupplementDossier(supplement(filed, mended))

    assert (list(waiting.shortcomings), waiting.supplement_due) == (["KHONG_DU_HO_SO"], "2023-06-20")
    assert (answer.version, again.version) == (2, 2)
    after = await reaches(officer, filed, "DA_NOP")
    assert (after.version, after.content.summary, after.content.filed_on) == (2, "Nêu rõ điểm mới.", "2023-05-10")
    versions = {doc["_id"]: doc["summary"] for doc in await store.find("dossier_versions")}
    assert versions == {f"{filed}:1": "", f"{filed}:2": "Nêu rõ điểm mới."}
    await eventually(lambda: store.count("outbox_sent"), value=2)
    sent = await store.find("outbox_sent")
    assert [(row["type"], row["traceparent"][3:35] == after.trace_id) for row in sent] == [
        ("ev.intake.dossier.submitted.v1", True),
        ("ev.intake.dossier.supplemented.v1", True),
    ]


async def test_supplement_with_other_authors_is_listed_by_those_it_names(
    officer: IntakeServiceStub, review: Any, draft: NewDraft, intake: RunningService, filed: str
) -> None:
    await review.says(asked(filed), filed, 2)
    await reaches(officer, filed, "YEU_CAU_BO_SUNG")
    stayed = IntakeServiceStub(intake.channel("local:AUTHOR", ["author"]))
    joined = IntakeServiceStub(intake.channel("local:JOINED", ["author"]))

    async def lists(stub: IntakeServiceStub) -> list[str]:
        return [one.dossier_id for one in (await stub.ListDossiers(pb.ListDossiersRequest())).dossiers]

    before = [await lists(stayed), await lists(joined)]
    both = [pb.Author(person_id=f"local:{name}", share=5_000) for name in ("AUTHOR", "JOINED")]
    await officer.SupplementDossier(supplement(filed, draft(authors=both, filed_on="2023-06-10")))
    await review.says(asked(filed), filed, 4)
    await reaches(officer, filed, "YEU_CAU_BO_SUNG")
    together = [await lists(stayed), await lists(joined)]
    alone = draft(authors=[pb.Author(person_id="local:JOINED", share=10_000)], filed_on="2023-06-11")
    await officer.SupplementDossier(supplement(filed, alone, 2))

    assert (before, together) == ([[filed], []], [[filed], [filed]])
    assert [await lists(stayed), await lists(joined)] == [[], [filed]]
    assert await refusal(stayed.GetDossier(pb.GetDossierRequest(dossier_id=filed))) == "dossier_unknown"


async def test_supplement_is_refused_when_it_does_not_fit(
    officer: IntakeServiceStub, review: Any, draft: NewDraft, intake: RunningService, filed: str
) -> None:
    unasked = await refusal(officer.SupplementDossier(supplement(filed, draft())))
    await review.says(asked(filed), filed, 2)
    await reaches(officer, filed, "YEU_CAU_BO_SUNG")
    stranger = IntakeServiceStub(intake.channel("local:OTHER", ["secretary"]))

    assert unasked == "supplement_not_asked"
    assert await refusal(officer.SupplementDossier(supplement(filed, draft(), 2))) == "dossier_version_differs"
    assert await refusal(officer.SupplementDossier(supplement(filed, draft(filed_on="2023-06-21")))) == (
        "supplement_overdue"
    )
    assert await refusal(officer.SupplementDossier(supplement(filed, draft(round_id="R2")))) == "destination_fixed"
    assert await refusal(stranger.SupplementDossier(supplement(filed, draft()))) == "not_an_author"


async def test_news_of_review_is_taken_once_and_never_backwards(
    officer: IntakeServiceStub, review: Any, store: Store, filed: str
) -> None:
    await review.says(accepted(filed), filed, 4)
    await reaches(officer, filed, "CHAP_NHAN_DON")
    for version, late in ((2, asked(filed)), (4, accepted(filed)), (3, refused(filed))):
        await review.says(late, filed, version)
    await eventually(lambda: store.count("inbox"), value=5)

    dossier = (await officer.GetDossier(pb.GetDossierRequest(dossier_id=filed))).dossier
    assert (dossier.state, list(dossier.shortcomings), dossier.refusal_reason) == ("CHAP_NHAN_DON", [], "")
    assert (await store.get("dossiers", filed) or {})["ver"] == 2


async def test_news_that_came_too_early_waits(review: Any, opened: Any, intake: RunningService, store: Store) -> None:
    await review.says(RoundClosed(round_id="R9", closed_on=date(2023, 7, 1)), "R9", 2)

    async def came_again() -> int:
        return (await intake.host._bus.consumer_lag())["intake__review"].redelivered

    await eventually(came_again)
    await review.says(opened("R9"), "R9", 1)

    await eventually(lambda: store.count("rounds", {"state": "closed"}), value=1)
    assert await intake.host._bus.dead_letters.list("intake") == []


@pytest.mark.parametrize(("news", "state"), [(accepted, "RUT"), (refused, "TU_CHOI_DON"), (voted, "CHAP_NHAN_DON")])
async def test_dossier_can_be_withdrawn_until_it_is_refused_or_voted_on(
    officer: IntakeServiceStub,
    review: Any,
    store: Store,
    filed: str,
    news: Callable[[str], Event],
    state: str,
) -> None:
    await review.says(news(filed), filed, 2)
    await eventually(lambda: store.count("inbox"), value=2)
    request = pb.WithdrawDossierRequest(dossier_id=filed, withdrawn_on="2023-06-22")

    if state == "RUT":
        await officer.WithdrawDossier(request)
        await officer.WithdrawDossier(request)
    else:
        assert await refusal(officer.WithdrawDossier(request)) == "withdrawal_too_late"

    assert (await reaches(officer, filed, state)).version == 1
    await eventually(lambda: store.count("outbox_sent"), value=2 if state == "RUT" else 1)


async def test_authors_and_officers_see_only_what_is_theirs(
    officer: IntakeServiceStub,
    secretary: IntakeServiceStub,
    intake: RunningService,
    round_one: str,
    draft: NewDraft,
) -> None:
    author = pb.Author(person_id="local:AUTHOR", full_name="Nguyễn Thị Hoa", share=10_000)
    ids = []
    another = pb.Author(person_id="local:B", share=10_000)
    variants: list[dict[str, Any]] = [{"authors": [author]}, {"unit_id": "local:ELSEWHERE"}, {"authors": [another]}]
    for number, changed in enumerate(variants):
        other = IntakeServiceStub(intake.channel("local:CLERK", ["union_officer"], "local:NOWHERE"))
        request = pb.FileDossierRequest(idempotency_key=f"key-{number:04}", dossier=draft(**changed))
        ids.append((await other.FileDossier(request)).dossier_id)
    mine = IntakeServiceStub(intake.channel("local:AUTHOR", ["author"]))
    console = IntakeServiceStub(intake.channel("service/console", ["operator"]))

    async def listed(stub: IntakeServiceStub, **asked: Any) -> list[int]:
        answer = await stub.ListDossiers(pb.ListDossiersRequest(**asked))
        return [ids.index(one.dossier_id) for one in answer.dossiers]

    assert await listed(secretary) == [2, 1, 0]
    assert await listed(mine) == [1, 0]
    assert await listed(officer) == [2, 0]
    assert await listed(mine, unit_id="local:ELSEWHERE") == [1]
    assert await listed(officer, unit_id="local:ELSEWHERE") == []
    first = await secretary.ListDossiers(pb.ListDossiersRequest(page_size=2, state="DA_NOP"))
    assert await listed(secretary, page_size=2, page_token=first.next_page_token) == [0]
    assert await refusal(mine.GetDossier(pb.GetDossierRequest(dossier_id=ids[2]))) == "dossier_unknown"
    seen = [
        (await stub.GetDossier(pb.GetDossierRequest(dossier_id=ids[0]))).dossier.content.authors[0].full_name
        for stub in (mine, secretary, console)
    ]
    assert seen == ["Nguyễn Thị Hoa", "Nguyễn Thị Hoa", ""]


async def test_author_files_only_what_is_theirs(
    intake: RunningService, round_one: str, draft: NewDraft, store: Store
) -> None:
    stranger = IntakeServiceStub(intake.channel("local:STRANGER", ["author"]))

    assert await refusal(stranger.FileDossier(pb.FileDossierRequest(idempotency_key="key-0001", dossier=draft()))) == (
        "not_an_author"
    )
    assert await refusal(anext(aiter(stranger.FileDossiers(iter([]))))) == "role_missing"
    assert await store.count("dossiers") == 0


async def test_receipt_states_code_filer_and_day_of_answer(
    intake: RunningService, review: Any, opened: Any, store: Store, draft: NewDraft, directory: DirectoryDouble
) -> None:
    owner = directory.add_unit("Phòng Kinh tế quận Ba Đình")
    unit = directory.add_unit("Phường Điện Biên")
    clerk = directory.add_person("Trần Văn Bình", unit)
    await review.says(opened(owner_id=owner), "R1", 1)
    await eventually(lambda: store.count("rounds"), value=1)
    stub = IntakeServiceStub(intake.channel(clerk, ["union_officer"], unit))
    request = pb.FileDossierRequest(idempotency_key="key-0001", dossier=draft(unit_id=unit))
    filed = await stub.FileDossier(request)

    answer = await stub.GetReceipt(pb.GetReceiptRequest(dossier_id=filed.dossier_id))

    text = " ".join(PdfReader(BytesIO(answer.pdf)).pages[0].extract_text().split())
    said = (filed.code, "Trần Văn Bình", "Phường Điện Biên", "PHÒNG KINH TẾ QUẬN BA ĐÌNH", "12/06/2023")
    assert [words for words in said if words not in text] == []
