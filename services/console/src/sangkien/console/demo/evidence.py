"""Evidence of the demo's dossiers: small pictures of a measure before and after, drawn from the seed, and read back."""

import hashlib
import random
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.console.demo.actors import DemoFailed
from sangkien.console.demo.cast import DossierDraft
from sangkien.console.patience import patiently
from sangkien.rpc import retrying

DOSSIERS_A_ROUND: Final = 3
_WIDTH, _HEIGHT, _BARS = 240, 160, 8
_PAPER, _BEFORE, _AFTER = b"\xfa\xf7\xf0", b"\xa8\x32\x32", b"\x2e\x7d\x4f"


def write_evidence(folder: Path, drafts: Sequence[DossierDraft], seed: str) -> dict[DossierDraft, list[str]]:
    """Write the pictures and return their names by dossier: the last few of the unit that files last."""
    folder.mkdir(parents=True, exist_ok=True)
    last = max((draft.unit for draft in drafts), default="")
    chosen = [draft for draft in drafts if draft.unit == last][-DOSSIERS_A_ROUND:]
    named: dict[DossierDraft, list[str]] = {}
    for number, draft in enumerate(chosen, start=1):
        draw = random.Random(f"{seed}:{number}")  # noqa: S311 (a story, not a secret)
        heights = [draw.randrange(20, 120) for _ in range(_BARS)]
        pictures = {
            f"Ảnh trước {number}.png": _picture(heights, _BEFORE),
            f"Ảnh sau {number}.png": _picture([height // 3 for height in heights], _AFTER),
        }
        for name, picture in pictures.items():
            (folder / name).write_bytes(picture)
        named[draft] = list(pictures)
    return named


async def read_back(stub: IntakeServiceStub, round_id: str, expected: int) -> tuple[int, int]:
    """Files and bytes of a round's dossiers as intake gives them out again. Raises DemoFailed when one is not whole.

    Evidence came with the unit that filed last, so that the newest dossiers have it.
    """
    request = pb.ListDossiersRequest(round_id=round_id, page_size=100)
    dossiers = (await patiently(stub.ListDossiers, request)).dossiers
    files = [(dossier.dossier_id, file) for dossier in dossiers for file in dossier.content.files]
    for dossier_id, file in files:
        wanted = pb.ReadFileRequest(dossier_id=dossier_id, sha256=file.sha256)

        async def read(wanted: pb.ReadFileRequest = wanted) -> bytes:
            return b"".join([answer.data async for answer in stub.ReadFile(wanted)])

        if hashlib.sha256(await retrying(read, deadline=60.0)).hexdigest() != file.sha256:
            raise DemoFailed(f"minh chứng của hồ sơ {dossier_id} không đúng mã · evidence does not match its hash")
    if len(files) != expected:
        raise DemoFailed(f"minh chứng: {len(files)}/{expected} tệp · {len(files)} evidence files of {expected}")
    return len(files), sum(file.size for _, file in files)


def _picture(heights: Sequence[int], colour: bytes) -> bytes:
    """Bars as a PNG of 8-bit RGB (ISO/IEC 15948)."""
    wide = _WIDTH // len(heights)
    rows = [
        b"\x00" + b"".join([(colour if _HEIGHT - y <= height else _PAPER) * wide for height in heights])
        for y in range(_HEIGHT)
    ]
    header = struct.pack(">IIBBBBB", wide * len(heights), _HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    packed = [struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)
