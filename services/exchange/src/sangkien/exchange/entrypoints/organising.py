"""Organisations of this node, told to the nodes around it, and those that other nodes assert."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final, Literal, Protocol, cast

from sangkien.contracts.crossing import AssertedOrganisation, OrganisationChanged, may_send
from sangkien.contracts.events import (
    ForeignOrganisationAsserted,
    OrganisationRegistered,
    OrganisationReorganised,
    Succession,
)
from sangkien.exchange.application.link_ports import NodeBook
from sangkien.exchange.application.ports import Commit, Heard, KnownNode, Outbound, Taken, World
from sangkien.exchange.domain.reorganised import (
    OrganisationNotTheirs,
    OwnOrganisation,
    Step,
    batch_of,
    is_of,
    neighbours,
    parts,
)
from sangkien.exchange.entrypoints.dealings import parent_of
from sangkien.messaging import outbox_row
from sangkien.store import Op

if TYPE_CHECKING:
    from sangkien.custody import Seal

MOST_AT_ONCE: Final = 100
MOST_STEPS_AT_ONCE: Final = 500
"""Successions in one message: with these and a hundred of the longest names it weighs less than 512 KiB."""
_HEARING: Final = frozenset({"active", "suspended"})
"""States in which a node hears now, or will hear later, what is posted for it."""
_Share = Literal["whole", "part", "rest"]


class OrganisationBook(Protocol):
    """What this node told of its organisations, and to whom. Methods named `keep` and `introduce` return operations."""

    async def get_many(self, ids: Sequence[str]) -> dict[str, OwnOrganisation]: ...

    async def all(self) -> Sequence[OwnOrganisation]: ...

    async def introduced(self, lives: Sequence[tuple[str, int]]) -> frozenset[tuple[str, int]]:
        """Of these nodes in these lives, those that were told of everything once."""
        ...

    def introduce(self, node: str, epoch: int) -> Op: ...

    async def turn(self) -> Op:
        """Goes with every unit that changes the book or introduces somebody: of two at once, one is decided again."""
        ...

    def keep(self, one: OwnOrganisation) -> Op: ...


class Around:
    """Which nodes are told of this node's organisations."""

    def __init__(self, book: OrganisationBook, registry: NodeBook) -> None:
        self._book = book
        self._registry = registry

    def hearing(self) -> list[KnownNode]:
        """Those around that hear now or later, by id."""
        me, everyone = self._registry.me, self._registry.everyone()
        near = neighbours(me.node, [(one.node, one.parent) for one in everyone], parent_of(self._registry))
        told = (one for one in everyone if one.node in near and one.state in _HEARING)
        return [one for one in told if may_send(OrganisationChanged.TYPE, me.profile, one.profile)]

    async def introduced(self, nodes: Sequence[KnownNode]) -> frozenset[tuple[str, int]]:
        return await self._book.introduced([(one.node, one.epoch) for one in nodes])


class FromOrganisations:
    """Of consumer `exchange__directory`: what is new of organisations, for those that know the rest already."""

    def __init__(self, book: OrganisationBook, registry: NodeBook) -> None:
        self._book = book
        self._registry = registry
        self._around = Around(book, registry)

    async def __call__(self, heard: Sequence[Heard]) -> Taken:
        news = [(own, one.trace) for one in heard if (own := _own(one)) is not None]
        me = self._registry.me.node
        latest: dict[str, tuple[OwnOrganisation, str]] = {}
        for own, trace in news:
            known = latest.get(own.organisation_id)
            if is_of(own.organisation_id, me) and (known is None or own.version > known[0].version):
                latest[own.organisation_id] = (own, trace)
        kept = await self._book.get_many(list(latest))
        fresh = [
            (replace(own, stored=kept[id].stored if id in kept else 0), trace)
            for id, (own, trace) in latest.items()
            if id not in kept or own.version > kept[id].version
        ]
        if not fresh:
            return Taken()
        nodes = self._around.hearing()
        introduced = await self._around.introduced(nodes)
        organisations, trace = [own for own, _ in fresh], fresh[-1][1]
        outbound = [
            message
            for node in nodes
            if (node.node, node.epoch) in introduced
            for message in told(organisations, node, trace)
        ]
        return Taken([*[self._book.keep(own) for own in organisations], await self._book.turn()], outbound)


