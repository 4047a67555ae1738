"""Take in what another node says of links: its proposals, and what it decided."""

from dataclasses import dataclass
from datetime import date

from sangkien.directory.application.ports import Commit, Links, Organisations, Record
from sangkien.directory.domain.errors import (
    LinkAnswerNotAsked,
    LinkNotTheirs,
    LinkPairKnown,
    LinkReused,
    OrganisationUnknown,
)
from sangkien.directory.domain.link import Grounds, LinkState, PersonLink, Sought
from sangkien.store import Op
from sangkien.store.deciding import decided_again


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal as it came."""

    link_id: str
    node: str
    their_person_id: str
    sought: Sought
    grounds: Grounds
    on: date


@dataclass(frozen=True, slots=True)
class Answered:
    """A decision as it came."""

    link_id: str
    node: str
    answer: LinkState
    their_person_id: str
    asks_too: bool
    on: date


class HearLink:
    """Whatever comes twice has one effect. Who is known here is told to nobody."""

    def __init__(
        self, links: Links, organisations: Organisations, commit: Commit, record: Record, *, node: str
    ) -> None:
        self._links = links
        self._organisations = organisations
        self._commit = commit
        self._record = record
        self._node = node

    async def proposed(self, said: Proposed) -> None:
        """Raises LinkNotTheirs, OrganisationUnknown, LinkReused."""
        self._check(said)
        await decided_again(lambda: self._proposed(said))

    async def answered(self, said: Answered) -> None:
        """Raises LinkAnswerNotAsked, LinkPairKnown, LinkDecidedAlready."""
        await decided_again(lambda: self._answered(said))

    async def returned(self, link_id: str, code: str, on: date) -> None:
        """A proposal of this node that the hub did not forward, for this reason. Of another link nothing changes."""

        async def decide() -> None:
            link = await self._links.get(link_id)
            if link is not None and link.give_back(reason=code, on=on):
                await self._commit([self._links.save(link), *self._record(link.pull_events())])

        await decided_again(decide)

    def _check(self, said: Proposed) -> None:
        """Raises LinkNotTheirs for what is not the sender's to say, or does not concern this node."""
        theirs = (
            said.node != self._node
            and said.link_id.startswith(f"{said.node}/")
            and said.their_person_id.startswith(f"{said.node}:")
            and said.grounds.successor_id.startswith(f"{said.node}:")
            and said.grounds.predecessor_id.startswith(f"{self._node}:")
            and (not said.sought.person_ref or said.sought.person_ref.startswith(f"{self._node}:"))
        )
        if not theirs:
            raise LinkNotTheirs(field="link_id", node=said.node)

    async def _proposed(self, said: Proposed) -> None:
        known = await self._links.get(said.link_id)
        if known is not None:
            if (known.node, known.their_person_id, known.grounds) != (said.node, said.their_person_id, said.grounds):
                raise LinkReused(field="link_id")
            return
        if said.grounds.predecessor_id not in await self._organisations.get_many([said.grounds.predecessor_id]):
            raise OrganisationUnknown(field="predecessor_id")
        link = PersonLink.receive(said.link_id, said.node, said.their_person_id, said.sought, said.grounds, on=said.on)
        await self._commit([*await self._crossed(link), self._links.save(link), *self._record(link.pull_events())])

    async def _crossed(self, link: PersonLink) -> list[Op]:
        """Both sides proposed the same two people at once: the proposal with the lower id is confirmed by the side that
        receives it, which takes its own back; the other side does nothing, and hears of both.
        """
        ref = link.sought.person_ref if link.sought else ""
        if not ref or await self._links.confirmed(ref, link.their_person_id) is not None:
            return []
        for ours in await self._links.about(link.node, link.their_person_id, ours=True):
            if ours.state is LinkState.PROPOSED and ours.person_id == ref and link.id < ours.id:
                link.pull_events()  # stored once: what is heard of it is where it stands then
                by = ours.decided_by
                link.confirm(ours.person_id, by=by, on=link.changed_on, asks_too=True)
                ours.end(by=by, reason="", on=link.changed_on)
                return [self._links.save(ours), *self._record(ours.pull_events())]
        return []

    async def _answered(self, said: Answered) -> None:
        link = await self._links.get(said.link_id)
        if link is None and said.answer is LinkState.WITHDRAWN and said.link_id.startswith(f"{said.node}/"):
            return  # taken back before it was sent
        if link is None or link.node != said.node:
            raise LinkAnswerNotAsked(field="link_id")
        if said.answer is LinkState.CONFIRMED and link.state is LinkState.PROPOSED:
            other = await self._links.confirmed(link.person_id, said.their_person_id)
            if other is not None:
                raise LinkPairKnown(field="link_id")
        asked_too = said.asks_too and await self._asked_too(said)
        if link.hear(said.answer, said.their_person_id, asked_too=asked_too, on=said.on):
            await self._commit([self._links.save(link), *self._record(link.pull_events())])

    async def _asked_too(self, said: Answered) -> bool:
        """Whether that node did propose what it says it proposed: only then does this node's record go there."""
        theirs = await self._links.about(said.node, said.their_person_id, ours=False)
        return any(other.grounds.predecessor_id.startswith(f"{self._node}:") for other in theirs)
