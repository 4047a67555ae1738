"""RewardService over gRPC: decode, ask the use case, answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sangkien.api.reward.v1 import reward_pb2 as api
from sangkien.api.reward.v1.reward_pb2_grpc import RewardServiceServicer
from sangkien.kernel import Refusal
from sangkien.reward.application.draft_decision import Draft, DraftDecision
from sangkien.reward.application.issue_decision import IssueDecision, Signature
from sangkien.reward.application.open_register import Opening, OpenRegister
from sangkien.reward.application.pricing import price
from sangkien.reward.application.print_decision import PrintDecision
from sangkien.reward.application.read_rewards import STAFF, EntitlementsAsked, ReadRewards
from sangkien.reward.application.record_payments import Paid, Payment, RecordPayments
from sangkien.reward.application.submit_decision import SubmitDecision
from sangkien.reward.domain.decision import RewardDecision
from sangkien.reward.domain.errors import DateMalformed, NotOfTheIssuer, RecipientMalformed
from sangkien.reward.domain.events import Holder
from sangkien.reward.domain.ledger import Entitlement, Kind
from sangkien.reward.domain.recipients import Recipient
from sangkien.rpc import AUTHENTICATED, Policy, item_error, page_size, principal
from sangkien.text import nfc
from sangkien.text.catalogue import message

_SERVICE: Final = "/sangkien.api.reward.v1.RewardService/"

POLICY: Final = Policy(
    {
        _SERVICE + "QuoteReward": AUTHENTICATED,
        _SERVICE + "OpenRegister": {"secretary"},
        _SERVICE + "DraftRewardDecision": {"secretary"},
        _SERVICE + "SubmitRewardDecision": {"secretary"},
        _SERVICE + "IssueRewardDecision": {"leader"},
        _SERVICE + "GetRewardDecision": STAFF,
        _SERVICE + "GetRewardDocument": STAFF,
        _SERVICE + "ListEntitlements": AUTHENTICATED,  # everybody's, or one's own: the use case decides
        _SERVICE + "RecordPayments": {"finance"},
        _SERVICE + "GetLedger": STAFF,
    }
)


_HOLDERS: Final[Mapping[int, Holder]] = {
    api.HOLDER_INDIVIDUAL: "individual",
    api.HOLDER_COLLECTIVE: "collective",
}
_WIRE_HOLDERS: Final[Mapping[Holder, api.Holder.ValueType]] = {
    "individual": api.HOLDER_INDIVIDUAL,
    "collective": api.HOLDER_COLLECTIVE,
}


@dataclass(frozen=True, slots=True)
class UseCases:
    """What the service can do."""

    open_register: OpenRegister
    draft_decision: DraftDecision
    submit_decision: SubmitDecision
    issue_decision: IssueDecision
    print_decision: PrintDecision
    record_payments: RecordPayments
    read: ReadRewards


class RewardServicer(RewardServiceServicer):
    """The servicer."""

    def __init__(self, use_cases: UseCases) -> None:
        self._do = use_cases

    async def QuoteReward(self, request: api.QuoteRewardRequest, context: object) -> api.QuoteRewardResponse:
        on = _day(request.on, "on")
        if on is None:
            raise DateMalformed(field="on")
        quoted = price(request.form, _holder(request.holder, 1), on)
        return api.QuoteRewardResponse(
            amount_vnd=quoted.amount_vnd,
            rule_set=quoted.rule_set,
            derivation=quoted.derivation,
            verified=not quoted.unverified,
            unverified=quoted.unverified,
            unverified_vi=[message(f"unverified.{part}", lang="vi") for part in quoted.unverified],
            unverified_en=[message(f"unverified.{part}", lang="en") for part in quoted.unverified],
        )

    async def OpenRegister(self, request: api.OpenRegisterRequest, context: object) -> api.OpenRegisterResponse:
        _acts_for(request.issuer_id)
        opening = Opening(request.issuer_id, nfc(request.suffix), request.year, request.last_number)
        return api.OpenRegisterResponse(register_id=await self._do.open_register(opening))

    async def DraftRewardDecision(
        self, request: api.DraftRewardDecisionRequest, context: object
    ) -> api.DraftRewardDecisionResponse:
        _acts_for(request.issuer_id)
        drafted = await self._do.draft_decision(
            Draft(
                idempotency_key=request.idempotency_key,
                issuer_id=request.issuer_id,
                suffix=nfc(request.suffix),
                form=request.form,
                recipients=tuple(
                    Recipient(_holder(each.holder, position), each.holder_id)
                    for position, each in enumerate(request.recipients, start=1)
                ),
                occasion=nfc(request.occasion).rstrip("."),
                planned_on=_day(request.planned_on, "planned_on"),
                drafted_by=principal().person_id,
            )
        )
        return api.DraftRewardDecisionResponse(
            decision_id=drafted.decision_id,
            warnings=[
                api.RecipientWarning(holder_id=each.holder_id, warning=item_error(each.warning))
                for each in drafted.warnings
            ],
            warnings_in_all=drafted.in_all,
        )

    async def SubmitRewardDecision(
        self, request: api.SubmitRewardDecisionRequest, context: object
    ) -> api.SubmitRewardDecisionResponse:
        _acts_for((await self._do.read.decision(request.decision_id)).issuer_id)
        await self._do.submit_decision(request.decision_id)
        return api.SubmitRewardDecisionResponse()

    async def IssueRewardDecision(
        self, request: api.IssueRewardDecisionRequest, context: object
    ) -> api.IssueRewardDecisionResponse:
        _acts_for((await self._do.read.decision(request.decision_id)).issuer_id)
        issued = await self._do.issue_decision(
            Signature(
                decision_id=request.decision_id,
                issued_on=_day(request.issued_on, "issued_on"),
                signer_id=principal().person_id,
                mode=request.signing_mode,
                title=nfc(request.signer_title),
                on_behalf_of=nfc(request.on_behalf_of),
            )
        )
        numbered = issued.decision.issued.numbered
        return api.IssueRewardDecisionResponse(
            number=numbered.number,
            symbol=numbered.symbol,
            total_vnd=issued.decision.total_vnd,
            already=issued.already,
        )

    async def GetRewardDecision(
        self, request: api.GetRewardDecisionRequest, context: object
    ) -> api.GetRewardDecisionResponse:
        return api.GetRewardDecisionResponse(decision=_decision(await self._do.read.decision(request.decision_id)))

    async def GetRewardDocument(
        self, request: api.GetRewardDocumentRequest, context: object
    ) -> api.GetRewardDocumentResponse:
        document = await self._do.print_decision(request.decision_id)
        return api.GetRewardDocumentResponse(pdf=document.pdf, sha256=document.sha256)

    async def ListEntitlements(
        self, request: api.ListEntitlementsRequest, context: object
    ) -> api.ListEntitlementsResponse:
        limit = page_size(request.page_size)
        asked = EntitlementsAsked(request.decision_id, request.holder_id, limit, request.page_token)
        caller = principal()
        page = await self._do.read.entitlements(asked, caller.subject, caller.roles)
        return api.ListEntitlementsResponse(entitlements=map(_entitlement, page.items), next_page_token=page.next)

    async def RecordPayments(self, request: api.RecordPaymentsRequest, context: object) -> api.RecordPaymentsResponse:
        outcomes = await self._do.record_payments([_payment(each) for each in request.payments], principal().person_id)
        return api.RecordPaymentsResponse(
            results=[
                api.PaymentResult(payment_id=each.payment_id, already=each.already)
                if isinstance(each, Paid)
                else api.PaymentResult(error=item_error(each))
                for each in outcomes
            ]
        )

    async def GetLedger(self, request: api.GetLedgerRequest, context: object) -> api.GetLedgerResponse:
        balance = await self._do.read.balance(request.decision_id)
        return api.GetLedgerResponse(
            owed_vnd=balance.sums[Kind.OWED],
            paid_vnd=balance.sums[Kind.PAID] - balance.sums[Kind.REVERSED],
            entries=balance.entries,
        )


def _acts_for(issuer_id: str) -> None:
    """A role counts in the organisation it was given in. Raises NotOfTheIssuer."""
    if principal().organisation != issuer_id:
        raise NotOfTheIssuer(field="issuer_id")


def _holder(holder: int, position: int) -> Holder:
    known = _HOLDERS.get(holder)
    if known is None:
        raise RecipientMalformed(field="holder", position=position)
    return known


def _day(text: str, field: str) -> date | None:
    """The day that YYYY-MM-DD names, None for "". Raises DateMalformed."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise DateMalformed(field=field) from None
    if day.isoformat() != text:  # the standard library also reads 20230131 and 2023-W05-2
        raise DateMalformed(field=field)
    return day


