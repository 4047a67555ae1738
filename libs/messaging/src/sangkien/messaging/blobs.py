"""Blobs in the NATS Object Store, each named by the SHA-256 of what it contains (DESIGN §5)."""

import hashlib
from collections.abc import Callable

import nats.errors
from nats.js import JetStreamContext
from nats.js.errors import BucketNotFoundError, ObjectDeletedError, ObjectNotFoundError
from nats.js.object_store import ObjectStore

_BUCKET = "blobs"


class BlobsUnavailable(ConnectionError):
    """The object store did not answer; the same call may succeed later."""


class BlobDamaged(ValueError):
    """What is kept under a name is not what the name says. The text is the name."""


class ObjectBlobs:
    """A blob store over the node's broker. It is a cache of what can be rendered again, not the record of anything:
    a broker that lost its disk costs a rendering.
    """

    def __init__(self, jetstream: Callable[[], JetStreamContext]) -> None:
        self._jetstream = jetstream

    async def put(self, blob: bytes) -> str:
        """Keep a blob and return its name, lower-case hex; keeping it twice is harmless. Raises BlobsUnavailable."""
        name = hashlib.sha256(blob).hexdigest()
        try:
            bucket = await self._bucket()
            try:
                await bucket.get_info(name)
            except (ObjectNotFoundError, ObjectDeletedError):
                await bucket.put(name, blob)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise BlobsUnavailable(type(error).__name__) from error
        return name

    async def get(self, sha256: str) -> bytes | None:
        """The blob of that name, None when there is none. Raises BlobsUnavailable and BlobDamaged."""
        try:
            bucket = await self._bucket()
            found = await bucket.get(sha256)
        except (ObjectNotFoundError, ObjectDeletedError):
            return None
        except (nats.errors.Error, TimeoutError, OSError) as error:
            raise BlobsUnavailable(type(error).__name__) from error
        blob = found.data or b""
        if hashlib.sha256(blob).hexdigest() != sha256:
            raise BlobDamaged(sha256)
        return blob

    async def _bucket(self) -> ObjectStore:
        js = self._jetstream()
        try:
            return await js.object_store(_BUCKET)
        except BucketNotFoundError:
            return await js.create_object_store(_BUCKET)
