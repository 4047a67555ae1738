"""Notification as a process of its own, killed between the mail server's answer and the commit."""

import signal
from pathlib import Path
from typing import Any

import nats
import pytest

from sangkien.contracts.events import Event, service_of
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import outbox_row, provision_node
from sangkien.messaging.outbox import Outgoing
from sangkien.notification.adapters.notice_store import DIGEST_LINES, INBOX, MAILS, SCHEMA
from sangkien.runtime import new_id, utc_now
from sangkien.store import open_store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble
from sangkien.testkit.nats_server import free_port
from sangkien.testkit.service_process import service_process


@pytest.fixture
def where(own_nats_server: NatsServer, directory: DirectoryDouble, tmp_path: Path, smtp: Any) -> dict[str, Any]:
    """What `service_process` is told."""
    return {
        "nats_url": own_nats_server.url,
        "data_dir": tmp_path,
        "port": free_port(),
        "directory": directory,
        "smtp_url": smtp.url,
        "sender": "sangkien@badinh.vn",
    }


async def publish(url: str, event: Event) -> None:
    row = outbox_row(event, event_id=new_id(), aggregate_id="D1", aggregate_version=1, at=utc_now())
    service = service_of(event.TYPE)
    headers = Outgoing(row.doc).headers(
        source=f"/local/{service}", stream=f"EV_{service.upper()}", message_id=new_id(), traceparent=""
    )
    client = await nats.connect(url)
    await client.jetstream().publish(event.TYPE, event.to_bytes(), headers=headers)
    await client.close()


async def test_kill_before_the_commit_sends_again_under_the_same_id_and_counts_once(
    own_nats_server: NatsServer, directory: DirectoryDouble, tmp_path: Path, smtp: Any, where: Any, events: Any
) -> None:
    await provision_node(own_nats_server.url, TOPOLOGY)
    author = directory.add_person("A", directory.add_unit("U"), email="a@x.vn")
    await publish(own_nats_server.url, events.submitted("D1", author))
    with service_process("notification", **where) as process:
        smtp.before_answer = process.kill
        await eventually(lambda: process.poll() is not None)
        assert process.returncode == -signal.SIGKILL
    smtp.before_answer = lambda: None

    with service_process("notification", **where) as process:
        await eventually(lambda: len(smtp.received) == 2)
        process.terminate()
        await eventually(lambda: process.poll() is not None)

    assert process.returncode == 0
    assert len({str(mail["Message-ID"]) for mail in smtp.received}) == 1
    store = await open_store(f"sqlite://{tmp_path}", database="notification")
    try:
        await store.ensure(SCHEMA)
        assert await store.count_by(MAILS, "state") == {"sent": 1}
        assert await store.count(INBOX) == 1
    finally:
        await store.close()


async def test_digest_killed_on_its_way_is_the_same_digest_again(
    own_nats_server: NatsServer, directory: DirectoryDouble, tmp_path: Path, smtp: Any, where: Any, events: Any
) -> None:
    await provision_node(own_nats_server.url, TOPOLOGY)
    reviewer = directory.add_person("A", directory.add_unit("U"), email="a@x.vn")
    for number in range(3):
        await publish(own_nats_server.url, events.assigned(f"D{number}", reviewer))
    with service_process("notification", digest_quiet_seconds="2", **where) as process:
        smtp.before_answer = process.kill
        await eventually(lambda: process.poll() is not None)
        assert process.returncode == -signal.SIGKILL
    smtp.before_answer = lambda: None

    with service_process("notification", digest_quiet_seconds="2", **where) as process:
        await eventually(lambda: len(smtp.received) == 2)
        process.terminate()
        await eventually(lambda: process.poll() is not None)

    first, second = smtp.received
    assert (first["Message-ID"], first.get_content()) == (second["Message-ID"], second.get_content())
    store = await open_store(f"sqlite://{tmp_path}", database="notification")
    try:
        await store.ensure(SCHEMA)
        assert await store.count_by(MAILS, "state") == {"sent": 1}
        assert (await store.count(INBOX), await store.count(DIGEST_LINES)) == (3, 3)
    finally:
        await store.close()
