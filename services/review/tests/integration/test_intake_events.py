"""Intake's facts, over the real broker: twice, again, in the wrong order, unreadable."""

from datetime import date
from typing import Any

import nats

from sangkien.api.review.v1 import review_pb2 as pb
from sangkien.contracts.events import DossierSupplemented, DossierWithdrawn
from sangkien.runtime import new_id
from sangkien.testkit import eventually

CONSUMER = "review__intake"


def withdrawal(dossier_id: str, version: int) -> tuple[DossierWithdrawn, str, int]:
    event = DossierWithdrawn(dossier_id=dossier_id, version=version, withdrawn_on=date(2023, 5, 20))
    return event, dossier_id, version


def mended(filing: Any, office: Any, dossier_id: str, title: str, version: int = 2) -> tuple[Any, str, int]:
    facts = filing(dossier_id, office.round_id, [office.author], title=title, version=version).model_dump()
    return DossierSupplemented(**facts), dossier_id, version


async def settled(office: Any) -> None:
    """Wait until review has nothing of intake's left to do."""
    js = office.running.host._bus.jetstream

    async def nothing_left() -> bool:
        info = await js.consumer_info("EV_INTAKE", CONSUMER)
        return (await office.intake.store.count("outbox"), info.num_pending, info.num_ack_pending) == (0, 0, 0)

    await eventually(nothing_left, what="intake's events to be settled")


async def dead(office: Any) -> list[tuple[str, str]]:
    return [(one.aggregate_id, one.reason) for one in await office.running.host._bus.dead_letters.list("review")]


async def test_filing_told_twice_opens_one_case(office: Any, filing: Any) -> None:
    dossier = new_id()
    first = filing(dossier, office.round_id, [office.author, office.members[3]])
    await office.intake.says_all((first, dossier, 1))
    await eventually(lambda: office.arrived([dossier]))
    await office.accept([dossier])
    again = filing(dossier, office.round_id, [office.author], title="Tên khác hẳn")
    await office.intake.says_all((again, dossier, 1), withdrawal(other := new_id(), 2))
    await office.intake.says_all((filing(other, office.round_id, [office.author]), other, 1))
    await eventually(lambda: office.store.count("cases"), value=2)

    case = (await office.secretary.GetCase(pb.GetCaseRequest(dossier_id=dossier))).case
    assert (case.state, case.version, case.title, list(case.author_ids)) == (
        "CHAP_NHAN_DON",
        2,
        first.title,
        [office.author, office.members[3]],
    )
    assert await office.store.count("bars", {"dossier_id": dossier}) == 2


async def test_stream_read_again_from_its_beginning_changes_nothing(cast: Any) -> None:
    async with cast.at_work() as office:
        ids = await office.ready(3)
        before = await office.store.get_many("cases", ids)
        assert len(before) == 3
    client = await nats.connect(cast.nats.url)
    await client.jetstream().delete_consumer("EV_INTAKE", CONSUMER)
    await client.close()

    async with cast.at_work() as office:
        await settled(office)
        assert await office.store.get_many("cases", ids) == before
        assert await dead(office) == []


async def test_withdrawal_before_its_filing_waits_for_it(office: Any, filing: Any) -> None:
    dossier = new_id()
    await office.intake.says_all(withdrawal(dossier, 2))
    await office.intake.says_all((filing(dossier, office.round_id, [office.author]), dossier, 1))
    await eventually(lambda: office.arrived([dossier]))
    await eventually(lambda: office.state(dossier), value="RUT")
    assert await dead(office) == []


async def test_mended_filing_is_taken_once_and_older_ones_are_dropped(office: Any, filing: Any) -> None:
    [dossier] = await office.file()
    ask = pb.Check(dossier_id=dossier, supplement=pb.Shortcomings(codes=["THIEU_MO_TA"]))
    await office.secretary.CheckDossiers(pb.CheckDossiersRequest(checks=[ask], checked_on="2023-05-15"))
    await office.intake.says_all(mended(filing, office, dossier, "Tên mới", version=3))
    await eventually(lambda: office.state(dossier), value="DA_NOP")
    await office.secretary.CheckDossiers(pb.CheckDossiersRequest(checks=[ask], checked_on="2023-05-15"))
    await office.intake.says_all(mended(filing, office, dossier, "Tên cũ", version=2))
    await settled(office)

    case = (await office.secretary.GetCase(pb.GetCaseRequest(dossier_id=dossier))).case
    assert (case.title, case.state) == ("Tên mới", "YEU_CAU_BO_SUNG")


async def test_what_cannot_be_taken_is_put_aside_and_the_stream_goes_on(office: Any, filing: Any) -> None:
    lost, broken = new_id(), new_id()
    good = filing(new_id(), office.round_id, [office.author])
    await office.intake.says_all(
        (filing(lost, "NO-SUCH-ROUND", [office.author]), lost, 1),
        (good, good.dossier_id, 1),
    )
    client = await nats.connect(office.running.host.settings.nats_url)
    headers = {"ce-id": new_id(), "ce-type": good.TYPE, "ce-subject": broken, "ce-time": "2023-05-10T00:00:00+00:00"}
    await client.jetstream().publish(good.TYPE, b"{}", headers=headers | {"x-aggregate-version": "1"})
    await client.close()
    await eventually(lambda: office.arrived([good.dossier_id]))
    await settled(office)

    assert sorted(await dead(office)) == sorted([(lost, "review_round_not_found"), (broken, "undecodable")])
    assert await office.store.count("cases") == 1


async def test_dossier_for_the_council_of_another_node_is_none_of_reviews_business(office: Any, filing: Any) -> None:
    away, left = new_id(), new_id()
    good = filing(new_id(), office.round_id, [office.author])
    facts = filing(away, "THEIR-ROUND", [office.author], competent_node="hanoi")
    gone = DossierWithdrawn(dossier_id=left, version=2, withdrawn_on=date(2023, 5, 20), competent_node="hanoi")
    await office.intake.says_all(
        (facts, away, 1),
        (DossierSupplemented(**facts.model_dump()), away, 2),
        (gone, left, 2),
        (good, good.dossier_id, 1),
    )
    await eventually(lambda: office.arrived([good.dossier_id]))
    await settled(office)

    assert (await office.store.count("cases"), await dead(office)) == (1, [])
