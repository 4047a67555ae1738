"""The port `Desk` over gRPC: dossiers of other nodes, filed with the node's own intake by its own rules."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final, TypeVar

import grpc

from sangkien.api.intake.v1 import intake_pb2 as pb
from sangkien.api.intake.v1.intake_pb2_grpc import IntakeServiceStub
from sangkien.contracts.crossing import DossierFiled, FiledAuthor
from sangkien.exchange.application.ports import NotYet
from sangkien.exchange.domain.foreign import NotTaken, Standing
from sangkien.rpc import RemoteFault, RemoteRefusal, RemoteUnavailable

TIERS: Final = {
    "grassroots": pb.TIER_GRASSROOTS,
    "district": pb.TIER_DISTRICT,
    "city": pb.TIER_CITY,
    "national": pb.TIER_NATIONAL,
}
_PASSING: Final = frozenset({"round_unknown_yet", "directory_unreachable", "changed_meanwhile"})
"""Refusals that another moment answers otherwise: exchange asks only for rounds that it heard of itself."""

T = TypeVar("T")


class IntakeDesk:
    """Files under the key `fed:<sender>:<dossier>:<version>`, so that what is taken twice is filed once."""

    def __init__(self, channel: Callable[[], grpc.aio.Channel]) -> None:
        self._channel = channel

    async def file(self, sender: str, filed: DossierFiled) -> Standing:
        request = pb.FileDossierRequest(
            idempotency_key=f"fed:{sender}:{filed.dossier_id}:{filed.version}",
            dossier=_draft(filed, filed.filed_on),
        )
        answer = await _asked(self._stub.FileDossier(request))
        return await self._standing(answer.dossier_id)

    async def supplement(self, local_id: str, revision: int, filed: DossierFiled, on: date) -> Standing:
        request = pb.SupplementDossierRequest(dossier_id=local_id, expected_version=revision, dossier=_draft(filed, on))
        await _asked(self._stub.SupplementDossier(request))
        return await self._standing(local_id)

    async def withdraw(self, local_id: str, on: date) -> None:
        request = pb.WithdrawDossierRequest(dossier_id=local_id, withdrawn_on=on.isoformat())
        await _asked(self._stub.WithdrawDossier(request))

    async def _standing(self, dossier_id: str) -> Standing:
        found = (await _asked(self._stub.GetDossier(pb.GetDossierRequest(dossier_id=dossier_id)))).dossier
        return Standing(
            dossier_id=found.dossier_id,
            code=found.code,
            revision=found.version,
            state=found.state,
            answer_due=date.fromisoformat(found.answer_due),
            authors=tuple(author.person_id for author in found.content.authors),
            shortcomings=tuple(found.shortcomings),
            supplement_due=date.fromisoformat(found.supplement_due) if found.supplement_due else None,
            refusal_reason=found.refusal_reason,
        )

    @property
    def _stub(self) -> "IntakeServiceStub":
        return IntakeServiceStub(self._channel())


async def _asked(call: Awaitable[T]) -> T:
    try:
        return await call
    except (RemoteUnavailable, RemoteFault):
        raise NotYet("intake_unavailable") from None
    except RemoteRefusal as refusal:
        if refusal.kind == "unauthenticated" or refusal.code in _PASSING:
            raise NotYet(refusal.code) from None
        raise NotTaken(refusal.code) from None


def _draft(filed: DossierFiled, filed_on: date) -> pb.Draft:
    return pb.Draft(
        round_id=filed.round_id,
        tier=TIERS[filed.tier],
        initiative_id=filed.initiative_id,
        title=filed.title,
        field=filed.field,
        unit_name=filed.unit_name,
        authors=[_author(author) for author in filed.authors],
        first_applied_on=filed.first_applied_on.isoformat() if filed.first_applied_on else "",
        filed_on=filed_on.isoformat(),
        summary=filed.summary,
        benefit=filed.benefit,
        benefit_vnd=filed.benefit_vnd,
        confidential=filed.confidential,
        head_author=filed.head_author,
        state_funded=filed.state_funded,
        files=[pb.EvidenceFile(sha256=file.sha256, size=file.size, name=file.name) for file in filed.files],
    )


def _author(author: FiledAuthor) -> pb.Author:
    return pb.Author(
        full_name=author.full_name,
        birth_date=author.birth_date.isoformat() if author.birth_date else "",
        unit_name=author.unit_name,
        job_title=author.job_title,
        staff_code=author.staff_code,
        share=author.share,
    )
