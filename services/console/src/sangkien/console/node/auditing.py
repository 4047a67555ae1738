"""Re-checking what a node and its hub kept, without trusting either: everything is read again and verified here."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography.x509 import Certificate

from sangkien.api.exchange.v1 import exchange_pb2 as ex
from sangkien.api.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from sangkien.api.hub.v1 import hub_pb2 as hub
from sangkien.api.hub.v1.hub_pb2_grpc import HubServiceStub
from sangkien.console.node.local import LocalNode
from sangkien.console.node.remembered import Remembered
from sangkien.console.node.stopping import Stop
from sangkien.custody import (
    BrokenLink,
    ChainAudit,
    CustodyBroken,
    LogAudit,
    read_entry,
    read_unverified,
)
from sangkien.federation import HubFolder, MemberFolder

PAGE = 1_000
Keys = Mapping[str, Sequence[str]]
"""Public seal keys by node."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first link that does not hold: which store it is in, its place there, and a stable code."""

    of: str
    where: str
    code: str
    claim: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """One audit: of the hub's `log`, or of the `chain` of one node. `entries` held until the end, or until `broken`."""

    of: str
    node: str
    entries: int
    stamps: int = 0
    stamped: int = 0
    broken: Broken | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"ok": self.broken is None}


async def audit(node: LocalNode, only: str = "", *, authorities: Sequence[Certificate] = ()) -> list[Checked]:
    """Audit what this node keeps: the hub's log where it runs the hub, its own chain where it is a member.

    `only`: one node's chain, as the hub holds it or as that node itself does. `authorities` are roots of the RFC 3161
    authority. Raises Stop where there is nothing to audit.
    """
    targets, me = node.running.targets, node.folder.identity().node
    done = []
    if "hub" in targets:
        stub = HubServiceStub(node.channel("hub", node.operator()))
        keys = await _node_keys(stub, node.folder.hub)
        if only:
            done.append(await _held_chain(stub, only, keys))
        else:
            log = LogAudit(
                [HubFolder(node.folder.hub).seal_key.public], lambda one: keys.get(one, ()), authorities=authorities
            )
            done.append(await _log(stub, me, log, Remembered(node.folder.path)))
    if "exchange" in targets and only in {"", me}:
        done.append(await _own_chain(ExchangeServiceStub(node.channel("exchange", node.operator())), node))
    if not done:
        raise Stop(
            "nothing_to_audit",
            f"{node.folder.path}: nút này không giữ chuỗi nào của {only or me} · no chain of it is kept here",
            "chạy tại trung tâm hoặc tại chính nút đó · run it at the hub, or at that node itself",
        )
    return done


async def _log(stub: HubServiceStub, me: str, log: LogAudit, remembered: Remembered) -> Checked:
    stamps = _Stamps(stub)
    entries = stamped = count = 0

    def take(stamp: hub.Stamp) -> None:
        nonlocal stamped, count
        stamped, count = log.stamp(stamp.stamp, stamp.timestamp_token or None).last, count + 1

    try:
        before = -1
        while entries > before:  # what is written while this reads may have been stamped already
            before = entries
            async for each in _entries(stub, begin=entries + 1):
                entry = log.entry(each.entry, each.seal)
                remembered.check("log", f"entry:{entry.position}", entry.position, entry.hash)
                entries = each.position
                while (stamp := await stamps.until(entries)) is not None:
                    take(stamp)
            if await stamps.next() is None:
                break
        if (stamp := await stamps.next()) is not None:
            take(stamp)  # of entries that are not there
        remembered.keep("log", entries, log.finish(remembered.reached("log")).head)
    except BrokenLink as broken:
        return Checked("log", me, entries, count, stamped, Broken("log", broken.where, broken.code, broken.claim))
    return Checked("log", me, entries, count, stamped)


