"""Files imported rows through intake's stream: every row is answered, and nothing is filed twice."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import grpc

from sangkien.api.errors.v1 import errors_pb2
from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.console.importing.evidence import Attached, BytesDone, EvidenceFolder, attach
from sangkien.console.importing.problems import RowError, row_error
from sangkien.console.importing.rows import ImportRow, read_rows
from sangkien.console.importing.tables import read_table
from sangkien.rpc import retrying

Progress = Callable[[int, int], None]
"""Told how many rows are answered, of how many."""
Files = Mapping[int, Sequence[pb.EvidenceFile]]

_ROWS_A_STREAM: Final = 5_000
_STREAM_SECONDS: Final = 120.0
_CALL_AGAIN_SECONDS: Final = 120.0
_TURNS: Final = 8
_LONGEST_PAUSE: Final = 3.0
_FILE_AGAIN: Final = frozenset({"directory_unreachable", "round_unknown_yet", "changed_meanwhile", "unavailable"})


@dataclass(slots=True)
class ImportReport:
    """What became of every row. `already` counts rows that were filed before, a lost answer to this very run included.

    `warnings` do not stop a row. Lists are in the order of the rows.
    """

    filed: int = 0
    already: int = 0
    rejected: list[RowError] = field(default_factory=list)
    warnings: list[RowError] = field(default_factory=list)
    evidence: Attached | None = None

    def as_json(self) -> dict[str, Any]:
        """`{"filed", "already", "rejected": [{"row", "column", "code", "message", "fix", …}], "warnings": […]}`.

        `"evidence"` is there when a folder of it was given: see `Attached.as_json`.
        """
        return {
            "filed": self.filed,
            "already": self.already,
            "rejected": [error.as_json() for error in self.rejected],
            "warnings": [error.as_json() for error in self.warnings],
            **({"evidence": self.evidence.as_json()} if self.evidence is not None else {}),
        }


async def import_file(
    channel: grpc.aio.Channel,
    path: Path,
    *,
    round_id: str = "",
    default_unit: str = "",
    evidence: Path | None = None,
    progress: Progress | None = None,
    uploaded: BytesDone | None = None,
) -> ImportReport:
    """Read a spreadsheet and file its good rows; `default_unit` names the unit where the file names none.

    `evidence` is the folder of the files that the rows name: they are sent first, and a row whose files cannot be is
    rejected. Raises TableUnreadable, RemoteError, OSError. Importing the same file again files nothing twice.
    """
    rows, rejected, remarks = await asyncio.to_thread(_read, path, default_unit)
    attached: Attached | None = None
    if evidence is not None:
        attached = await attach(channel, rows, await asyncio.to_thread(EvidenceFolder, evidence), uploaded)
        rejected += attached.rejected
        without = {error.row for error in attached.rejected}
        rows = [row for row in rows if row.row not in without]
    elif naming := [row for row in rows if row.evidence]:
        remarks.append(row_error(0, naming[0].columns["evidence"], "evidence_unread", rows=len(naming)))
    files = attached.files if attached is not None else {}
    report = await file_rows(channel, rows, round_id=round_id, files=files, progress=progress)
    report.evidence = attached
    report.warnings = [*remarks, *report.warnings]
    report.rejected = sorted([*rejected, *report.rejected], key=lambda error: error.row)
    return report


def _read(path: Path, default_unit: str) -> tuple[list[ImportRow], list[RowError], list[RowError]]:
    table = read_table(path)
    remarks = [row_error(0, "", "sheets_unread", sheets="; ".join(table.unread))] if table.unread else []
    rows, rejected = read_rows(table, default_unit=default_unit)
    if not rows and not rejected:
        remarks.append(row_error(0, "", "table_empty"))  # a header, and nothing below it
    return rows, rejected, remarks


async def file_rows(
    channel: grpc.aio.Channel,
    rows: Sequence[ImportRow],
    *,
    round_id: str = "",
    files: Files = MappingProxyType({}),
    progress: Progress | None = None,
) -> ImportReport:
    """File rows for a round ("": the one that is open on their day of filing), with their `files`, by row.

    A stream that breaks off, and rows that may be filed a moment later, are sent again with the same keys. Raises
    RemoteUnavailable when intake stays away for two minutes, and RemoteRefusal when it refuses the call as a whole.
    """
    requests = [
        pb.FileDossiersRequest(
            row=row.row, idempotency_key=row.key(round_id), dossier=_draft(row, round_id, files.get(row.row, ()))
        )
        for row in rows
    ]
    report = await _file(channel, requests, [row.columns for row in rows], progress)
    report.warnings += [warning for row in rows for warning in row.warnings]
    report.warnings.sort(key=lambda warning: warning.row)
    return report


async def file_drafts(
    channel: grpc.aio.Channel, drafts: Sequence[tuple[str, pb.Draft]], *, progress: Progress | None = None
) -> ImportReport:
    """File drafts under keys of the caller's choice. A row is a draft's place, from 1; else it is `file_rows`."""
    requests = [
        pb.FileDossiersRequest(row=place, idempotency_key=key, dossier=draft)
        for place, (key, draft) in enumerate(drafts, start=1)
    ]
    return await _file(channel, requests, [{}] * len(requests), progress)


async def _file(
    channel: grpc.aio.Channel,
    requests: Sequence[pb.FileDossiersRequest],
    columns: Sequence[Any],
    progress: Progress | None,
) -> ImportReport:
    answers: dict[int, pb.FileDossiersResponse] = {}
    stub = IntakeServiceStub(channel)
    pause = 0.1
    for turn in range(_TURNS):
        waiting = [place for place in range(len(requests)) if _unsettled(answers.get(place))]
        if not waiting:
            break
        if turn:
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        for start in range(0, len(waiting), _ROWS_A_STREAM):
            stream = _Stream(stub, requests, waiting[start : start + _ROWS_A_STREAM], answers, progress)
            await retrying(stream, deadline=_CALL_AGAIN_SECONDS, longest_delay=1.0)
    return _report(requests, columns, answers)


class _Stream:
    """One call, which may be made again: it sends what has no answer yet."""

    def __init__(
        self,
        stub: IntakeServiceStub,
        requests: Sequence[pb.FileDossiersRequest],
        places: Sequence[int],
        answers: dict[int, pb.FileDossiersResponse],
        progress: Progress | None,
    ) -> None:
        self._stub = stub
        self._requests = requests
        self._left = list(places)
        self._answers = answers
        self._progress = progress

    async def __call__(self) -> None:
        sent = iter(list(self._left))
        async for answer in self._stub.FileDossiers(self._sent(), timeout=_STREAM_SECONDS):
            place = next(sent)  # answers come in the order of the rows
            self._left.remove(place)
            self._answers[place] = answer
            if self._progress is not None:
                self._progress(len(self._answers), len(self._requests))

    def _sent(self) -> Iterator[pb.FileDossiersRequest]:
        for place in list(self._left):
            yield self._requests[place]


def _unsettled(answer: pb.FileDossiersResponse | None) -> bool:
    return answer is None or (answer.HasField("error") and answer.error.code in _FILE_AGAIN)


def _report(
    requests: Sequence[pb.FileDossiersRequest], columns: Sequence[Any], answers: dict[int, pb.FileDossiersResponse]
) -> ImportReport:
    report = ImportReport()
    for place, request in enumerate(requests):
        answer = answers[place]
        if answer.HasField("error"):
            report.rejected.append(_told(request.row, answer.error, columns[place]))
            continue
        report.already += answer.filed.already
        report.filed += not answer.filed.already
        report.warnings += [_told(request.row, warning, columns[place]) for warning in answer.filed.warnings]
    return report


_FIELDS: Final = {"unit_name": "unit", "authors": "authors", "full_name": "authors"}
_REASONS: Final = {"email_malformed": "email", "birth_date_wrong": "birth_date", "staff_code_too_long": "staff_code"}
"""What the directory refuses of a person, and the column it is in."""


def _told(row: int, error: errors_pb2.ItemError, columns: dict[str, str]) -> RowError:
    """The service's refusal, at the column the file has for it."""
    if error.code == "key_reused" and columns:  # a row's key is all that it says, but for its evidence
        return row_error(row, columns.get("evidence", ""), "evidence_differs", **error.facts)
    last = error.field.split(".")[-1].partition("[")[0]
    at_fault = _REASONS.get(error.facts.get("reason", ""), "") if error.code == "person_refused" else ""
    if error.field.startswith("dossier.files"):
        at_fault = "evidence"
    column = columns.get(at_fault) or columns.get(last) or columns.get(_FIELDS.get(last, ""), "")
    return RowError(row, column, error.code, error.message_vi, error.fix_vi, error.message_en, error.fix_en)


def _draft(row: ImportRow, round_id: str, files: Sequence[pb.EvidenceFile]) -> pb.Draft:
    return pb.Draft(
        round_id=round_id,
        title=row.title,
        field=row.field,
        unit_name=row.unit,
        first_applied_on=row.first_applied_on.isoformat() if row.first_applied_on else "",
        filed_on=row.filed_on.isoformat() if row.filed_on else "",
        summary=row.summary,
        benefit=row.benefit,
        benefit_vnd=row.benefit_vnd,
        files=files,
        authors=[
            pb.Author(
                full_name=author.full_name,
                birth_date=author.birth_date.isoformat() if author.birth_date else "",
                unit_name=author.unit if author.unit != row.unit else "",
                job_title=author.job_title,
                email=author.email,
                share=author.share,
                staff_code=author.staff_code,
            )
            for author in row.authors
        ],
    )
