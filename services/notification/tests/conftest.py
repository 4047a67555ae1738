"""A notification service among its neighbours: broker, directory, and a real SMTP server that does as it is told."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import nats
import pytest
from aiosmtpd.smtp import SMTP
from nats.aio.client import Client

from sangkien.api.notification.v1 import notification_pb2 as api
from sangkien.api.notification.v1.notification_pb2_grpc import NotificationServiceStub
from sangkien.contracts.events import (
    AuthorShare,
    DossierAccepted,
    DossierSubmitted,
    Event,
    ReviewersAssigned,
    service_of,
)
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import outbox_row, provision_node
from sangkien.messaging.outbox import Outgoing
from sangkien.notification.adapters.notice_store import SCHEMA
from sangkien.notification.bootstrap import SERVICE
from sangkien.runtime import new_id
from sangkien.store import Store, open_store
from sangkien.testkit import NatsServer, eventually
from sangkien.testkit.directory_double import DirectoryDouble, directory_double
from sangkien.testkit.service import RunningService, running_service

AT = datetime(2023, 5, 8, 8, 30, tzinfo=UTC)


@dataclass
class MailServer:
    """An SMTP server. `replies` holds what it answers to a recipient's next letters; then it takes them all."""

    replies: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    received: list[EmailMessage] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None
    port: int = 0
    _server: asyncio.Server | None = None
    _sessions: list[SMTP] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        refusal = self.replies[address].pop(0) if self.replies[address] else ""
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.received.append(message_from_bytes(envelope.content, policy=default))
        self.before_answer()
        return "250 taken"

    async def start(self) -> None:
        loop = asyncio.get_running_loop()

        def protocol() -> SMTP:
            smtp = SMTP(self, hostname="test", loop=loop)
            self._sessions.append(smtp)
            return smtp

        self._server = await loop.create_server(protocol, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        for session in self._sessions:
            if isinstance(session.transport, asyncio.Transport):
                session.transport.abort()
        self._sessions.clear()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@dataclass
class Cast:
    """Everything a test acts with."""

    running: RunningService
    directory: DirectoryDouble
    broker: Client
    unit: str = ""

    def stub(self, subject: str = "service/console", *roles: str, organisation: str = "") -> NotificationServiceStub:
        return NotificationServiceStub(self.running.channel(subject, roles or ("operator",), organisation))

    async def publish(self, event: Event, *, event_id: str = "", version: int = 1, traceparent: str = "") -> str:
        """Put an event into its stream as its service's relay would; returns its id."""
        event_id = event_id or new_id()
        about = str(getattr(event, "dossier_id", "") or getattr(event, "decision_id", ""))
        row = outbox_row(
            event, event_id=event_id, aggregate_id=about, aggregate_version=version, at=AT, traceparent=traceparent
        )
        service = service_of(event.TYPE)
        headers = Outgoing(row.doc).headers(
            source=f"/local/{service}", stream=f"EV_{service.upper()}", message_id=new_id(), traceparent=traceparent
        )
        await self.broker.jetstream().publish(event.TYPE, event.to_bytes(), headers=headers)
        return event_id

    async def inbox(self, recipient_id: str, count: int) -> list[api.Notice]:
        """The recipient's notices, oldest first, once there are so many."""

        async def full() -> list[api.Notice]:
            answer = await self.stub().ListInbox(api.ListInboxRequest(recipient_id=recipient_id))
            assert len(answer.notices) == count, f"{len(answer.notices)} notices"
            return list(reversed(answer.notices))

        return await eventually(full) if count else await full()

    async def mails(self) -> dict[str, int]:
        """How many mails are in each state, where there are any."""
        answer = await self.stub().CountDeliveries(api.CountDeliveriesRequest())
        return {each.state: each.count for each in answer.counts if each.channel == "email" and each.count}


def submitted(dossier_id: str, *author_ids: str, title: str = "Cải tiến quy trình", **facts: Any) -> DossierSubmitted:
    share = 10_000 // len(author_ids)
    return DossierSubmitted(
        **{
            "dossier_id": dossier_id,
            "version": 1,
            "code": f"SK-{dossier_id}",
            "round_id": "R1",
            "tier": "district",
            "title": title,
            "field": "giao-duc",
            "unit_id": "U1",
            "authors": tuple(AuthorShare(person_id=each, share=share) for each in author_ids),
            "filed_on": date(2023, 5, 8),
            "first_applied_on": None,
            "answer_due": date(2023, 6, 8),
            **facts,
        }
    )


def accepted(dossier_id: str, *author_ids: str) -> DossierAccepted:
    return DossierAccepted(
        dossier_id=dossier_id,
        dossier_version=1,
        round_id="R1",
        author_ids=author_ids,
        accepted_on=date(2023, 5, 9),
        decide_by=date(2023, 8, 9),
    )


def assigned(dossier_id: str, *reviewer_ids: str, round_id: str = "R1", title: str = "") -> ReviewersAssigned:
    return ReviewersAssigned(
        dossier_id=dossier_id,
        round_id=round_id,
        title=title or f"Sáng kiến {dossier_id}",
        reviewer_ids=reviewer_ids,
        due=date(2023, 6, 20),
    )


@pytest.fixture(params=["sqlite", "mongo"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """The service's store, on either adapter."""
    url = f"sqlite://{tmp_path}" if request.param == "sqlite" else request.getfixturevalue("mongo_uri")
    chosen = await open_store(url, database=f"notification_{new_id()}")
    await chosen.ensure(SCHEMA)
    yield chosen
    await chosen.close()


@pytest.fixture
async def smtp() -> AsyncIterator[MailServer]:
    server = MailServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def directory() -> AsyncIterator[DirectoryDouble]:
    async with directory_double() as double:
        yield double


@pytest.fixture
async def begin(
    own_nats_server: NatsServer, directory: DirectoryDouble, tmp_path: Path
) -> AsyncIterator[Callable[..., Any]]:
    """Starts the service with the settings given, on the test's own broker and store."""
    async with AsyncExitStack() as stack:
        await provision_node(own_nats_server.url, TOPOLOGY)
        broker = await nats.connect(own_nats_server.url)
        stack.push_async_callback(broker.close)

        async def start(**settings: Any) -> Cast:
            service = running_service(
                SERVICE, nats_url=own_nats_server.url, data_dir=tmp_path, directory=directory, **settings
            )
            return Cast(await stack.enter_async_context(service), directory, broker, directory.add_unit("Trường A"))

        yield start


@pytest.fixture
def with_mail(smtp: MailServer) -> dict[str, Any]:
    """Settings of a service that sends mail to the test's server, and tries again at once."""
    told = {"smtp_url": smtp.url, "sender": "sangkien@badinh.vn"}
    return told | {"first_retry_seconds": 0.01, "digest_quiet_seconds": 0.2}


@pytest.fixture(scope="session")
def events() -> Any:
    """The makers of events, for tests that cannot import a conftest."""

    class Events:
        submitted = staticmethod(submitted)
        accepted = staticmethod(accepted)
        assigned = staticmethod(assigned)

    return Events
