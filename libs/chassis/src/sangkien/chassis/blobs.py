"""Files too large for a document, named by what they contain."""

from typing import Protocol


class BlobStore(Protocol):
    """Immutable blobs by SHA-256, in lower-case hex."""

    async def put(self, blob: bytes) -> str:
        """Keep a blob and return its name; keeping it twice is harmless. Raises Unavailable."""
        ...

    async def get(self, sha256: str) -> bytes | None:
        """The blob of that name, None when there is none. Raises Unavailable, and ValueError when it was damaged."""
        ...
