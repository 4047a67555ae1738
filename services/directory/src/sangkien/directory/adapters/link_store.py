"""Links between people of two nodes as documents.

`open_key` holds while a proposal of ours is open, `pair_key` while a link is confirmed: both are unique. The first is
a hash, since it is made up of what is said of a person.
"""

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Final

from sangkien.directory.domain.errors import PageTokenInvalid
from sangkien.directory.domain.link import Grounds, LinkState, PersonLink, Sought
from sangkien.store import Document, Index, Invalid, Op, Schema, Store, save
from sangkien.text import same_name

LINKS: Final = "person_links"
_MOST = 100

SCHEMA = Schema(
    (LINKS,),
    (
        Index(LINKS, ("open_key",), unique=True),
        Index(LINKS, ("pair_key",), unique=True),
        Index(LINKS, ("their_person_id",)),
        Index(LINKS, ("person_id", "changed_on")),
        Index(LINKS, ("state", "changed_on")),
        Index(LINKS, ("changed_on",)),
    ),
)


class StoredLinks:
    """The `Links` port on a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, link_id: str) -> PersonLink | None:
        document = await self._store.get(LINKS, link_id)
        return _link(document) if document is not None else None

    async def proposed_alike(self, person_id: str, node: str, sought: Sought) -> PersonLink | None:
        return await self._one("open_key", _open_key(person_id, node, sought))

    async def confirmed(self, person_id: str, their_person_id: str) -> PersonLink | None:
        return await self._one("pair_key", _pair_key(person_id, their_person_id))

    async def about(self, node: str, their_person_id: str, *, ours: bool) -> Sequence[PersonLink]:
        found = await self._store.find(LINKS, {"their_person_id": their_person_id}, limit=_MOST)
        links = [_link(document) for document in found]
        return [link for link in links if link.node == node and link.ours == ours]

    async def page(
        self, person_id: str, state: LinkState | None, limit: int, after: str
    ) -> tuple[list[PersonLink], str]:
        where: dict[str, object] = {"person_id": person_id} if person_id else {}
        if state is not None:
            where["state"] = state.value
        try:
            page = await self._store.page(LINKS, where, sort=[("changed_on", -1)], limit=limit, after=after or None)
        except Invalid:
            raise PageTokenInvalid(field="page_token") from None
        return [_link(document) for document in page.items], page.next or ""

    def save(self, link: PersonLink) -> Op:
        open_ = link.ours and link.state is LinkState.PROPOSED and link.sought is not None
        confirmed = link.state is LinkState.CONFIRMED
        grounds = link.grounds
        document: Document = {
            "_id": link.id,
            "node": link.node,
            "ours": 1 if link.ours else 0,
            "person_id": link.person_id,
            "their_person_id": link.their_person_id,
            "sought": _sought_document(link.sought) if link.sought else None,
            "grounds": [
                grounds.predecessor_id,
                grounds.successor_id,
                grounds.successor_name,
                grounds.on.isoformat(),
                grounds.document,
            ],
            "changed_on": link.changed_on.isoformat(),
            "state": link.state.value,
            "decided_by": link.decided_by,
            "reason": link.reason,
            "sends": 1 if link.sends else 0,
            "receives": 1 if link.receives else 0,
            "open_key": _open_key(link.person_id, link.node, link.sought) if open_ and link.sought else None,
            "pair_key": _pair_key(link.person_id, link.their_person_id) if confirmed else None,
        }
        return save(LINKS, document, link.version)

    async def _one(self, field: str, key: str) -> PersonLink | None:
        found = await self._store.find(LINKS, {field: key}, limit=1)
        return _link(found[0]) if found else None


def _open_key(person_id: str, node: str, sought: Sought) -> str:
    said = (person_id, node, sought.person_ref, same_name(sought.full_name), f"{sought.birth_date}", sought.staff_code)
    return sha256("\t".join(said).encode()).hexdigest()


def _pair_key(person_id: str, their_person_id: str) -> str:
    return f"{person_id}\t{their_person_id}"


def _sought_document(sought: Sought) -> Document:
    return {
        "person_ref": sought.person_ref,
        "full_name": sought.full_name,
        "birth_date": sought.birth_date.isoformat() if sought.birth_date else "",
        "staff_code": sought.staff_code,
    }


def _link(document: Document) -> PersonLink:
    predecessor, successor, name, on, symbol = document["grounds"]
    sought = document["sought"]
    born = sought["birth_date"] if sought else ""
    link = PersonLink(
        document["_id"],
        document["node"],
        bool(document["ours"]),
        document["person_id"],
        document["their_person_id"],
        Sought(
            sought["person_ref"],
            sought["full_name"],
            date.fromisoformat(born) if born else None,
            sought["staff_code"],
        )
        if sought
        else None,
        Grounds(predecessor, successor, name, date.fromisoformat(on), symbol),
        date.fromisoformat(document["changed_on"]),
        LinkState(document["state"]),
        document["decided_by"],
        document["reason"],
        bool(document["sends"]),
        bool(document["receives"]),
    )
    link.version = document["ver"]
    return link
