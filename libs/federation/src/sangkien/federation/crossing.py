"""A message as it comes off a link."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message that lies in FED_<node> at the hub, or in IN_<node> at a member.

    `sender` is taken from the subject alone, which the hub's server stamped: no header and no body can change it.
    `type` is the rest of the subject, such as `dossier.filed.v1`. `stream_seq` is its place in that stream: it grows
    within one life of the stream and may begin anew after a reset. `deliveries` counts from 1.
    """

    subject: str
    sender: str
    receiver: str
    type: str
    headers: Mapping[str, str]
    body: bytes
    stream_seq: int
    deliveries: int = 1
    settle: Callable[[], Awaitable[None]] | None = field(default=None, repr=False, compare=False)

    async def ack(self) -> None:
        """Say that it was dealt with. Best effort, never raises: what was not heard comes again."""
        if self.settle is not None:
            await self.settle()


@dataclass(frozen=True, slots=True)
class Backlog:
    """Messages on their way at one end: `arrived` not acknowledged here, `leaving` stored for the other end."""

    arrived: int
    leaving: int
    leaving_bytes: int
