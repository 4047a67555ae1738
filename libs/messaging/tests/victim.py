"""A process to be killed: stops at one exact place, says so on stdout, and waits for the end.

Usage: victim.py PLACE NATS_URL STORE_URL, where PLACE is
`committed-not-published`  the unit with the outbox rows is committed, the relay has not begun;
`published-not-recorded`   the broker has acknowledged, the rows do not know it;
`handled-not-acknowledged` the effect and the inbox row are committed, the broker does not know it.
"""

import asyncio
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, NoReturn

from nats.aio.msg import Msg

from sangkien.contracts.events import DossierWithdrawn
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import MESSAGING_SCHEMA, Bus, Incoming, Subscription, outbox_row
from sangkien.messaging.relay import Relay
from sangkien.runtime import Telemetry, new_id
from sangkien.store import Insert, Op, Schema, open_store


async def here(*_: Any, **__: Any) -> NoReturn:
    print("HERE", flush=True)  # noqa: T201 (the parent reads it)
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


async def record(messages: Sequence[Incoming]) -> list[Op]:
    return [Insert("effects", {"_id": m.id}) for m in messages]


async def main(place: str, nats_url: str, store_url: str) -> None:
    service = "review" if place == "handled-not-acknowledged" else "intake"
    store = await open_store(store_url, database="victim")
    await store.ensure(MESSAGING_SCHEMA + Schema(("effects",)))
    if service == "intake":
        event = DossierWithdrawn(dossier_id="D1", version=1, withdrawn_on=date(2023, 11, 20))
        at = datetime(2023, 11, 20, tzinfo=UTC)
        row = outbox_row(event, event_id=new_id(), aggregate_id="D1", aggregate_version=1, at=at)
        await store.apply([row, Insert("effects", {"_id": row.doc["_id"]})])
    if place == "committed-not-published":
        await here()
    Relay._record = here  # type: ignore[method-assign]
    Msg.ack = here  # type: ignore[method-assign]
    bus = Bus(
        service=service,
        nats_url=nats_url,
        store=store,
        telemetry=Telemetry.create(service, node="n1", spans_dir=None, otlp_endpoint=None),
        subscriptions=[Subscription(TOPOLOGY.consumer("review__intake"), record)] if service == "review" else [],
        topology=TOPOLOGY,
        on_fatal=sys.exit,
    )
    await bus.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
