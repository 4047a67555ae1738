"""IntakeService: decode, use case, answer."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import date
from functools import partial
from typing import Any, Final

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1 import intake_pb2_grpc
from sangkien.intake.application.change_dossier import ChangeDossier
from sangkien.intake.application.evidence import Evidence
from sangkien.intake.application.file_dossiers import FileDossiers, Filing, Outcome
from sangkien.intake.application.ports import Caller, Filed
from sangkien.intake.application.queries import Queries, ReceiptFacts, View, Wanted
from sangkien.intake.domain.draft import Draft
from sangkien.intake.entrypoints.bulk import chunks
from sangkien.intake.entrypoints.decoding import (
    TIERS,
    caller,
    filer,
    read_filing,
    read_supplement,
    read_withdrawal,
)
from sangkien.kernel import Refusal
from sangkien.rpc import Policy, item_error, page_size

_SERVICE: Final = "/sangkien.api.intake.v1.IntakeService"
_FILERS: Final = ("author", "union_officer", "secretary", "operator")
_READERS: Final = (*_FILERS, "leader", "service")
_JUDGES_TOO: Final = (*_READERS, "council_member")

POLICY: Final = Policy(
    {
        f"{_SERVICE}/FileDossier": (*_FILERS, "service"),
        f"{_SERVICE}/FileDossiers": ("union_officer", "secretary", "operator"),
        f"{_SERVICE}/SupplementDossier": ("author", "union_officer", "secretary", "service"),
        f"{_SERVICE}/WithdrawDossier": ("author", "union_officer", "secretary", "service"),
        f"{_SERVICE}/GetDossier": _JUDGES_TOO,
        f"{_SERVICE}/ListDossiers": _READERS,
        f"{_SERVICE}/GetReceipt": _READERS,
        f"{_SERVICE}/PutFilePart": (*_FILERS, "service"),
        f"{_SERVICE}/GetFile": (*_FILERS, "service"),
        f"{_SERVICE}/ReadFile": _JUDGES_TOO,
    }
)

_TIER_NUMBERS = {word: number for number, word in TIERS.items()}


class IntakeServicer(intake_pb2_grpc.IntakeServiceServicer):
    """Serves proto/sangkien/api/intake/v1. `today` is the date in Hanoi; `render` typesets a receipt."""

    def __init__(
        self,
        filing: FileDossiers,
        changing: ChangeDossier,
        queries: Queries,
        evidence: Evidence,
        today: Callable[[], date],
        render: Callable[[ReceiptFacts], Awaitable[bytes]],
    ) -> None:
        self._filing = filing
        self._changing = changing
        self._queries = queries
        self._evidence = evidence
        self._today = today
        self._render = render

    async def FileDossier(self, request: pb.FileDossierRequest, context: Any) -> pb.FileDossierResponse:
        read = partial(read_filing, request.idempotency_key, request.dossier)
        return _filed(await self._filing.one(read, filer()))

    async def FileDossiers(
        self, requests: AsyncIterable[pb.FileDossiersRequest], context: Any
    ) -> AsyncIterator[pb.FileDossiersResponse]:
        who = caller()
        async for chunk in chunks(requests):
            outcomes = await self._file(chunk, who)
            for row, outcome in zip(chunk, outcomes, strict=True):
                if isinstance(outcome, Filed):
                    yield pb.FileDossiersResponse(row=row.row, filed=_filed(outcome))
                else:
                    yield pb.FileDossiersResponse(row=row.row, error=item_error(outcome))

    async def _file(self, chunk: Sequence[pb.FileDossiersRequest], who: Caller) -> list[Outcome]:
        """One outcome a row. A row that cannot even be read answers like any other refused one."""
        today = self._today()
        outcomes: list[Outcome | None] = []
        readable: list[Filing] = []
        for row in chunk:
            try:
                readable.append(read_filing(row.idempotency_key, row.dossier, today))
                outcomes.append(None)
            except Refusal as refusal:
                outcomes.append(refusal)
        decided = iter(await self._filing.many(readable, who))
        return [next(decided) if outcome is None else outcome for outcome in outcomes]

    async def SupplementDossier(
        self, request: pb.SupplementDossierRequest, context: Any
    ) -> pb.SupplementDossierResponse:
        command = read_supplement(request, self._today())
        return pb.SupplementDossierResponse(version=await self._changing.supplement(command, filer()))

    async def WithdrawDossier(self, request: pb.WithdrawDossierRequest, context: Any) -> pb.WithdrawDossierResponse:
        await self._changing.withdraw(read_withdrawal(request, self._today()), filer())
        return pb.WithdrawDossierResponse()

    async def GetDossier(self, request: pb.GetDossierRequest, context: Any) -> pb.GetDossierResponse:
        return pb.GetDossierResponse(dossier=_dossier(await self._queries.get(request.dossier_id, caller())))

    async def ListDossiers(self, request: pb.ListDossiersRequest, context: Any) -> pb.ListDossiersResponse:
        wanted = Wanted(
            request.round_id, request.unit_id, request.state, page_size(request.page_size), request.page_token
        )
        views, following = await self._queries.list(wanted, caller())
        return pb.ListDossiersResponse(dossiers=[_dossier(view) for view in views], next_page_token=following)

    async def GetReceipt(self, request: pb.GetReceiptRequest, context: Any) -> pb.GetReceiptResponse:
        facts = await self._queries.receipt(request.dossier_id, caller())
        return pb.GetReceiptResponse(pdf=await self._render(facts))

    async def PutFilePart(self, request: pb.PutFilePartRequest, context: Any) -> pb.PutFilePartResponse:
        filer()
        now = await self._evidence.put(request.sha256, request.size, request.offset, request.data)
        return pb.PutFilePartResponse(received=now.received, complete=now.complete)

    async def GetFile(self, request: pb.GetFileRequest, context: Any) -> pb.GetFileResponse:
        filer()
        now = await self._evidence.progress(request.sha256)
        return pb.GetFileResponse(received=now.received, complete=now.complete)

    async def ReadFile(self, request: pb.ReadFileRequest, context: Any) -> AsyncIterator[pb.ReadFileResponse]:
        file = await self._queries.file(request.dossier_id, request.sha256, caller())
        async with aclosing(self._evidence.read(file, request.offset, request.length)) as pieces:
            async for piece in pieces:
                yield pb.ReadFileResponse(data=piece)


def _filed(filed: Filed) -> pb.FileDossierResponse:
    return pb.FileDossierResponse(
        dossier_id=filed.dossier_id,
        code=filed.code,
        answer_due=filed.answer_due.isoformat(),
        already=filed.already,
        warnings=[item_error(warning) for warning in filed.warnings],
    )


def _content(draft: Draft, held: Sequence[bool]) -> pb.Draft:
    return pb.Draft(
        round_id=draft.round_id,
        tier=_TIER_NUMBERS[draft.tier],
        initiative_id=draft.initiative_id,
        title=draft.title,
        field=draft.field,
        unit_id=draft.unit_id,
        unit_name=draft.unit_name,
        first_applied_on=draft.first_applied_on.isoformat() if draft.first_applied_on else "",
        filed_on=draft.filed_on.isoformat(),
        summary=draft.summary,
        benefit=draft.benefit,
        benefit_vnd=draft.benefit_vnd,
        confidential=draft.confidential,
        head_author=draft.head_author,
        state_funded=draft.state_funded,
        authors=[
            pb.Author(
                person_id=author.person_id,
                full_name=author.full_name,
                birth_date=author.birth_date.isoformat() if author.birth_date else "",
                unit_name=author.unit_name,
                job_title=author.job_title,
                email=author.email,
                share=author.share,
                staff_code=author.staff_code,
            )
            for author in draft.authors
        ],
        files=[
            pb.EvidenceFile(sha256=file.sha256, size=file.size, name=file.name, held=here)
            for file, here in zip(draft.files, held, strict=True)
        ],
    )


def _dossier(view: View) -> pb.Dossier:
    dossier = view.dossier
    return pb.Dossier(
        dossier_id=dossier.dossier_id,
        code=dossier.code,
        version=dossier.revision,
        state=dossier.state.value,
        content=_content(view.draft, view.held),
        answer_due=dossier.answer_due.isoformat(),
        trace_id=dossier.traceparent[3:35],
        shortcomings=dossier.shortcomings,
        supplement_due=dossier.supplement_due.isoformat() if dossier.supplement_due else "",
        refusal_reason=dossier.refusal_reason,
        competent_node=dossier.competent_node,
        remote_code=dossier.remote_code,
        outcome=dossier.outcome,
        decision_symbol=dossier.decision_symbol,
    )
