"""What exchange refuses.

Refusal
└── ExchangeRefusal
    ├── MessageUnknown
    ├── MessageNotFailed
    ├── CustodyUnknown
    ├── EchoUnanswered
    ├── LeaveUnanswered
    ├── NodeLeft
    └── MessageTooLarge
"""

from sangkien.kernel import Refusal


class ExchangeRefusal(Refusal):
    """Groups what exchange refuses."""


class MessageUnknown(ExchangeRefusal):
    """No message of this id or business key was sent or received here."""

    code = "exchange_message_unknown"
    kind = "not_found"


class MessageNotFailed(ExchangeRefusal):
    """Only a message that failed can be replayed; this one is `state`."""

    code = "exchange_message_not_failed"
    kind = "conflict"


class CustodyUnknown(ExchangeRefusal):
    """No dossier of this id or receipt code crossed."""

    code = "exchange_custody_unknown"
    kind = "not_found"


class EchoUnanswered(ExchangeRefusal):
    """The hub's receipt did not come within `seconds`. The echo stays on its way."""

    code = "exchange_echo_unanswered"
    kind = "precondition"


class LeaveUnanswered(ExchangeRefusal):
    """The goodbye was not receipted within `seconds`. It stays on its way; nothing else is taken for sending."""

    code = "exchange_leave_unanswered"
    kind = "precondition"


class NodeLeft(ExchangeRefusal):
    """The node is leaving the federation, or has left it."""

    code = "exchange_node_left"
    kind = "precondition"


class MessageTooLarge(ExchangeRefusal):
    """A message weighs `bytes`, more than `limit`."""

    code = "exchange_message_too_large"
    kind = "invalid"
