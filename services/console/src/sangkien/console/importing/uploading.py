"""Sends a file to intake in parts, going on where an earlier attempt stopped."""

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.rpc import RemoteRefusal, retrying

PART_BYTES: Final = 512 * 1024
_CALL_AGAIN_SECONDS: Final = 120.0
_TURNS: Final = 3
"""How often a file is sent from its beginning: somebody else may have sent wrong parts under the same name."""

Sent = Callable[[int], None]
"""Told how many bytes went over the wire with one more part."""


async def fingerprint(path: Path) -> tuple[str, int]:
    """SHA-256 in hex and size of a file. Raises OSError."""

    def read() -> tuple[str, int]:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256")
            return digest.hexdigest(), file.tell()

    return await asyncio.to_thread(read)


async def upload(stub: IntakeServiceStub, path: Path, sha256: str, size: int, sent: Sent = lambda _: None) -> None:
    """Return once the file is whole and durable at intake; what is there already is not sent again.

    Raises RemoteRefusal (`file_hash_differs` for a file that changed meanwhile), RemoteUnavailable after two minutes
    without an answer, OSError.
    """
    with path.open("rb") as file:
        for turn in range(1, _TURNS + 1):
            try:
                await _send(stub, file, sha256, size, sent)
                break
            except RemoteRefusal as refusal:
                if refusal.code != "file_hash_differs" or turn == _TURNS:
                    raise


async def _send(stub: IntakeServiceStub, file: BinaryIO, sha256: str, size: int, sent: Sent) -> None:
    at: Any = await _patiently(stub.GetFile, pb.GetFileRequest(sha256=sha256))
    while not at.complete:
        data = await asyncio.to_thread(_part, file, at.received, size)
        if not data and at.received < size:
            data = bytes(min(PART_BYTES, size - at.received))  # cut short meanwhile: the hash will tell
        request = pb.PutFilePartRequest(sha256=sha256, size=size, offset=at.received, data=data)
        at = await _patiently(stub.PutFilePart, request)
        sent(len(data))


async def _patiently(method: Callable[[Any], Any], request: Any) -> Any:
    async def call() -> Any:
        return await method(request)

    return await retrying(call, deadline=_CALL_AGAIN_SECONDS, longest_delay=1.0)


def _part(file: BinaryIO, offset: int, size: int) -> bytes:
    file.seek(offset)
    return file.read(min(PART_BYTES, size - offset))
