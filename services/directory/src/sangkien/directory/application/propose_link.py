"""Propose to another node that a person here is one that it has."""

from dataclasses import dataclass
from datetime import date

from sangkien.directory.application.batches import Registered
from sangkien.directory.application.ports import (
    AssertedOrganisations,
    Commit,
    Links,
    NewId,
    Organisations,
    People,
    Record,
    Today,
)
from sangkien.directory.domain.errors import (
    LinkGroundsMissing,
    LinkNotTheirs,
    LinkTooVague,
    LinkWithinNode,
    OrganisationUnknown,
    PersonUnknown,
)
from sangkien.directory.domain.link import Grounds, LinkState, PersonLink, Sought
from sangkien.directory.domain.organisation import Organisation
from sangkien.directory.domain.person import Person
from sangkien.directory.domain.succession import Step
from sangkien.store.deciding import decided_again


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a registrar says. `their_person_id` and `staff_code` may be "", `successor_id` means the person's unit."""

    person_id: str
    predecessor_id: str
    successor_id: str
    their_person_id: str
    staff_code: str
    by: str


class ProposeLink:
    """The same proposal is one, however often it is made. One that answers the other node's own proposal of the same
    two people confirms that instead.
    """

    def __init__(  # noqa: PLR0913 (one command, all that it stands on)
        self,
        links: Links,
        people: People,
        organisations: Organisations,
        asserted: AssertedOrganisations,
        commit: Commit,
        record: Record,
        new_id: NewId,
        today: Today,
        *,
        node: str,
    ) -> None:
        self._links = links
        self._people = people
        self._organisations = organisations
        self._asserted = asserted
        self._commit = commit
        self._record = record
        self._new_id = new_id
        self._today = today
        self._node = node

    async def __call__(self, asked: Proposal) -> Registered:
        """The link's id. Raises PersonUnknown, OrganisationUnknown, LinkWithinNode, LinkGroundsMissing, LinkTooVague,
        LinkNotTheirs.
        """
        return await decided_again(lambda: self._propose(asked))

    async def _propose(self, asked: Proposal) -> Registered:
        person = (await self._people.get_many([asked.person_id])).get(asked.person_id)
        if person is None:
            raise PersonUnknown(field="person_id")
        node = asked.predecessor_id.partition(":")[0]
        if node in ("", self._node):
            raise LinkWithinNode(field="predecessor_id")
        if asked.their_person_id and not asked.their_person_id.startswith(f"{node}:"):
            raise LinkNotTheirs(field="their_person_id", node=node)
        grounds = await self._grounds(asked.predecessor_id, asked.successor_id or person.organisation_id)
        sought = _sought(person, asked)
        known = await self._links.proposed_alike(person.id, node, sought)
        if known is None and sought.person_ref:
            known = await self._links.confirmed(person.id, sought.person_ref)
        if known is not None:
            return Registered(known.id, already=True)
        mirrored = await self._mirrored(person, node, sought)
        today = self._today()
        if mirrored is not None:
            mirrored.confirm(person.id, by=asked.by, on=today, asks_too=True)
            link = mirrored
        else:
            id = f"{self._node}/{self._new_id()}"
            link = PersonLink.propose(id, node, person.id, sought, grounds, by=asked.by, on=today)
        await self._commit([self._links.save(link), *self._record(link.pull_events())])
        return Registered(link.id, already=False)

    async def _grounds(self, predecessor_id: str, successor_id: str) -> Grounds:
        """The succession as it is recorded here, or as the other node asserts it."""
        own = (await self._organisations.get_many([successor_id])).get(successor_id)
        if own is None:
            raise OrganisationUnknown(field="successor_id")
        theirs = (await self._asserted.get_many([predecessor_id])).get(predecessor_id)
        step = _step_to(own.predecessors, predecessor_id) or (_step_to(theirs.successors, own.id) if theirs else None)
        if step is None:
            raise LinkGroundsMissing(field="predecessor_id")
        return _grounds(predecessor_id, own, step.on, step.document)

    async def _mirrored(self, person: Person, node: str, sought: Sought) -> PersonLink | None:
        if not sought.person_ref:
            return None
        theirs = await self._links.about(node, sought.person_ref, ours=False)
        waiting = [link for link in theirs if link.state is LinkState.PROPOSED and link.sought is not None]
        return next((link for link in waiting if link.sought and link.sought.person_ref in ("", person.id)), None)


def _step_to(steps: tuple[Step, ...], organisation_id: str) -> Step | None:
    return next((step for step in steps if step.organisation_id == organisation_id), None)


def _grounds(predecessor_id: str, successor: Organisation, on: date, document: str) -> Grounds:
    return Grounds(predecessor_id, successor.id, successor.name, on, document)


def _sought(person: Person, asked: Proposal) -> Sought:
    """No more than the other node needs: the id, where it is known. Raises LinkTooVague."""
    if asked.their_person_id:
        return Sought(asked.their_person_id)
    if person.birth_date is None and not asked.staff_code:
        raise LinkTooVague(field="their_person_id")
    return Sought("", person.full_name, person.birth_date, asked.staff_code)
