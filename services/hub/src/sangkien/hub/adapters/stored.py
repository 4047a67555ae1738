"""The port `Shelf` on the service's store."""

from collections.abc import Mapping, Sequence

from sangkien.hub.adapters.documents import (
    BODIES,
    ENTRIES,
    HELD,
    LOG,
    NODES,
    PEERS,
    STAMPS,
    THE_LOG,
    held_document,
    line_document,
    log_document,
    node_document,
    peer_document,
    position_id,
    read_held,
    read_line,
    read_log,
    read_node,
    read_peer,
    read_stamp,
    stamp_document,
)
from sangkien.hub.application.ports import Held, Line, Log, StoredStamp
from sangkien.hub.domain.node import Node
from sangkien.hub.domain.peer import Peer
from sangkien.store import Delete, Document, Insert, Op, Replace, Sort, Store, Where, save

_PAGE = 1_000
_BY_NUMBER: Sort = (("epoch", 1), ("n", 1))


class StoredShelf:
    """The hub's collections."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def nodes(self) -> Sequence[Node]:
        return [read_node(doc) for doc in await self._all(NODES)]

    async def peers(self) -> Sequence[Peer]:
        return [read_peer(doc) for doc in await self._all(PEERS)]

    async def log(self) -> Log:
        doc = await self._store.get(LOG, THE_LOG)
        return read_log(doc) if doc else Log()

    async def line(self, position: int) -> Line | None:
        doc = await self._store.get(ENTRIES, position_id(position))
        return read_line(doc) if doc else None

    async def lines(self, positions: Sequence[int]) -> Mapping[int, Line]:
        docs = await self._store.get_many(ENTRIES, [position_id(one) for one in positions])
        return {line.position: line for line in map(read_line, docs.values())}

    async def lines_from(self, position: int, most: int, sender: str = "") -> Sequence[Line]:
        where: dict[str, object] = {"_id": {"gte": position_id(position)}}
        if sender:
            where["sender"] = sender
        return [read_line(doc) for doc in await self._store.find(ENTRIES, where, sort=(("_id", 1),), limit=most)]

    async def lines_of_id(self, id: str) -> Sequence[Line]:
        return [read_line(doc) for doc in await self._store.find(ENTRIES, {"id": id}, limit=_PAGE)]

    async def chain(self, sender: str, epoch: int, first: int, most: int) -> Sequence[Line]:
        where: Where = {"sender": sender, "epoch": epoch, "n": {"gte": first}}
        return [read_line(doc) for doc in await self._store.find(ENTRIES, where, sort=(("n", 1),), limit=most)]

    async def numbered(self, sender: str, epoch: int, numbers: Sequence[int]) -> Sequence[Line]:
        where: Where = {"sender": sender, "epoch": epoch, "n": {"in": list(numbers)}}
        return [read_line(doc) for doc in await self._store.find(ENTRIES, where, limit=max(1, len(numbers)))]

    async def held(self, receiver: str, epoch: int, above: int, most: int) -> Sequence[Held]:
        where: Where = {"receiver": receiver, "epoch": epoch, "n": {"gt": above}}
        return [read_held(doc) for doc in await self._store.find(HELD, where, sort=(("n", 1),), limit=most)]

    async def all_held(self, receiver: str) -> Sequence[Held]:
        return [read_held(doc) for doc in await self._all(HELD, {"receiver": receiver}, _BY_NUMBER)]

    async def held_of(self, sender: str, most: int) -> Sequence[Held]:
        sort: Sort = (("position", 1),)
        return [read_held(doc) for doc in await self._store.find(HELD, {"sender": sender}, sort=sort, limit=most)]

    async def bodies(self, positions: Sequence[int]) -> Mapping[int, bytes]:
        docs = await self._store.get_many(BODIES, [position_id(one) for one in positions])
        return {int(id): doc["body"].encode() for id, doc in docs.items()}

    async def count_held(self) -> Mapping[str, int]:
        return await self._store.count_by(HELD, "receiver")

    async def stamp(self, batch: int) -> StoredStamp | None:
        doc = await self._store.get(STAMPS, position_id(batch))
        return read_stamp(doc) if doc else None

    async def stamp_over(self, position: int) -> StoredStamp | None:
        docs = await self._store.find(STAMPS, {"last": {"gte": position}}, sort=(("last", 1),), limit=1)
        return read_stamp(docs[0]) if docs else None

    async def stamps_from(self, batch: int, most: int) -> Sequence[StoredStamp]:
        where: Where = {"_id": {"gte": position_id(batch)}}
        return [read_stamp(doc) for doc in await self._store.find(STAMPS, where, sort=(("_id", 1),), limit=most)]

    def save_node(self, node: Node) -> Op:
        return save(NODES, node_document(node), node.stored)

    def save_peer(self, peer: Peer) -> Op:
        return save(PEERS, peer_document(peer), peer.stored)

    def save_log(self, log: Log) -> Op:
        return save(LOG, log_document(log), log.stored)

    def add_line(self, line: Line) -> Op:
        return Insert(ENTRIES, line_document(line))

    def change_line(self, line: Line) -> Op:
        return Replace(ENTRIES, line_document(line), line.stored)

    def add_held(self, held: Held) -> Op:
        return Insert(HELD, held_document(held))

    def drop_held(self, held: Held) -> Op:
        return Delete(HELD, held.id)

    def add_body(self, position: int, body: bytes) -> Op:
        return Insert(BODIES, {"_id": position_id(position), "body": body.decode()})

    def drop_body(self, position: int) -> Op:
        return Delete(BODIES, position_id(position))

    def add_stamp(self, stamp: StoredStamp) -> Op:
        return Insert(STAMPS, stamp_document(stamp))

    async def _all(self, coll: str, where: Where | None = None, sort: Sort = ()) -> list[Document]:
        found: list[Document] = []
        after: str | None = None
        while True:
            page = await self._store.page(coll, where, sort=sort, limit=_PAGE, after=after)
            found += page.items
            if page.next is None:
                return found
            after = page.next
