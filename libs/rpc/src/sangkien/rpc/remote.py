"""What a call to another service can end with, apart from its answer.

RemoteError
├── RemoteRefusal      it decided: no. The same call gets the same answer
├── RemoteUnavailable  it did not answer. The call may or may not have had its effect
└── RemoteFault        it failed inside; `incident` finds the log line
"""

from collections.abc import Mapping
from typing import Literal

import grpc
from google.rpc import status_pb2
from grpc_status import rpc_status

from sangkien.api.errors.v1 import errors_pb2
from sangkien.kernel import Kind
from sangkien.rpc.refusals import Unavailable
from sangkien.rpc.words import worded

RemoteKind = Kind | Literal["unauthenticated"]

_KINDS: Mapping[grpc.StatusCode, RemoteKind] = {
    grpc.StatusCode.INVALID_ARGUMENT: "invalid",
    grpc.StatusCode.OUT_OF_RANGE: "invalid",
    grpc.StatusCode.NOT_FOUND: "not_found",
    grpc.StatusCode.ABORTED: "conflict",
    grpc.StatusCode.ALREADY_EXISTS: "conflict",
    grpc.StatusCode.PERMISSION_DENIED: "forbidden",
    grpc.StatusCode.UNAUTHENTICATED: "unauthenticated",
    grpc.StatusCode.FAILED_PRECONDITION: "precondition",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "exhausted",
}
_OWN_WRITE_FAILED = "Internal error from Core"
"""What grpc.aio's client says when a request could not be written, since the call was over: how it ended is lost."""
_UNANSWERED = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED})


class RemoteError(Exception):
    """Base of everything a call can fail with. `method` is the full name of what was called."""

    def __init__(self, method: str, text: str) -> None:
        super().__init__(text)
        self.method = method


class RemoteUnavailable(RemoteError, Unavailable):
    """No answer: unreachable, too late, cut off, or too busy to begin. Safe to repeat with an idempotency key."""

    def __init__(self, method: str, status: str) -> None:
        RemoteError.__init__(self, method, f"{method}: {status}")
        self.what = method
        self.status = status


class RemoteFault(RemoteError):
    """An error nobody planned, on the other side."""

    def __init__(self, method: str, status: str, incident: str) -> None:
        super().__init__(method, f"{method}: {status} {incident}".rstrip())
        self.status = status
        self.incident = incident


class RemoteRefusal(RemoteError):
    """The other side's refusal, whole: `code`, `kind`, the `field` at fault, `facts` as text, and the sentences."""

    def __init__(self, method: str, kind: RemoteKind, error: errors_pb2.ItemError) -> None:
        super().__init__(method, f"{method}: {error.code} {error.field}".rstrip())
        self.kind: RemoteKind = kind
        self.code = error.code
        self.field = error.field
        self.facts = dict(error.facts)
        self.message_vi = error.message_vi
        self.message_en = error.message_en
        self.fix_vi = error.fix_vi
        self.fix_en = error.fix_en

    @property
    def item(self) -> errors_pb2.ItemError:
        """The refusal as the wire carries it, to hand on unchanged."""
        return errors_pb2.ItemError(
            code=self.code,
            field=self.field,
            message_vi=self.message_vi,
            message_en=self.message_en,
            fix_vi=self.fix_vi,
            fix_en=self.fix_en,
            facts=self.facts,
        )


def remote_error(method: str, error: grpc.aio.AioRpcError) -> RemoteError:
    """Read what a failed call says into the tree above."""
    code = error.code()
    if code in _UNANSWERED or (code is grpc.StatusCode.INTERNAL and error.details() == _OWN_WRITE_FAILED):
        return RemoteUnavailable(method, code.name)
    item = _item(error)
    kind = _KINDS.get(code)
    if kind == "exhausted" and item is None:  # gRPC itself has spoken: the message is too large, or it is too busy
        if "larger than max" not in (error.details() or ""):
            return RemoteUnavailable(method, code.name)
        return RemoteRefusal(method, "invalid", worded("message_too_large", {}, ""))
    if kind is None:
        return RemoteFault(method, code.name, item.facts.get("incident", "") if item else "")
    if item is None:
        text = error.details() or ""
        item = errors_pb2.ItemError(code=code.name.lower(), message_vi=text, message_en=text)
    return RemoteRefusal(method, kind, item)


def _item(error: grpc.aio.AioRpcError) -> errors_pb2.ItemError | None:
    try:
        status: status_pb2.Status | None = rpc_status.from_call(error)
    except ValueError:  # the trailer contradicts the status: do not trust it
        return None
    item = errors_pb2.ItemError()
    for detail in status.details if status else ():
        if detail.Unpack(item):
            return item
    return None
