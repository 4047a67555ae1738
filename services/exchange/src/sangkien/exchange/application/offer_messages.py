"""Takes what is sealed to the leaf, in order of its numbers, and once more what the hub does not receipt."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sangkien.exchange.application.link_ports import (
    GONE_HEADER,
    SEAL_HEADER,
    Chain,
    HubWord,
    Leaf,
    Ledger,
    LinkAway,
    Notes,
    OfferRefused,
    Outgoings,
    Steady,
)
from sangkien.exchange.application.ports import Commit, World
from sangkien.exchange.application.seal_messages import within
from sangkien.exchange.domain.outgoing import Outgoing, OutState
from sangkien.exchange.domain.patience import Patience

MOST: Final = 250
PROBE: Final = 100
"""How many are offered again to a hub that says nothing."""
IN_VAIN: Final = 2
"""The attempt at which the leaf's stream begins anew, above every number it gave: once until the hub moves."""
PAGE: Final = 500
MOST_ON_THEIR_WAY: Final = 20_000
MOST_BYTES_ON_THEIR_WAY: Final = 96 * 1024 * 1024
"""Offered and not receipted: the leaf's stream drops its oldest messages at 256 MiB."""
END: Final = 2**53
"""Above every number."""


class OfferMessages:
    """Offers in pages; `patience` is shared with who reads the receipts."""

    def __init__(
        self,
        outgoings: Outgoings,
        ledger: Ledger,
        leaf: Leaf,
        world: World,
        commit: Commit,
        patience: Patience,
        steady: Steady,
        notes: Notes,
    ) -> None:
        self._notes = notes
        self._outgoings = outgoings
        self._ledger = ledger
        self._leaf = leaf
        self._world = world
        self._commit = commit
        self._patience = patience
        self._steady = steady
        self._linked = False
        self._on_their_way: tuple[int, int] | None = None

    async def __call__(self) -> int:
        """Offer the next page; how many messages. 0 while sending is not open, or nothing waits.

        Raises LinkAway, and Conflict when another writer was faster: what was offered is offered again then.
        """
        self._watch_link()
        chain, word = await self._ledger.chain(), await self._ledger.word()
        if chain.reconciling or word.state != "open":
            return 0
        waiting = within(await self._outgoings.waiting(chain.head.epoch, MOST))
        if not waiting or not await self._room(chain.head.epoch):
            await self._again_if_due(chain, word)
            return 0
        seqs = await self._offer_all(waiting)
        if seqs and min(seqs) <= chain.out_seq:
            # The leaf gave a number twice: it lost its tail, and the hub would skip what comes under old numbers.
            await self._tail_lost(chain, word, waiting)
            return 0
        if not seqs:
            raise LinkAway
        await self._record(chain, waiting, seqs)
        return len(seqs)

    async def _offer_all(self, messages: Sequence[Outgoing]) -> list[int]:
        """Sequences of the first messages that the leaf holds for certain: what follows a failure counts as lost."""
        bodies = await self._outgoings.bodies([message.id for message in messages])
        whole = messages[: _until_gap(messages, bodies)]
        if len(whole) < len(messages):
            self._notes.error("body_lost", number=messages[len(whole)].n)
        answers = await asyncio.gather(*[self._offer(message, bodies) for message in whole], return_exceptions=True)
        seqs: list[int] = []
        for answer in answers:
            if isinstance(answer, int):
                seqs.append(answer)
                continue
            if not isinstance(answer, LinkAway | OfferRefused):
                raise answer
            self._notes.warning("offer_failed", reason=type(answer).__name__, held=len(seqs))
            break
        return seqs

    async def _offer(self, message: Outgoing, bodies: Mapping[str, bytes]) -> int:
        headers = {SEAL_HEADER: message.seal}
        if not message.kept:
            # It was delivered once, and the hub was set back since: the chain goes on over it, its content does not.
            headers[GONE_HEADER] = "1"
        if message.trace:
            headers["traceparent"] = message.trace
        # The seal's hash: after a restore the same attempt of the same message may bear another seal.
        msg_id = f"{message.message_id}:{message.seal_sha256[:12]}:{message.offers + 1}"
        return await self._leaf.offer(message.receiver, message.type, bodies.get(message.id, b""), headers, msg_id)

    async def _record(self, chain: Chain, messages: Sequence[Outgoing], seqs: Sequence[int]) -> None:
        now = self._world.now()
        count, size = self._on_their_way or (0, 0)
        moved = [message.offered(seq, now) for message, seq in zip(messages, seqs, strict=False)]
        ops = [self._outgoings.stored(message) for message in moved]
        await self._commit([*ops, self._ledger.stored(replace(chain, out_seq=max(chain.out_seq, *seqs)))])
        self._on_their_way = count + len(moved), size + sum(message.size for message in moved)
        self._patience.offered(self._steady(), first=count == 0)

    async def _room(self, epoch: int) -> bool:
        """Whether the leaf may be given more. Counted anew when it seems full, or after a rest."""
        for _ in range(2):
            if self._on_their_way is not None:
                count, size = self._on_their_way
                if count < MOST_ON_THEIR_WAY and size < MOST_BYTES_ON_THEIR_WAY:
                    return True
            self._on_their_way = await self._outgoings.on_their_way(epoch)
        return False

    async def _again_if_due(self, chain: Chain, word: HubWord) -> None:
        """Go back to what the hub lacks, when it has been lacking for too long."""
        self._on_their_way = None
        why = self._patience.over(self._steady()) if self._linked else ""
        if why and await self._outgoings.offered_count(chain.head.epoch):
            if self._patience.tried(self._steady()) == IN_VAIN:
                # Perhaps the leaf was set back with us: the hub's server skips in silence what comes under old numbers.
                await self._leaf.reset_out()
                await self._commit([self._ledger.stored(replace(chain, out_seq=0))])
                self._notes.warning("leaf_began_anew", why=why, above=word.confirmed)
            count = await self.go_back(chain, word.confirmed, most=PROBE if why == "silence" else END)
            self._notes.info("offered_again", why=why, above=word.confirmed, count=count)

    def _watch_link(self) -> None:
        linked = self._leaf.connected()
        if linked and not self._linked:
            self._patience.linked(self._steady())
        self._linked = linked

    async def _tail_lost(self, chain: Chain, word: HubWord, tried: Sequence[Outgoing]) -> None:
        """Begin anew. What was tried just now counts as offered: the leaf would take the same attempt for a repeat."""
        await self._leaf.reset_out()
        now = self._world.now()
        ops = [self._outgoings.stored(message.offered(0, now).again()) for message in tried]
        await self._commit([*ops, self._ledger.stored(replace(chain, out_seq=0))])
        count = await self.go_back(chain, word.confirmed)
        self._notes.warning("leaf_lost_its_tail", above=word.confirmed, offered_again=count)

    async def go_back(self, chain: Chain, above: int, *, most: int = END) -> int:
        """Let what was offered above this number wait to be offered again, from the first on; how many were looked at.

        What has a fate is left alone: a receipt that came meanwhile covers it, and none after that would look at it.
        """
        count = 0
        while count < most:
            found = await self._outgoings.numbered(chain.head.epoch, above, END, min(PAGE, most - count))
            if not found:
                break
            above = found[-1].n
            back = [message.again() for message in found if message.state is OutState.OFFERED]
            await self._commit([self._outgoings.stored(message) for message in back])
            count += len(found)
        return count


def _until_gap(messages: Sequence[Outgoing], bodies: Mapping[str, bytes]) -> int:
    for place, message in enumerate(messages):
        if message.kept and message.id not in bodies:
            return place
    return len(messages)
