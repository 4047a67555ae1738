"""Fetches evidence files of a dossier, and believes none whose hash is not its name."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.console.importing.uploading import fingerprint
from sangkien.kernel.evidence_files import is_sound_name
from sangkien.rpc import retrying
from sangkien.text import nfc

_CALL_AGAIN_SECONDS = 120.0
_STREAM_SECONDS = 600.0


class EvidenceDamaged(Exception):
    """What came is not what the dossier names. Nothing was saved. The text is the file's name."""


def chosen(files: Sequence[pb.EvidenceFile], which: str) -> list[pb.EvidenceFile]:
    """The files that `which` means: all for "", one by its name in any case, or by eight or more digits of its hash."""
    if not which:
        return list(files)
    name = nfc(which).casefold()
    named = [file for file in files if file.name.casefold() == name]
    return named or [file for file in files if len(name) >= 8 and file.sha256.startswith(name)]


async def fetch(stub: IntakeServiceStub, dossier_id: str, file: pb.EvidenceFile, folder: Path) -> tuple[Path, bool]:
    """Save the file in the folder and return its path, and whether it was there already.

    Nothing is overwritten: beside another file of that name it gets a part of its hash into its own. A stream that
    breaks off goes on where it stopped. Raises EvidenceDamaged, RemoteError, OSError.
    """
    path = await _place(folder, file)
    if path.exists():
        return path, True
    partial = path.with_name(f"{path.name}.part")
    with partial.open("wb") as target:

        async def receive() -> None:
            request = pb.ReadFileRequest(dossier_id=dossier_id, sha256=file.sha256, offset=target.tell())
            async for answer in stub.ReadFile(request, timeout=_STREAM_SECONDS):
                await asyncio.to_thread(target.write, answer.data)

        await retrying(receive, deadline=_CALL_AGAIN_SECONDS, longest_delay=1.0)
    if await fingerprint(partial) != (file.sha256, file.size):
        partial.unlink()
        raise EvidenceDamaged(file.name)
    partial.replace(path)
    return path, False


async def _place(folder: Path, file: pb.EvidenceFile) -> Path:
    """Where to save it: a name that is free, or holds this very content."""
    name = file.name if is_sound_name(file.name) else hashlib.sha256(file.name.encode()).hexdigest()
    path = folder / name
    for place in (path, path.with_stem(f"{path.stem} ({file.sha256[:8]})")):
        if not place.exists() or await fingerprint(place) == (file.sha256, file.size):
            return place
    return path.with_stem(file.sha256)
