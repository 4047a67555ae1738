"""How an exception inside a call is told to the caller: a status, a stable code, words in two languages, nothing else.

Details follow google.rpc (AIP-193): ErrorInfo, BadRequest, LocalizedMessage. Our own ItemError carries all at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from sangkien.api.errors.v1 import errors_pb2
from sangkien.kernel import Refusal
from sangkien.rpc.refusals import NOT_SIGNED_IN, Unavailable
from sangkien.rpc.remote import RemoteRefusal
from sangkien.rpc.words import worded

Translate = Callable[[BaseException], BaseException]
"""Turns errors of a layer this library must not know (the store's) into a `Refusal` or `Unavailable`; others as is."""

_DOMAIN = "sangkien"
_CODES: Mapping[str, grpc.StatusCode] = {
    "invalid": grpc.StatusCode.INVALID_ARGUMENT,
    "not_found": grpc.StatusCode.NOT_FOUND,
    "conflict": grpc.StatusCode.ABORTED,
    "forbidden": grpc.StatusCode.PERMISSION_DENIED,
    "precondition": grpc.StatusCode.FAILED_PRECONDITION,
    "exhausted": grpc.StatusCode.RESOURCE_EXHAUSTED,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer that is an error, ready to be sent."""

    status: grpc.StatusCode
    item: errors_pb2.ItemError

    @property
    def text(self) -> str:
        """Vietnamese first, for people who see nothing but the status."""
        return f"{self.item.message_vi} / {self.item.message_en}"

    def trailers(self) -> tuple[tuple[str, bytes], ...]:
        """The rich details as gRPC carries them."""
        item = self.item
        details: list[Message] = [
            error_details_pb2.ErrorInfo(reason=item.code, domain=_DOMAIN, metadata=item.facts),
            error_details_pb2.LocalizedMessage(locale="vi", message=item.message_vi),
            error_details_pb2.LocalizedMessage(locale="en", message=item.message_en),
            item,
        ]
        if item.field:
            violation = error_details_pb2.BadRequest.FieldViolation(field=item.field, description=self.text)
            details.insert(1, error_details_pb2.BadRequest(field_violations=[violation]))
        status = status_pb2.Status(code=self.status.value[0], message=self.text)
        for detail in details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        return tuple(rpc_status.to_status(status).trailing_metadata)


def item_error(refusal: Refusal) -> errors_pb2.ItemError:
    """A refusal as one item of a batch answer, in the catalogue's words."""
    return worded(refusal.code, refusal.facts, refusal.field)


def fault_of(error: BaseException, incident: str) -> Fault:
    """What the caller is told. What nobody planned gives INTERNAL and the incident's id, and no more."""
    if isinstance(error, NOT_SIGNED_IN):
        return Fault(grpc.StatusCode.UNAUTHENTICATED, item_error(error))
    if isinstance(error, Refusal):
        return Fault(_CODES[error.kind], item_error(error))
    if isinstance(error, RemoteRefusal) and error.kind in _CODES:
        return Fault(_CODES[error.kind], error.item)
    if isinstance(error, (Unavailable, TimeoutError, ConnectionError)):
        return Fault(grpc.StatusCode.UNAVAILABLE, _unavailable())
    return Fault(grpc.StatusCode.INTERNAL, worded("internal", {"incident": incident}, ""))


@cache
def _unavailable() -> errors_pb2.ItemError:
    return worded("unavailable", {}, "")
