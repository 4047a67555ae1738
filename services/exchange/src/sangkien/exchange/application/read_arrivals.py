"""Sorts what comes off the leaf: receipts and history at once, whatever else is held up; the rest in its order."""

import json
from collections.abc import Sequence

from sangkien.exchange.application.adopt_history import AdoptHistory
from sangkien.exchange.application.follow_receipts import FollowReceipts
from sangkien.exchange.application.link_ports import HISTORY_TYPE, RECEIPT_TYPE, Leaf, Notes, Parcel
from sangkien.exchange.application.post_messages import HUB
from sangkien.exchange.application.receive_messages import ReceiveMessages
from sangkien.store.deciding import decided_again

MOST = 250
WAIT_S = 0.5


class ReadArrivals:
    """One batch at a time; what was dealt with is acknowledged, after its unit was committed."""

    def __init__(
        self, leaf: Leaf, receipts: FollowReceipts, adopting: AdoptHistory, receiving: ReceiveMessages, notes: Notes
    ) -> None:
        self._notes = notes
        self._leaf = leaf
        self._receipts = receipts
        self._adopting = adopting
        self._receiving = receiving

    async def __call__(self) -> int:
        """Deal with what arrived; how many parcels. Raises StoreUnavailable with nothing acknowledged."""
        parcels = await self._leaf.arrived(MOST, WAIT_S)
        mine = [parcel for parcel in parcels if parcel.sender == HUB and parcel.type in (RECEIPT_TYPE, HISTORY_TYPE)]
        await self._follow([parcel for parcel in mine if parcel.type == RECEIPT_TYPE])
        for parcel in mine:
            if parcel.type == HISTORY_TYPE:
                await self._adopt(parcel)
        if numbered := [parcel for parcel in parcels if parcel not in mine]:
            await self._receiving(numbered)
        for parcel in parcels:
            await parcel.ack()
        return len(parcels)

    async def _follow(self, parcels: Sequence[Parcel]) -> None:
        """Of several receipts the latest says all."""
        read = [self._receipts.read(parcel.body) for parcel in parcels]
        receipts = [receipt for receipt in read if receipt is not None]
        if receipts:
            latest = max(receipts, key=lambda receipt: (receipt.epoch, receipt.at))
            await decided_again(lambda: self._receipts(latest))

    async def _adopt(self, parcel: Parcel) -> None:
        try:
            said = json.loads(parcel.body)
            epoch, after, seals = int(said["epoch"]), int(said["after"]), [str(seal) for seal in said["seals"]]
        except (ValueError, KeyError, TypeError):
            self._notes.warning("history_unreadable")
            return
        await decided_again(lambda: self._adopting(epoch, after, seals))
