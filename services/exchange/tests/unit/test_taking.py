"""What is about one thing is applied in order, and holds up nothing else: the use case on a real store."""

from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from sangkien.contracts.crossing import DossierAnswered
from sangkien.custody import Seal, SealKey, make_seal
from sangkien.exchange.adapters.crossings import ContractCrossings
from sangkien.exchange.adapters.documents import SCHEMA
from sangkien.exchange.adapters.stored import StoredIncomings, StoredLedger, StoredOutgoings
from sangkien.exchange.application.ports import Message, NotYet, Taken
from sangkien.exchange.application.post_messages import PostMessages
from sangkien.exchange.application.take_messages import Held, TakeMessages
from sangkien.exchange.domain.incoming import Received, incoming_id
from sangkien.runtime import Telemetry
from sangkien.store import Store, open_store

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY = SealKey.create()


class World:
    """A moment, and a log that nobody reads."""

    def now(self) -> datetime:
        return NOW

    def error(self, event: str, **facts: object) -> None: ...


WORDS = ["received", "accepted", "voted"]
Thing = tuple[str, str]
"""A node and its dossier."""


@dataclass
class Inward:
    """Takes everything but the first word about the thing that waits; remembers the words by thing, in their order."""

    waits: Thing | None = None
    taken: dict[Thing, list[str]] = field(default_factory=lambda: defaultdict(list))

    async def take(self, sender: str, message: Message, seal: Seal) -> Taken:
        assert isinstance(message, DossierAnswered)
        thing = sender, message.dossier_id
        if (thing, message.answer) == (self.waits, WORDS[0]):
            raise NotYet("intake_unavailable")
        self.taken[thing].append(message.answer)
        return Taken()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await open_store(f"sqlite://{tmp_path}", database="exchange")
    await opened.ensure(SCHEMA)
    yield opened
    await opened.close()


async def receive(store: Store, sender: str, n: int, message: DossierAnswered) -> None:
    body = message.to_bytes()
    seal = make_seal(
        KEY, id=f"M{n}", sender=sender, receiver="badinh", type=message.TYPE, business_key=message.key(), epoch=1, n=n,
        prev="0" * 64, at=NOW, body=body,
    )  # fmt: skip
    row = Received(
        incoming_id(sender, message.key()), seal.id, sender, message.TYPE, message.key(), 1, n, n, seal.compact,
        len(body), NOW, NOW,
    )  # fmt: skip
    incomings = StoredIncomings(store)
    await store.apply([incomings.stored(row), incomings.with_body(row.id, body)])


def answer(dossier: str, word: Any) -> DossierAnswered:
    return DossierAnswered(dossier_id=dossier, answer=word, on=date(2026, 11, 22))


async def test_what_waits_holds_up_what_is_about_the_same_thing_and_nothing_else(store: Store) -> None:
    things = [("hanoi", "A"), ("hanoi", "B"), ("thanhtri", "A")]
    for n, (word, (sender, dossier)) in enumerate(product(WORDS, things), start=1):
        await receive(store, sender, n, answer(dossier, word))
    world: Any = World()
    inward, nobody = Inward(waits=things[0]), Telemetry("exchange", node="badinh", store=None, otlp=None, ratio=1.0)
    book: Any = None  # asked only about what was not believed before
    post = PostMessages(StoredOutgoings(store), StoredLedger(store), world)
    take = TakeMessages(
        StoredIncomings(store), book, ContractCrossings(), inward, post, world, store.apply, lambda _: False, world,
        nobody,
    )  # fmt: skip

    with pytest.raises(Held):
        await take()
    overtook = dict(inward.taken)
    inward.waits = None
    await take()

    assert overtook == {things[1]: WORDS, things[2]: WORDS}
    assert inward.taken == dict.fromkeys(things, WORDS)