async def _held_chain(stub: HubServiceStub, node: str, keys: Keys) -> Checked:
    """One node's chain as the hub's log has it."""
    if node not in keys:
        raise Stop("node_unknown_here", f"{node}: không có nút này trong sổ đăng ký · no such node is registered")
    chain = ChainAudit(node, keys[node])
    entries = 0
    try:
        async for each in _entries(stub, node):
            where = f"entry:{each.position}"
            seal = chain.seal(each.seal)
            try:
                entry = read_entry(each.entry)
            except CustodyBroken as broken:
                raise BrokenLink(where, broken.code, broken.claim) from None
            if entry.position != each.position or not entry.is_of(seal):
                raise BrokenLink(where, "mismatch")
            entries += 1
        chain.finish()
    except BrokenLink as broken:
        return Checked("chain", node, entries, broken=Broken("chain", broken.where, broken.code, broken.claim))
    return Checked("chain", node, entries)


async def _own_chain(stub: ExchangeServiceStub, node: LocalNode) -> Checked:
    """What this node sealed, life after life, against the bodies it still has."""
    me = node.folder.identity().node
    link = await stub.GetLink(ex.GetLinkRequest())
    first = await stub.ListSeals(ex.ListSealsRequest(page_size=1))
    member = MemberFolder(node.folder.link)
    own = [member.seal_key, *member.former_seal_keys]  # of the folder, which no store can change
    keys = list(dict.fromkeys((*(key.public for key in own), *first.seal_keys)))
    chain, entries = ChainAudit(me, keys), 0
    remembered, life = Remembered(node.folder.path), f"chain:{first.epoch}"
    try:
        for epoch in range(1, first.epoch + 1):
            async for each in _seals(stub, epoch):
                seal = chain.seal(each.seal)
                if each.body_sha256 and each.body_sha256 != seal.sha256:
                    raise BrokenLink(f"seal:{seal.n}", "body", "sha256")
                if epoch == first.epoch:
                    remembered.check(life, f"seal:{seal.n}", seal.n, seal.hash)
                entries += 1
        head = chain.finish()
        if (head.epoch, head.n) < (link.epoch, max(link.sealed, remembered.reached(life))):
            raise BrokenLink(f"seal:{head.n + 1}", "missing")
        remembered.keep(life, head.n, head.hash)
    except BrokenLink as broken:
        return Checked("chain", me, entries, broken=Broken("chain", broken.where, broken.code, broken.claim))
    return Checked("chain", me, entries)


async def _node_keys(stub: HubServiceStub, hub_folder: Path) -> Keys:
    """Every key of every node as registered; the hub's own from its folder, which no store can change."""
    nodes = (await stub.ListNodes(hub.ListNodesRequest())).nodes
    return {each.node: list(each.seal_keys) for each in nodes} | {"hub": [HubFolder(hub_folder).seal_key.public]}


async def _entries(stub: HubServiceStub, node: str = "", begin: int = 1) -> AsyncIterator[hub.Entry]:
    position = begin
    while position:
        request = hub.ListEntriesRequest(from_position=position, page_size=PAGE, node=node)
        page = await stub.ListEntries(request)
        for each in page.entries:
            yield each
        position = page.next_position


async def _seals(stub: ExchangeServiceStub, epoch: int) -> AsyncIterator[ex.Seal]:
    number = 1
    while number:
        page = await stub.ListSeals(ex.ListSealsRequest(from_number=number, page_size=PAGE, epoch=epoch))
        for each in page.seals:
            yield each
        number = page.next_number


class _Stamps:
    """The stamps in order, each when the entries it covers were read."""

    def __init__(self, stub: HubServiceStub) -> None:
        self._stub = stub
        self._page: list[hub.Stamp] = []
        self._next = 1
        self._ended = False

    async def until(self, position: int) -> hub.Stamp | None:
        """The next stamp, taken, if it covers nothing after this position or cannot be read."""
        stamp = await self.next()
        return self._page.pop(0) if stamp is not None and self._last(stamp) <= position else None

    async def next(self) -> hub.Stamp | None:
        """The next stamp, whatever it covers; it stays the next one."""
        if not self._page:
            await self._more()
        return self._page[0] if self._page else None

    async def _more(self) -> None:
        if self._ended:
            return
        page = await self._stub.ListStamps(hub.ListStampsRequest(from_batch=self._next, page_size=PAGE))
        self._page = list(page.stamps)
        self._next = page.next_batch
        self._ended = not page.next_batch

    def _last(self, stamp: hub.Stamp) -> int:
        try:
            return int(read_unverified(stamp.stamp)["last"])
        except (CustodyBroken, KeyError, TypeError, ValueError):
            return 0
