"""Events a second from the outbox to JetStream and on to a consumer's inbox, against a bare pipelined publish."""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from pathlib import Path

from ceilings import publishes_per_s
from harness import Result, main, median

from sangkien.contracts.events import AuthorShare, DossierSubmitted
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import MESSAGING_SCHEMA, Bus, Incoming, Subscription, outbox_row
from sangkien.runtime import Telemetry, new_id, utc_now
from sangkien.store import Insert, Op, Schema, Store, open_store
from sangkien.testkit.nats_server import NatsServer

ROUNDS = 3
UNIT = 500
EVENT = DossierSubmitted(
    dossier_id=new_id(),
    version=1,
    code="SK-2023-000001",
    round_id=new_id(),
    tier="district",
    initiative_id="",
    title="Một số biện pháp nâng cao chất lượng dạy học môn Lịch sử lớp 7",
    field="Giáo dục và đào tạo",
    unit_id=f"local:{new_id()}",
    authors=(AuthorShare(person_id=f"local:{new_id()}", share=10_000),),
    filed_on=date(2023, 5, 10),
    first_applied_on=date(2023, 1, 10),
    head_author=False,
    state_funded=False,
    filed_by="",
    answer_due=date(2023, 6, 10),
)


async def measure(chosen: argparse.Namespace) -> Result:
    size = len(EVENT.to_bytes())
    raw: list[float] = []
    relayed: list[float] = []
    consumed: list[float] = []
    with tempfile.TemporaryDirectory(prefix="sangkien-bench-") as name:
        for turn in range(ROUNDS):
            folder = Path(name) / str(turn)
            raw.append(await publishes_per_s(folder / "raw", chosen.events, size))
            with NatsServer(folder / "nats") as server:
                relayed.append(await relay(folder, server.url, chosen.events))
                consumed.append(await consume(folder, server.url, chosen.events))
    return {
        "event_bytes": size,
        "raw_publish_per_s": median(raw),
        "relayed_per_s": median(relayed),
        "relay_ratio_to_raw": round(median(relayed) / median(raw), 3),
        "consumed_per_s": median(consumed),
    }


async def relay(folder: Path, url: str, events: int) -> float:
    """From a full outbox to an empty one: published, acknowledged, and recorded as sent."""

    async def fill(store: Store) -> None:
        for _ in range(events // UNIT):
            await store.apply([row() for _ in range(UNIT)])

    async def empty(store: Store) -> bool:
        return await store.count("outbox_sent") == events

    return events / await timed("intake", folder, url, (), fill, empty)


async def consume(folder: Path, url: str, events: int) -> float:
    """From a full stream to as many rows and inbox rows of review."""

    async def handle(messages: Sequence[Incoming]) -> Sequence[Op]:
        return [Insert("cases", {"_id": message.id, "title": "x" * 200}) for message in messages]

    async def nothing(_: Store) -> None: ...

    async def handled(store: Store) -> bool:
        return await store.count("inbox") == events

    subscription = Subscription(TOPOLOGY.consumer("review__intake"), handle)
    return events / await timed("review", folder, url, (subscription,), nothing, handled)


async def timed(
    service: str,
    folder: Path,
    url: str,
    subscriptions: Sequence[Subscription],
    prepare: Callable[[Store], Awaitable[None]],
    done: Callable[[Store], Awaitable[bool]],
) -> float:
    """Seconds from the start of a service's bus until `done`, with traces kept."""
    telemetry = Telemetry.create(service, node="bench", spans_dir=folder, otlp_endpoint=None)
    store = await open_store(f"sqlite:///{folder}", database=service)
    await store.ensure(Schema(("cases",), ()) + MESSAGING_SCHEMA)
    await prepare(store)
    bus = Bus(
        service=service,
        nats_url=url,
        store=store,
        telemetry=telemetry,
        subscriptions=subscriptions,
        topology=TOPOLOGY,
        on_fatal=print,
    )
    began = time.perf_counter()
    await bus.start()
    while not await done(store):  # noqa: ASYNC110 (the bus tells nobody)
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - began
    await bus.drain()
    await store.close()
    await telemetry.shutdown()
    return seconds


def row() -> Op:
    trace = f"00-{int.from_bytes(new_id().encode()[:16], 'big'):032x}-{1:016x}-01"
    return outbox_row(
        EVENT, event_id=new_id(), aggregate_id=EVENT.dossier_id, aggregate_version=1, at=utc_now(), traceparent=trace
    )


if __name__ == "__main__":
    main(measure, ("--events", {"type": int, "default": 10_000}))
