"""What this node tells the hub outside its chain: how far it has received, and that it needs its history."""

import json
from typing import Final

from sangkien.custody import NodeReceipt, SealKey
from sangkien.exchange.application.adopt_history import AdoptHistory
from sangkien.exchange.application.link_ports import HISTORY_TYPE, RECEIPT_TYPE, Inflow, Leaf, Ledger, Steady
from sangkien.exchange.application.ports import World
from sangkien.exchange.application.post_messages import HUB
from sangkien.exchange.application.receive_messages import ReceiveMessages

SOONEST_S: Final = 0.3
"""Between two receipts while messages come in."""
GAP_S: Final = 2.0
"""Between two receipts that name the same gap."""
BEHIND_S: Final = 5.0
"""How long what the hub says it sent may take to arrive."""
QUIET_S: Final = 30.0
"""Between two receipts when nothing changes: a hub that was away learns how we stand, and answers."""
ASK_AGAIN_S: Final = 5.0
"""Between two questions for the same page of history."""


class TellHub:
    """Offers a receipt when there is something new to say, on every return of the link, and now and then."""

    def __init__(
        self,
        ledger: Ledger,
        leaf: Leaf,
        receiving: ReceiveMessages,
        adopting: AdoptHistory,
        world: World,
        steady: Steady,
        *,
        node: str,
        key: SealKey,
    ) -> None:
        self._ledger = ledger
        self._leaf = leaf
        self._receiving = receiving
        self._adopting = adopting
        self._world = world
        self._steady = steady
        self._node = node
        self._key = key
        self._linked = False
        self._told: tuple[int, int] | None = None
        self._told_at = 0.0
        self._stood = (0, 0)
        self._stood_since = 0.0
        self._asked: tuple[int, int] | None = None
        self._asked_at = 0.0

    async def __call__(self) -> None:
        """Say what is due. Raises LinkAway."""
        linked = self._leaf.connected()
        if linked and not self._linked:
            self._told = None
        self._linked = linked
        await self._receipt()
        await self._history()

    async def _receipt(self) -> None:
        inflow = await self._ledger.inflow()
        now, where = self._steady(), (inflow.epoch, inflow.n)
        since = now - self._told_at
        gap = self._receiving.gap or await self._behind(inflow)
        due = QUIET_S if where == self._told and not gap else GAP_S if gap else SOONEST_S
        if self._told is not None and since < due:
            return
        receipt = NodeReceipt(self._node, self._world.now(), inflow.epoch, inflow.n, gap)
        await self._leaf.offer(HUB, RECEIPT_TYPE, receipt.sign(self._key).encode(), {}, self._world.new_id())
        self._told, self._told_at = where, now

    async def _behind(self, inflow: Inflow) -> bool:
        """Whether the hub has sent more than came, and nothing came for a while: the last of it was lost on its way."""
        word = await self._ledger.word()
        where = inflow.epoch, inflow.n
        if where != self._stood:
            self._stood, self._stood_since = where, self._steady()
        return word.epoch == inflow.epoch and word.down > inflow.n and self._steady() - self._stood_since > BEHIND_S

    async def _history(self) -> None:
        wanted = await self._adopting.wanted()
        now = self._steady()
        if wanted is None:
            self._asked = None
            return
        if self._asked is None:
            # The leaf's stream may have been restored with us: the hub would skip in silence what comes below the
            # sequence it read last. What lies there is numbered anew and offered again.
            await self._leaf.reset_out()
        if wanted == self._asked and now - self._asked_at < ASK_AGAIN_S:
            return
        question = json.dumps({"v": 1, "epoch": wanted[0], "after": wanted[1]}, separators=(",", ":"))
        await self._leaf.offer(HUB, HISTORY_TYPE, question.encode(), {}, self._world.new_id())
        self._asked, self._asked_at = wanted, now