class IntroduceOrganisations:
    """Tells a node around that is active, in each of its lives once, of every organisation of this one."""

    def __init__(
        self,
        book: OrganisationBook,
        registry: NodeBook,
        post: Callable[[Sequence[Outbound]], Awaitable[Sequence[Op]]],
        commit: Commit,
    ) -> None:
        self._book = book
        self._around = Around(book, registry)
        self._post = post
        self._commit = commit

    async def __call__(self) -> int:
        """Introduce who is new; how many. Raises Conflict and Duplicate when the book changed meanwhile."""
        active = [one for one in self._around.hearing() if one.state == "active"]
        introduced = await self._around.introduced(active)
        new = [one for one in active if (one.node, one.epoch) not in introduced]
        for node in new:
            turn = await self._book.turn()
            messages = told(await self._book.all(), node, "")
            introduction = self._book.introduce(node.node, node.epoch)
            await self._commit([introduction, turn, *await self._post(messages)])
        return len(new)


def told(organisations: Sequence[OwnOrganisation], node: KnownNode, trace: str) -> list[Outbound]:
    """Messages that say to a node what holds of these, in parts that fit into one."""
    messages = []
    for some in parts(organisations, most=MOST_AT_ONCE, most_steps=MOST_STEPS_AT_ONCE):
        said = tuple([_asserted(one) for one in some])
        message = OrganisationChanged(organisations=said, batch=batch_of(some), epoch=node.epoch)
        messages.append(Outbound(node.node, message, trace))
    return messages


def assertions(sender: str, message: OrganisationChanged, seal: "Seal", world: World) -> Taken:
    """What another node asserts of its own organisations, for directory. Raises OrganisationNotTheirs, with nothing of
    the message taken.
    """
    if not all(is_of(one.organisation_id, sender) for one in message.organisations):
        raise OrganisationNotTheirs(node=sender)
    rows = [
        outbox_row(
            ForeignOrganisationAsserted(node=sender, **one.model_dump(exclude={"version"})),
            event_id=world.new_id(),
            aggregate_id=one.organisation_id,
            aggregate_version=one.version,
            at=world.now(),
            traceparent=seal.trace,
        )
        for one in message.organisations
    ]
    return Taken(rows)


def _own(one: Heard) -> OwnOrganisation | None:
    event = one.event
    if not isinstance(event, OrganisationRegistered | OrganisationReorganised):
        return None
    gone = event if isinstance(event, OrganisationReorganised) else None
    return OwnOrganisation(
        event.organisation_id,
        one.aggregate_version,
        event.kind,
        event.name,
        event.parent_id,
        event.valid_from if event.valid_from != date.min else None,
        event.valid_to,
        _steps(gone.successors) if gone else (),
        _steps(gone.predecessors) if gone else (),
    )


def _steps(steps: Iterable[Succession]) -> tuple[Step, ...]:
    return tuple([Step(step.organisation_id, step.share, step.on, step.document) for step in steps])


def _asserted(one: OwnOrganisation) -> AssertedOrganisation:
    return AssertedOrganisation(
        organisation_id=one.organisation_id,
        version=one.version,
        kind=one.kind,
        name=one.name,
        parent_id=one.parent_id,
        valid_from=one.valid_from,
        valid_to=one.valid_to,
        successors=tuple([_said(step) for step in one.successors]),
        predecessors=tuple([_said(step) for step in one.predecessors]),
    )


def _said(step: Step) -> Succession:
    return Succession(
        organisation_id=step.organisation_id, share=cast("_Share", step.share), on=step.on, document=step.document
    )
