"""Commands over gRPC: repeated, contradicted, in bulk, wrong, and two at once."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from sangkien.api.review.v1 import review_pb2 as pb
from sangkien.rpc import RemoteRefusal
from sangkien.runtime import new_id

Codes = Callable[[Any], list[str]]


async def refused(call: Any) -> tuple[str, str, str]:
    """Kind, code and field of a refused call."""
    with pytest.raises(RemoteRefusal) as caught:
        await call
    return caught.value.kind, caught.value.code, caught.value.field


def check(dossier_id: str, verdict: str, expected: int = 0) -> pb.Check:
    given = pb.Check(dossier_id=dossier_id, expected_version=expected)
    if verdict == "accept":
        given.accept.SetInParent()
    elif verdict == "refuse":
        given.refuse.reason = "CHUA_AP_DUNG"
    else:
        given.supplement.codes.append(verdict)
    return given


async def checked(office: Any, *checks: pb.Check, on: str = "2023-05-15") -> Any:
    return await office.secretary.CheckDossiers(pb.CheckDossiersRequest(checks=checks, checked_on=on))


async def test_second_of_two_secretaries_at_once_gets_a_clear_conflict(office: Any, codes: Codes) -> None:
    [dossier] = await office.file()
    other = office.as_("local:OTHER", "secretary")
    answers = await asyncio.gather(
        office.secretary.CheckDossiers(pb.CheckDossiersRequest(checks=[check(dossier, "accept", 1)])),
        other.CheckDossiers(pb.CheckDossiersRequest(checks=[check(dossier, "refuse", 1)])),
    )
    outcomes = [codes(answer)[0] for answer in answers]
    assert sorted(outcomes) == ["case_decided_otherwise", "done"]
    loser = answers[outcomes.index("case_decided_otherwise")].results[0].error
    won = "CHAP_NHAN_DON" if outcomes[0] == "done" else "TU_CHOI_DON"
    assert (dict(loser.facts), await office.state(dossier)) == ({"state": won, "version": "2"}, won)
    told = await office.published("ev.review.dossier.accepted.v1")
    told += await office.published("ev.review.dossier.refused.v1")
    assert len(told) == 1


async def test_batches_of_two_secretaries_overlap_and_every_dossier_is_decided_once(office: Any, codes: Codes) -> None:
    ids = await office.file(40)
    other = office.as_("local:OTHER", "secretary")
    accepts = [check(id, "accept") for id in ids[:30]]
    refusals = [check(id, "refuse") for id in ids[10:]]
    first, second = await asyncio.gather(
        office.secretary.CheckDossiers(pb.CheckDossiersRequest(checks=accepts)),
        other.CheckDossiers(pb.CheckDossiersRequest(checks=refusals)),
    )
    done = [id for id, code in zip(ids[:30] + ids[10:], codes(first) + codes(second), strict=True) if code == "done"]
    assert sorted(done) == sorted(ids)


async def test_one_bad_item_does_not_sink_the_others(office: Any, codes: Codes) -> None:
    good, twice, stale, unsaid, odd = await office.file(5)
    answer = await checked(
        office,
        check(good, "accept"),
        check("NO-SUCH", "accept"),
        check(twice, "accept"),
        check(twice, "refuse"),
        check(twice, "accept"),
        check(stale, "accept", 7),
        pb.Check(dossier_id=unsaid),
        check(odd, "NO_SUCH_CODE"),
        pb.Check(dossier_id=odd, refuse=pb.Refusal(reason="VI_TOI_KHONG_THICH")),
    )
    assert codes(answer) == [
        "done",
        "case_not_found",
        "done",
        "named_twice",
        "already",
        "case_changed",
        "verdict_missing",
        "shortcoming_unknown",
        "named_twice",
    ]
    assert codes(await checked(office, check(good, "accept"))) == ["already"]
    assert codes(await checked(office, check(good, "refuse"))) == ["case_decided_otherwise"]


async def test_acceptance_counts_the_three_months_and_tells_it(office: Any) -> None:
    ids = await office.file()
    await office.accept(ids)
    [body] = await office.published("ev.review.dossier.accepted.v1")
    assert '"accepted_on":"2023-05-15","decide_by":"2023-08-15"' in body


async def test_calls_nobody_can_mean_are_refused_with_the_field(office: Any) -> None:
    far = pb.CheckDossiersRequest(checks=[], checked_on="2999-01-01")
    assert await refused(office.secretary.CheckDossiers(far)) == ("invalid", "act_in_future", "checked_on")
    bad = pb.CheckDossiersRequest(checks=[], checked_on="31/02/2023")
    assert await refused(office.secretary.CheckDossiers(bad)) == ("invalid", "date_malformed", "checked_on")
    many = pb.CheckDossiersRequest(checks=[check(str(n), "accept") for n in range(1_001)])
    assert await refused(office.secretary.CheckDossiers(many)) == ("invalid", "review_batch_too_large", "checks")
    session = pb.CloseSessionRequest(session_id="NO-SUCH")
    assert await refused(office.secretary.CloseSession(session)) == ("not_found", "session_not_found", "session_id")
    assert (await office.secretary.CheckDossiers(pb.CheckDossiersRequest())).results == []


async def test_council_and_round_are_created_once_for_a_key(office: Any) -> None:
    again = await office.secretary.CreateCouncil(office.council())
    assert (again.council_id, await office.open_round()) == (office.council_id, office.round_id)
    other = office.council(name="Hội đồng khác")
    assert await refused(office.secretary.CreateCouncil(other)) == ("conflict", "key_reused", "idempotency_key")
    ten = await asyncio.gather(
        *(office.secretary.CreateCouncil(office.council(idempotency_key="one more")) for _ in range(10))
    )
    assert len({one.council_id for one in ten}) == 1
    assert await office.store.count("councils") == 2


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"idempotency_key": ""}, ("invalid", "text_empty", "idempotency_key")),
        ({"tier": "galaxy"}, ("invalid", "tier_unknown", "tier")),
        ({"established_on": ""}, ("invalid", "date_malformed", "established_on")),
        ({"members": []}, ("invalid", "council_composition", "members")),
        ({"members": [pb.Member(person_id="local:A")]}, ("invalid", "member_role_missing", "members")),
        ({"sheet": "atlantis"}, ("not_found", "no_rule_for_jurisdiction", "jurisdiction")),
    ],
)
async def test_council_that_cannot_be_is_refused(office: Any, changes: Any, refusal: tuple[str, str, str]) -> None:
    request = office.council(**({"idempotency_key": "other"} | changes))
    assert await refused(office.secretary.CreateCouncil(request)) == refusal


async def test_reformed_council_asks_its_new_members_from_their_day_on(office: Any, codes: Codes) -> None:
    ids = await office.file(2)
    await office.accept(ids)
    newcomer = "local:NEWCOMER"
    roles = [*office.council().members[:4], pb.Member(person_id=newcomer, role=pb.MEMBER_ROLE_EXPERT)]
    await office.secretary.ReformCouncil(
        pb.ReformCouncilRequest(
            council_id=office.council_id,
            established_by="2055/QĐ-UBND",
            established_on="2023-10-04",
            members=roles,
        )
    )
    assignments = [pb.Assignment(dossier_id=ids[0], reviewer_ids=[office.members[3], newcomer])]
    early = pb.AssignReviewersRequest(assignments=assignments, assigned_on="2023-10-03")
    late = pb.AssignReviewersRequest(assignments=assignments, assigned_on="2023-10-04")
    assert codes(await office.secretary.AssignReviewers(early)) == ["not_a_member"]
    assert codes(await office.secretary.AssignReviewers(late)) == ["done"]
    assert codes(await office.secretary.AssignReviewers(late)) == ["already"]


async def test_sheet_is_handed_in_once_and_checked_against_the_scale(office: Any, codes: Codes) -> None:
    ids = await office.file(3)
    await office.accept(ids)
    await office.assign(ids)
    assert codes(await office.hand_in(ids[:1], 3, comment="Có tính mới")) == ["done"]
    assert codes(await office.hand_in(ids[:1], 3, comment="Có tính mới")) == ["already"]
    assert codes(await office.hand_in(ids[:1], 3, novelty=31)) == ["sheet_handed_in"]
    assert codes(await office.hand_in(ids[:1], 5)) == ["not_asked"]
    assert codes(await office.hand_in(ids[1:2], 3, novelty=41)) == ["score_out_of_range"]
    part = pb.Sheet(dossier_id=ids[2], scores=[pb.Score(criterion="novelty", points=1)])
    odd = pb.Sheet(dossier_id=ids[1], scores=[pb.Score(criterion="beauty", points=1)])
    answer = await office.member(3).SubmitSheets(pb.SubmitSheetsRequest(sheets=[part, odd]))
    assert codes(answer) == ["scores_incomplete", "unknown_criterion"]
    assert await office.store.count("sheets") == 1


async def test_reviewers_handing_in_at_once_lose_no_sheet(office: Any, codes: Codes) -> None:
    ids = await office.file(50)
    await office.accept(ids)
    await office.assign(ids)
    answers = await asyncio.gather(office.hand_in(ids, 3, novelty=20), office.hand_in(ids[::-1], 4, novelty=31))
    assert [codes(answer) for answer in answers] == [["done"] * 50] * 2
    listed = await office.secretary.ListCases(pb.ListCasesRequest(round_id=office.round_id, state="CHO_HOP"))
    assert [(one.dossier_id, one.sheets, one.mean_score_tenths) for one in listed.cases] == [
        (id, 2, 705) for id in sorted(ids)
    ]


async def test_ballots_are_cast_once_by_those_present_until_counting(office: Any, codes: Codes) -> None:
    ids = await office.ready(2)
    elsewhere = new_id()
    session = await office.open_session(absent=[5])
    assert codes(await office.vote(session, 0, [*ids, elsewhere])) == ["done", "done", "not_on_agenda"]
    assert codes(await office.vote(session, 0, ids)) == ["already", "already"]
    assert codes(await office.vote(session, 0, ids[:1], pb.BALLOT_NO)) == ["ballot_cast"]
    assert codes(await office.vote(session, 1, ids[:1], pb.BALLOT_UNSPECIFIED)) == ["ballot_missing"]
    assert await refused(office.vote(session, 5, ids)) == ("forbidden", "not_present", "session_id")
    assert await office.close(session) == (0, 2)
    assert await refused(office.vote(session, 1, ids)) == ("precondition", "session_not_open", "session_id")


async def test_members_voting_while_the_session_closes_are_counted_or_refused(office: Any, codes: Codes) -> None:
    ids = await office.ready(30)
    session = await office.open_session()

    async def voted(place: int) -> list[str]:
        try:
            return codes(await office.vote(session, place, ids))
        except RemoteRefusal as refusal:
            return [refusal.code]

    *answers, _ = await asyncio.gather(*(voted(place) for place in range(6)), office.close(session))
    assert [answer for answer in answers if answer not in (["done"] * 30, ["session_not_open"])] == []
    cast = 30 * answers.count(["done"] * 30)
    counted = await office.store.find("cases", {"round_id": office.round_id})
    assert (sum(doc["vote"]["tally"][0] for doc in counted), await office.store.count("ballots")) == (cast, cast)


async def test_round_has_one_session_at_a_time_and_minutes_run_on(office: Any) -> None:
    first, second = await office.ready(2)
    session = await office.open_session(ids=[first])
    assert await office.open_session(ids=[first]) == session
    assert await refused(office.open_session("other", ids=[second])) == ("conflict", "session_open_already", "round_id")
    assert (await office.close(session), await office.close(await office.open_session("other"))) == ((0, 1), (0, 1))
    numbers = [doc["number"] for doc in await office.store.find("minutes", {"council_id": office.council_id})]
    assert sorted(numbers) == [1, 2]
    assert await refused(office.open_session("third")) == ("precondition", "agenda_empty", "dossier_ids")


async def test_sessions_opened_at_once_leave_one(office: Any) -> None:
    await office.ready(4)

    async def opened(key: str) -> str:
        try:
            return str(await office.open_session(key))
        except RemoteRefusal as refusal:
            return refusal.code

    outcomes = await asyncio.gather(*(opened(f"key {n}") for n in range(4)))
    assert (outcomes.count("session_open_already"), await office.store.count("sessions")) == (3, 1)


async def test_sessions_closing_at_once_agree_and_count_once(office: Any) -> None:
    ids = await office.ready(20)
    session = await office.open_session()
    for place in range(4):
        await office.vote(session, place, ids)
    assert await asyncio.gather(*(office.close(session) for _ in range(4))) == [(20, 0)] * 4
    assert len(await office.published("ev.review.dossier.voted.v1")) == 20
    assert len(await office.published("ev.review.session.closed.v1")) == 1


async def test_every_dossier_stays_one_trace(office: Any) -> None:
    ids = await office.ready(2)
    await office.close(await office.open_session())
    docs = await office.store.get_many("cases", ids)
    traces = {id: docs[id]["traceparent"].split("-")[1] for id in ids}
    assert len(set(traces.values())) == 2
    rows = await office.recorded({"aggregate_id": {"in": ids}})
    found = sorted((row["aggregate_id"], row["type"], row["traceparent"].split("-")[1]) for row in rows)
    types = ("accepted", "assigned", "voted")
    assert found == sorted((id, f"ev.review.dossier.{one}.v1", traces[id]) for id in ids for one in types)
