"""The composition root of notification."""

from contextlib import AbstractContextManager
from typing import Any, cast

from sangkien.api.directory.v1.directory_pb2_grpc import DirectoryServiceStub
from sangkien.api.notification.v1.notification_pb2_grpc import add_NotificationServiceServicer_to_server
from sangkien.chassis import Context, Definition, Parts
from sangkien.chassis.context import HANOI
from sangkien.contracts.topology import TOPOLOGY
from sangkien.messaging import Subscription
from sangkien.notification.adapters.contacts import DirectoryContacts
from sangkien.notification.adapters.notice_store import (
    SCHEMA,
    StoredDigestLines,
    StoredDossiers,
    StoredInboxes,
    StoredMails,
)
from sangkien.notification.adapters.smtp import SmtpPost
from sangkien.notification.adapters.wording import CatalogueWording, RuleGlossary
from sangkien.notification.application.deliver_mail import DeliverMail
from sangkien.notification.application.gather_digests import Calendar, GatherDigests
from sangkien.notification.application.read_inbox import ReadInbox
from sangkien.notification.application.retry_deliveries import RetryDeliveries
from sangkien.notification.application.seal_digests import SealDigests
from sangkien.notification.application.write_notices import WriteNotices
from sangkien.notification.domain.mail import Window
from sangkien.notification.entrypoints.grpc_service import POLICY, NotificationServicer
from sangkien.notification.entrypoints.messages import NoticeHandler
from sangkien.notification.settings import NotificationSettings

PUBLISHERS = ("intake", "review", "recognition", "reward", "exchange")


def build(context: Context) -> Parts:
    """Mail is queued and sent only where a mail server is configured."""
    settings = cast("NotificationSettings", context.settings)
    inboxes, mails, lines = (
        StoredInboxes(context.store),
        StoredMails(context.store),
        StoredDigestLines(context.store),
    )
    telemetry, wording, window = context.telemetry, CatalogueWording(), Window(*settings.digest_window)
    gather = GatherDigests(mails, lines, window, Calendar(HANOI, settings.digest_hour), context.now)

    def span(name: str, parent: str, about: str) -> AbstractContextManager[Any]:
        return telemetry.span(name, parent=parent, notice_id=about)

    write = WriteNotices(
        inboxes,
        (mails, gather) if settings.smtp_url else None,
        wording,
        span,
        telemetry.traceparent,
        context.now,
    )
    handler = NoticeHandler(StoredDossiers(context.store), RuleGlossary(), write)
    background = []
    if settings.smtp_url is not None:
        post = SmtpPost(settings.smtp_url.get_secret_value(), settings.sender, lanes=settings.smtp_connections)
        deliver = DeliverMail(
            mails,
            DirectoryContacts(DirectoryServiceStub(context.channel(settings.directory))),
            post,
            context.commit,
            span,
            SealDigests(mails, lines, wording, context.commit, now=context.now, quiet=window.quiet),
            now=context.now,
            first_delay=settings.first_retry,
            shared=not context.store.exclusive,
        )
        background.append(deliver.run)
    service = NotificationServicer(
        inboxes, mails, ReadInbox(inboxes, context.commit), RetryDeliveries(mails, context.commit, context.now)
    )
    return Parts(
        servicers=[(add_NotificationServiceServicer_to_server, service)],
        policy=POLICY,
        subscriptions=[
            Subscription(TOPOLOGY.consumer(f"notification__{publisher}"), handler) for publisher in PUBLISHERS
        ],
        background=background,
    )


SERVICE = Definition(name="notification", settings=NotificationSettings, schema=SCHEMA, build=build)
