"""What nodes say to each other of rounds and dossiers: real intakes, stores and brokers; the test carries the messages.

A district files to the city's council. Each node runs its own intake and the business side of its exchange; the link
between them, which has tests of its own, is a function here.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, TypeGuard, TypeVar

import pytest

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.contracts.crossing import (
    CertificateSent,
    Crossing,
    DossierAnswered,
    DossierFiled,
    FiledAuthor,
    RoundAnnounced,
)
from sangkien.contracts.events import (
    AuthorShare,
    CertificateIssued,
    DecisionIssued,
    DossierAccepted,
    DossierVoted,
    Event,
    ForeignCertificateReceived,
    ForeignDecisionSummarised,
    InitiativeRecognised,
    RoundClosed,
    RoundOpened,
    SupplementRequested,
)
from sangkien.exchange.adapters.stored import StoredOutgoings, StoredSteps
from sangkien.exchange.application.ports import NotYet
from sangkien.exchange.domain.foreign import AnswerNotTheirs, RoundNotTheirs, SummaryNotTheirs
from sangkien.exchange.domain.outgoing import Outgoing
from sangkien.kernel.spoken_codes import code_of_hash
from sangkien.runtime import utc_now
from sangkien.testkit import eventually


def opened(round_id: str = "CITY1") -> RoundOpened:
    return RoundOpened(
        round_id=round_id, council_id="C", name="Cấp Thành phố", tier="city", owner_id="hanoi:UBND",
        opens_on=date(2023, 4, 1), closes_on=date(2023, 6, 30),
    )  # fmt: skip


async def carry(sender: Any, receiver: Any, count: int) -> list[Crossing]:
    """Carry what `sender` says to `receiver` once it has said so much."""
    said: list[Crossing] = []

    async def enough() -> bool:
        said.extend([message for to, message in await sender.says() if to == receiver.name])
        return len(said) >= count

    await eventually(enough, what=f"{count} messages of {sender.name}")
    assert len(said) == count
    for message in said:
        await receiver.takes(sender.name, message)
    return said


@pytest.fixture
async def city_round(city: Any, district: Any) -> str:
    """A round of the city's council for which the district may file."""
    await city.review.says(opened(), "CITY1", 1)
    await carry(city, district, 1)
    await eventually(lambda: district.intake.host._store.count("rounds", {"node": "hanoi"}), value=1)
    return "CITY1"


E = TypeVar("E", bound=Event)
UNIT = "Phường Điện Biên"
SENT_AT = datetime(2023, 5, 12, 3, 0, tzinfo=UTC)


async def file(district: Any, *authors: str, unit: str = UNIT, key: str = "key-0001") -> str:
    """File for the city's round, as an officer of the district does with a spreadsheet."""
    district.directory.add_unit(unit)
    share = 10_000 // len(authors)
    draft = pb.Draft(
        round_id="CITY1",
        title="Ngày thứ Sáu không chờ tại bộ phận Một cửa",
        field="Quản lý nhà nước",
        unit_name=unit,
        authors=[pb.Author(full_name=name, share=share) for name in authors],
        filed_on="2023-05-10",
        summary="Đã công nhận cấp quận.",
    )
    officer = district.stub("badinh:OFFICER", "union_officer")
    request = pb.FileDossierRequest(idempotency_key=key, dossier=draft)
    return str((await officer.FileDossier(request)).dossier_id)


async def standing(node: Any, dossier_id: str, *, state: str = "", outcome: str = "") -> pb.Dossier:
    secretary = node.stub(f"{node.name}:SECRETARY", "secretary")

    async def now() -> pb.Dossier | None:
        dossier = (await secretary.GetDossier(pb.GetDossierRequest(dossier_id=dossier_id))).dossier
        return dossier if state in ("", dossier.state) and outcome in ("", dossier.outcome) else None

    found: pb.Dossier = await eventually(now, what=f"{state} {outcome}")
    return found


