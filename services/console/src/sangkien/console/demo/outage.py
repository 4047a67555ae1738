"""The outage the federated demo plays: the union's link is cut while its officer files, and comes back later."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sangkien.api.exchange.v1 import exchange_pb2 as pb
from sangkien.api.exchange.v1.exchange_pb2_grpc import ExchangeServiceStub
from sangkien.console.patience import until
from sangkien.federation.wire import Wire

CUT_ROUND = 1
SHORTEST_S = 3.0
"""How long the link stays away at least, however fast the rest is filed."""


@dataclass(slots=True)
class Outage:
    """What was seen. Seconds; `queued_at_cut` are the messages that waited for the link when it came back."""

    cut_s: float = 0.0
    queued_at_cut: int = 0
    drained_s: float = 0.0
    carried_while_cut: int = 0

    def as_json(self) -> dict[str, Any]:
        """As `sangkien demo --nodes --json` prints it."""
        return {
            "cut_s": round(self.cut_s, 2),
            "queued_at_cut": self.queued_at_cut,
            "drained_s": round(self.drained_s, 2),
            "bytes_while_cut": self.carried_while_cut,
        }


class CutLink:
    """A drill (see `year.Drill`): cuts the wire after a third of the first round's files, heals it after the last.

    Never before the first file: what the union has to know of the round to file at all comes by the same wire.
    """

    def __init__(self, wire: Wire, exchange: ExchangeServiceStub, note: Callable[[str], None]) -> None:
        self._wire = wire
        self._exchange = exchange
        self._note = note
        self._cut_at = 0.0
        self._carried = 0
        self.outage = Outage()

    async def before_file(self, round_number: int, place: int, of: int) -> None:
        if round_number != CUT_ROUND or self._cut_at or place < max(1, of // 3):
            return
        self._wire.cut()
        await until("the link to be down", self._link, lambda link: not link.connected)
        self._cut_at = time.monotonic()
        self._carried = self._wire.passed
        self._note("[red]Cắt đường truyền của công đoàn; vẫn nộp · the union's link is cut; filing goes on[/red]")

    async def after_files(self, round_number: int) -> None:
        if round_number != CUT_ROUND or not self._cut_at:
            return
        await until("the outage to last", self._elapsed, lambda seconds: seconds >= SHORTEST_S)
        self.outage.queued_at_cut = int((await self._link()).waiting)
        self.outage.carried_while_cut = self._wire.passed - self._carried
        self.outage.cut_s = time.monotonic() - self._cut_at
        self._wire.heal()
        back = time.monotonic()
        await until("what waited to reach the hub", self._link, lambda link: link.waiting == 0)
        self.outage.drained_s = time.monotonic() - back
        self._note(
            f"[green]Đường truyền trở lại sau {self.outage.cut_s:.1f} s: {self.outage.queued_at_cut} tin đã chờ,"
            f" gửi hết trong {self.outage.drained_s:.1f} s · the link is back: what had waited is through[/green]"
        )

    async def _link(self) -> pb.GetLinkResponse:
        link: pb.GetLinkResponse = await self._exchange.GetLink(pb.GetLinkRequest())
        return link

    async def _elapsed(self) -> float:
        return time.monotonic() - self._cut_at
