"""Whom a node tells of its organisations, and when: on a real store and registry, without a link."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sangkien.contracts.crossing import Crossing, OrganisationChanged
from sangkien.contracts.events import Event, OrganisationRegistered, OrganisationReorganised
from sangkien.exchange.adapters.organisation_book import ORGANISATION_SCHEMA, StoredOrganisations
from sangkien.exchange.application.ports import Heard
from sangkien.exchange.entrypoints.organising import MOST_AT_ONCE, FromOrganisations, IntroduceOrganisations
from sangkien.store import Conflict

Said = list[tuple[str, int, list[tuple[str, int, str]]]]


class Teller:
    """The two that tell of a node's organisations."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self.book = StoredOrganisations(node.context.store)
        self.hears = FromOrganisations(self.book, node.registry)
        self.introduces = IntroduceOrganisations(self.book, node.registry, node.post, node.context.commit)

    async def hear(self, *events: tuple[Event, int]) -> None:
        at = datetime(2025, 7, 1, tzinfo=UTC)
        heard = [
            Heard(f"E{version}", event.TYPE, event, getattr(event, "organisation_id", ""), version, at, "")
            for event, version in events
        ]
        taken = await self.hears(heard)
        await self.node.context.commit([*taken.ops, *await self.node.post(taken.outbound)])

    async def said(self) -> Said:
        messages: Sequence[tuple[str, Crossing]] = await self.node.says()
        return [
            (to, one.epoch, [(each.name, each.version, str(each.valid_to or "")) for each in one.organisations])
            for to, one in messages
            if isinstance(one, OrganisationChanged)
        ]


@pytest.fixture
async def teller(city: Any) -> Teller:
    await city.context.store.ensure(ORGANISATION_SCHEMA)
    return Teller(city)


def registered(number: int, node: str = "hanoi") -> tuple[Event, int]:
    event = OrganisationRegistered(
        organisation_id=f"{node}:U{number:03}", kind="SO", name=f"Sở {number}", valid_from=date.min
    )
    return event, 1


def closed(number: int, version: int) -> tuple[Event, int]:
    event = OrganisationReorganised(
        organisation_id=f"hanoi:U{number:03}", kind="SO", name=f"Sở {number}", valid_from=date.min,
        valid_to=date(2025, 6, 30),
    )  # fmt: skip
    return event, version


async def test_neighbour_is_told_everything_once_in_each_life_and_then_each_change_once(teller: Teller) -> None:
    await teller.hear(registered(1), registered(2), registered(3, node="local"))
    before = await teller.said()
    introduced = [await teller.introduces() for _ in range(2)]
    everything = await teller.said()
    for _ in range(2):
        await teller.hear(closed(1, 3), closed(1, 2), registered(1))
    change = await teller.said()
    badinh = teller.node.registry.node("badinh")
    teller.node.registry.learn([replace(badinh, epoch=2, version=9)])
    anew = await teller.introduces()

    assert before == []
    assert introduced == [1, 0]  # thanhxuan is joining still, and xa is not right below the city
    assert everything == [("badinh", 1, [("Sở 1", 1, ""), ("Sở 2", 1, "")])]
    assert change == [("badinh", 1, [("Sở 1", 3, "2025-06-30")])]
    assert (anew, await teller.said()) == (1, [("badinh", 2, [("Sở 1", 3, "2025-06-30"), ("Sở 2", 1, "")])])


async def test_long_tree_is_told_in_parts(teller: Teller) -> None:
    await teller.hear(*[registered(number) for number in range(MOST_AT_ONCE + 1)])
    await teller.introduces()
    assert [len(organisations) for _, _, organisations in await teller.said()] == [MOST_AT_ONCE, 1]


async def test_change_that_meets_an_introduction_is_decided_again(teller: Teller) -> None:
    """Neither may miss the other: what is introduced without the change would never be told of it."""
    await teller.hear(registered(1))
    event, version = closed(1, 2)
    heard = Heard("E", event.TYPE, event, "hanoi:U001", version, datetime(2025, 7, 1, tzinfo=UTC), "")
    taken = await teller.hears([heard])
    await teller.introduces()
    with pytest.raises(Conflict):
        await teller.node.context.commit(taken.ops)
    await teller.hear((event, version))
    assert [[name for *_, name in organisations] for _, _, organisations in await teller.said()] == [
        [""],
        ["2025-06-30"],
    ]
