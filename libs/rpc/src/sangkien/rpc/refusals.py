"""What the edge itself refuses, before or instead of a domain."""

from sangkien.kernel import Refusal


class DeadlineRequired(Refusal):
    """The call carried no deadline: whoever waits for ever holds what others wait for."""

    code = "deadline_required"
    kind = "invalid"


class RequestMalformed(Refusal):
    """The bytes are not the message this method takes."""

    code = "request_malformed"
    kind = "invalid"


class TokenMissing(Refusal):
    """Nobody said who calls."""

    code = "token_missing"
    kind = "forbidden"


class TokenInvalid(Refusal):
    """The token is not one of this node. `reason` is a word for the operator."""

    code = "token_invalid"
    kind = "forbidden"


class TokenExpired(Refusal):
    """The token was good, and its time is over."""

    code = "token_expired"
    kind = "forbidden"


class RoleMissing(Refusal):
    """The caller has none of the `roles` this takes."""

    code = "role_missing"
    kind = "forbidden"


class PersonRequired(Refusal):
    """A service called what only a person may do."""

    code = "person_required"
    kind = "forbidden"


NOT_SIGNED_IN = (TokenMissing, TokenInvalid, TokenExpired)
"""Refusals that say who-are-you (UNAUTHENTICATED) rather than you-may-not (PERMISSION_DENIED)."""


class Unavailable(Exception):
    """Something this call needs does not answer now. The request may well be right: the same call may succeed later.

    `what` names the dependency for the log; it never reaches the caller.
    """

    def __init__(self, what: str = "") -> None:
        super().__init__(what)
        self.what = what
