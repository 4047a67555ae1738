"""RecognitionService over gRPC: decode, ask the use case, answer."""

from dataclasses import asdict, dataclass

from sangkien.api.recognition.v1 import recognition_pb2 as api
from sangkien.api.recognition.v1.recognition_pb2_grpc import RecognitionServiceServicer
from sangkien.recognition.application.asking import parse_day
from sangkien.recognition.application.draft_decision import Draft, DraftDecision
from sangkien.recognition.application.issue_decision import IssueDecision, Signing
from sangkien.recognition.application.open_register import Opening, OpenRegister
from sangkien.recognition.application.ports import Caller
from sangkien.recognition.application.queries import CertificateFilter, InitiativeFilter, Queries
from sangkien.recognition.application.serve_documents import ServeDocuments
from sangkien.recognition.application.submit_decision import SubmitDecision
from sangkien.recognition.application.verify_certificate import VerifyCertificate
from sangkien.recognition.domain.decision import Decision
from sangkien.recognition.domain.record import RecordEntry
from sangkien.recognition.domain.register import Certificate, Entry
from sangkien.recognition.domain.signature import Authority
from sangkien.rpc import AUTHENTICATED, PUBLIC, Policy, page_size, principal
from sangkien.text import nfc

_SERVICE = "/sangkien.api.recognition.v1.RecognitionService/"

