"""What this node can say of its link, its messages and the dossiers that crossed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Final

from sangkien.exchange.application.link_ports import Incomings, Leaf, Ledger, NodeBook, Outgoings
from sangkien.exchange.application.ports import Certificates, CustodyStep, CustodySteps, KnownNode, World
from sangkien.exchange.application.post_messages import HUB
from sangkien.exchange.domain.errors import CustodyUnknown, MessageUnknown
from sangkien.exchange.domain.foreign import Certificate
from sangkien.exchange.domain.incoming import Received
from sangkien.exchange.domain.outgoing import Outgoing, OutState, outgoing_id
from sangkien.exchange.domain.receipts import sending_word

MOST_SEALS: Final = 1_000


@dataclass(frozen=True, slots=True)
class LinkState:
    """How the node stands in the federation; `skew_s` is the hub's clock minus ours."""

    state: str
    connected: bool
    epoch: int
    sealed: int
    receipted: int
    waiting: int
    oldest_waiting: datetime | None
    last_receipt: datetime | None
    sending: str
    received: int
    skew_s: float


@dataclass(frozen=True, slots=True)
class Peer:
    """What went to a node and came from it. `node` is None for one that the registry does not know, and the hub."""

    id: str
    node: KnownNode | None
    sent: int
    waiting: int
    undelivered: int
    refused: int
    oldest_waiting: datetime | None
    received: int
    last_received: datetime | None
    retries: int


@dataclass(frozen=True, slots=True)
class Custody:
    """Who holds a dossier, since when, who must answer by when, and the steps that led there."""

    dossier_id: str
    holder: str
    since: datetime
    answer_from: str
    answer_due: date | None
    remote_id: str
    steps: Sequence[CustodyStep]
    certificates: Sequence[Certificate]


class Queries:
    """Reads; writes nothing."""

    def __init__(
        self,
        outgoings: Outgoings,
        incomings: Incomings,
        ledger: Ledger,
        book: NodeBook,
        steps: CustodySteps,
        certificates: Certificates,
        leaf: Leaf,
        world: World,
    ) -> None:
        self._outgoings = outgoings
        self._incomings = incomings
        self._ledger = ledger
        self._book = book
        self._steps = steps
        self._certificates = certificates
        self._leaf = leaf
        self._world = world

    async def link(self) -> LinkState:
        chain, word = await self._ledger.chain(), await self._ledger.word()
        membership, inflow = await self._ledger.membership(), await self._ledger.inflow()
        waiting, oldest = await self._outgoings.unsettled()
        sending = sending_word(
            reconciling=chain.reconciling,
            state=word.state,
            at=word.at or self._world.now(),
            position=word.position,
            stamped_last=word.stamped_last,
            stamped_at=word.stamped_at,
        )
        suspended = word.state == "suspended" and membership.state in ("joining", "active")
        return LinkState(
            state="suspended" if suspended else membership.state,
            connected=self._leaf.connected(),
            epoch=chain.head.epoch,
            sealed=chain.head.n,
            receipted=word.confirmed,
            waiting=waiting,
            oldest_waiting=oldest,
            last_receipt=word.seen_at,
            sending=sending,
            received=inflow.n,
            skew_s=(word.at - word.seen_at).total_seconds() if word.at and word.seen_at else 0.0,
        )

    async def peers(self) -> Sequence[Peer]:
        """Every node of the registry but this one, and everybody else with whom anything was exchanged, by id."""
        sent, received = await self._outgoings.by_receiver(), await self._incomings.by_sender()
        known = {node.node: node for node in self._book.everyone() if node.node != self._book.me.node}
        peers: list[Peer] = []
        for id in sorted({*known, *sent, *received}):
            counts, came = sent.get(id), received.get(id, (0, None))
            by = counts.by_state if counts else {}
            peers.append(
                Peer(
                    id=id,
                    node=known.get(id),
                    sent=sum(by.values()),
                    waiting=sum(by.get(state, 0) for state in (OutState.POSTED, OutState.WAITING, OutState.OFFERED)),
                    undelivered=by.get(OutState.RECEIPTED, 0),
                    refused=by.get(OutState.REFUSED, 0),
                    oldest_waiting=counts.oldest_waiting if counts else None,
                    received=came[0],
                    last_received=came[1],
                    retries=counts.retries if counts else 0,
                )
            )
        return peers

    async def message(self, id_or_key: str) -> Outgoing | Received:
        """By message id or business key; what was sent before what came. Raises MessageUnknown."""
        found = await self._outgoings.find(id_or_key) or await self._incomings.find(id_or_key)
        if found is None:
            raise MessageUnknown(field="id")
        return found

    async def seals(self, epoch: int, from_n: int, limit: int) -> tuple[int, Sequence[Outgoing], int]:
        """The epoch, its seals from a number on, and where the next page begins, 0 at the end.

        `body_sha256` is of the body as it is kept now, so that an audit finds one that was changed or is gone.
        """
        epoch = epoch or (await self._ledger.chain()).head.epoch
        limit = min(limit or MOST_SEALS, MOST_SEALS)
        found = await self._outgoings.numbered(epoch, max(from_n, 1) - 1, 2**53, limit)
        bodies = await self._outgoings.bodies([one.id for one in found if one.kept])
        now = [replace(one, body_sha256=sha256(bodies.get(one.id, b"")).hexdigest()) for one in found]
        return epoch, now, found[-1].n + 1 if len(found) == limit else 0

    async def custody(self, dossier: str) -> Custody:
        """Raises CustodyUnknown."""
        recorded = await self._steps.of(dossier)
        if not recorded:
            raise CustodyUnknown(field="dossier_id")
        steps: list[CustodyStep] = []
        for place, step in enumerate(recorded):
            steps.append(step)
            if step.message_key:  # receipts come when they come: the other node's answer may be here before them
                latest = recorded[place + 1].at if place + 1 < len(recorded) else None
                fate = await self._fate(step)
                steps += [replace(one, at=min(one.at, latest)) if latest else one for one in fate]
        last = steps[-1]
        since = last.at
        for step in reversed(steps):
            if step.node != last.node:
                break
            since = step.at
        due = next((step for step in reversed(steps) if step.what not in ("in_custody", "delivered")), last)
        return Custody(
            dossier_id=recorded[0].dossier_id,
            holder=last.node,
            since=since,
            answer_from=due.answer_from,
            answer_due=due.answer_due,
            remote_id=next((step.remote_id for step in reversed(steps) if step.remote_id), ""),
            steps=steps,
            certificates=await self._certificates.certificates(recorded[0].dossier_id),
        )

    async def _fate(self, sent: CustodyStep) -> Sequence[CustodyStep]:
        """What the receipts say of the message that carried the dossier."""
        message = await self._outgoings.get(outgoing_id(sent.message_receiver, sent.message_key))
        if message is None or message.receipted_at is None:
            return ()
        if message.state is OutState.REFUSED:
            return [CustodyStep(sent.dossier_id, self._book.me.node, "refused", message.receipted_at, message.reason)]
        steps = [CustodyStep(sent.dossier_id, HUB, "in_custody", message.receipted_at)]
        if message.settled_at is not None:
            steps.append(CustodyStep(sent.dossier_id, sent.message_receiver, "delivered", message.settled_at))
        return steps
