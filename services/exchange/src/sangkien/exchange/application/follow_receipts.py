"""What the hub's receipts change: the fate of messages, whether sending is open, and where the chain goes on."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sangkien.custody import Head, HubReceipt, SealBroken, read_hub_receipt
from sangkien.exchange.application.link_ports import Chain, HubWord, Ledger, Notes, Outgoings, Steady
from sangkien.exchange.application.ports import Commit, World
from sangkien.exchange.domain.outgoing import Outgoing, OutState
from sangkien.exchange.domain.patience import Patience
from sangkien.exchange.domain.receipts import Standing, Verdicts, standing
from sangkien.store import Op

PAGE: Final = 500
END: Final = 2**53
_ENDS: Final = (OutState.DELIVERED, OutState.REFUSED)


class FollowReceipts:
    """Applies one receipt; the same one again changes nothing. `fleeting`: of what type no body outlives its end."""

    def __init__(  # noqa: PLR0913
        self,
        outgoings: Outgoings,
        ledger: Ledger,
        world: World,
        commit: Commit,
        patience: Patience,
        steady: Steady,
        notes: Notes,
        *,
        node: str,
        hub_key: str,
        fleeting: Callable[[str], bool],
    ) -> None:
        self._fleeting = fleeting
        self._notes = notes
        self._outgoings = outgoings
        self._ledger = ledger
        self._world = world
        self._commit = commit
        self._patience = patience
        self._steady = steady
        self._node = node
        self._hub_key = hub_key

    def read(self, body: bytes) -> HubReceipt | None:
        """The receipt, None for one that the hub did not sign for this node."""
        try:
            receipt = read_hub_receipt(body.decode("ascii", "replace"), self._hub_key)
        except SealBroken as broken:
            self._notes.warning("receipt_broken", code=broken.code)
            return None
        return receipt if receipt.to == self._node else None

    async def __call__(self, receipt: HubReceipt) -> None:
        """Apply it. Raises Conflict when another writer was faster; apply it again then."""
        chain, word = await self._ledger.chain(), await self._ledger.word()
        if receipt.epoch != chain.head.epoch or (word.at is not None and receipt.at < word.at):
            return
        heard = _heard(word, receipt, self._world.now())
        if chain.reconciling:
            await self._commit([self._ledger.stored(heard)])
        else:
            await self._compare(chain, heard, receipt)

    async def _compare(self, chain: Chain, word: HubWord, receipt: HubReceipt) -> None:
        where = standing(
            receipt_n=receipt.n,
            receipt_head=receipt.head,
            sealed=chain.head.n,
            our_hash=await self.hash_at(chain, receipt.n),
            confirmed=word.confirmed,
        )
        if where is Standing.AHEAD:
            self._notes.warning(
                "chain_behind_the_hub", sealed=chain.head.n, receipt=receipt.n, confirmed=word.confirmed
            )
            await self._commit([self._ledger.stored(word), self._ledger.stored(replace(chain, reconciling=True))])
            return
        if where is Standing.WENT_BACK:
            self._notes.warning("hub_went_back", confirmed=word.confirmed, receipt=receipt.n)
            await self._go_back(chain, receipt.n)
        await self._settle(chain, word, receipt)
        if receipt.n > word.confirmed:
            self._patience.moved(self._steady())
        elif where is Standing.AGREES:
            self._patience.heard(self._steady())
        await self._commit([self._ledger.stored(replace(word, confirmed=receipt.n))])

    async def hash_at(self, chain: Chain, n: int) -> str | None:
        """The hash of our seal of this number, 64 zeros at 0, None when there is none."""
        if n == 0:
            return Head.start(chain.head.epoch).hash
        if n == chain.head.n:
            return chain.head.hash
        message = await self._outgoings.at(chain.head.epoch, n)
        return message.seal_sha256 if message else None

    async def _settle(self, chain: Chain, word: HubWord, receipt: HubReceipt) -> None:
        """Give every message up to the receipt's number the fate that the receipt tells, page by page."""
        verdicts = Verdicts(
            receipt.n,
            receipt.position,
            {one.n: one.code for one in receipt.refused},
            frozenset(receipt.waiting),
        )
        now = self._world.now()
        epoch, above = chain.head.epoch, min(word.confirmed, receipt.n)
        while found := await self._outgoings.numbered(epoch, above, receipt.n, PAGE):
            above = found[-1].n
            await self._write([(one, verdicts.of(one, now)) for one in found])
        for start, end in verdicts.delivered_spans():
            above = start
            while found := await self._outgoings.undelivered(epoch, above, end, PAGE):
                above = found[-1].n
                await self._write([(one, verdicts.of(one, now)) for one in found])

    async def _write(self, pairs: Sequence[tuple[Outgoing, Outgoing]]) -> None:
        ops: list[Op] = []
        for before, after in pairs:
            if after is not before:
                ops += self._stored(after)
        if ops:
            await self._commit(ops)

    def _stored(self, message: Outgoing) -> list[Op]:
        """The message, and with its end the body of what may be forgotten then."""
        if message.state not in _ENDS or not message.kept or not self._fleeting(message.type):
            return [self._outgoings.stored(message)]
        return [self._outgoings.stored(replace(message, kept=False)), self._outgoings.without_body(message.id)]

    async def _go_back(self, chain: Chain, above: int) -> None:
        while found := await self._outgoings.numbered(chain.head.epoch, above, END, PAGE):
            above = found[-1].n
            await self._write([(one, one.again()) for one in found if one.state is not OutState.WAITING])


def _heard(word: HubWord, receipt: HubReceipt, now: datetime) -> HubWord:
    stamped = receipt.stamped
    return replace(
        word,
        at=receipt.at,
        seen_at=now,
        position=max(receipt.position, 0),
        state=receipt.state,
        stamped_last=stamped.last if stamped else 0,
        stamped_at=stamped.at if stamped else None,
        down=receipt.down,
    )