async def arrived(city: Any) -> str:
    """The id that the city gave the one dossier it holds."""
    [dossier] = await city.intake.host._store.find("dossiers")
    return str(dossier["_id"])


async def test_dossier_goes_up_and_its_decision_comes_down(city: Any, district: Any, city_round: str) -> None:
    city.directory.add_unit(UNIT)
    there = await file(district, "Nguyễn Thị Hoa", "Trần Văn Bình")
    [filed] = await carry(district, city, 1)
    here = await arrived(city)
    at_city = await standing(city, here)

    assert isinstance(filed, DossierFiled)
    names = ["Nguyễn Thị Hoa", "Trần Văn Bình"]
    assert ([author.full_name for author in filed.authors], filed.unit_name) == (names, UNIT)
    assert [author.full_name for author in at_city.content.authors] == names
    assert (at_city.content.round_id, at_city.content.tier, at_city.competent_node) == ("CITY1", pb.TIER_CITY, "")
    [received] = await carry(city, district, 1)
    assert isinstance(received, DossierAnswered)
    assert (received.answer, received.remote_id, received.answer_due) == ("received", here, date(2023, 6, 12))
    await eventually(lambda: code_there(district, there), value=at_city.code)

    people = [author.person_id for author in at_city.content.authors]
    await city.review.says_all(
        (accepted(here, people), here, 2),
        (voted(here, people), here, 3),
    )
    await carry(city, district, 2)
    await standing(district, there, state="CHAP_NHAN_DON", outcome="voted")
    await city.recognition.says_all(
        (recognised(here, people), "I1:city", 1),
        (certificate(here, people[1]), "CERT1", 1),
        (summary(), "D1", 1),
    )
    said = await carry(city, district, 2)

    decided = await standing(district, there, outcome="recognised")
    assert (decided.decision_symbol, decided.remote_code) == ("99/QĐ-UBND", at_city.code)
    refs = {author.full_name: author.ref for author in filed.authors}
    assert [getattr(one, "author_ref", None) for one in said] == [None, refs["Trần Văn Bình"]]
    [told] = await events(district, ForeignCertificateReceived)
    assert (told.dossier_id, told.node, told.number, told.told_ids) == (
        there,
        "hanoi",
        "1/2023",
        (refs["Trần Văn Bình"],),
    )
    [held] = (await district.queries.custody(there)).certificates
    assert (held.number, held.person_id, held.check_code) == ("1/2023", told.person_id, code_of_hash("0" * 64))
    steps = [step.what for step in await StoredSteps(district.context.store, str).of(there)]
    assert steps == ["filed", "sent", "received", "accepted", "voted", "recognised"]


async def events(node: Any, kind: type[E]) -> list[E]:
    """What exchange told its own node, sent or not, oldest first; the relay may move a row while they are read."""
    rows = {row["_id"]: row for coll in ("outbox", "outbox_sent") for row in await node.context.store.find(coll)}
    return [kind.from_bytes(rows[id]["body"].encode()) for id in sorted(rows) if rows[id]["type"] == kind.TYPE]


async def test_certificate_of_somebody_else_names_nobody_and_all_authors_are_told(
    city: Any, district: Any, city_round: str
) -> None:
    there = await file(district, "Nguyễn Thị Hoa", "Trần Văn Bình")
    await eventually(lambda: district.context.store.count("sent_dossiers"), value=1)
    sent = CertificateSent(
        dossier_id=there, certificate_id="C", number="1", author_ref="badinh:STRANGER", data_sha256="0" * 64,
        issued_on=date(2023, 7, 10),
    )  # fmt: skip
    with pytest.raises(AnswerNotTheirs):
        await district.takes("xa", sent)
    await district.takes("hanoi", sent)

    [told] = await events(district, ForeignCertificateReceived)
    authors = {author.person_id for author in (await standing(district, there)).content.authors}
    assert (told.person_id, set(told.told_ids), len(told.told_ids)) == ("", authors, 2)


