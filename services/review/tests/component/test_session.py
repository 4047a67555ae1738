"""From the filing to the minutes, over real gRPC, on the real store and broker."""

import json
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from sangkien.api.review.v1 import review_pb2 as pb
from sangkien.contracts.events import DossierWithdrawn
from sangkien.rpc import RemoteRefusal
from sangkien.testkit import eventually


async def test_dossier_passes_from_filing_to_minutes(office_on_each_store: Any) -> None:
    office = office_on_each_store
    passing, failing = await office.ready(2)
    session = await office.open_session()
    for place in range(6):
        await office.vote(session, place, [passing], pb.BALLOT_YES if place < 4 else pb.BALLOT_NO)
        await office.vote(session, place, [failing], pb.BALLOT_YES if place < 3 else pb.BALLOT_NO)

    assert await office.close(session) == (1, 1)

    voted = {body["dossier_id"]: body for body in map(json.loads, await office.published("ev.review.dossier.voted.v1"))}
    assert {id: (v["outcome"], v["members"], v["yes"], v["no"], v["abstained"]) for id, v in voted.items()} == {
        passing: ("passed", 6, 4, 2, 0),
        failing: ("failed", 6, 3, 3, 0),
    }
    assert voted[passing]["mean_score_tenths"] == 750
    assert voted[passing]["rule_set"] == "vn.council.tt-18-2013+vn.ha-noi.sheet.before-qd-16-2023"
    the_round = (await office.secretary.GetRound(pb.GetRoundRequest(round_id=office.round_id))).round
    assert (dict(the_round.cases), the_round.passed, the_round.failed) == ({"DA_HOP": 2}, 1, 1)
    minutes = await office.secretary.GetMinutes(pb.GetMinutesRequest(session_id=session))
    text = " ".join("".join(page.extract_text() for page in PdfReader(BytesIO(minutes.pdf)).pages).split())
    assert ("01/BB-HĐSK" in text, "Nguyễn An" in text, "ngày 18 tháng 5 năm 2023" in text) == (True, True, True)


async def test_dossier_withdrawn_during_the_session_is_left_out_of_the_vote(office: Any) -> None:
    kept, gone = await office.ready(2)
    session = await office.open_session()
    for place in range(6):
        await office.vote(session, place, [kept, gone])
    event = DossierWithdrawn(dossier_id=gone, version=2, withdrawn_on=date(2023, 5, 18))
    await office.intake.says_all((event, gone, 2))
    await eventually(lambda: office.state(gone), value="RUT")

    assert await office.close(session) == (1, 0)
    assert await office.state(gone) == "RUT"
    minutes = await office.secretary.GetMinutes(pb.GetMinutesRequest(session_id=session))
    text = " ".join("".join(page.extract_text() for page in PdfReader(BytesIO(minutes.pdf)).pages).split())
    assert f"Hồ sơ SK-2023-{gone[-6:]} không được biểu quyết vì đã rút trước khi bỏ phiếu." in text


async def test_head_author_of_a_state_funded_dossier_may_not_sit(office: Any) -> None:
    await office.ready(1, authors=[office.members[0]], head_author=True, state_funded=True)
    with pytest.raises(RemoteRefusal) as refused:
        await office.open_session()
    assert (refused.value.code, refused.value.facts) == ("head_author_may_not_sit", {"position": "1"})
    assert await office.close(await office.open_session("again", absent=[0])) == (0, 1)
