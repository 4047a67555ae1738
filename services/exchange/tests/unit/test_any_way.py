"""Whatever a link loses, repeats or turns round: each message is taken once, in the order in which it was posted.

The use cases are the real ones on a real store; the link and the clock are functions of the test.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sangkien.contracts.crossing import DecisionSummarised
from sangkien.custody import Head, HubReceipt, Place, Seal, SealKey, make_forward, place, read_seal
from sangkien.exchange.adapters.book import StoredBook
from sangkien.exchange.adapters.crossings import ContractCrossings
from sangkien.exchange.adapters.documents import SCHEMA
from sangkien.exchange.adapters.stored import StoredIncomings, StoredLedger, StoredOutgoings
from sangkien.exchange.application.follow_receipts import FollowReceipts
from sangkien.exchange.application.link_ports import CUSTODY_HEADER, SEAL_HEADER
from sangkien.exchange.application.live_in_federation import LiveInFederation
from sangkien.exchange.application.offer_messages import OfferMessages
from sangkien.exchange.application.ports import KnownNode, Message, Outbound, Taken
from sangkien.exchange.application.post_messages import PostMessages
from sangkien.exchange.application.receive_messages import ReceiveMessages
from sangkien.exchange.application.seal_messages import SealMessages
from sangkien.exchange.application.take_messages import TakeMessages
from sangkien.exchange.domain.patience import LONGEST_WAIT_S, Patience
from sangkien.federation import Link
from sangkien.messaging import MESSAGING_SCHEMA
from sangkien.runtime import new_id
from sangkien.store import Store, open_store

KEY, HUB_KEY = SealKey.create(), SealKey.create()


class Silent:
    """Logs and traces that nobody reads."""

    def info(self, event: str, **facts: object) -> None: ...

    warning = error = info

    def span(self, name: str, *, parent: str | None = None) -> AbstractContextManager[None]:
        return nullcontext()


@dataclass
class Time:
    """A clock that the test moves; it moves a little by itself, so that no two receipts are of one moment."""

    seconds: float = 1_000.0

    def steady(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        self.seconds += 0.001
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def today(self) -> date:
        return self.now().date()

    def new_id(self) -> str:
        return new_id()


@dataclass(frozen=True)
class Parcel:
    sender: str
    type: str
    headers: Mapping[str, str]
    body: bytes

    async def ack(self) -> None: ...


@dataclass
class Leaf:
    """What was offered and has not reached the hub."""

    on_the_way: list[Parcel] = field(default_factory=list)
    last: int = 0

    def connected(self) -> bool:
        return True

    async def offer(self, receiver: str, message_type: str, body: bytes, headers: Mapping[str, str], _: str) -> int:
        self.last += 1
        self.on_the_way.append(Parcel(receiver, message_type, headers, body))
        return self.last

    async def arrived(self, most: int, wait_s: float) -> Sequence[Parcel]:
        return ()

    async def reset_out(self) -> None:
        self.on_the_way.clear()

    async def drop_offered(self, up_to: int) -> int:
        return 0

    async def drop_taken(self) -> int:
        return 0


@dataclass
class Hub:
    """Takes what follows, numbers what it forwards, and says how far it is."""

    time: Time
    head: Head = field(default_factory=lambda: Head.start(1))
    taken: list[str] = field(default_factory=list)
    down: list[Parcel] = field(default_factory=list)
    confirmed: int = 0

    def take(self, parcel: Parcel) -> None:
        seal = read_seal(parcel.headers[SEAL_HEADER], KEY.public)
        if place(self.head, seal, None) is Place.FOLLOWS:
            self.head = self.head.after(seal)
            self.taken.append(seal.key)
            if seal.receiver != "hub":
                self.down.append(self._forwarded(parcel, seal))

    def _forwarded(self, parcel: Parcel, seal: Seal) -> Parcel:
        n = len(self.down) + 1
        custody = make_forward(HUB_KEY, to="hanoi", epoch=1, n=n, position=n, seal_sha256=seal.hash, at=self.time.now())
        return Parcel("phuctan", parcel.type, {**parcel.headers, CUSTODY_HEADER: custody}, parcel.body)

    def receipt(self) -> HubReceipt:
        waiting = tuple(range(self.confirmed + 1, len(self.down) + 1))[:1000]
        return HubReceipt(
            to="phuctan", at=self.time.now(), epoch=1, n=self.head.n, head=self.head.hash, position=self.head.n,
            refused=(), waiting=waiting, stamped=None, state="open", down=0,
        )  # fmt: skip


@dataclass
class Recorder:
    """Takes messages and remembers which."""

    taken: list[str] = field(default_factory=list)

    async def take(self, sender: str, message: Message, seal: Seal) -> Taken:
        self.taken.append(message.key())
        return Taken()


@dataclass
class Way:
    """A sender, a hub and a receiver."""

    time: Time
    leaf: Leaf
    hub: Hub
    inward: Recorder
    store: Store
    post: PostMessages
    seal: SealMessages
    offer: OfferMessages
    follow: FollowReceipts
    receive: ReceiveMessages
    take: TakeMessages
    receiver: StoredLedger
    posted: list[str] = field(default_factory=list)

    async def say(self, number: int) -> None:
        message = DecisionSummarised(
            decision_id=f"D{number}", symbol="1/QĐ", round_id="R", tier="district", recognised=1, refused=0,
            issued_on=date(2026, 1, 1),
        )  # fmt: skip
        ops = await self.post([Outbound("hanoi", message)])
        await self.store.apply(ops)
        if ops:
            self.posted.append(message.key())

    async def send(self) -> None:
        while await self.seal():
            pass
        while await self.offer():
            pass

    async def down(self, parcels: Sequence[Parcel]) -> None:
        await self.receive(list(parcels))
        while await self.take():
            pass
        self.hub.confirmed = (await self.receiver.inflow()).n


async def a_store(stack: Any, folder: Path, name: str) -> Store:
    store = await open_store(f"sqlite://{folder}", database=name)
    stack.push_async_callback(store.close)
    await store.ensure(SCHEMA + MESSAGING_SCHEMA)
    return store


@asynccontextmanager
async def a_way() -> AsyncIterator[Way]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        time, leaf, notes, crossings = Time(), Leaf(), Silent(), ContractCrossings()
        ours, theirs = await a_store(stack, folder, "ours"), await a_store(stack, folder, "theirs")
        outgoings, ledger = StoredOutgoings(ours), StoredLedger(ours)
        incomings, receiver = StoredIncomings(theirs), StoredLedger(theirs)
        post = PostMessages(outgoings, ledger, time)
        for store, kept in ((ours, ledger), (theirs, receiver)):
            life = LiveInFederation(
                StoredOutgoings(store), kept, crossings, PostMessages(StoredOutgoings(store), kept, time), time,
                store.apply, time.steady, notes, epoch=1,
            )  # fmt: skip
            await life._begin_anew(await kept.chain())
        book = StoredBook(theirs, theirs.apply, Link("hanoi", "", "city", 1, "", ""), HUB_KEY.public, folder)
        book.learn([KnownNode("phuctan", "", "ward", "hanoi", "active", 1, (KEY.public,), 1)])
        patience, inward = Patience(), Recorder()
        yield Way(
            time, leaf, Hub(time), inward, ours, post,
            SealMessages(outgoings, ledger, time, ours.apply, node="phuctan", key=KEY),
            OfferMessages(outgoings, ledger, leaf, time, ours.apply, patience, time.steady, notes),
            FollowReceipts(
                outgoings, ledger, time, ours.apply, patience, time.steady, notes,
                node="phuctan", hub_key=HUB_KEY.public, fleeting=lambda _: False,
            ),
            ReceiveMessages(
                incomings, receiver, book, crossings, time, theirs.apply, time.steady, notes,
                hub_key=HUB_KEY.public, gap_patience_s=1e9,
            ),
            TakeMessages(
                incomings, book, crossings, inward, PostMessages(StoredOutgoings(theirs), receiver, time), time,
                theirs.apply, lambda _: False, notes, notes,
            ),
            receiver,
        )  # fmt: skip


EVENTS = st.sampled_from(["say", "say", "send", "pass", "lose", "twice", "turn", "receipt", "down", "later", "back"])


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=st.lists(st.tuples(EVENTS, st.integers(0, 7)), max_size=40))
async def test_any_interleaving_ends_with_every_message_taken_once_and_in_order(
    events: list[tuple[str, int]],
) -> None:
    async with a_way() as way:
        for number, (event, which) in enumerate(events):
            await happen(way, event, which, number)
        for _ in range(6):  # what was lost is missed in the end, and the link has no more accidents
            await way.send()
            for parcel in way.leaf.on_the_way:
                way.hub.take(parcel)
            way.leaf.on_the_way.clear()
            await way.follow(way.hub.receipt())
            await way.down(way.hub.down)
            await way.follow(way.hub.receipt())
            way.time.seconds += LONGEST_WAIT_S * 2

        assert way.hub.taken == way.inward.taken == way.posted
        delivered = await way.store.count("outgoing", {"state": "delivered"})
        assert delivered == len(way.posted)


async def test_what_a_receipt_covered_meanwhile_is_not_offered_again() -> None:
    """Who goes back has looked at the hub's word a moment ago; on a slow store a receipt is applied in between."""
    async with a_way() as way:
        ledger = StoredLedger(way.store)
        await way.say(1)
        await way.send()
        looked = await ledger.chain(), (await ledger.word()).confirmed
        for parcel in way.leaf.on_the_way:
            way.hub.take(parcel)
        await way.follow(way.hub.receipt())

        await way.offer.go_back(*looked)
        await way.send()
        await way.follow(way.hub.receipt())

        assert await way.store.count_by("outgoing", "state") == {"receipted": 1}


async def happen(way: Way, event: str, which: int, number: int) -> None:
    flying = way.leaf.on_the_way
    place = which % len(flying) if flying else 0
    match event:
        case "say":
            await way.say(number if which else number // 2)
        case "send":
            await way.send()
        case "pass" if flying:
            way.hub.take(flying.pop(0))
        case "lose" if flying:
            flying.pop(place)
        case "twice" if flying:
            flying.append(flying[place])
        case "turn" if flying:
            flying.append(flying.pop(place))
        case "receipt":
            await way.follow(way.hub.receipt())
        case "down":
            await way.down(way.hub.down[which : which + 3])
        case "later":
            way.time.seconds += which
            await way.offer()
        case "back":  # the hub was restored to an earlier state
            keep = max(0, way.hub.head.n - which)
            await set_back(way, keep)


async def set_back(way: Way, keep: int) -> None:
    message = await StoredOutgoings(way.store).at(1, keep) if keep else None
    way.hub.head = Head(1, keep, message.seal_sha256) if message else Head.start(1)
    way.hub.taken = way.hub.taken[:keep]
    way.hub.down = way.hub.down[:keep]
    way.hub.confirmed = min(way.hub.confirmed, keep)