async def test_decision_of_a_node_below_is_told_with_its_round(city: Any, district: Any) -> None:
    await district.review.says(opened("Q1").model_copy(update={"name": "Đợt 1", "tier": "district"}), "Q1", 1)
    await eventually(lambda: district.context.store.count("own_rounds"), value=1)
    issued = summary().model_copy(update={"round_id": "Q1", "tier": "district", "refused": 2})
    await district.recognition.says(issued, "D1", 1)
    [said] = await carry(district, city, 1)
    with pytest.raises(SummaryNotTheirs):
        await district.takes("hanoi", said)

    [told] = await events(city, ForeignDecisionSummarised)
    assert (told.node, told.round_id, told.round_name, told.recognised, told.refused) == ("badinh", "Q1", "Đợt 1", 1, 2)


async def code_there(node: Any, dossier_id: str) -> str:
    return (await standing(node, dossier_id)).remote_code


def accepted(dossier_id: str, people: list[str], revision: int = 1) -> DossierAccepted:
    return DossierAccepted(
        dossier_id=dossier_id, dossier_version=revision, round_id="CITY1", author_ids=tuple(people),
        accepted_on=date(2023, 5, 20), decide_by=date(2023, 8, 20),
    )  # fmt: skip


def voted(dossier_id: str, people: list[str]) -> DossierVoted:
    return DossierVoted(
        dossier_id=dossier_id, round_id="CITY1", session_id="S", council_id="C", tier="city", outcome="passed",
        members=9, yes=9, no=0, abstained=0, mean_score_tenths=None, held_on=date(2023, 7, 1), rule_set="x", title="T",
        field="", unit_id="hanoi:U", authors=tuple(AuthorShare(person_id=one, share=5_000) for one in people),
    )  # fmt: skip


def recognised(dossier_id: str, people: list[str]) -> InitiativeRecognised:
    return InitiativeRecognised(
        initiative_id="I1", dossier_id=dossier_id, decision_id="D1", decision_symbol="99/QĐ-UBND", round_id="CITY1",
        tier="city", title="T", unit_id="hanoi:U", recognised_on=date(2023, 7, 10),
        authors=tuple(AuthorShare(person_id=one, share=5_000) for one in people),
    )  # fmt: skip


def certificate(dossier_id: str, person_id: str) -> CertificateIssued:
    return CertificateIssued(
        certificate_id="CERT1", initiative_id="I1", dossier_id=dossier_id, round_id="CITY1", person_id=person_id,
        number="1/2023", data_sha256="0" * 64, issued_on=date(2023, 7, 10),
    )  # fmt: skip


def summary() -> DecisionIssued:
    return DecisionIssued(
        decision_id="D1", number=99, symbol="99/QĐ-UBND", issued_on=date(2023, 7, 10), issuer_id="hanoi:UBND",
        round_id="CITY1", tier="city", recognised=1, refused=0,
    )  # fmt: skip


def asked(dossier_id: str) -> SupplementRequested:
    return SupplementRequested(
        dossier_id=dossier_id, dossier_version=1, round_id="CITY1", author_ids=(), shortcomings=("KHONG_DU_HO_SO",),
        due=date(2023, 6, 20),
    )  # fmt: skip


async def test_dossier_taken_twice_is_filed_once(city: Any, district: Any, city_round: str) -> None:
    city.directory.add_unit(UNIT)
    await file(district, "Nguyễn Thị Hoa")
    said: list[tuple[str, Crossing]] = []
    await eventually(lambda: heard_into(district, said))
    [(_, filed)] = said

    killed = await city.takes("badinh", filed, dies=True)
    await city.takes("badinh", filed)
    again = await city.takes("badinh", filed)

    assert await city.intake.host._store.count("dossiers") == 1
    assert await city.context.store.count("arrivals") == 1
    assert ([type(one.message) for one in killed.outbound], list(again.outbound)) == ([DossierAnswered], [])
    assert [message.key() for _, message in await city.says()] == [killed.outbound[0].message.key()]