POLICY = Policy(
    {
        _SERVICE + "OpenRegister": {"secretary"},
        _SERVICE + "DraftDecision": {"secretary"},
        _SERVICE + "SubmitDecision": {"secretary"},
        _SERVICE + "IssueDecision": {"leader"},
        _SERVICE + "GetDecision": {"secretary", "leader", "operator", "service"},
        _SERVICE + "GetDecisionDocument": AUTHENTICATED,
        _SERVICE + "ListCandidates": {"secretary", "leader", "operator"},
        _SERVICE + "ListInitiatives": PUBLIC,
        _SERVICE + "ListCertificates": AUTHENTICATED,  # one's own, or any for staff: the use case decides
        _SERVICE + "GetCertificateDocument": AUTHENTICATED,  # the same
        _SERVICE + "GetRecord": AUTHENTICATED,  # the same
        _SERVICE + "VerifyCertificate": PUBLIC,
    }
)


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the service can do."""

    open_register: OpenRegister
    draft: DraftDecision
    submit: SubmitDecision
    issue: IssueDecision
    queries: Queries
    documents: ServeDocuments
    verify: VerifyCertificate


class RecognitionServicer(RecognitionServiceServicer):
    """The servicer."""

    def __init__(self, use_cases: UseCases) -> None:
        self._do = use_cases

    async def OpenRegister(self, request: api.OpenRegisterRequest, context: object) -> api.OpenRegisterResponse:
        command = Opening(request.issuer_id, nfc(request.suffix), request.year, request.last_number)
        return api.OpenRegisterResponse(register_id=await self._do.open_register(command, _person()))

    async def DraftDecision(self, request: api.DraftDecisionRequest, context: object) -> api.DraftDecisionResponse:
        command = Draft(
            request.idempotency_key,
            request.issuer_id,
            nfc(request.suffix),
            request.round_id,
            tuple(request.dossier_ids),
            tuple([nfc(line) for line in request.grounds]),
        )
        drafted = await self._do.draft(command, _person())
        return api.DraftDecisionResponse(
            decision_id=drafted.decision_id, recognised=drafted.recognised, refused=drafted.refused
        )

    async def SubmitDecision(self, request: api.SubmitDecisionRequest, context: object) -> api.SubmitDecisionResponse:
        await self._do.submit(request.decision_id, _person())
        return api.SubmitDecisionResponse()

    async def IssueDecision(self, request: api.IssueDecisionRequest, context: object) -> api.IssueDecisionResponse:
        authority = Authority(
            request.signing_mode.strip().upper(), nfc(request.signer_title), nfc(request.on_behalf_of)
        )
        command = Signing(request.decision_id, parse_day(request.issued_on, "issued_on"), authority)
        issued = await self._do.issue(command, _person())
        return api.IssueDecisionResponse(
            number=issued.number, symbol=issued.symbol, certificates=issued.certificates, already=issued.already
        )

    async def GetDecision(self, request: api.GetDecisionRequest, context: object) -> api.GetDecisionResponse:
        return api.GetDecisionResponse(decision=_decision(await self._do.queries.decision(request.decision_id)))

    async def GetDecisionDocument(
        self, request: api.GetDecisionDocumentRequest, context: object
    ) -> api.GetDecisionDocumentResponse:
        document = await self._do.documents.decision(request.decision_id)
        return api.GetDecisionDocumentResponse(pdf=document.pdf, sha256=document.sha256)

    async def ListCandidates(self, request: api.ListCandidatesRequest, context: object) -> api.ListCandidatesResponse:
        page = await self._do.queries.candidates(request.round_id, page_size(request.page_size), request.page_token)
        return api.ListCandidatesResponse(
            candidates=[
                api.Candidate(
                    dossier_id=one.dossier_id,
                    title=one.vote.title,
                    outcome="passed" if one.vote.passed else "failed",
                )
                for one in page.items
            ],
            next_page_token=page.next,
        )

    async def ListInitiatives(
        self, request: api.ListInitiativesRequest, context: object
    ) -> api.ListInitiativesResponse:
        wanted = InitiativeFilter(request.tier, request.unit_id, request.round_id, request.year)
        page, total = await self._do.queries.initiatives(wanted, page_size(request.page_size), request.page_token)
        return api.ListInitiativesResponse(
            initiatives=[_initiative(one) for one in page.items], next_page_token=page.next, total=total
        )

    async def ListCertificates(
        self, request: api.ListCertificatesRequest, context: object
    ) -> api.ListCertificatesResponse:
        wanted = CertificateFilter(request.decision_id, request.initiative_id, request.person_id)
        page, total = await self._do.queries.certificates(
            wanted, _caller(), page_size(request.page_size), request.page_token
        )
        return api.ListCertificatesResponse(
            certificates=[_certificate(one) for one in page.items], next_page_token=page.next, total=total
        )

    async def GetCertificateDocument(
        self, request: api.GetCertificateDocumentRequest, context: object
    ) -> api.GetCertificateDocumentResponse:
        document = await self._do.documents.certificate(request.certificate_id, _caller())
        return api.GetCertificateDocumentResponse(pdf=document.pdf, sha256=document.sha256)

    async def GetRecord(self, request: api.GetRecordRequest, context: object) -> api.GetRecordResponse:
        entries = await self._do.queries.record(request.person_id, _caller())
        return api.GetRecordResponse(entries=map(_entry, entries))

    async def VerifyCertificate(
        self, request: api.VerifyCertificateRequest, context: object
    ) -> api.VerifyCertificateResponse:
        return api.VerifyCertificateResponse(**asdict(await self._do.verify(request.check_code)))


def _caller() -> Caller:
    caller = principal()
    return Caller(caller.subject, caller.roles, caller.organisation)


def _person() -> Caller:
    """A legal act has a person behind it."""
    caller = principal()
    return Caller(caller.person_id, caller.roles, caller.organisation)


def _decision(decision: Decision) -> api.Decision:
    issue = decision.issue
    return api.Decision(
        decision_id=decision.decision_id,
        state=decision.state.value,
        number=issue.numbered.number if issue else 0,
        symbol=issue.numbered.symbol if issue else "",
        issued_on=issue.issued_on.isoformat() if issue else "",
        round_id=decision.round_id,
        tier=decision.tier,
        recognised=decision.recognised,
        refused=decision.refused,
        certificates=decision.certificates,
    )


def _initiative(entry: Entry) -> api.Initiative:
    """A line of the register as the public sees it: names as printed, no person ids."""
    return api.Initiative(
        initiative_id=entry.initiative_id,
        tier=entry.tier,
        title=entry.title,
        unit_id=entry.unit_id,
        unit_name=entry.unit_name,
        decision_symbol=entry.decision_symbol,
        recognised_on=entry.recognised_on.isoformat(),
        dossier_id=entry.dossier_id,
        author_names=entry.author_names,
    )


def _entry(entry: RecordEntry) -> api.RecordEntry:
    line = entry.line
    return api.RecordEntry(
        initiative_id=line.initiative_id,
        tier=line.tier,
        title=line.title,
        share=line.share,
        decision_symbol=line.decision_symbol,
        issued_on=line.issued_on.isoformat(),
        certificate_number=line.certificate_number,
        revoked_on=line.revoked_on.isoformat() if line.revoked_on else "",
        asserted_by=entry.asserted_by,
    )


def _certificate(certificate: Certificate) -> api.Certificate:
    return api.Certificate(
        certificate_id=certificate.certificate_id,
        number=certificate.number,
        initiative_id=certificate.initiative_id,
        person_id=certificate.person_id,
        check_code=certificate.sealed.check_code,
        data_sha256=certificate.sealed.sha256,
        issued_on=certificate.issued_on.isoformat(),
    )
