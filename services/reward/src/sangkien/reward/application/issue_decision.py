"""Issue a reward decision: number, sums, names, and what everyone is owed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sangkien.kernel.numbering import register_id
from sangkien.reward.application.grant_entitlements import GrantEntitlements
from sangkien.reward.application.naming import names_of
from sangkien.reward.application.ports import Commit, Decisions, Directory, Record, Traces, World
from sangkien.reward.application.pricing import price
from sangkien.reward.domain.decision import Issue, Names, RewardDecision, Signing
from sangkien.reward.domain.errors import (
    DecisionUnknown,
    IssuerUnknown,
    RecipientsUnknown,
    RegisterNotOpen,
    SignerUnknown,
)
from sangkien.reward.domain.recipients import Chunk, Named
from sangkien.store import Op
from sangkien.store.deciding import decided_again


@dataclass(frozen=True, slots=True)
class Signature:
    """A leader signs. `issued_on` None means today."""

    decision_id: str
    issued_on: date | None
    signer_id: str
    mode: str
    title: str
    on_behalf_of: str


@dataclass(frozen=True, slots=True)
class Issued:
    """The decision as it stands, and whether it stood so before."""

    decision: RewardDecision
    already: bool


class IssueDecision:
    """Takes the number, fixes the sums and makes the list due in one unit, then grants what is due.

    Killed in between, the rest is granted when the service runs again, or when the same call is repeated. A number is
    taken only by a decision that stands: everything that may be missing (names, rules, register) is looked at before.
    """

    def __init__(
        self,
        decisions: Decisions,
        directory: Directory,
        grant: GrantEntitlements,
        world: World,
        traces: Traces,
        record: Record,
        commit: Commit,
    ) -> None:
        self._decisions = decisions
        self._directory = directory
        self._grant = grant
        self._world = world
        self._traces = traces
        self._record = record
        self._commit = commit

    async def __call__(self, signature: Signature) -> Issued:
        """Raises what the domain, the rules and the register refuse."""
        decision = await self._loaded(signature.decision_id)
        already = not decision.may_issue(signature.signer_id, signature.issued_on, self._world.today())
        if not already:
            signing = Signing.read(signature.signer_id, signature.mode, signature.title, signature.on_behalf_of)
            names = await self._names(decision, signing)
            printed = await self._printed(await self._decisions.chunks(decision.id))
            already = await decided_again(lambda: self._issue(signature, signing, names, printed))
        await self._grant.of_decision(decision.id)
        return Issued(await self._loaded(decision.id), already)

    async def _issue(
        self, signature: Signature, signing: Signing, names: Names, printed: Sequence[Sequence[Named]]
    ) -> bool:
        """Write the one unit. True when another call of this signer was faster."""
        today = self._world.today()
        decision = await self._loaded(signature.decision_id)
        if not decision.may_issue(signature.signer_id, signature.issued_on, today):
            return True
        on = signature.issued_on or today
        prices = {holder: price(decision.form, holder, on) for holder in decision.holders}
        register = await self._decisions.register(register_id(decision.issuer_id, decision.suffix, on.year))
        if register is None:
            raise RegisterNotOpen(field="issued_on", year=on.year)
        numbered = register.take(on)
        facts = Issue(numbered, on, prices.get("individual"), prices.get("collective"), signing, names)
        decision.issue(facts, today)
        chunks = await self._decisions.chunks(decision.id)
        for chunk, named in zip(chunks, printed, strict=True):
            chunk.make_due(named)
        with self._traces.span("reward.issue", aggregate_id=decision.id):
            ops: list[Op] = [self._decisions.save(decision), self._decisions.save_register(register)]
            ops += [self._decisions.save_chunk(chunk) for chunk in chunks]
            ops += self._record(
                decision.pull_events(), version=decision.version + 1, traceparent=self._traces.traceparent()
            )
            await self._commit(ops)
        return False

    async def _loaded(self, decision_id: str) -> RewardDecision:
        decision = await self._decisions.get(decision_id)
        if decision is None:
            raise DecisionUnknown(field="decision_id")
        return decision

    async def _names(self, decision: RewardDecision, signing: Signing) -> Names:
        signer = (await self._directory.people([signing.signer_id])).get(signing.signer_id)
        if signer is None:
            raise SignerUnknown
        issuer = (await self._directory.organisations([decision.issuer_id])).get(decision.issuer_id)
        if issuer is None:
            raise IssuerUnknown
        above = await self._directory.organisations([issuer.parent_id]) if issuer.parent_id else {}
        superior = above.get(issuer.parent_id)
        return Names(signer.name, issuer.name, superior.name if superior else "")

    async def _printed(self, chunks: Sequence[Chunk]) -> list[list[Named]]:
        """The names of the whole list, chunk by chunk. Raises RecipientsUnknown."""
        recipients = [recipient for chunk in chunks for recipient in chunk.recipients]
        names = await names_of(self._directory, recipients)
        missing = [place for place, each in enumerate(recipients, start=1) if each.holder_id not in names]
        if missing:
            raise RecipientsUnknown(field="recipients", count=len(missing), first=missing[0])
        return [[names[each.holder_id] for each in chunk.recipients] for chunk in chunks]
