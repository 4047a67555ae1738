"""The log, its stamps, and what can be proved with them."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.contracts.crossing import DecisionSummarised
from sangkien.custody import LogAudit, read_stamp, verify_proof
from sangkien.rpc import RemoteRefusal
from sangkien.testkit import eventually
from sangkien.testkit.time_authority import time_authority


def summary(number: int = 1) -> DecisionSummarised:
    return DecisionSummarised(
        decision_id=f"D{number}",
        symbol=f"{number}/QĐ-UBND",
        round_id="R1",
        tier="district",
        recognised=number,
        refused=0,
        issued_on=date(2023, 12, 20),
    )


async def audit_of(hub: Any, **more: Any) -> Any:
    """What an auditor finds who asks the hub page by page and believes nothing."""
    registry = await hub.operator.ListNodes(pb.ListNodesRequest())
    keys = {node.node: list(node.seal_keys) for node in registry.nodes}
    stamps, batch, hub_key = [], 1, ""
    while batch:
        page = await hub.operator.ListStamps(pb.ListStampsRequest(from_batch=batch, page_size=2))
        stamps += page.stamps
        batch, hub_key = page.next_batch, page.hub_key
    audit = LogAudit(hub_key, keys.__getitem__, **more)
    entries, position = [], 1
    while position:
        answer = await hub.operator.ListEntries(pb.ListEntriesRequest(from_position=position, page_size=3))
        entries += answer.entries
        position = answer.next_position
    waiting = iter(stamps)
    following = next(waiting, None)
    for entry in entries:
        audit.entry(entry.entry, entry.seal)
        while following is not None:
            last = int(_last_of(following.stamp, hub_key))
            if last != entry.position:
                break
            audit.stamp(following.stamp, following.timestamp_token or None)
            following = next(waiting, None)
    return audit.finish(len(entries))


def _last_of(stamp: str, hub_key: str) -> int:
    return read_stamp(stamp, hub_key).last


async def stamped(hub: Any, position: int) -> None:
    async def last() -> bool:
        page = await hub.operator.ListStamps(pb.ListStampsRequest())
        return bool(page.stamps) and _last_of(page.stamps[-1].stamp, page.hub_key) >= position

    await eventually(last, what=f"a stamp over position {position}")


async def test_log_of_many_messages_holds_to_the_last(hub: Any, joined: Callable[..., Any]) -> None:
    await joined(hub, "ha-noi", "city")
    ward = await joined(hub, "lang-ha", "ward")
    for number in range(5):
        await ward.say("ha-noi", summary(number))
    await ward.receipted_up_to(6)
    await stamped(hub, 4)
    for number in range(5):
        await ward.say("ha-noi" if number else "nowhere", summary(number))
    told = await ward.receipt(lambda one: one.n == 11 and one.stamped is not None and one.stamped.last >= one.position)

    found = await audit_of(hub)

    assert (found.entries, found.stamped) == (12, 12)
    assert (told.position, [one.code for one in told.refused]) == (12, ["receiver_unknown"])


async def test_proof_of_a_message_needs_the_hubs_key_alone(hub: Any, joined: Callable[..., Any]) -> None:
    await joined(hub, "ha-noi", "city")
    ward = await joined(hub, "lang-ha", "ward")
    seal = await ward.say("ha-noi", summary())
    told = await ward.receipt(lambda one: one.n == 2 and one.stamped is not None and one.stamped.last >= one.position)

    proof = (await hub.operator.GetProof(pb.GetProofRequest(id=seal.id))).proof
    proven = verify_proof(proof, hub.server.folder.seal_key.public, summary().to_bytes())

    assert (proven.seal.id, proven.entry.position) == (seal.id, told.position)


async def test_message_without_a_stamp_cannot_be_proved_yet(
    start_hub: Callable[..., Any], joined: Callable[..., Any]
) -> None:
    async with start_hub(stamp_every_s=60.0) as hub:
        ward = await joined(hub, "lang-ha", "ward")
        seal = await ward.echo()
        await ward.receipted_up_to(2)
        with pytest.raises(RemoteRefusal) as refused:
            await hub.operator.GetProof(pb.GetProofRequest(id=seal.id))
        assert (refused.value.code, refused.value.item.facts["seconds"]) == ("hub_message_not_stamped", "60")


async def test_hub_takes_nothing_more_while_stamping_fails_too_long(
    start_hub: Callable[..., Any], joined: Callable[..., Any]
) -> None:
    with time_authority() as authority:
        async with start_hub(stamp_every_s=0.2, stamp_limit_s=1.0, tsa_url=authority.url) as hub:
            await joined(hub, "ha-noi", "city")
            ward = await joined(hub, "lang-ha", "ward")
            await stamped(hub, 2)
            authority.answers = False
            await ward.say("ha-noi", summary(1))
            paused = await ward.receipt(lambda one: one.state == "paused")
            await ward.say("ha-noi", summary(2))

            async def overview() -> pb.ListPeersResponse:
                answer: pb.ListPeersResponse = await hub.operator.ListPeers(pb.ListPeersRequest())
                return answer

            await eventually(
                lambda: _backlog(overview, "lang-ha"), value=1, what="one message that waits in its stream"
            )
            assert (paused.n, (await overview()).state) == (2, "paused")

            authority.answers = True
            opened = await ward.receipt(lambda one: one.n == 3 and one.state == "open")
            await stamped(hub, opened.position)
            found = await audit_of(hub, authorities=[authority.root])
            assert (found.entries, found.stamped, found.tokens) == (4, 4, found.stamps)


async def _backlog(overview: Callable[[], Any], node: str) -> int:
    return next(int(peer.backlog_in) for peer in (await overview()).peers if peer.node == node)
