"""Answer what another node proposed, and end a link."""

from collections.abc import Awaitable, Callable, Sequence

from sangkien.directory.application.ports import Commit, Links, People, Record, Today
from sangkien.directory.domain.errors import LinkPairKnown, LinkPersonOpen, LinkUnknown, PersonUnknown
from sangkien.directory.domain.link import PersonLink, Sought
from sangkien.directory.domain.person import Person
from sangkien.store.deciding import decided_again
from sangkien.text import same_name


class DecideLink:
    """Of two registrars who decide at once, one does; the other hears what was decided."""

    def __init__(self, links: Links, people: People, commit: Commit, record: Record, today: Today) -> None:
        self._links = links
        self._people = people
        self._commit = commit
        self._record = record
        self._today = today

    async def confirm(self, link_id: str, person_id: str, *, by: str) -> bool:
        """Whether it was confirmed so already. Raises LinkUnknown, LinkPersonOpen, PersonUnknown, LinkPairKnown and
        what the domain refuses.
        """

        async def change(link: PersonLink) -> bool:
            meant = await self._meant(link, person_id)
            other = await self._links.confirmed(meant, link.their_person_id)
            if other is not None and other.id != link.id:
                raise LinkPairKnown(field="link_id")
            return link.confirm(meant, by=by, on=self._today())

        return await self._decided(link_id, change)

    async def refuse(self, link_id: str, reason: str, *, by: str) -> bool:
        """Whether it was refused already. Raises LinkUnknown and what the domain refuses."""

        async def change(link: PersonLink) -> bool:
            return link.refuse(by=by, reason=reason, on=self._today())

        return await self._decided(link_id, change)

    async def end(self, link_id: str, reason: str, *, by: str) -> tuple[str, bool]:
        """The state it is in now, and whether it was before. Raises LinkUnknown and what the domain refuses."""
        states: list[str] = []

        async def change(link: PersonLink) -> bool:
            changed = link.end(by=by, reason=reason, on=self._today())
            states.append(link.state.value)
            return changed

        already = await self._decided(link_id, change)
        return states[-1], already

    async def fitting(self, sought: Sought | None) -> Sequence[Person]:
        """Whom of this node's people a proposal may mean."""
        return await self._people.fitting(sought, same_name(sought.full_name)) if sought else ()

    async def _decided(self, link_id: str, change: Callable[[PersonLink], Awaitable[bool]]) -> bool:
        async def decide() -> bool:
            link = await self._links.get(link_id)
            if link is None:
                raise LinkUnknown(field="link_id")
            if not await change(link):
                return True
            await self._commit([self._links.save(link), *self._record(link.pull_events())])
            return False

        return await decided_again(decide)

    async def _meant(self, link: PersonLink, person_id: str) -> str:
        if person_id:
            if person_id not in await self._people.get_many([person_id]):
                raise PersonUnknown(field="person_id")
            return person_id
        if link.sought is None:
            return link.person_id
        found = await self.fitting(link.sought)
        if len(found) != 1:
            raise LinkPersonOpen(field="person_id", count=len(found))
        return found[0].id