def _payment(payment: api.Payment) -> Payment | Refusal:
    try:
        paid_on = _day(payment.paid_on, "paid_on")
    except DateMalformed as refusal:
        return refusal
    return Payment(payment.idempotency_key, payment.entitlement_id, payment.amount_vnd, paid_on)


def _decision(decision: RewardDecision) -> api.RewardDecision:
    answer = api.RewardDecision(
        decision_id=decision.id,
        state=decision.state.value,
        form=decision.form,
        individuals=decision.individuals,
        collectives=decision.collectives,
        total_vnd=decision.total_vnd,
    )
    facts = decision.issue_facts
    if facts is not None:
        answer.number = facts.numbered.number
        answer.symbol = facts.numbered.symbol
        answer.issued_on = facts.issued_on.isoformat()
        answer.rule_set = facts.rule_set
        answer.unverified.extend(facts.unverified)
        if facts.individual:
            answer.per_individual_vnd = facts.individual.amount_vnd
            answer.individual_derivation.extend(facts.individual.derivation)
        if facts.collective:
            answer.per_collective_vnd = facts.collective.amount_vnd
            answer.collective_derivation.extend(facts.collective.derivation)
    return answer


def _entitlement(entitlement: Entitlement) -> api.Entitlement:
    return api.Entitlement(
        entitlement_id=entitlement.id,
        decision_id=entitlement.decision_id,
        holder=_WIRE_HOLDERS[entitlement.holder],
        holder_id=entitlement.holder_id,
        form=entitlement.form,
        amount_vnd=entitlement.amount_vnd,
        paid_vnd=entitlement.paid_vnd,
    )
