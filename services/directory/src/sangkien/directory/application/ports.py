"""What the use cases need of the world."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from sangkien.directory.domain.account import Account, SignInTries
from sangkien.directory.domain.link import LinkState, PersonLink, Sought
from sangkien.directory.domain.organisation import Namesakes, Organisation
from sangkien.directory.domain.person import Person, RoleBook
from sangkien.directory.domain.succession import AssertedOrganisation
from sangkien.store import Op

Commit = Callable[[Sequence[Op]], Awaitable[None]]
"""Writes one unit. Raises the store's Duplicate and Conflict with nothing written."""

Record = Callable[[Iterable[object]], list[Op]]
"""Turns domain events into the operations that publish them."""

Now = Callable[[], datetime]
Today = Callable[[], date]
NewId = Callable[[], str]
"""A new id that is unique over all nodes."""

Mint = Callable[[str, Iterable[str], str, float], str]
"""A signed token of subject, roles, organisation and seconds to live."""


@dataclass(frozen=True, slots=True)
class OrganisationPage:
    """One stretch of a list; `next` is "" at the end."""

    items: list[Organisation]
    next: str


class Organisations(Protocol):
    """The tree as it is stored. Ids nobody could have given out are unknown, never an error."""

    async def get_many(self, ids: Iterable[str]) -> dict[str, Organisation]:
        """Those that exist, by id."""
        ...

    async def namesakes(self, keys: Iterable[str]) -> dict[str, Namesakes]:
        """One for each key, empty and new where nothing is stored."""
        ...

    async def page(self, kind: str, parent_id: str, on: date | None, limit: int, after: str) -> OrganisationPage:
        """In Vietnamese order; "" and None do not narrow. Raises PageTokenInvalid."""
        ...

    async def all(self) -> list[Organisation]: ...

    def save(self, organisation: Organisation) -> Op: ...

    def save_namesakes(self, namesakes: Namesakes) -> Op: ...


class AssertedOrganisations(Protocol):
    """Organisations of other nodes, as those say they are. Nothing of the node's own tree is among them."""

    async def get_many(self, ids: Iterable[str]) -> dict[str, AssertedOrganisation]:
        """Those that were asserted, by id."""
        ...

    async def page(
        self, node: str, kind: str, parent_id: str, on: date | None, limit: int, after: str
    ) -> tuple[list[AssertedOrganisation], str]:
        """In Vietnamese order, with the next page's token; "" and None do not narrow. Raises PageTokenInvalid."""
        ...

    def save(self, organisation: AssertedOrganisation) -> Op: ...


class Links(Protocol):
    """Links as they are stored. The commit of a second open proposal of the same, and of a second confirmed link of
    the same two people, raises Duplicate.
    """

    async def get(self, link_id: str) -> PersonLink | None: ...

    async def proposed_alike(self, person_id: str, node: str, sought: Sought) -> PersonLink | None:
        """The open proposal of ours that says the same."""
        ...

    async def confirmed(self, person_id: str, their_person_id: str) -> PersonLink | None: ...

    async def about(self, node: str, their_person_id: str, *, ours: bool) -> Sequence[PersonLink]:
        """Links, in whatever state, with a person of another node, by who proposed them."""
        ...

    async def page(
        self, person_id: str, state: LinkState | None, limit: int, after: str
    ) -> tuple[list[PersonLink], str]:
        """Newest first, with the next page's token; "" and None do not narrow. Raises PageTokenInvalid."""
        ...

    def save(self, link: PersonLink) -> Op: ...


class People(Protocol):
    """People and their roles as they are stored."""

    async def fitting(self, sought: Sought, name_key: str) -> Sequence[Person]:
        """Those whom a description may mean: the id, or the name with the birth date or the staff code. At most 20."""
        ...

    async def named(self, name_key: str, birth_date: date | None, organisation_id: str, limit: int) -> Sequence[Person]:
        """Those of the name, by id; None and "" do not narrow."""
        ...

    async def get_many(self, ids: Iterable[str]) -> dict[str, Person]:
        """Those that exist, by id."""
        ...

    async def known(self, identities: Iterable[str]) -> dict[str, Person]:
        """Those that exist, by `Person.identity`."""
        ...

    async def roles(self, person_id: str, organisation_id: str) -> RoleBook:
        """Empty and new where nothing is stored."""
        ...

    async def all_roles(self, person_id: str) -> list[RoleBook]:
        """By organisation id."""
        ...

    def save(self, person: Person) -> Op: ...

    def save_roles(self, roles: RoleBook) -> Op: ...


class Accounts(Protocol):
    """Local accounts and the tries at them."""

    async def by_login(self, login: str) -> Account | None: ...

    async def of_person(self, person_id: str) -> Account | None: ...

    async def tries(self, login: str) -> SignInTries:
        """New where nothing is stored."""
        ...

    async def forget_tries_before(self, when: datetime, *, but: SignInTries) -> list[Op]:
        """What removes a few of the other tries nobody came back to, so that guessing cannot fill the store."""
        ...

    def save(self, account: Account) -> Op: ...

    def remove(self, account: Account) -> Op: ...

    def save_tries(self, tries: SignInTries) -> Op: ...

    def reset_tries(self, login: str) -> Op: ...


class Passwords(Protocol):
    """Slow hashes, computed off the event loop."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether the password fits. None takes as long as a hash does, and never fits."""
        ...

    def outdated(self, password_hash: str) -> bool:
        """Whether it was made with weaker settings than today's."""
        ...
