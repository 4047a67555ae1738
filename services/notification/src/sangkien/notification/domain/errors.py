"""What notification refuses.

NotificationRefusal
├── NoticeUnknown, InboxNotYours
├── DeliveryStateUnknown, DeliveriesTooMany, NoticePageInvalid
└── MailSettled
"""

from sangkien.kernel import Refusal


class NotificationRefusal(Refusal):
    """Base of them all."""


class NoticeUnknown(NotificationRefusal):
    """One of the notices is not in the caller's inbox; whether it is in another's is not told."""

    code = "notice_unknown"
    kind = "not_found"


class InboxNotYours(NotificationRefusal):
    """The inbox belongs to somebody else."""

    code = "inbox_not_yours"
    kind = "forbidden"


class DeliveryStateUnknown(NotificationRefusal):
    """No state a delivery can be in. Facts: `states`, those there are."""

    code = "delivery_state_unknown"
    kind = "invalid"


class DeliveriesTooMany(NotificationRefusal):
    """More ids than one call takes. Facts: `count`, `limit`."""

    code = "notification_batch_too_large"
    kind = "invalid"


class NoticePageInvalid(NotificationRefusal):
    """The page token is not one this list gave."""

    code = "notification_page_token_invalid"
    kind = "invalid"


class MailSettled(NotificationRefusal):
    """The mail is in a state from which this does not follow. Facts: `state`."""

    code = "mail_settled"
    kind = "conflict"
