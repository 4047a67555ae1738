"""What goes down while the intake is crowded: the use case on a real store; the link is a function of the test."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sangkien.custody import SealKey
from sangkien.hub.adapters.documents import SCHEMA
from sangkien.hub.adapters.stored import StoredShelf
from sangkien.hub.application.desk import Desk
from sangkien.hub.application.forward_messages import ForwardMessages
from sangkien.hub.application.intake import MOST_OF_ONE, Queues
from sangkien.hub.application.ports import Held
from sangkien.hub.domain.node import Node, State
from sangkien.hub.domain.peer import Peer
from sangkien.store import Store, open_store

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
MESSAGES = 120


@dataclass
class World:
    """The hub's key, clock and link, in one: `sent` are the numbers that reached the receiver's stream."""

    hub_key: SealKey = field(default_factory=SealKey.create)
    sent: list[int] = field(default_factory=list)

    def now(self) -> datetime:
        return NOW

    def link(self, node: str) -> "World":
        return self

    async def send(self, sender: str, kind: str, body: bytes, headers: Mapping[str, str], msg_id: str) -> int:
        self.sent.append(len(self.sent) + 1)
        return len(self.sent)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite://{tmp_path}", database="hub")
    await opened.ensure(SCHEMA)
    yield opened
    await opened.close()


async def with_messages(store: Store, world: Any) -> Desk:
    """A desk with messages on their way to one node."""
    desk = Desk(StoredShelf(store), store.apply, world, lambda _: ("", "", b""), world.hub_key)
    async with desk.turn() as turn:
        turn.put(Node("ha-noi", "", "city", "", NOW, State.ACTIVE))
        turn.put_peer(Peer("ha-noi", 1))
        for n in range(1, MESSAGES + 1):
            turn.send(Held("ha-noi", 1, n, "lang-ha", 1, n, "t.v1", f"s{n}", f"{n:064x}", n, NOW, b"{}"))
        await turn.commit()
    return desk


@pytest.mark.parametrize(("waiting", "seen"), [(MOST_OF_ONE, [50, 100]), (0, [])], ids=["crowded", "quiet"])
async def test_forwarding_breathes_between_handfuls_while_the_intake_is_crowded(
    store: Store, waiting: int, seen: list[int]
) -> None:
    world: Any = World()
    queues, breaths, crowd = Queues(lambda _: 1), list[int](), list[Any](range(waiting))
    queues.put("ba-dinh", crowd)

    async def breathe() -> None:
        breaths.append(len(world.sent))

    await ForwardMessages(await with_messages(store, world), world, world, queues, breathe)("ha-noi")

    assert (breaths, len(world.sent)) == (seen, MESSAGES)
