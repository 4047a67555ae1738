"""What a conflicted person learns of a case: nothing, not by id, list, count, ballot or minutes."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from sangkien.api.review.v1 import review_pb2 as pb
from sangkien.rpc import RemoteRefusal

Codes = Callable[[Any], list[str]]


async def code_of(call: Any) -> str:
    with pytest.raises(RemoteRefusal) as caught:
        await call
    return caught.value.code


async def declare(office: Any, place: int, *ids: str) -> Any:
    return await office.member(place).DeclareConflicts(pb.DeclareConflictsRequest(dossier_ids=ids))


async def seen(office: Any, stub: Any, size: int = 0) -> list[list[str]]:
    """Ids of the round's cases as that person lists them, page by page."""
    pages, token = [], ""
    while True:
        request = pb.ListCasesRequest(round_id=office.round_id, page_size=size, page_token=token)
        answer = await stub.ListCases(request)
        pages.append([one.dossier_id for one in answer.cases])
        token = answer.next_page_token
        if not token:
            return pages


async def counted(office: Any, stub: Any) -> tuple[dict[str, int], int, int]:
    found = (await stub.GetRound(pb.GetRoundRequest(round_id=office.round_id))).round
    return dict(found.cases), found.passed, found.failed


async def test_author_is_refused_everywhere(office: Any) -> None:
    [dossier] = await office.ready()
    author = office.as_(office.author, "author")
    for call in (
        author.GetCase(pb.GetCaseRequest(dossier_id=dossier)),
        author.ListCases(pb.ListCasesRequest(round_id=office.round_id)),
        author.GetRound(pb.GetRoundRequest(round_id=office.round_id)),
        author.ListRounds(pb.ListRoundsRequest()),
        author.GetMinutes(pb.GetMinutesRequest(session_id="S")),
        author.CheckDossiers(pb.CheckDossiersRequest()),
    ):
        assert await code_of(call) == "role_missing"


async def test_conflicted_member_meets_no_such_case(office: Any, codes: Codes) -> None:
    open_ = (await office.ready())[0]
    declared = (await office.file())[0]
    own = (await office.file(1, authors=[office.members[0]]))[0]
    assert codes(await declare(office, 0, declared, own, declared, "NO-SUCH")) == [
        "done",
        "already",
        "already",
        "case_not_found",
    ]
    member = office.member(0)
    assert await seen(office, member) == [[open_]]
    assert await seen(office, office.secretary) == [sorted([open_, own, declared])]
    assert await counted(office, member) == ({"CHO_HOP": 1}, 0, 0)
    assert await counted(office, office.secretary) == ({"CHO_HOP": 1, "DA_NOP": 2}, 0, 0)
    for hidden in (own, declared, "NO-SUCH"):
        assert await code_of(member.GetCase(pb.GetCaseRequest(dossier_id=hidden))) == "case_not_found"


async def test_only_members_of_the_council_whom_nothing_bars_may_judge(office: Any) -> None:
    plain, near = sorted(await office.ready(2))
    await declare(office, 0, near)
    intake = office.as_("service/intake", "service")

    async def may(person: str, dossier: str) -> bool:
        request = pb.MayJudgeRequest(dossier_id=dossier, person_id=person)
        return bool((await intake.MayJudge(request)).allowed)

    asked = [*office.members[:2], office.author, "local:STRANGER"]
    assert [[await may(person, dossier) for person in asked] for dossier in (plain, near, "NO-SUCH")] == [
        [True, True, False, False],
        [False, True, False, False],
        [False, False, False, False],
    ]
    assert await code_of(office.member(1).MayJudge(pb.MayJudgeRequest(dossier_id=plain))) == "role_missing"


async def test_pages_of_a_conflicted_member_are_as_full_as_anybodys(office: Any) -> None:
    ids = sorted(await office.file(7))
    await declare(office, 0, ids[1], ids[2], ids[6])
    assert await seen(office, office.member(0), 2) == [[ids[0], ids[3]], [ids[4], ids[5]]]
    assert await seen(office, office.secretary, 4) == [ids[:4], ids[4:]]


async def test_secretary_who_is_an_author_may_not_check_the_filing(office: Any, codes: Codes) -> None:
    [dossier] = await office.file(1, authors=["local:OFFICE"])
    assert codes(await office.accept([dossier])) == ["case_not_found"]
    assert codes(await office.assign([dossier])) == ["case_not_found"]


async def test_conflicted_member_does_not_vote_but_counts_among_all(office: Any, codes: Codes) -> None:
    plain, near = sorted(await office.ready(2))
    session = await office.open_session()
    for place in range(4):
        await office.vote(session, place, [plain, near])
    await declare(office, 3, near)
    assert codes(await office.vote(session, 3, [near])) == ["not_on_agenda"]

    assert await office.close(session) == (1, 1)
    docs = await office.store.get_many("cases", [plain, near])
    assert [docs[id]["vote"]["tally"] for id in (plain, near)] == [[4, 0, 0, 2, 0], [3, 0, 0, 2, 1]]
    assert await counted(office, office.member(3)) == ({"DA_HOP": 1}, 1, 0)


async def test_minutes_for_a_conflicted_member_leave_the_dossier_out(office: Any) -> None:
    plain, near = sorted(await office.ready(2))
    await declare(office, 0, near)
    session = await office.open_session()
    await office.close(session)

    async def codes_printed(stub: Any) -> list[bool]:
        pdf = (await stub.GetMinutes(pb.GetMinutesRequest(session_id=session))).pdf
        text = "".join("".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages).split())
        return [f"SK-2023-{id[-6:]}" in text for id in (plain, near)]

    assert await codes_printed(office.secretary) == [True, True]
    assert await codes_printed(office.member(0)) == [True, False]


async def test_minutes_do_not_exist_before_the_session_is_closed(office: Any) -> None:
    await office.ready()
    session = await office.open_session()
    assert await code_of(office.secretary.GetMinutes(pb.GetMinutesRequest(session_id=session))) == "minutes_not_fixed"


async def test_reviewer_sees_the_others_scores_after_their_own(office: Any) -> None:
    [dossier] = ids = await office.file()
    await office.accept(ids)
    await office.assign(ids)
    await office.hand_in(ids, 3, novelty=40)

    async def score(place: int) -> tuple[int, int]:
        case = (await office.member(place).GetCase(pb.GetCaseRequest(dossier_id=dossier))).case
        return case.sheets, case.mean_score_tenths

    assert (await score(3), await score(4)) == ((1, 0), (0, 0))
    await office.hand_in(ids, 4, novelty=20)
    assert (await score(3), await score(4)) == ((2, 750), (2, 750))


async def test_page_token_of_another_list_is_refused(office: Any) -> None:
    request = pb.ListCasesRequest(round_id=office.round_id, page_token="nonsense")
    assert await code_of(office.secretary.ListCases(request)) == "page_invalid"
    odd = pb.ListCasesRequest(round_id=office.round_id, state="DA_BAY")
    assert await code_of(office.secretary.ListCases(odd)) == "case_state_unknown"
