"""What the chassis hands to a service's composition root."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

import grpc

from sangkien.chassis.blobs import BlobStore
from sangkien.rpc import TokenSource, connect
from sangkien.runtime import Metrics, ServiceSettings, Telemetry, new_id, utc_now
from sangkien.store import Conflict, Duplicate, Invalid, Op, Store

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


class Context:
    """One service's access to its store, its traces and metrics, its clock and the node's other services."""

    def __init__(
        self,
        service: str,
        settings: ServiceSettings,
        *,
        store: Store,
        telemetry: Telemetry,
        token: TokenSource,
        blobs: BlobStore,
        metrics: Metrics,
        committed: Callable[[Sequence[Op] | None], None],
    ) -> None:
        self.service = service
        self.settings = settings
        self.node = settings.node
        self.store = store
        self.telemetry = telemetry
        self.blobs = blobs
        self.metrics = metrics
        self._token = token
        self._committed = committed
        self._channels: dict[str, grpc.aio.Channel] = {}

    async def commit(self, ops: Sequence[Op]) -> None:
        """Write one unit of work and wake the relay for the events in it: the only way commands write.

        Durable when it returns. Raises Duplicate, Conflict and StoreUnavailable with nothing written.
        """
        try:
            await self.store.apply(ops)
        except (Conflict, Duplicate, Invalid):
            raise
        except BaseException:  # cut off, say: it may be written all the same
            self._committed(None)
            raise
        self._committed(ops)

    def now(self) -> datetime:
        """The time, aware UTC: when something was recorded, as opposed to the legal date it bears."""
        return utc_now()

    def today(self) -> date:
        """The date in Hanoi, which is the one a person means."""
        return utc_now().astimezone(HANOI).date()

    def new_id(self) -> str:
        """A ULID, later than every one before it in this process."""
        return new_id()

    def new_global_id(self) -> str:
        """`<node>:<ULID>`, for people and organisations: unique across nodes (DESIGN §9)."""
        return f"{self.node}:{new_id()}"

    def channel(self, target: str) -> grpc.aio.Channel:
        """A channel with this service's token, a deadline and the trace on every call; one a target, kept open."""
        channel = self._channels.get(target)
        if channel is None:
            channel = self._channels[target] = connect(target, telemetry=self.telemetry, token=self._token)
        return channel

    async def close(self) -> None:
        """Close the channels."""
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()
