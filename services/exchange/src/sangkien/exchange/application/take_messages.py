"""Applies what was received, in order for each thing: a message's effect and the mark that it happened are one unit."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sangkien.custody import Seal, SealBroken, check_body, read_seal, seal_in
from sangkien.exchange.application.link_ports import Crossings, Incomings, NodeBook, Notes, Unreadable
from sangkien.exchange.application.ports import Commit, Inward, NotYet, Traces, World
from sangkien.exchange.application.post_messages import PostMessages
from sangkien.exchange.domain.errors import MessageNotFailed, MessageUnknown
from sangkien.exchange.domain.incoming import InState, Received, incoming_id
from sangkien.kernel import Refusal
from sangkien.store import Conflict, Duplicate, Op
from sangkien.store.deciding import ChangedMeanwhile, decided_again

PAGE: Final = 100


class Held(Exception):
    """The next message has to wait, and those behind it with it. `reason` is a stable word."""

    def __init__(self, reason: str, number: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.number = number


class TakeMessages:
    """Takes messages in order. `transient` says of an error whether the same call may well succeed later."""

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        incomings: Incomings,
        book: NodeBook,
        crossings: Crossings,
        inward: Inward,
        post: PostMessages,
        world: World,
        commit: Commit,
        transient: Callable[[Exception], bool],
        notes: Notes,
        traces: Traces,
    ) -> None:
        self._notes = notes
        self._traces = traces
        self._incomings = incomings
        self._book = book
        self._crossings = crossings
        self._inward = inward
        self._post = post
        self._world = world
        self._commit = commit
        self._transient = transient

    async def __call__(self) -> int:
        """Apply the next page; how many. Raises Held where some have to wait: the others of the page are applied.

        What is about one thing goes in order; about different things at the same time.
        """
        waiting = await self._incomings.waiting(PAGE)
        together = [message.id for message in waiting if not self._crossings.fleeting(message.type)]
        bodies = await self._incomings.bodies(together)
        lanes: dict[str, list[Received]] = {}
        for message in waiting:
            lanes.setdefault(_about(message), []).append(message)
        ends = await asyncio.gather(*(self._take_all(lane, bodies) for lane in lanes.values()), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return len(waiting)

    async def _take_all(self, lane: Sequence[Received], bodies: Mapping[str, bytes]) -> None:
        for message in lane:
            large = self._crossings.fleeting(message.type)  # those one at a time
            found = await self._incomings.bodies([message.id]) if large else bodies
            await self._take(message, found.get(message.id, b""))

    async def replay(self, id_or_key: str) -> None:
        """Let a failed message be applied once more. Raises MessageUnknown, MessageNotFailed."""
        message = await self._incomings.find(id_or_key)
        if message is None:
            raise MessageUnknown(field="id")
        if message.state is not InState.FAILED:
            raise MessageNotFailed(state=message.state.value)
        await self._commit([self._incomings.stored(message.replayed())])

    async def _take(self, message: Received, body: bytes) -> None:
        try:
            await decided_again(lambda: self._apply(message, body))
        except (NotYet, ChangedMeanwhile) as later:
            raise Held(later.reason if isinstance(later, NotYet) else later.code, message.n) from later
        except (Refusal, Unreadable, SealBroken) as error:
            await self._put_aside(message, error.reason if isinstance(error, Unreadable) else error.code)
        except Exception as error:
            if self._transient(error):
                raise Held("service_away", message.n) from error
            self._notes.error(
                "taking_failed", type=message.type, sender=message.sender, number=message.n, exc_info=True
            )
            await self._put_aside(message, "bug")

    async def _apply(self, message: Received, body: bytes) -> None:
        seal = seal_in(message.seal) if message.key else self._believed(message, body)
        read = self._crossings.read(message.type, body)
        with self._traces.span(f"{message.type} take", parent=seal.trace):  # one trace, through all nodes
            taken = await self._inward.take(message.sender, read, seal)
        done = message.applied(self._world.now())
        ops: list[Op] = [*taken.ops, *await self._post(taken.outbound)]
        if message.key:
            await self._commit([*ops, *self._settled(done)])
            return
        # It failed to be believed before: from now on it stands under its business key like all others.
        id = incoming_id(seal.sender, seal.key)
        fresh = replace(done, id=id, key=seal.key, message_id=seal.id, sealed_at=seal.at, version=0)
        moved = [self._incomings.forgotten(message), self._incomings.without_body(message.id)]
        if id in await self._incomings.get_many([id]):
            await self._commit(moved)
            return
        await self._commit([*ops, *moved, self._incomings.stored(fresh), self._incomings.with_body(id, body)])

    def _believed(self, message: Received, body: bytes) -> Seal:
        node = self._book.node(message.sender)
        seal = read_seal(message.seal, node.seal_keys if node else ())
        check_body(seal, body)
        me = self._book.me
        if (seal.sender, seal.receiver, seal.type) != (message.sender, me.node, message.type):
            raise Unreadable("seal_of_another")
        if node is None or not self._crossings.allowed(seal.type, node.profile, me.profile):
            raise Unreadable("not_allowed")
        return seal

    def _settled(self, message: Received) -> list[Op]:
        """The mark, and with it the body of what nobody reads again."""
        if not (message.kept and self._crossings.fleeting(message.type)):
            return [self._incomings.stored(message)]
        gone = replace(message, kept=False)
        return [self._incomings.stored(gone), self._incomings.without_body(message.id)]

    async def _put_aside(self, message: Received, reason: str) -> None:
        """It failed for a reason of its own: it is kept, visible, and the next one is taken."""
        self._notes.error("message_failed", type=message.type, sender=message.sender, number=message.n, reason=reason)
        try:
            await self._commit(self._settled(message.failed(reason, self._world.now())))
        except (Conflict, Duplicate):
            raise Held("changed_meanwhile", message.n) from None


def _about(message: Received) -> str:
    """Whose and which thing a message is about, by its key `<type>:<what>[:…]`."""
    return f"{message.sender}:{message.key.partition(':')[2].partition(':')[0] or message.id}"
