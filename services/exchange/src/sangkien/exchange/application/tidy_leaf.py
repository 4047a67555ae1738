"""Lets the leaf forget what the hub has and what is stored here: its streams are for what is on its way."""

from sangkien.exchange.application.link_ports import Leaf, Ledger, Outgoings


class TidyLeaf:
    """One call drops what is not needed any more."""

    def __init__(self, outgoings: Outgoings, ledger: Ledger, leaf: Leaf) -> None:
        self._outgoings = outgoings
        self._ledger = ledger
        self._leaf = leaf

    async def __call__(self) -> int:
        """How many messages were dropped. Raises LinkAway."""
        chain, word = await self._ledger.chain(), await self._ledger.word()
        dropped = await self._leaf.drop_taken()
        last = await self._outgoings.at(chain.head.epoch, word.confirmed) if word.confirmed else None
        if last is not None and 0 < last.seq <= chain.out_seq:
            dropped += await self._leaf.drop_offered(last.seq)
        return dropped
