"""NotificationService over gRPC: decode, ask the use case, answer."""

from sangkien.api.notification.v1 import notification_pb2 as api
from sangkien.api.notification.v1.notification_pb2_grpc import NotificationServiceServicer
from sangkien.notification.application.ports import Inboxes, Mails, Notice
from sangkien.notification.application.read_inbox import Reader, ReadInbox
from sangkien.notification.application.retry_deliveries import RetryDeliveries
from sangkien.notification.domain.errors import DeliveryStateUnknown
from sangkien.notification.domain.mail import STATES, Mail
from sangkien.rpc import AUTHENTICATED, Policy, page_size, principal

_SERVICE = "/sangkien.api.notification.v1.NotificationService/"

POLICY = Policy(
    {
        _SERVICE + "ListInbox": AUTHENTICATED,  # one's own, unless a service or an operator asks: the use case decides
        _SERVICE + "MarkRead": AUTHENTICATED,
        _SERVICE + "CountDeliveries": {"operator", "secretary"},
        _SERVICE + "ListDeliveries": {"operator"},
        _SERVICE + "RetryDeliveries": {"operator"},
    }
)


_INBOX_PAGE = 50
"""What fits on a screen."""


class NotificationServicer(NotificationServiceServicer):
    """The servicer; the two ports are for plain reads."""

    def __init__(self, inboxes: Inboxes, mails: Mails, read: ReadInbox, retry: RetryDeliveries) -> None:
        self._inboxes = inboxes
        self._mails = mails
        self._read = read
        self._retry = retry

    async def ListInbox(self, request: api.ListInboxRequest, context: object) -> api.ListInboxResponse:
        limit = page_size(request.page_size, default=_INBOX_PAGE)
        page = await self._read.page(_reader(), request.recipient_id, limit, request.page_token)
        return api.ListInboxResponse(notices=map(_notice, page.items), next_page_token=page.next)

    async def MarkRead(self, request: api.MarkReadRequest, context: object) -> api.MarkReadResponse:
        await self._read.mark_read(_reader(), request.notice_ids)
        return api.MarkReadResponse()

    async def CountDeliveries(
        self, request: api.CountDeliveriesRequest, context: object
    ) -> api.CountDeliveriesResponse:
        mails = await self._mails.count()
        return api.CountDeliveriesResponse(
            counts=[
                api.DeliveryCount(channel="inbox", state="sent", count=await self._inboxes.count()),
                *(api.DeliveryCount(channel="email", state=state, count=count) for state, count in mails.items()),
            ]
        )

    async def ListDeliveries(self, request: api.ListDeliveriesRequest, context: object) -> api.ListDeliveriesResponse:
        state = next((each for each in STATES if each == request.state), None)
        if state is None:
            raise DeliveryStateUnknown(field="state", states=", ".join(STATES))
        limit = page_size(request.page_size)
        page = await self._mails.page(state, limit, request.page_token)
        return api.ListDeliveriesResponse(deliveries=map(_delivery, page.items), next_page_token=page.next)

    async def RetryDeliveries(
        self, request: api.RetryDeliveriesRequest, context: object
    ) -> api.RetryDeliveriesResponse:
        return api.RetryDeliveriesResponse(queued=await self._retry(request.delivery_ids))


def _reader() -> Reader:
    caller = principal()
    return Reader(caller.subject, caller.roles, caller.organisation)


def _notice(notice: Notice) -> api.Notice:
    return api.Notice(
        notice_id=notice.id,
        kind=notice.kind,
        subject=notice.subject,
        body=notice.body,
        about_id=notice.about_id,
        created_at=int(notice.created_at.timestamp()),
        read=notice.read,
    )


def _delivery(mail: Mail) -> api.Delivery:
    return api.Delivery(
        delivery_id=mail.id,
        channel="email",
        recipient_id=mail.recipient_id,
        kind=mail.kind,
        state=mail.state,
        attempts=mail.attempts,
        last_error=mail.last_error,
    )
