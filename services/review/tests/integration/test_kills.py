"""Kill -9 at bad moments: nothing decided is lost, nothing is said twice."""

import asyncio
import json
import signal
from typing import Any

import nats

from sangkien.api.review.v1 import review_pb2 as pb
from sangkien.store import Replace
from sangkien.testkit import eventually


async def heard(url: str, subject: str) -> list[dict[str, Any]]:
    """Every event of that type in review's stream, in order."""
    client = await nats.connect(url)
    js = client.jetstream()
    state = (await js.stream_info("EV_REVIEW")).state
    found = []
    for seq in range(state.first_seq or 1, state.last_seq + 1):
        message = await js.get_msg("EV_REVIEW", seq=seq)
        if message.subject == subject:
            found.append(json.loads(message.data or b""))
    await client.close()
    return found


async def test_kill_between_commit_and_publish_loses_and_doubles_nothing(cast: Any) -> None:
    async with cast.at_work() as office:
        ids = await office.file(5)
    async with cast.as_process() as (process, office):
        cast.nats.kill()
        answer = await office.accept(ids)
        assert [one.error.code for one in answer.results] == [""] * 5
        assert await process.kill() == -signal.SIGKILL
    cast.nats.start()

    async with cast.at_work() as office:
        again = await office.accept(ids)
        assert [one.already for one in again.results] == [True] * 5

        async def told() -> list[str]:
            return sorted(e["dossier_id"] for e in await heard(cast.nats.url, "ev.review.dossier.accepted.v1"))

        await eventually(told, value=sorted(ids))


async def test_kill_while_counting_ends_in_the_same_minutes(cast: Any) -> None:
    async with cast.at_work() as office:
        ids = await office.ready(450)
        session = await office.open_session()
        for place in range(4):
            await office.vote(session, place, ids[:300])
    async with cast.as_process() as (process, office):
        closing = asyncio.create_task(office.close(session))

        async def counted() -> bool:
            answer = await office.secretary.GetRound(pb.GetRoundRequest(round_id=office.round_id))
            return bool(answer.round.cases["DA_HOP"] > 0)

        await eventually(counted, what="the first dossiers to be counted")
        assert await process.kill() == -signal.SIGKILL
        await asyncio.wait([closing])

    async with cast.at_work() as office:
        assert await office.close(session) == (300, 150)
        assert await office.close(session) == (300, 150)
        voted = [json.loads(body) for body in await office.published("ev.review.dossier.voted.v1")]
        assert sorted(one["dossier_id"] for one in voted) == sorted(ids)
        closed = [json.loads(body) for body in await office.published("ev.review.session.closed.v1")]
        assert [(one["session_id"], one["passed"], one["failed"]) for one in closed] == [(session, 300, 150)]
        minutes = await office.store.find("minutes", {"council_id": office.council_id})
        assert [(one["number"], len(one["lines"])) for one in minutes] == [(1, 450)]


async def test_counting_cut_off_is_finished_without_being_asked(cast: Any) -> None:
    async with cast.at_work() as office:
        ids = await office.ready(3)
        session = await office.open_session()
        for place in range(4):
            await office.vote(session, place, ids)
        # What a kill after the first unit of the closing leaves behind.
        stored = await office.store.get("sessions", session)
        await office.store.apply([Replace("sessions", stored | {"state": "counting"}, expect=stored["ver"])])
    async with cast.at_work() as office:

        async def closed() -> bool:
            return bool((await office.store.get("sessions", session))["state"] == "closed")

        await eventually(closed, what="the session to be closed")
        assert await office.close(session) == (3, 0)
