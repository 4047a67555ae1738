"""The figures that Prometheus is given of the hub's links."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sangkien.api.hub.v1 import hub_pb2 as pb
from sangkien.contracts.crossing import DecisionSummarised
from sangkien.hub.entrypoints.gauges import Gauges
from sangkien.testkit import eventually

SHOWN = ("link_connected", "link_backlog", "link_refused", "link_discarded")


def summary(number: int) -> DecisionSummarised:
    return DecisionSummarised(
        decision_id=f"D{number}",
        symbol=f"{number}/QĐ-UBND",
        round_id="R1",
        tier="district",
        recognised=number,
        refused=0,
        issued_on=date(2023, 12, 20),
    )


async def figures(hub: Any, *names: str) -> dict[str, dict[str, float]]:
    """Each gauge's value of each peer, as the metrics page would show it now."""
    host = hub.service.host
    [gauges] = [loop for loop in host._parts.background if isinstance(loop, Gauges)]
    await gauges.look()
    samples = [sample for family in host._metrics._page._registry.collect() for sample in family.samples]
    return {name: {one.labels.get("peer", ""): one.value for one in samples if one.name == name} for name in names}


async def confirmed(speaker: Any, hub: Any) -> None:
    """The node confirms all that came down to it, until nothing waits for it."""

    async def nothing_waits() -> bool:
        await speaker.listen()
        await speaker.confirm(hub.service.host._parts.background[0]._desk.peers[speaker.node].sent)
        return (await figures(hub, "link_backlog"))["link_backlog"][speaker.node] == 0

    await eventually(nothing_waits)


async def test_gauges_say_what_waits_for_whom_and_what_was_nobodys(hub: Any, joined: Callable[..., Any]) -> None:
    city = await joined(hub, "ha-noi", "city")
    ward = await joined(hub, "lang-ha", "ward", "ha-noi")
    for speaker in (city, ward):
        await confirmed(speaker, hub)

    await ward.member.broker.offer("ha-noi", summary(1).TYPE, summary(1).to_bytes(), {}, "no-seal")
    await ward.say("ha-noi", summary(2))
    await ward.say("nobody", summary(3))
    await ward.say("ha-noi", summary(4))
    await ward.receipted_up_to(4)

    assert await figures(hub, *SHOWN) == {
        "link_connected": {"ha-noi": 1.0, "lang-ha": 1.0},
        "link_backlog": {"ha-noi": 2.0, "lang-ha": 0.0},
        "link_refused": {"ha-noi": 0.0, "lang-ha": 1.0},
        "link_discarded": {"ha-noi": 0.0, "lang-ha": 1.0},
    }
    ends = (await figures(hub, "certificate_seconds_left"))["certificate_seconds_left"]
    assert {peer: end > 80 * 86_400 for peer, end in ends.items()} == {"hub": True, "ha-noi": True, "lang-ha": True}

    await hub.operator.RevokeNode(pb.RevokeNodeRequest(node="lang-ha", reason="khóa bị lộ"))
    assert (await figures(hub, "link_discarded"))["link_discarded"] == {"ha-noi": 0.0}