async def heard_into(node: Any, said: list[tuple[str, Crossing]]) -> bool:
    said.extend(await node.says())
    return bool(said)


async def test_unknown_unit_is_told_mended_and_filed_again(city: Any, district: Any, city_round: str) -> None:
    there = await file(district, "Nguyễn Thị Hoa", unit="Phường Không Tên")
    await carry(district, city, 1)
    [turned_down] = await carry(city, district, 1)
    asked_for = await standing(district, there, state="YEU_CAU_BO_SUNG")

    assert isinstance(turned_down, DossierAnswered)
    assert (turned_down.answer, turned_down.reason) == ("not_received", "unit_unknown")
    assert (list(asked_for.shortcomings), await city.intake.host._store.count("dossiers")) == (["unit_unknown"], 0)

    city.directory.add_unit(UNIT)
    mended = pb.Draft()
    mended.CopyFrom(asked_for.content)
    mended.unit_id, mended.unit_name = district.directory.add_unit(UNIT), ""
    mended.filed_on = "2023-05-12"
    officer = district.stub("badinh:OFFICER", "union_officer")
    await officer.SupplementDossier(pb.SupplementDossierRequest(dossier_id=there, expected_version=1, dossier=mended))
    await carry(district, city, 1)
    [received] = await carry(city, district, 1)

    assert isinstance(received, DossierAnswered)
    assert (received.answer, received.version) == ("received", 2)
    assert (await standing(city, await arrived(city))).version == 1


async def test_supplement_and_withdrawal_follow_the_dossier(city: Any, district: Any, city_round: str) -> None:
    city.directory.add_unit(UNIT)
    there = await file(district, "Nguyễn Thị Hoa")
    await carry(district, city, 1)
    here = await arrived(city)
    await city.review.says(asked(here), here, 2)
    await standing(city, here, state="YEU_CAU_BO_SUNG")
    await carry(city, district, 2)
    waiting = await standing(district, there, state="YEU_CAU_BO_SUNG")
    assert (list(waiting.shortcomings), waiting.supplement_due) == (["KHONG_DU_HO_SO"], "2023-06-20")

    officer = district.stub("badinh:OFFICER", "union_officer")
    mended = pb.Draft()
    mended.CopyFrom(waiting.content)
    mended.summary, mended.filed_on = "Nêu rõ điểm mới.", "2023-05-12"
    await officer.SupplementDossier(pb.SupplementDossierRequest(dossier_id=there, expected_version=1, dossier=mended))
    await carry(district, city, 1)
    at_city = await standing(city, here, state="DA_NOP")
    assert (at_city.version, at_city.content.summary) == (2, "Nêu rõ điểm mới.")
    [received] = await carry(city, district, 1)
    assert isinstance(received, DossierAnswered)
    assert (received.answer, received.version) == ("received", 2)

    await officer.WithdrawDossier(pb.WithdrawDossierRequest(dossier_id=there, withdrawn_on="2023-06-01"))
    await carry(district, city, 1)
    await standing(city, here, state="RUT")
    [answered] = await carry(city, district, 1)
    assert isinstance(answered, DossierAnswered)
    assert answered.answer == "withdrawn"


async def test_nobody_speaks_for_another_node(city: Any, district: Any, city_round: str) -> None:
    there = await file(district, "Nguyễn Thị Hoa")
    said: list[tuple[str, Crossing]] = []
    await eventually(lambda: heard_into(district, said))
    answer = DossierAnswered(dossier_id=there, answer="refused", reason="X", on=date(2023, 6, 1))
    of_below = RoundAnnounced(
        round_id="X", version=1, name="X", tier="grassroots", owner_id="xa:O", opens_on=date(2023, 1, 1),
        closes_on=date(2023, 12, 31),
    )  # fmt: skip
    with pytest.raises(AnswerNotTheirs):
        await district.takes("xa", answer)
    with pytest.raises(AnswerNotTheirs):
        await city.takes("badinh", answer)
    with pytest.raises(RoundNotTheirs):
        await district.takes("xa", of_below)

    foreign = await city.takes("elsewhere", letter(round_id="CITY1"))
    wrong_round = await city.takes("badinh", letter(round_id="NONE"))
    reasons = [getattr(one.message, "reason", "") for taken in (foreign, wrong_round) for one in taken.outbound]
    assert reasons == ["exchange_filer_not_below", "exchange_round_not_ours"]
    assert await city.intake.host._store.count("dossiers") == 0


