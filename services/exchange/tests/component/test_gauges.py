"""The figures that Prometheus is given of a member's link."""

from typing import Any

from sangkien.exchange.entrypoints.gauges import Gauges
from sangkien.testkit import eventually


async def figures(node: Any, *names: str) -> dict[str, dict[str, float]]:
    """Each gauge's value of each peer, as the metrics page would show it now."""
    host = node.running.host
    [gauges] = [loop for loop in host._parts.background if isinstance(loop, Gauges)]
    await gauges.look()
    samples = [sample for family in host._metrics._page._registry.collect() for sample in family.samples]
    return {name: {one.labels.get("peer", ""): one.value for one in samples if one.name == name} for name in names}


async def test_gauges_say_what_waits_for_whom_while_the_link_is_cut(ward: Any, summary: Any) -> None:
    async def connected() -> float:
        return (await figures(ward, "link_connected"))["link_connected"]["hub"]

    await ward.says("hanoi", summary(1))
    await ward.delivered(1)
    assert await connected() == 1.0
    before = await figures(ward, "link_backlog", "link_oldest_seconds")
    assert before == {
        "link_backlog": {"hanoi": 0.0, "hub": 0.0},
        "link_oldest_seconds": {"hanoi": 0.0, "hub": 0.0},
    }

    ward.member.wire.cut()
    await ward.says("hanoi", summary(2), summary(3))

    await eventually(connected, value=0.0, what="the link in the figures")
    now = await figures(ward, "link_backlog", "link_oldest_seconds", "link_refused", "certificate_seconds_left")
    assert (now["link_backlog"], now["link_refused"]) == ({"hanoi": 2.0, "hub": 0.0}, {"hanoi": 0.0, "hub": 0.0})
    assert now["link_oldest_seconds"]["hanoi"] > 0.0
    assert now["certificate_seconds_left"]["hub"] > 80 * 86_400
