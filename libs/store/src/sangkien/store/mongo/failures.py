"""What MongoDB's errors mean to a service. The server's messages quote stored values, so they are never passed on."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bson.errors import BSONError
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    InvalidOperation,
    OperationFailure,
    PyMongoError,
)

from sangkien.store.errors import Duplicate, Invalid, StoreError, StoreUnavailable
from sangkien.store.port import Delete, Op

_DUPLICATE_KEY = 11000
_NO_TRANSACTIONS = 20


def id_of(op: Op) -> str:
    """The id of the document that ``op`` writes."""
    return op.id if isinstance(op, Delete) else str(op.doc["_id"])


def duplicate(op: Op, details: object) -> Duplicate:
    """The taken key as the server describes it."""
    pattern = details.get("keyPattern") if isinstance(details, dict) else None
    return Duplicate(op.coll, id_of(op), tuple(pattern) if pattern else ("_id",))


def bulk_refusal(ops: Sequence[Op], error: BulkWriteError) -> StoreError | None:
    """The Duplicate behind a failed bulk of ``ops``, None when it failed for another reason."""
    errors = (error.details or {}).get("writeErrors") or []
    if errors and errors[0].get("code") == _DUPLICATE_KEY:
        return duplicate(ops[errors[0]["index"]], errors[0])
    return None


@contextmanager
def translated() -> Iterator[None]:
    """Turn what the driver raises into the port's errors.

    The driver loses a cancellation that reaches it at certain moments, and the task would run on as if nobody had asked
    it to stop; it is raised here in the driver's stead.
    """
    task = asyncio.current_task()
    asked_before = task.cancelling() if task else 0
    try:
        yield
    except (BSONError, UnicodeEncodeError) as error:
        raise Invalid(f"MongoDB cannot hold this document: {type(error).__name__}") from None
    except PyMongoError as error:
        raise meaning(error) from None
    if task is not None and task.cancelling() > asked_before:
        raise asyncio.CancelledError


def meaning(error: PyMongoError) -> StoreError:
    """The port's error for a driver error that is not a Duplicate."""
    name = type(error).__name__
    transient = error.has_error_label("TransientTransactionError")
    unknown = error.has_error_label("UnknownTransactionCommitResult")
    if isinstance(error, (ConnectionFailure, InvalidOperation)) or error.timeout or transient or unknown:
        return StoreUnavailable(f"MongoDB cannot be reached, is closed, or did not answer in time ({name})")
    if isinstance(error, OperationFailure):
        code_name = (error.details or {}).get("codeName", name)
        if error.code == _NO_TRANSACTIONS:
            return StoreError("MongoDB must run as a replica set: a single server has no transactions")
        return StoreError(f"MongoDB refused: {code_name} ({error.code})")
    return StoreError(f"MongoDB failed: {name}")