def letter(round_id: str) -> DossierFiled:
    return DossierFiled(
        dossier_id="01X", version=1, code="SK-2023-0000-0000", round_id=round_id, tier="city", title="Một sáng kiến",
        field="", unit_name=UNIT, authors=(FiledAuthor(ref="x:1", full_name="Lê Văn An", share=10_000),),
        filed_on=date(2023, 5, 10),
    )  # fmt: skip


async def test_what_review_said_while_the_arrival_was_not_kept_is_answered(
    city: Any, district: Any, city_round: str
) -> None:
    city.directory.add_unit(UNIT)
    await file(district, "Nguyễn Thị Hoa")
    said: list[tuple[str, Crossing]] = []
    await eventually(lambda: heard_into(district, said))
    [(_, filed)] = said
    await city.takes("badinh", filed, dies=True)
    here = await arrived(city)
    await city.review.says(accepted(here, []), here, 2)
    await standing(city, here, state="CHAP_NHAN_DON")

    await city.takes("badinh", filed)
    assert [getattr(message, "answer", "") for _, message in await city.says()] == ["received", "accepted"]


async def test_filing_under_way_holds_back_only_what_may_be_about_it(city: Any, district: Any, city_round: str) -> None:
    city.directory.add_unit(UNIT)
    there = await file(district, "Nguyễn Thị Hoa")
    await carry(district, city, 1)
    here = await arrived(city)
    await carry(city, district, 1)
    await file(district, "Trần Văn Bình", key="key-0002")
    said: list[tuple[str, Crossing]] = []
    await eventually(lambda: heard_into(district, said))
    [(_, filed)] = said
    await city.takes("badinh", filed, dies=True)
    [stuck] = {str(one["_id"]) for one in await city.intake.host._store.find("dossiers")} - {here}
    older, elsewhere = "0" * 26, accepted("Z" * 26, []).model_copy(update={"round_id": "CITY2"})

    await city.review.says_all(
        (accepted(stuck, []), stuck, 2),
        (accepted(older, []), older, 2),
        (elsewhere, "Z" * 26, 2),
        (accepted(here, []), here, 2),
    )
    [answered] = await carry(city, district, 1)
    await eventually(lambda: waiting(city), value=1, what="the one event that waits")

    assert isinstance(answered, DossierAnswered)
    assert (answered.dossier_id, answered.answer) == (there, "accepted")
    await city.takes("badinh", filed)
    answers = [getattr(message, "answer", "") for message in await carry(city, district, 2)]
    assert sorted(answers) == ["accepted", "received"]
    await eventually(lambda: waiting(city), value=0, what="the event that waited")
    assert await city.says() == []


async def waiting(node: Any) -> int:
    lag = (await node.exchange.host._bus.consumer_lag())["exchange__review"]
    return int(lag.pending + lag.unacknowledged)


async def test_dossier_waits_while_directory_or_intake_is_away(city: Any, district: Any, city_round: str) -> None:
    city.directory.add_unit(UNIT)
    await file(district, "Nguyễn Thị Hoa")
    said: list[tuple[str, Crossing]] = []
    await eventually(lambda: heard_into(district, said))
    [(_, filed)] = said
    units, city.directory._units = city.directory._units, None
    with pytest.raises(NotYet, match="intake_unavailable"):
        await city.takes("badinh", filed)
    city.directory._units = units
    await city.takes("badinh", filed, dies=True)
    await city.intake.host._server.drain(0)
    with pytest.raises(NotYet, match="intake_unavailable"):
        await city.takes("badinh", filed)

    assert await city.intake.host._store.count("dossiers") == 1
    assert await city.context.store.count("arrivals") == 0


