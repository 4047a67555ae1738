"""A member without exchange: a test seals, offers and listens for it, and may lie."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sangkien.contracts.crossing import Crossing, Echo
from sangkien.custody import HubReceipt, Seal, SealKey, make_seal, read_hub_receipt
from sangkien.federation import Arrived
from sangkien.runtime import new_id, utc_now
from sangkien.testkit.eventually import eventually
from sangkien.testkit.link import Member

HUB, RECEIPT = "hub", "receipt.v1"


@dataclass
class Voice:
    """One chain of seals, and what came down to the member that has it."""

    member: Member
    key: SealKey
    epoch: int = 1
    n: int = 0
    prev: str = "0" * 64
    receipts: list[HubReceipt] = field(default_factory=list)
    arrived: list[Arrived] = field(default_factory=list)

    def seal(self, receiver: str, message: Crossing, body: bytes | None = None, **changed: Any) -> Seal:
        """The next seal of the chain. One with another number, `prev` or epoch does not count as said."""
        facts: dict[str, Any] = {
            "id": new_id(),
            "sender": self.member.node,
            "receiver": receiver,
            "type": message.TYPE,
            "business_key": message.key(),
            "epoch": self.epoch,
            "n": self.n + 1,
            "prev": self.prev,
            "at": utc_now(),
            "body": message.to_bytes() if body is None else body,
        }
        seal = make_seal(changed.pop("by", self.key), **(facts | changed))
        if not changed.keys() & {"n", "prev", "epoch", "sender"}:
            self.n, self.prev = seal.n, seal.hash
        return seal

    async def offer(self, seal: Seal, body: bytes, *, receiver: str = "", kind: str = "") -> None:
        """Put it on its way, to another address than the sealed one if told so."""
        headers = {"Sk-Seal": seal.compact}
        await self.member.broker.offer(receiver or seal.receiver, kind or seal.type, body, headers, new_id())

    async def say(self, receiver: str, message: Crossing, body: bytes | None = None, **changed: Any) -> Seal:
        """Seal and offer."""
        seal = self.seal(receiver, message, body, **changed)
        await self.offer(seal, message.to_bytes() if body is None else body)
        return seal

    async def echo(self) -> Seal:
        return await self.say(HUB, Echo(text=new_id()))

    async def listen(self) -> None:
        """Take what came down."""
        for one in await self.member.broker.arrived(500, 0.05):
            await one.ack()
            if (one.sender, one.type) == (HUB, RECEIPT):
                self.receipts.append(read_hub_receipt(one.body.decode(), self.member.folder.hub_key))
            else:
                self.arrived.append(one)

    async def receipt(self, until: Callable[[HubReceipt], bool]) -> HubReceipt:
        """Wait for a receipt of which that is so."""

        async def found() -> HubReceipt | None:
            await self.listen()
            return next((one for one in reversed(self.receipts) if until(one)), None)

        told: HubReceipt = await eventually(found, timeout=60, what=f"a receipt of {self.member.node}")
        return told

    async def receipted(self, n: int | None = None) -> HubReceipt:
        """Wait until the hub has taken up to that number, or to the last one said."""
        wanted = self.n if n is None else n
        return await self.receipt(lambda one: one.n == wanted)
