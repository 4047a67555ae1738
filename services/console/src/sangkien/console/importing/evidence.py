"""Evidence that a list names: found in a folder, sent by content, once for however many rows name it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.console.importing.problems import RowError, row_error
from sangkien.console.importing.rows import ImportRow
from sangkien.console.importing.uploading import fingerprint, upload
from sangkien.kernel.evidence_files import EXTENSIONS, MOST_NAME, is_sound_name, is_taken_kind
from sangkien.rpc import RemoteRefusal
from sangkien.text import nfc

BytesDone = Callable[[int, int], None]
"""Told how many bytes of evidence are at intake, of how many."""


@dataclass(slots=True)
class Attached:
    """The evidence of rows, by row; `rejected` rows have some that cannot be attached. `sent` counts bytes sent now."""

    files: dict[int, list[pb.EvidenceFile]] = field(default_factory=dict)
    rejected: list[RowError] = field(default_factory=list)
    sent: int = 0

    def as_json(self) -> dict[str, int]:
        """`{"files", "bytes", "sent"}`: different files of rows that were handed in, their bytes, bytes sent now."""
        different = {file.sha256: file.size for files in self.files.values() for file in files}
        return {"files": len(different), "bytes": sum(different.values()), "sent": self.sent}


class EvidenceFolder:
    """The files below a folder, by the names that a list may give them: relative paths, whatever case and slashes.

    Names are compared in normal form, because some systems store decomposed ones. Raises OSError for no folder.
    """

    def __init__(self, folder: Path) -> None:
        self._exact: dict[str, Path] = {}
        self._folded: dict[str, Path] = {}
        for at, _, names in os.walk(folder, onerror=_refuse):
            for name in sorted(names):
                path = Path(at) / name
                written = nfc(path.relative_to(folder).as_posix())
                self._exact[written] = path
                self._folded.setdefault(written.casefold(), path)

    def find(self, name: str) -> Path | None:
        """The file of that name; None also for names that lead out of the folder."""
        written = nfc(name).replace("\\", "/").removeprefix("./")
        return self._exact.get(written) or self._folded.get(written.casefold())


async def attach(
    channel: grpc.aio.Channel, rows: Sequence[ImportRow], folder: EvidenceFolder, told: BytesDone | None = None
) -> Attached:
    """Send what the rows name to intake, each content once, and say what belongs to which row.

    A file that is missing or refused rejects the rows that name it, and no other. Raises RemoteUnavailable, and
    RemoteRefusal where it is the caller who is refused.
    """
    attached = Attached()
    known: dict[Path, pb.EvidenceFile] = {}
    for row in rows:
        if not row.evidence:
            continue
        try:
            attached.files[row.row] = [await _described(name, folder, known) for name in row.evidence]
        except _Unusable as unusable:
            attached.rejected.append(row_error(row.row, _column(row), unusable.code, **unusable.facts))
    paths = {file.sha256: path for path, file in known.items()}
    wanted = {file.sha256: file for files in attached.files.values() for file in files}
    refused: dict[str, RemoteRefusal] = {}
    meter = _Meter(sum(file.size for file in wanted.values()), told)
    for sha256, file in wanted.items():
        try:
            await upload(IntakeServiceStub(channel), paths[sha256], sha256, file.size, meter.sending)
        except RemoteRefusal as refusal:
            if not refusal.code.startswith(("evidence_", "file_", "storage_")):
                raise
            refused[sha256] = refusal
        meter.settled(file.size)
    attached.sent = meter.sent
    for row in rows:
        at_fault = [refused[file.sha256] for file in attached.files.get(row.row, ()) if file.sha256 in refused]
        if at_fault:
            attached.rejected.append(_refusal(row, at_fault[0]))
            del attached.files[row.row]
    return attached


class _Unusable(Exception):
    def __init__(self, code: str, **facts: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


async def _described(name: str, folder: EvidenceFolder, known: dict[Path, pb.EvidenceFile]) -> pb.EvidenceFile:
    path = folder.find(name)
    if path is None:
        raise _Unusable("evidence_not_found", name=name)
    if path in known:
        return known[path]
    called = nfc(path.name)
    if not is_sound_name(called):
        raise _Unusable("evidence_name_invalid", position=1, most=MOST_NAME)
    if not is_taken_kind(called):
        raise _Unusable("evidence_type_forbidden", position=1, extensions=", ".join(EXTENSIONS))
    try:
        sha256, size = await fingerprint(path)
    except OSError as error:
        raise _Unusable("evidence_unreadable", name=name, reason=error.strerror or type(error).__name__) from None
    if not size:
        raise _Unusable("evidence_empty", name=name)
    known[path] = pb.EvidenceFile(sha256=sha256, size=size, name=called)
    return known[path]


class _Meter:
    """Counts what goes over the wire, and tells how far it is, files that were there already included."""

    def __init__(self, total: int, told: BytesDone | None) -> None:
        self.sent = 0
        self._total = total
        self._told = told
        self._settled = 0
        self._of_this = 0

    def sending(self, count: int) -> None:
        self.sent += count
        self._of_this += count
        self._tell(min(self._settled + self._of_this, self._total))

    def settled(self, size: int) -> None:
        self._settled += size
        self._of_this = 0
        self._tell(self._settled)

    def _tell(self, done: int) -> None:
        if self._told is not None:
            self._told(done, self._total)


def _column(row: ImportRow) -> str:
    return row.columns.get("evidence", "")


def _refusal(row: ImportRow, said: RemoteRefusal) -> RowError:
    return RowError(row.row, _column(row), said.code, said.message_vi, said.fix_vi, said.message_en, said.fix_en)


def _refuse(error: OSError) -> None:
    raise error