async def test_child_that_comes_later_or_anew_is_told_of_rounds_once(city: Any) -> None:
    closed = RoundClosed(round_id="R1", closed_on=date(2026, 5, 1))
    this_year = opened("R1").model_copy(update={"closes_on": city.context.today()})
    await city.review.says_all((this_year, "R1", 1), (opened("OLD"), "OLD", 1), (closed, "R1", 2))
    long_ago = RoundClosed(round_id="GONE", closed_on=date(2023, 7, 1))
    await city.review.says_all((opened("GONE"), "GONE", 1), (long_ago, "GONE", 2))
    await eventually(lambda: city.context.store.count("own_rounds", {"closed_on": "2023-07-01"}), value=1)
    await eventually(lambda: city.context.store.count("own_rounds", {"closed_on": "2026-05-01"}), value=1)
    assert {to for to, _ in await city.says()} == {"badinh"}

    later = city.registry.node("thanhxuan")
    assert later is not None
    before = await city.newcomers()
    city.registry.learn([replace(later, state="active", version=5)])
    after = [await city.newcomers() for _ in range(2)]

    assert (before, after) == (1, [1, 0])
    told = [(to, message.round_id, message.closed_on) for to, message in await city.says() if is_round(message)]
    assert sorted(told) == [("thanhxuan", "OLD", None), ("thanhxuan", "R1", date(2026, 5, 1))]
    city.registry.learn([replace(later, state="active", version=6, epoch=2)])
    assert (await city.newcomers(), [to for to, _ in await city.says()]) == (1, ["thanhxuan", "thanhxuan"])


def is_round(message: Crossing) -> TypeGuard[RoundAnnounced]:
    return isinstance(message, RoundAnnounced)


async def hub_said(node: Any, change: Callable[[Outgoing], Outgoing]) -> None:
    """Settle the one message that the node posted last, as a receipt of the hub does."""
    outgoings = StoredOutgoings(node.context.store)
    message = (await outgoings.posted(200))[-1]
    await node.context.commit([outgoings.stored(change(message))])


async def test_dossier_that_the_hub_refuses_is_returned_once(district: Any, city_round: str) -> None:
    there = await file(district, "Nguyễn Thị Hoa")
    await eventually(lambda: district.context.store.count("sent_dossiers"), value=1)
    await hub_said(district, lambda message: message.refused("receiver_left", SENT_AT))

    looked = [await district.returning() for _ in range(2)]
    returned = await standing(district, there, state="YEU_CAU_BO_SUNG")
    district.returning._after = ""
    await district.returning()

    assert (looked, list(returned.shortcomings)) == ([1, 0], ["receiver_left"])
    told = [step.what for step in (await district.queries.custody(there)).steps]
    assert told == ["filed", "sent", "refused", "not_received"]


async def test_custody_says_who_holds_it_and_who_must_answer(city: Any, district: Any, city_round: str) -> None:
    there = await file(district, "Nguyễn Thị Hoa", unit="Phường Không Tên")
    await eventually(lambda: district.context.store.count("sent_dossiers"), value=1)
    sent = await district.queries.custody(there)
    await carry(district, city, 1)
    await carry(city, district, 1)
    await hub_said(district, lambda message: message.receipted(utc_now()).delivered(utc_now()))
    back = await district.queries.custody(there)

    assert (sent.holder, sent.answer_from, sent.answer_due) == ("badinh", "hanoi", date(2023, 6, 12))
    assert [step.what for step in back.steps] == ["filed", "sent", "in_custody", "delivered", "not_received"]
    assert (back.holder, back.answer_from, back.answer_due) == ("badinh", "badinh", None)
