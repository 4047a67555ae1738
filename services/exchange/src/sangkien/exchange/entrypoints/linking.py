"""People in two nodes: links as they are proposed and decided, and the records that follow over confirmed ones."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Final, Protocol

from sangkien.contracts.crossing import (
    OrganisationChanged,
    PersonLinkAnswered,
    PersonLinkProposed,
    PersonRecord,
    may_send,
)
from sangkien.contracts.events import ForeignRecordAsserted, PersonLinkChanged, RecordChanged
from sangkien.exchange.application.link_ports import Outgoings
from sangkien.exchange.application.ports import (
    Heard,
    Inward,
    Message,
    NotYet,
    Outbound,
    Outward,
    Registry,
    Taken,
    World,
)
from sangkien.exchange.domain.outgoing import outgoing_id
from sangkien.exchange.domain.reorganised import LinkStanding, RecordNotLinked
from sangkien.exchange.entrypoints.dealings import hanoi_day
from sangkien.exchange.entrypoints.organising import FromOrganisations, assertions
from sangkien.messaging import outbox_row

if TYPE_CHECKING:
    from sangkien.custody import Seal

_MOST: Final = 100


class LinkDesk(Protocol):
    """Directory, for links. Raises NotYet where asking again makes sense, and the refusals of `domain.reorganised`."""

    async def proposed(self, sender: str, message: PersonLinkProposed) -> None: ...

    async def answered(self, sender: str, message: PersonLinkAnswered) -> None: ...

    async def returned(self, link_id: str, code: str) -> None:
        """The hub did not forward a proposal of this node. Of one that is over nothing changes."""
        ...

    async def standing(self, link_id: str) -> LinkStanding | None: ...

    async def proposal(self, link_id: str, on: date) -> PersonLinkProposed | None:
        """The letter to the other node; None when the proposal is not open any more."""
        ...


class WithDirectory:
    """The port `Inward`: takes what concerns directory and records, and leaves the rest to `inner`."""

    def __init__(self, inner: Inward, desk: LinkDesk, world: World) -> None:
        self._inner = inner
        self._desk = desk
        self._world = world

    async def take(self, sender: str, message: Message, seal: "Seal") -> Taken:
        match message:
            case OrganisationChanged():
                return assertions(sender, message, seal, self._world)
            case PersonLinkProposed():
                await self._desk.proposed(sender, message)
                return Taken()
            case PersonLinkAnswered():
                await self._desk.answered(sender, message)
                return Taken()
            case PersonRecord():
                return await self._record(sender, message, seal)
        return await self._inner.take(sender, message, seal)

    async def _record(self, sender: str, message: PersonRecord, seal: "Seal") -> Taken:
        """What comes after a link was revoked was on its way: it has no effect. Raises RecordNotLinked."""
        link = await self._desk.standing(message.link_id)
        if link is None or link.node != sender:
            raise RecordNotLinked(node=sender)
        if link.state == "revoked":
            return Taken()
        if link.state != "confirmed" or not link.receives:
            raise RecordNotLinked(node=sender)
        event = ForeignRecordAsserted(
            link_id=message.link_id, node=sender, person_id=link.person_id, lines=message.lines
        )
        row = outbox_row(
            event,
            event_id=self._world.new_id(),
            aggregate_id=message.link_id,
            aggregate_version=message.number,
            at=self._world.now(),
            traceparent=seal.trace,
        )
        return Taken([row])


class FromDirectory:
    """Consumer `exchange__directory`: organisations, and links that this node proposed or decided about."""

    def __init__(self, organisations: FromOrganisations, desk: LinkDesk) -> None:
        self._organisations = organisations
        self._desk = desk

    async def __call__(self, heard: Sequence[Heard]) -> Taken:
        said = await self._organisations(heard)
        links = [
            message
            for one in heard
            if isinstance(one.event, PersonLinkChanged) and (message := await self._worded(one, one.event)) is not None
        ]
        return Taken(said.ops, [*said.outbound, *links])

    async def _worded(self, one: Heard, event: PersonLinkChanged) -> Outbound | None:
        if not event.by_us:
            return None
        on = hanoi_day(one.at)
        if event.state == "proposed":
            letter = await self._desk.proposal(event.link_id, on)
            return Outbound(event.node, letter, one.trace) if letter is not None else None
        confirmed = event.state == "confirmed"
        answer = PersonLinkAnswered(
            link_id=event.link_id,
            answer=event.state,
            person_ref=event.person_id if confirmed else "",
            asks_too=confirmed and event.receives,
            on=on,
        )
        return Outbound(event.node, answer, one.trace)


class WithRecords:
    """Consumer `exchange__recognition`: records for the nodes at the other end, and what `inner` says of the rest."""

    def __init__(self, inner: Outward, outgoings: Outgoings, registry: Registry) -> None:
        self._inner = inner
        self._outgoings = outgoings
        self._registry = registry

    async def __call__(self, heard: Sequence[Heard]) -> Taken:
        """Raises NotYet while the confirmation that goes before a record was not posted."""
        rest = [one for one in heard if not isinstance(one.event, RecordChanged)]
        records = [(one.event, one.trace) for one in heard if isinstance(one.event, RecordChanged)]
        allowed = [(event, trace) for event, trace in records if self._may(event)]
        await self._check_confirmed([event for event, _ in allowed])
        said = await self._inner(rest) if rest else Taken()
        messages = [
            Outbound(event.node, PersonRecord(link_id=event.link_id, number=event.number, lines=event.lines), trace)
            for event, trace in allowed
        ]
        return Taken(said.ops, [*said.outbound, *messages])

    def _may(self, event: RecordChanged) -> bool:
        node = self._registry.node(event.node)
        return node is not None and may_send(PersonRecord.TYPE, self._registry.me.profile, node.profile)

    async def _check_confirmed(self, events: Sequence[RecordChanged]) -> None:
        """Over a link that the other node proposed, it must have heard of the confirmation before."""
        theirs = [event for event in events if event.link_id.startswith(f"{event.node}/")]
        wanted = [outgoing_id(event.node, f"{PersonLinkAnswered.TYPE}:{event.link_id}:confirmed") for event in theirs]
        if wanted and len(await self._outgoings.get_many(wanted)) < len(set(wanted)):
            raise NotYet("link_not_answered")


class RefusedProposals(Protocol):
    """Proposals that the hub did not forward."""

    async def refused_proposals(self, after: str, limit: int) -> Sequence[tuple[str, str, str]]:
        """Message id, link id and the hub's code of those with a message id above `after`, in order."""
        ...


class ReturnToRegistrars:
    """Tells directory of proposals that could not be delivered: its registrar sees why. Once in a run of the node."""

    def __init__(self, refused: RefusedProposals, desk: LinkDesk) -> None:
        self._refused = refused
        self._desk = desk
        self._after = ""

    async def __call__(self) -> int:
        """Tell of the next ones; how many. Raises NotYet while directory is away."""
        found = await self._refused.refused_proposals(self._after, _MOST)
        for message_id, link_id, code in found:
            await self._desk.returned(link_id, code)
            self._after = message_id
        return len(found)
